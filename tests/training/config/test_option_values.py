"""What a typed text means, each value written by hand."""

import math

import pytest

from repvgg_seg.training.config.option_values import ABSENT, value_of


@pytest.mark.parametrize(
    'text, old, expected',
    [
        # text where the config has text
        ('/tmp/my data', 'data/x', '/tmp/my data'),
        ('/tmp/a,b', 'data/x', '/tmp/a,b'),
        ('2024', 'data/x', '2024'),
        ('1e3', 'x', '1e3'),
        ('True', 'x', 'True'),
        ('007', 'x', '007'),
        ('', 'train', ''),
        ('a=b', 'x', 'a=b'),
        (r'C:\new data\train', 'x', r'C:\new data\train'),
        ('"/tmp/my data"', 'x', '/tmp/my data'),
        ("it's", 'x', "it's"),
        ('100%', 'x', '100%'),
        ('[a]/b', 'x', '[a]/b'),
        ('(copy)', 'x', '(copy)'),
        ('{name}', ABSENT, ValueError),
        ('None', 'x.pth', None),
        # other kinds in the place of text, where no text can be meant
        ("('.png', '.PNG')", '.png', ('.png', '.PNG')),
        ("{'depths': (1, 2), 'a': 0.25}", 'A0', dict(depths=(1, 2), a=0.25)),
        ('dict(depths=(1, 2), a=0.25)', 'A0', dict(depths=(1, 2), a=0.25)),
        # Python's literals
        ('1', ABSENT, 1),
        ('-1', 5, -1),
        ('1e-3', 0.1, 0.001),
        ('.5', 0.1, 0.5),
        ('8e4', 80000, 80000),
        ('2.5', 80000, 2.5),
        ('1_000', 5, 1000),
        ('inf', 1.0, math.inf),
        ('True', False, True),
        ('false', True, False),
        ('yes', False, ValueError),
        ('1', False, 1),
        ('None', [1], None),
        ("'5'", ABSENT, '5'),
        ("'5'", 3, 5),
        ("['traffic light','bus stop']", ABSENT, ['traffic light', 'bus stop']),
        ("[{'type':'LocalVisBackend'},{'type':'TensorboardVisBackend'}]", [{}], [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]),
        ("[dict(type='EMAHook', momentum=1e-2, on=True, of=None)]", [], [dict(type='EMAHook', momentum=0.01, on=True, of=None)]),
        ("{'a': {'b': [1, (2, 3)]}}", None, dict(a=dict(b=[1, (2, 3)]))),
        ("['a, b', 'c=d', 'e[']", None, ['a, b', 'c=d', 'e[']),
        (r"['C:\new', 'D:\\temp']", None, ['C:\\new', 'D:\\temp']),
        ('[]', None, []),
        ('(1,)', None, (1,)),
        (' [1, 2] ', None, [1, 2]),
        # mmengine's notation, and what a shell leaves of quotes
        ('[a,b]', None, ['a', 'b']),
        ('[traffic light, bus stop]', None, ['traffic light', 'bus stop']),
        ('[(a,b),(c,d)]', None, [('a', 'b'), ('c', 'd')]),
        ('[(1, 2, 3), [a, b], c]', None, [(1, 2, 3), ['a', 'b'], 'c']),
        ('1,2,3', None, [1, 2, 3]),
        ('mIoU,mDice', ['mIoU'], ['mIoU', 'mDice']),
        ('traffic light,bus stop', ('a', 'b'), ['traffic light', 'bus stop']),
        ('512,1024', (512, 512), [512, 1024]),
        ('[1,2],[3,4]', None, [[1, 2], [3, 4]]),
        ('(3)', (0, 1), (3,)),
        ("'[a,b]'", None, ['a', 'b']),
        ('[true,None,1e-3]', None, [True, None, 0.001]),
        ("[driver's seat, b]", None, ["driver's seat", 'b']),
        ('{type:SGD,lr:0.1}', None, dict(type='SGD', lr=0.1)),
        ('[{type:LocalVisBackend},{type: TensorboardVisBackend}]', None, [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]),
        (r'{path: C:\data}', None, dict(path=r'C:\data')),
        ('dict(type=SGD, betas=(0.9,0.99))', None, dict(type='SGD', betas=(0.9, 0.99))),
        # nothing that can be known: text, where it is not clearly a list
        ('/tmp/a,b.pth', None, '/tmp/a,b.pth'),
        ('a b', ABSENT, 'a b'),
        ('', None, ''),
        ('3 apples, (2 pears', ABSENT, '3 apples, (2 pears'),
        # cannot be read
        ('[1,2', ABSENT, ValueError),
        ('{1:', ABSENT, ValueError),
        ('{1, 2}', ABSENT, ValueError),
        ('[1,2)', None, ValueError),
        ('', 3, ValueError),
        ('', [1], ValueError),
        ('', {}, ValueError),
    ],
)  # fmt: skip
def test_a_value_is_read_beside_the_old_one(text, old, expected):
    if expected is ValueError:
        with pytest.raises(ValueError):
            value_of(text, old)
        return
    value = value_of(text, old)
    assert value == expected and type(value) is type(expected)


@pytest.mark.parametrize(
    'text, old, kinds, expected',
    [
        ('2024', None, {str, type(None)}, '2024'),
        ('1e3', ABSENT, {str}, '1e3'),
        ('a,b', ABSENT, {str}, 'a,b'),
        ('None', ABSENT, {str}, None),
        ("('.png', '.PNG')", ABSENT, {str}, ('.png', '.PNG')),
        ('512.', 'dynamic', {str, float, dict}, 512.0),
        ('dynamic', 512.0, {str, float, dict}, 'dynamic'),
        ('[mIoU,mDice]', 'mIoU', {str, list, type(None)}, ['mIoU', 'mDice']),
        ('2024', 'x', {str, list}, '2024'),
    ],
)
def test_the_annotation_of_an_argument_decides(text, old, kinds, expected):
    value = value_of(text, old, kinds)
    assert value == expected and type(value) is type(expected)


def test_the_home_folder(monkeypatch):
    monkeypatch.setenv('HOME', '/home/me')
    monkeypatch.setenv('USERPROFILE', '/home/me')
    for old, kinds in (('x', None), (None, {str, type(None)}), (ABSENT, None)):
        assert value_of('~/my data', old, kinds) == '/home/me/my data'
    assert value_of('~other', 'x') == '~other'
