"""Classes from configs and from the files that annotation tools write."""

import json

import pytest

from repvgg_seg.data.class_file import ClassTable, class_table, read_class_file, standard_colours
from repvgg_seg.errors import InputError

NAMES = ClassTable(('sky', 'high way'))
COLOURS = ClassTable(('sky', 'high way'), colours=((1, 2, 3), (128, 64, 255)))
NUMBERS = ClassTable(('sky', 'high way'), numbers=(7, 23))
FILES = [
    # name, content, what it means
    ('classes.txt', 'sky\n\nhigh way\n', NAMES),
    ('classes.txt', '\ufeffsky\r\nhigh way\r\n', NAMES),
    ('classes.txt', '0 sky\n1 high way', NAMES),
    ('classes.txt', '1: high way\n0: sky', NAMES),
    ('classes.txt', '7 sky\n23 high way', NUMBERS),
    ('classes.txt', 'sky 1 2 3\nhigh way 128 64 255', COLOURS),
    ('classes.txt', 'sky, 1, 2, 3\nhigh way, (128, 64, 255)', COLOURS),
    ('classes.txt', '0 sky 1 2 3\n1 high way 128 64 255', COLOURS),
    ('classes.txt', 'sky #010203\nhigh way #8040FF', COLOURS),
    ('label_colors.txt', '1 2 3\tsky\n128 64 255\thigh way', COLOURS),
    ('labelmap.txt', '# label:color_rgb:parts:actions\nsky:1,2,3::\nhigh way:128,64,255::', COLOURS),
    ('class_dict.csv', 'name,r,g,b\nsky,1,2,3\nhigh way,128,64,255', COLOURS),
    ('_classes.csv', 'Pixel Value, Class\n7, sky\n23, high way', NUMBERS),
    ('x.csv', 'sky,7\nhigh way,23', NUMBERS),
    ('c.json', json.dumps(['sky', 'high way']), NAMES),
    ('c.json', json.dumps({'sky': [1, 2, 3], 'high way': '#8040ff'}), COLOURS),
    ('notes.json', json.dumps({'categories': [{'id': 0, 'name': 'sky'}, {'id': 1, 'name': 'high way'}], 'info': {}}), NAMES),
    ('meta.json', json.dumps({'classes': [{'title': 'sky', 'color': '#010203', 'id': 4}, {'title': 'high way', 'color': '#8040FF'}]}), COLOURS),
    ('data.yaml', 'train: ../train\nnames:\n  0: sky\n  1: high way\nnc: 2', NAMES),
    ('data.yaml', 'names: [sky, high way]', NAMES),
    ('data.yaml', 'names: [a, b, c]', ClassTable(('a', 'b', 'c'))),
    ('c.yaml', 'sky: 7\nhigh way: 23', NUMBERS),
    ('classes.txt', '2 wheeler\ncar', ClassTable(('2 wheeler', 'car'))),
]  # fmt: skip


@pytest.mark.parametrize('name, content, expected', FILES)
def test_files(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content, encoding='utf-8', newline='')
    assert read_class_file(str(tmp_path / name)) == expected


@pytest.mark.parametrize(
    'given, said',
    [
        ({}, 'names no classes'),
        ([], 'give names'),
        ([1, 2], 'give names'),
        (3, 'classes is 3: give names'),
        (['a', 'a'], 'the class a occurs twice'),
        (dict(a=1, b=1), 'number 1 occurs twice'),
        (dict(a=(1, 2, 3), b=(1, 2, 3)), r'number \(1, 2, 3\) occurs twice'),
        (dict(a=(1, 2, 300)), 'red, green and blue are 0 to 255'),
        (dict(a=(1, 2)), 'neither a colour nor a number'),
        (dict(a='red'), 'neither a colour nor a number'),
        (dict(a=1, b=(1, 2, 3)), 'and a not'),
        (dict(a=-1), '-1 is no number of a pixel'),
    ],
)
def test_refused(given, said):
    with pytest.raises(InputError, match=said):
        class_table(given)


@pytest.mark.parametrize(
    'content, said', [(b'', 'names no classes'), (b'\xff\xfe\x00', 'in UTF-8'), (None, 'no such file')]
)
def test_files_that_are_refused(tmp_path, content, said):
    if content is not None:
        (tmp_path / 'c.txt').write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_class_file(str(tmp_path / 'c.txt'))
    (tmp_path / 'c.json').write_text('{')
    with pytest.raises(InputError, match='c.json cannot be read'):
        read_class_file(str(tmp_path / 'c.json'))


def test_the_colours_of_pascal_voc():
    """As its development kit has them."""
    assert standard_colours(6) == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128))
    assert standard_colours(21)[15:17] == ((192, 128, 128), (0, 64, 0)) and standard_colours(9)[8] == (64, 0, 0)
