import pytest
import torch
from engine_files import pictures
from helpers import relative_error
from small_models import SMALL, head_config, segmentor

from repvgg_seg.errors import InputError
from repvgg_seg.export.export_form import check_exportable, export_form
from repvgg_seg.models.block import find_blocks


@pytest.mark.parametrize(
    'parts, size',
    [
        ({}, None),
        ({}, (64, 96)),
        (dict(decode_head=head_config('FCNHead', channels=8)), None),
        (dict(data_preprocessor=dict(type='SegDataPreProcessor', mean=[100.0], std=[50.0])), (64, 96)),
    ],
    ids=['any size', 'one size', 'FCN', 'grey'],
)
@torch.no_grad()
def test_pixels_to_the_logits_of_the_model(parts, size):
    channels = 1 if 'data_preprocessor' in parts else 3
    parts = dict(parts, backbone=dict(type='RepVGG', arch=SMALL, output_stride=8, in_channels=channels))
    model = segmentor(**parts)
    blocks = len(find_blocks(model))
    image = pictures((64, 96))[0][:channels]
    expected = model(model.data_preprocessor(dict(inputs=[image]), False)['inputs'], mode='tensor')
    for undilated in (False, size is not None):
        form = export_form(model, size, normalizes=True, undilated=undilated)
        assert relative_error(form(image[None].float()), expected) < 1e-5
    assert len(find_blocks(model)) == blocks == 8  # the given model is as it was


@pytest.mark.parametrize(
    'parts, said',
    [
        (
            dict(backbone=dict(type='RepVGG', arch=SMALL, norm_cfg=dict(type='GN', num_groups=4))),
            'only fused networks are exported: cannot fuse GroupNorm',
        ),
        (
            dict(type='CascadeEncoderDecoder', num_stages=1, decode_head=[head_config('FCNHead')]),
            'a CascadeEncoderDecoder is not exported',
        ),
    ],
)
def test_what_is_not_exported(parts, said):
    with pytest.raises(InputError, match=said):
        check_exportable(segmentor(**parts))


def test_a_head_with_predictions_of_its_own():
    model = segmentor()
    cls = type('OwnHead', (type(model.decode_head),), dict(predict=lambda self, *args: None))
    model.decode_head.__class__ = cls
    with pytest.raises(InputError, match='a OwnHead makes its predictions in its own way'):
        check_exportable(model)


def test_an_image_that_is_too_small_for_the_network(monkeypatch):
    model = segmentor()
    forward = type(model.backbone).forward

    def large_enough(backbone, x):
        if x.shape[2] < 32:
            raise RuntimeError('Kernel size larger than input')
        return forward(backbone, x)

    monkeypatch.setattr(type(model.backbone), 'forward', large_enough)
    with pytest.raises(InputError, match='takes no images of 16x64 .height x width.: Kernel size larger than input'):
        export_form(model, (16, 64), normalizes=True)


@torch.no_grad()
def test_rewrites_that_are_left_out():
    model = segmentor()
    image = pictures((64, 96))[0]
    expected = model(model.data_preprocessor(dict(inputs=[image]), False)['inputs'], mode='tensor')
    kinds = {}
    for skip in ((), ('pyramid', 'identity'), ('dilation',)):
        form = export_form(model, (64, 96), True, undilated=True, identity_apart=True, skip=skip)
        assert relative_error(form(image[None].float()), expected) < 1e-5
        kinds[skip] = {type(part).__name__ for part in form.modules()}
    rewritten = {'GutterRun', 'PlainPyramid', 'IdentityApart'}
    assert rewritten <= kinds[()]
    assert kinds['pyramid', 'identity'] & {*rewritten, 'PPM'} == {'GutterRun', 'PPM'}
    assert kinds[('dilation',)] & rewritten == rewritten - {'GutterRun'}
