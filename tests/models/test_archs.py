import pytest

from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS, ArchSpec, get_arch

# Paper, Table 3, with the widths of Table 2 worked out by hand.
A, B = (1, 2, 4, 14, 1), (1, 4, 6, 16, 1)
EXPECTED = {
    'A0': (A, (48, 48, 96, 192, 1280), 1),
    'A1': (A, (64, 64, 128, 256, 1280), 1),
    'A2': (A, (64, 96, 192, 384, 1408), 1),
    'B0': (B, (64, 64, 128, 256, 1280), 1),
    'B1': (B, (64, 128, 256, 512, 2048), 1),
    'B1g2': (B, (64, 128, 256, 512, 2048), 2),
    'B1g4': (B, (64, 128, 256, 512, 2048), 4),
    'B2': (B, (64, 160, 320, 640, 2560), 1),
    'B2g2': (B, (64, 160, 320, 640, 2560), 2),
    'B2g4': (B, (64, 160, 320, 640, 2560), 4),
    'B3': (B, (64, 192, 384, 768, 2560), 1),
    'B3g2': (B, (64, 192, 384, 768, 2560), 2),
    'B3g4': (B, (64, 192, 384, 768, 2560), 4),
    'D2se': ((1, 8, 14, 24, 1), (64, 160, 320, 640, 2560), 1),
    'L2pse': ((1, 8, 14, 24, 1), (64, 160, 320, 640, 2560), 1),
}


def test_the_published_architectures():
    assert {name: (spec.depths, spec.widths, spec.groups) for name, spec in ARCHS.items()} == EXPECTED
    assert [name for name, spec in ARCHS.items() if spec.se] == ['D2se']
    assert [name for name, spec in ARCHS.items() if spec.post_se] == ['L2pse']


def test_a_spec_of_ones_own():
    assert get_arch(dict(depths=[1, 1, 1, 2, 1], a=0.25, b=0.5)) == ArchSpec((1, 1, 1, 2, 1), 0.25, 0.5)


@pytest.mark.parametrize(
    'arch, message',
    [
        ('B9', "unknown RepVGG arch 'B9'; known: A0, A1"),
        (dict(depths=A, a=1), r"missing: \['b'\]"),
        (dict(depths=A, a=1, b=1, width=3), r"unknown keys: \['width'\]"),
        (dict(depths=(1, 2, 3), a=1, b=1), 'depths must be five positive integers'),
        (dict(depths=(1, 2, 0, 1, 1), a=1, b=1), 'depths must be five positive integers'),
        (dict(depths=A, a=0.3, b=1), 'not whole numbers'),
        (dict(depths=A, a=-1, b=1), 'a must be a positive number, got -1'),
        (dict(depths=A, a=1, b=1, groups=3), 'groups must be a positive integer that divides'),
        (7, 'got int'),
        (dict(depths=3, a=1, b=1), 'depths must be five positive integers, one for each stage, got 3'),
        (dict(depths=(1, True, 1, 1, 1), a=1, b=1), 'depths must be five positive integers'),
        (dict(depths=(2, 2, 4, 14, 1), a=1, b=1), r'stage 1 has one layer, got depths \(2, 2, 4, 14, 1\)'),
        (dict(depths=A, a='x', b=1), "a must be a positive number, got 'x'"),
        (dict(depths=A, a=1, b=True), 'b must be a positive number, got True'),
        (dict(depths=A, a=float('nan'), b=1), 'a must be a positive number, got nan'),
        (dict(depths=A, a=1, b=float('inf')), 'b must be a positive number, got inf'),
        (dict(depths=A, a=1, b=1, groups=True), 'groups must be a positive integer .* got True'),
        (dict(depths=A, a=1, b=1, groups='2'), "groups must be a positive integer .* got '2'"),
        (dict(depths=A, a=1, b=1, se='x'), "se must be True or False, got 'x'"),
        (dict(depths=A, a=0.125, b=1, se=True), r'se=True needs widths of at least 16, got \(8, 8, 16, 32, 512\)'),
    ],
)
def test_refusals(arch, message):
    with pytest.raises(InputError, match=message):
        get_arch(arch)


WIDTHS = (8, 8, 24, 16, 32, 40, 56)


def test_widths_of_every_layer():
    spec = get_arch(dict(depths=[1, 1, 2, 2, 1], layer_widths=list(WIDTHS)))
    assert spec.widths_by_layer == WIDTHS and spec.widths == (8, 8, 16, 40, 56)
    assert ArchSpec((1, 1, 2, 2, 1), 1, 0.5).widths_by_layer == (64, 64, 128, 128, 256, 256, 256)
    # What multipliers give is the spec of these.
    assert get_arch(dict(depths=(1, 1, 2, 2, 1), layer_widths=(64, 64, 128, 128, 256, 256, 256))) == ArchSpec(
        (1, 1, 2, 2, 1), 1, 0.5
    )
    assert spec.is_narrower_than(ArchSpec((1, 1, 2, 2, 1), 0.25, 0.25))  # 16, 16, 32, 32, 64, 64, 128
    assert not spec.is_narrower_than(ArchSpec((1, 1, 2, 2, 1), 0.125, 0.25))  # the third is 16
    assert not spec.is_narrower_than(ArchSpec((1, 1, 2, 2, 1), 0.25, 0.25, groups=2))


@pytest.mark.parametrize(
    'more, message',
    [
        (dict(layer_widths=WIDTHS[:-1]), 'layer_widths must be 7 positive integers, one for each layer'),
        (dict(layer_widths=(*WIDTHS[:-1], 0)), 'layer_widths must be 7 positive integers'),
        (dict(layer_widths=8), 'layer_widths must be 7 positive integers, one for each layer, got 8'),
        (dict(layer_widths=WIDTHS, a=1), 'in the place of a and b, got a=1, b=None'),
        (dict(layer_widths=WIDTHS, groups=16), r'groups must be a positive integer that divides the widths \(8, 24'),
        (dict(layer_widths=WIDTHS, se=True), 'se=True needs widths of at least 16'),
    ],
)
def test_refused_widths(more, message):
    with pytest.raises(InputError, match=message):
        get_arch(dict(depths=(1, 1, 2, 2, 1), **more))
