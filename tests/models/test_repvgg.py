import pytest
import torch
from helpers import EVERY_ARCH, randomise_bn, relative_error

from repvgg_seg import RepVGG, reparameterize_model
from repvgg_seg.errors import InputError

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
FORMS = dict(
    stride32=dict(), stride16=dict(output_stride=16), stride8=dict(output_stride=8),
    fast=dict(output_stride=8, dilate_last=5),
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize('arch', EVERY_ARCH)
@torch.no_grad()
def test_fused_equals_training_form_at_every_stage(arch):
    check_every_form(arch, torch.float, 1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('arch', ['A0', TINY, TINY | dict(se=True)], ids=['A0', 'groups', 'se'])
@torch.no_grad()
def test_what_is_left_of_a_difference_in_double_precision(arch):
    check_every_form(arch, torch.double, 1e-10)


def check_every_form(arch, dtype, limit):
    model = randomise_bn(RepVGG(arch)).eval().to(dtype)
    fused = reparameterize_model(model)
    x = torch.randn(1, 3, 64, 64, dtype=dtype)
    for form in FORMS.values():
        a, b = _sharing(model, arch, form), _sharing(fused, arch, dict(form, deploy=True))
        for stage, (found, expected) in enumerate(zip(b(x), a(x), strict=True)):
            assert relative_error(found, expected) < limit, (form, stage)


def _sharing(model, arch, form):
    """The same parameters in a body of another output stride: names and shapes are those of the classifier's."""
    with torch.device('meta'):
        other = RepVGG(arch, **form).eval()
    other.load_state_dict(model.state_dict(), assign=True)
    return other


@pytest.mark.parametrize('form, strides', [('stride32', 32), ('stride16', 16), ('stride8', 8), ('fast', 8)])
def test_shapes(form, strides):
    outs = RepVGG(TINY, **FORMS[form]).eval()(torch.randn(2, 3, 65, 97))
    expected = [-(-65 // min(stride, strides)) for stride in (4, 8, 16, 32)]
    assert [tuple(out.shape[:2]) for out in outs] == [(2, 16), (2, 32), (2, 64), (2, 128)]
    assert [out.shape[2] for out in outs] == expected


def test_dilation_by_the_official_rule():
    """Every 3x3 of the last two stages dilated by 2 and 4 with as much padding, 1x1 branches unpadded, strides 1."""
    plain, dilated = RepVGG(TINY).eval(), RepVGG(TINY, output_stride=8).eval()
    dilated.load_state_dict(randomise_bn(plain).state_dict())
    for stage, dilation in ((plain.stage3, 2), (plain.stage4, 4)):
        for block in stage:
            block.rbr_dense.conv.dilation = block.rbr_dense.conv.padding = (dilation, dilation)
            block.rbr_dense.conv.stride = block.rbr_1x1.conv.stride = (1, 1)
    x = torch.randn(1, 3, 64, 64)
    for found, expected in zip(dilated(x), plain(x), strict=True):
        assert torch.equal(found, expected)


def test_out_indices():
    model = RepVGG(TINY, out_indices=(3, 1))
    x = torch.randn(1, 3, 32, 32)
    stage5, stage3 = model.eval()(x)
    assert model.out_channels == (128, 32) == (stage5.shape[1], stage3.shape[1])
    everything = RepVGG(TINY).eval()
    everything.load_state_dict(model.state_dict())
    assert torch.equal(everything(x)[3], stage5) and torch.equal(everything(x)[1], stage3)


@pytest.mark.parametrize('out_indices, trained', [((0,), 1), ((0, 1, 2), 3), ((2, 0), 3), ((3,), 4)])
@pytest.mark.parametrize('deploy', [False, True], ids=['training', 'deploy'])
def test_stages_that_no_output_needs_are_not_trained(out_indices, trained, deploy):
    """Every parameter that wants a gradient gets one, as several processes need it."""
    model = RepVGG(TINY, out_indices=out_indices, deploy=deploy).train()
    sum(out.sum() for out in model(torch.randn(2, 3, 64, 64))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (parameter.grad is not None) == (int(name[5]) <= trained), name


def test_checkpoints_fit_whatever_the_outputs():
    """Files of all five stages load into a body of fewer outputs, and back; those that lack unneeded stages load too."""
    full, fewer = randomise_bn(RepVGG(TINY)).eval(), RepVGG(TINY, out_indices=(0, 2)).eval()
    image = torch.randn(1, 3, 64, 64)
    fewer.load_state_dict(full.state_dict())
    assert torch.equal(fewer(image)[1], full(image)[2])
    again = RepVGG(TINY).eval()
    again.load_state_dict(fewer.state_dict())
    assert torch.equal(again(image)[3], full(image)[3])
    for source in (full, reparameterize_model(full)):
        partial = {name: tensor for name, tensor in source.state_dict().items() if not name.startswith('stage4')}
        into = RepVGG(TINY, out_indices=(0, 2), deploy=source is not full).eval()
        into.load_state_dict(partial)
        assert relative_error(into(image)[1], full(image)[2]) < 1e-5
        with pytest.raises(InputError, match='missing: stage4.0.rbr_'):
            RepVGG(TINY, deploy=source is not full).load_state_dict(partial)
        with pytest.raises(InputError, match='missing: stage4.0.rbr_'):  # a part of a stage is a damaged file
            key = next(name for name in source.state_dict() if name.startswith('stage4'))
            into.load_state_dict(partial | {key: source.state_dict()[key]})


@pytest.mark.parametrize('frozen', range(-1, 5))
def test_frozen_stages(frozen):
    model = RepVGG(TINY, frozen_stages=frozen).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    out = model(torch.randn(2, 3, 64, 64).requires_grad_())
    sum(o.sum() for o in out).backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is None) == (int(name[5]) <= frozen), name
    for name, tensor in model.state_dict().items():
        if 'running' in name:
            assert torch.equal(tensor, before[name]) == (int(name[5]) <= frozen), name


@pytest.mark.parametrize('frozen', [-1, 1, 4])
def test_fused_in_place_the_frozen_stages_stay_frozen(frozen):
    model = RepVGG(TINY, frozen_stages=frozen).train()
    model.switch_to_deploy()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (int(name[5]) > frozen), name


def test_norm_eval_keeps_the_statistics_and_trains_the_weights():
    model = RepVGG(TINY, norm_eval=True)
    assert model.train() is model and model.training
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model(torch.randn(2, 3, 64, 64))[-1].sum().backward()
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert model.stage1[0].rbr_dense.bn.weight.grad is not None


@pytest.mark.parametrize('with_cp', [True, '1x1'])
def test_checkpointing_goes_through_the_body(with_cp):
    plain, saving = RepVGG(TINY).train(), RepVGG(TINY, with_cp=with_cp).train()
    saving.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 64, 64)
    for model in (plain, saving):
        sum(o.square().mean() for o in model(x)).backward()
    for (name, a), b in zip(plain.named_parameters(), saving.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad), name
    assert all(torch.equal(a, b) for a, b in zip(plain.buffers(), saving.buffers(), strict=True))


def test_in_channels():
    assert RepVGG(TINY, in_channels=4).eval()(torch.randn(1, 4, 32, 32))[0].shape == (1, 16, 8, 8)


def test_building_prints_nothing(capsys):
    RepVGG(TINY)
    assert capsys.readouterr() == ('', '')


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(arch='B9'), 'known: A0'),
        (dict(arch=TINY, out_indices=(0, 4)), 'out_indices must be among 0, 1, 2, 3'),
        (dict(arch=TINY, out_indices=()), 'out_indices must be among 0, 1, 2, 3'),
        (dict(arch=TINY, out_indices=3), 'out_indices must be among 0, 1, 2, 3 .* got 3'),
        (dict(arch=TINY, frozen_stages=5), 'frozen_stages must be -1'),
        (dict(arch=TINY, output_stride=64), 'output_stride must be one of'),
        (dict(arch=TINY, norm_cfg='BN'), r"norm_cfg must be None or a dict such as dict\(type='BN'\), got 'BN'"),
        (dict(arch=TINY, with_cp='3x3'), "with_cp must be False, True or '1x1', got '3x3'"),
        (dict(arch=TINY, stem_weights='sum'), "stem_weights must be None, 'mean' or 'repeat', got 'sum'"),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(InputError, match=message):
        RepVGG(**kwargs)
