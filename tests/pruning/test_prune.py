"""Channels are removed, BN is put back, and the weights load into the whole model."""

import copy

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from small_models import head_config
from small_models import segmentor as any_segmentor

from repvgg_seg import load_weights, optimize_for_inference, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.pruning import check_prunable, moments_of_convs, prune, put_bn_back, recalibrate
from repvgg_seg.pruning.measure_channels import effects_of_blocks, layers_of

GROUPS = dict(depths=(1, 1, 2, 3, 1), a=0.5, b=0.25, groups=2)
WITH_SE = dict(depths=(1, 1, 2, 2, 1), a=0.5, b=0.25, post_se=True)


def segmentor(**kwargs):
    """With a preprocessor that can be trained with."""
    preprocessor = dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True, size=(64, 64))
    return any_segmentor(data_preprocessor=preprocessor, **kwargs)


def backbone(**kwargs):
    return dict(type='RepVGG', output_stride=8, **kwargs)


QUARTER = dict(decode_head=head_config('FoldedQuarterPSPHead', channels=12))
CASES = {
    'psp': {},
    'groups': dict(backbone=backbone(arch=GROUPS)),
    'quarter': QUARTER,
    'folded': dict(decode_head=head_config('FoldedPSPHead')),
    'concat': dict(decode_head=head_config('FCNHead', num_convs=1, concat_input=True)),
    'aspp': dict(decode_head=head_config('ASPPHead')),  # of a class that is not known: its map stays whole
    'unread': dict(backbone=backbone(arch=GROUPS, out_indices=(0, 1, 2)), auxiliary_head=None,
                   decode_head=head_config('FCNHead', in_index=2)),
}  # fmt: skip


@pytest.fixture
def batches():
    label = PixelData(data=torch.randint(5, (1, 64, 64)))
    images = [torch.randint(256, (3, 64, 64)) for _ in range(2)]
    return [dict(inputs=images, data_samples=[SegDataSample(gt_sem_seg=label) for _ in images])]


def outputs(model, batches):
    with torch.no_grad():
        return model(model.data_preprocessor(batches[0], False)['inputs'], mode='tensor')


def with_dead_channels(model):
    """The model, fused, with the first quarter of each layer, or of each of two groups, giving nothing; how many these are."""
    fused, dead = reparameterize_model(model), 0
    for block in layers_of(fused.backbone):
        for part in zip(block.rbr_reparam.weight.data.chunk(2), block.rbr_reparam.bias.data.chunk(2), strict=True):
            for rows in part:
                rows[: len(rows) // 4] = 0
            dead += len(part[0]) // 4
    return fused, dead / sum(block.plan.out_channels for block in layers_of(fused.backbone))


@pytest.mark.parametrize('case', ['psp', 'groups', 'folded', 'concat'])
def test_dead_channels_leave_no_trace(case, batches):
    fused, share = with_dead_channels(segmentor(**CASES[case]))
    expected = outputs(fused, batches)
    pruned = prune(fused, share, batches, 'l1', multiple_of=1)
    assert pruned.after.widths_by_layer == tuple(width * 3 // 4 for width in pruned.before.widths_by_layer)
    assert pruned.share == 0.25 == share
    torch.testing.assert_close(outputs(fused, batches), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('case', CASES)
def test_a_pruned_model(case, batches, tmp_path):
    """Widths are multiples, whole maps stay, BN changes nothing, and the file loads into the whole model in both forms."""
    whole = segmentor(**CASES[case])
    model = copy.deepcopy(whole)
    pruned = prune(model, 0.4, batches)
    assert abs(pruned.share - 0.4) < 0.04 and all(width % 8 == 0 for width in pruned.after.widths_by_layer)
    assert pruned.whole_layers == dict(aspp=[7], unread=[7]).get(case, [])
    expected = outputs(model, batches)
    torch.save(model.state_dict(), tmp_path / 'fused.pth')
    put_bn_back(model, batches)
    torch.testing.assert_close(outputs(model, batches), expected, rtol=1e-5, atol=1e-5)
    model.train()(model.data_preprocessor(batches[0], True)['inputs'], mode='tensor')  # it can be trained
    model.eval().load_state_dict(copy.deepcopy(model.state_dict()))
    torch.save(model.state_dict(), tmp_path / 'trained.pth')
    trained = outputs(model, batches)
    for name, values in (('fused', expected), ('trained', trained)):
        again = copy.deepcopy(whole)
        load_weights(again, tmp_path / f'{name}.pth')
        assert again.backbone.arch == pruned.after
        torch.testing.assert_close(outputs(again, batches), values, rtol=1e-5, atol=1e-5)
    if case != 'folded':
        return
    optimized = optimize_for_inference(again, input_shape=(1, 3, 64, 64))
    torch.testing.assert_close(outputs(optimized, batches), trained, rtol=1e-4, atol=1e-4)


def test_the_effect_is_the_squared_slope_of_the_loss(batches):
    model = reparameterize_model(segmentor()).double()
    one = [dict(inputs=batches[0]['inputs'][:1], data_samples=batches[0]['data_samples'][:1])]

    def loss():
        data = model.data_preprocessor(one[0], True)
        return model.parse_losses(model(data['inputs'].double(), data['data_samples'], mode='loss'))[0].item()

    model.data_preprocessor.double()
    effects, step = effects_of_blocks(model, one), 1e-4
    for number in (0, 4, 7):
        conv, channel = layers_of(model.backbone)[number].rbr_reparam, int(effects[number].argmax())
        found = []
        for factor in (1 + step, (1 - step) / (1 + step)):  # a ReLU passes a factor on
            conv.weight.data[channel] *= factor
            conv.bias.data[channel] *= factor
            found.append(loss())
        conv.weight.data[channel] /= 1 - step
        conv.bias.data[channel] /= 1 - step
        slope = (found[0] - found[1]) / (2 * step)
        assert effects[number][channel].item() == pytest.approx(slope**2, rel=1e-2)


def test_nothing_is_removed_with_share_0(batches):
    model = segmentor()
    expected = outputs(reparameterize_model(model), batches)
    assert prune(model, 0, batches).share == 0
    assert torch.equal(outputs(model, batches), expected)


def test_squeeze_and_excitation(batches):
    model = segmentor(backbone=backbone(arch=WITH_SE))
    after = prune(model, 0.3, batches).after
    assert after.post_se and all(width % 8 == 0 for width in after.widths_by_layer)
    expected = outputs(model, batches)
    put_bn_back(model, batches)
    torch.testing.assert_close(outputs(model, batches), expected, rtol=1e-5, atol=1e-5)


def test_recalibrated_channels_vary_as_before(batches):
    model = segmentor()
    model.backbone.switch_to_deploy()
    before = moments_of_convs(model, batches)
    kept = prune(model, 0.4, batches).kept
    put_bn_back(model, batches)
    recalibrate(model, before, kept, batches)
    model.backbone.switch_to_deploy()
    for was, moments, numbers in zip(before, moments_of_convs(model, batches), kept, strict=True):
        torch.testing.assert_close(moments.mean, was.mean[numbers], rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(moments.variance, was.variance[numbers], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    'kwargs, said',
    [
        (dict(share=1), 'share must be a number from 0 to less than 1, such as 0.33, got 1'),
        (dict(share=-0.1), 'got -0.1'),
        (dict(share=float('nan')), 'got nan'),
        (dict(share='x'), "got 'x'"),
        (dict(multiple_of=0), 'multiple_of must be a positive integer, got 0'),
        (dict(by='size'), "by must be one of effect, l1, got 'size'"),
        (dict(model=dict(backbone=backbone(arch=GROUPS, block='relu_in_branches'))), 'cannot fuse a block with a ReLU'),
        (dict(model=dict(backbone=backbone(arch=WITH_SE, block='residual'))), "block='residual' has shortcuts"),
        (dict(model=dict(backbone=dict(type='ResNetV1c', depth=18, base_channels=16))), 'the backbone is a ResNetV1c'),
    ],
)  # fmt: skip
def test_refusals(kwargs, said, batches):
    model = segmentor(**kwargs.pop('model', {}))
    with pytest.raises(InputError, match=said):
        prune(model, **{'share': 0.3, **kwargs}, batches=batches)


def test_what_is_no_segmentor():
    with pytest.raises(InputError, match='only segmentors are pruned, and this is a Linear'):
        check_prunable(torch.nn.Linear(1, 1))


def test_a_norm_that_cannot_come_back(batches):
    model = reparameterize_model(segmentor())
    model.backbone.norm_cfg = dict(type='GN', num_groups=4)
    with pytest.raises(InputError, match='norm_cfg of the backbone makes GroupNorm'):
        put_bn_back(model, batches)


def test_other_checkpoints_are_refused_as_before(tmp_path):
    narrow = segmentor(
        backbone=backbone(arch=dict(depths=(1, 1, 2, 3, 1), layer_widths=(40, 32, 64, 64, 128, 128, 128, 128)))
    )
    torch.save(narrow.state_dict(), tmp_path / 'wider.pth')
    with pytest.raises(
        InputError,
        match=r'layer_widths=40,32,64,64,128,128,128,128\), the config says RepVGG\(1,1,2,3,1; a=0.5, b=0.25\)$',
    ):
        load_weights(segmentor(), tmp_path / 'wider.pth')
