"""Texts are read and written as UTF-8: without an encoding, Python takes that of the system, which differs on Windows."""

import ast

import pytest
from helpers import REPO

SOURCES = sorted([*(REPO / 'repvgg_seg').rglob('*.py'), *(REPO / 'tools').glob('*.py')])


def lines_without_encoding(code):
    """The numbers of the lines that open a text, or read one from another process, without naming its encoding."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        mode = [*node.args[1:2], *filter(None, [given.get('mode')])]
        binary = any('b' in str(getattr(part, 'value', '')) for value in mode for part in ast.walk(value))
        of_pillow = getattr(getattr(node.func, 'value', None), 'id', '') == 'Image'
        opens = name in ('open', 'fdopen') and not binary and not of_pillow
        as_text = any(getattr(given.get(key), 'value', False) for key in ('text', 'universal_newlines'))
        if (opens or name in ('read_text', 'write_text') or as_text) and 'encoding' not in given:
            yield node.lineno


@pytest.mark.parametrize(
    'code, found',
    [
        ('open(x)', True),
        ('open(x, "rb")', False),
        ('open(x, mode="wb")', False),
        ('open(x, "ab" if y else "wb")', False),
        ('open(x, "w", encoding="utf-8")', False),
        ('p.read_text()', True),
        ('p.write_text(x)', True),
        ('p.write_text(x, encoding="utf-8")', False),
        ('run(x, text=True)', True),
        ('run(x, text=True, encoding="utf-8")', False),
        ('Image.open(x)', False),
    ],
)
def test_the_search(code, found):
    assert bool(list(lines_without_encoding(code))) == found


def test_every_text_has_its_encoding():
    assert [
        f'{path.relative_to(REPO)}:{line}'
        for path in SOURCES
        for line in lines_without_encoding(path.read_text(encoding='utf-8'))
    ] == []


def test_opencv_opens_no_files():
    """It finds no path beyond ASCII on Windows; `read_image` and `cv2.imencode` take its place."""
    found = [
        path.name
        for path in SOURCES
        for word in ('cv2.imread', 'cv2.imwrite')
        if f'{word}(' in path.read_text(encoding='utf-8')
    ]
    assert found == []
