"""FoldedPSPHead against mmseg's PSPHead: names, results, gradients, and both forms."""

import copy

import pytest
import torch
from helpers import relative_error
from mmseg.registry import MODELS
from small_models import psp_head, segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.models.folded_psp_head import FoldedPSPHead, _averages, _up_and_shift, is_foldable

FORMATS = [torch.contiguous_format, torch.channels_last]


def maps(*size, **kwargs):
    return [None] * 3 + [torch.randn(3, 16, *size, **kwargs)]


@pytest.mark.parametrize(
    'plain, folded',
    [
        (dict(), dict()),
        (dict(type='QuarterPSPHead'), dict(quarter=True)),
        (dict(type='QuarterPSPHead'), dict(type='FoldedQuarterPSPHead')),
        (dict(norm_cfg=None),) * 2,
    ],
)
@torch.no_grad()
def test_the_state_dict_is_that_of_the_plain_head(plain, folded):
    plain, folded = psp_head(**plain), psp_head(**{'type': 'FoldedPSPHead', **folded})
    x = maps(12, 9)
    folded.load_state_dict(plain.state_dict(), strict=True)
    assert relative_error(folded(x), plain(x)) < 1e-5
    plain.load_state_dict(folded.state_dict(), strict=True)


def trained(head, x, weights, autocast=None):
    """What a training iteration computes: the logits, every gradient, and the statistics of the BNs afterwards, in fp64."""
    head = copy.deepcopy(head).train()
    inputs = x.detach().clone().requires_grad_()
    with torch.autocast('cpu', autocast, enabled=autocast is not None):
        logits = head([None] * 3 + [inputs])
    (logits.to(weights.dtype) * weights).sum().backward()
    found = {name: parameter.grad for name, parameter in head.named_parameters()}
    assert all(gradient is not None for gradient in found.values())
    statistics = {name: buffer for name, buffer in head.named_buffers() if 'running' in name}
    values = {'logits': logits, 'x': inputs.grad, **found, **statistics}
    return {name: value.detach().double() for name, value in values.items()}


@pytest.mark.parametrize('dtype, tolerance', [(torch.double, 1e-12), (torch.float, 1e-5)])
@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', [(12, 12), (13, 7), (4, 3)])
def test_training_is_that_of_the_plain_head(size, align_corners, memory_format, dtype, tolerance):
    """Logits, all gradients and the statistics, with BN in training mode; maps smaller than the bins too."""
    torch.manual_seed(0)
    heads = [psp_head(align_corners, type=kind, dropout_ratio=0).to(dtype) for kind in ('PSPHead', 'FoldedPSPHead')]
    heads[1].load_state_dict(heads[0].state_dict())
    x = torch.randn(3, 16, *size, dtype=dtype).contiguous(memory_format=memory_format)
    weights = torch.randn(3, 5, *size, dtype=dtype)
    plain, folded = (trained(head.to(memory_format=memory_format), x, weights) for head in heads)
    assert folded.keys() == plain.keys()
    most = max(value.abs().max() for name, value in plain.items() if name.startswith(('psp', 'bottle', 'conv')))
    for name in plain:
        # The gradients before a BN in training mode nearly cancel: they are compared with the largest one.
        scale = plain[name].abs().max() if name in ('logits', 'x') or 'running' in name else most
        assert (folded[name] - plain[name]).abs().max() < tolerance * scale, name


@pytest.mark.slow
@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_mixed_precision_is_no_worse_than_that_of_the_plain_head(dtype, memory_format):
    """The distance of logits and gradients from those in fp64, a mean over some batches, against that of the plain head."""
    ratios = {}
    for seed in range(6):
        torch.manual_seed(seed)
        cfg = dict(in_channels=64, channels=32, dropout_ratio=0, norm_cfg=dict(type='BN'))
        plain, folded = (
            psp_head(type=kind, **cfg).to(memory_format=memory_format) for kind in ('PSPHead', 'FoldedPSPHead')
        )
        torch.nn.init.normal_(plain.conv_seg.weight, std=0.1)
        folded.load_state_dict(plain.state_dict())
        x = torch.randn(2, 64, 32, 40).relu().to(dtype).contiguous(memory_format=memory_format)
        weights = torch.randn(2, 5, 32, 40)
        exact = trained(copy.deepcopy(plain).double(), x.double(), weights.double())
        errors = [
            {
                name: (value - exact[name]).norm()
                for name, value in trained(head, x, weights, dtype).items()
                if name in ('logits', 'x') or name.endswith(('conv.weight', 'conv_seg.weight'))
            }
            for head in (plain, folded)
        ]
        for name in errors[0]:
            ratios.setdefault(name, []).append(float(errors[1][name] / errors[0][name]))
    assert len(ratios) == 8
    for name, values in ratios.items():
        assert sum(values) / len(values) < 1.1, name


@pytest.mark.parametrize('memory_format', FORMATS)
@pytest.mark.parametrize('deploy', [False, True])
def test_autocast(deploy, memory_format):
    """As in mixed precision: the head gets maps in bfloat16 or in fp32, and its matrices have to follow."""
    head = psp_head(type='FoldedPSPHead', deploy=deploy).to(memory_format=memory_format)
    for dtype in (torch.bfloat16, torch.float32):
        x = maps(13, 7)
        expected = head(x).detach()
        x[3] = x[3].to(dtype).contiguous(memory_format=memory_format)
        with torch.autocast('cpu', torch.bfloat16):
            found = head(x)
        assert relative_error(found.detach(), expected) < 5e-2
    found.sum().backward()
    assert all(torch.isfinite(level.conv.weight.grad).all() for level in _levels(head))


def _levels(head):
    return head.bottleneck.levels if head.deploy else [level for _, level in head.psp_modules]


@pytest.mark.parametrize('quarter', [False, True])
@torch.no_grad()
def test_both_forms_compute_the_same(quarter):
    head = psp_head(type='FoldedPSPHead', quarter=quarter)
    x = maps(13, 7)
    expected = head(x)
    deployed = psp_head(type='FoldedPSPHead', quarter=quarter, deploy=True)
    assert deployed.deploy and deployed.psp_modules is None
    deployed.load_state_dict(head.state_dict(), strict=True)  # split on the way
    assert relative_error(deployed(x), expected) < 1e-5
    again = psp_head(type='FoldedPSPHead', quarter=quarter, deploy=True)
    again.load_state_dict(deployed.state_dict(), strict=True)
    assert torch.equal(again(x), deployed(x))
    head.switch_to_deploy()
    head.switch_to_deploy()  # does nothing
    assert head.state_dict().keys() == deployed.state_dict().keys()
    assert torch.equal(head(x), deployed(x))


def test_a_segmentor_loads_the_ordinary_form_into_the_deploy_form():
    """The names of the head stand behind a prefix there, and other parts before and after it."""
    head = dict(type='FoldedPSPHead', in_channels=128, in_index=3, channels=12, num_classes=5, norm_cfg=dict(type='BN'))
    plain, deployed = segmentor(), segmentor(decode_head=dict(head, deploy=True))
    deployed.load_state_dict(plain.state_dict(), strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert relative_error(deployed(x), plain(x)) < 1e-5


def test_a_deploy_form_does_not_load_into_an_ordinary_form():
    deployed = psp_head(type='FoldedPSPHead', deploy=True)
    with pytest.raises(InputError, match='those of a deployed FoldedPSPHead: load the training checkpoint, or build'):
        psp_head(type='FoldedPSPHead').load_state_dict(deployed.state_dict(), strict=False)


def test_convs_that_are_not_plain_are_refused():
    with pytest.raises(InputError, match=r"needs plain convs, got conv_cfg=\{'type': 'ConvWS'\}"):
        psp_head(type='FoldedPSPHead', conv_cfg=dict(type='ConvWS'))
    head = psp_head(conv_cfg=dict(type='ConvWS'))
    assert not is_foldable(head)
    with pytest.raises(InputError, match='cannot fold this PSPHead'):
        FoldedPSPHead.from_head(head)


def test_a_head_that_is_taken_over_keeps_its_settings():
    head = psp_head(type='QuarterPSPHead', in_index=2, align_corners=True, ignore_index=7, dropout_ratio=0.3)
    folded = FoldedPSPHead.from_head(head)
    for name in ('in_index', 'align_corners', 'ignore_index', 'num_classes', 'out_channels', 'training', 'channels'):
        assert getattr(folded, name) == getattr(head, name), name
    assert dict(folded.named_children()) == dict(head.named_children())
    assert folded.dropout.p == 0.3
    folded.switch_to_deploy()
    assert head.psp_modules is not None


def test_it_is_registered():
    assert MODELS.get('FoldedPSPHead') is FoldedPSPHead


def test_matrices_of_the_pyramid_are_those_of_torch():
    cpu = torch.device('cpu')
    # 5 pixels in 2 bins: 0-2 and 2-4, as adaptive pooling has it
    third = pytest.approx(1 / 3)
    assert _averages(2, 5, torch.float32, cpu).tolist() == [[third] * 3 + [0, 0], [0, 0] + [third] * 3]
    # 2 cells on 3 pixels with aligned corners: 1 0, .5 .5, 0 1; the tap above row 0 and that below row 2 see nothing
    above, here, below = _up_and_shift(2, 3, True, torch.float32, cpu).split(2, 1)
    assert here.tolist() == [[1, 0], [0.5, 0.5], [0, 1]]
    assert above.tolist() == [[0, 0], [1, 0], [0.5, 0.5]]
    assert below.tolist() == [[0.5, 0.5], [0, 1], [0, 0]]
