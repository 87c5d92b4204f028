import argparse

import pytest

from repvgg_seg.cli.config_options import add_config_options


def parsed(*options):
    parser = argparse.ArgumentParser()
    add_config_options(parser)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


def test_options_in_the_ways_of_mmengine_and_as_a_dict():
    assert parsed('a=1', 'b=[1,2]', 'c=None') == dict(a=1, b=[1, 2], c=None)
    assert parsed("arch={'depths': (1, 2), 'a': 0.25}") == dict(arch=dict(depths=(1, 2), a=0.25))


@pytest.mark.parametrize('option', ['a=dict(b=(1,2))', 'a={1:', 'a', 'a=[1,2'])
def test_options_that_cannot_be_read(option, capsys):
    with pytest.raises(SystemExit):
        parsed(option)
    assert 'give key=value' in capsys.readouterr().err
