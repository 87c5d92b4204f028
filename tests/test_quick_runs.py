"""What tests/quick_runs.py puts in the place of yapf gives the same text."""

import pytest
from mmengine.config import Config
from quick_runs import FORMATTED, format_code, format_statements
from tiny import tiny_config

STYLE = dict(style_config=dict(based_on_style='pep8', split_before_expression_after_opening_paren=True))


def test_a_config_is_formatted_as_yapf_does():
    cfg = tiny_config('my data', "it's/work")
    text = Config(cfg.to_dict(), format_python_code=False).pretty_text
    expected = format_code(text, **STYLE)
    assert expected[1] and format_statements(text, **STYLE) == expected
    assert any('my data' in statement for statement, _ in FORMATTED)
    assert format_statements(text, **STYLE) == expected, 'from what is remembered'


@pytest.mark.parametrize('text', ['a=1  # one\n\n\nb=dict(c=2)\n', 'a=1; b=2\n', 'a = 1\n', 'a = 1'])
def test_other_texts(text):
    assert format_statements(text, **STYLE) == format_code(text, **STYLE)


def test_a_text_that_is_no_code():
    with pytest.raises(SyntaxError):
        format_statements('a = = 1\n')
