"""What the tests of exported files need."""

import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.export.engine_info import EngineInfo
from repvgg_seg.export.formats import FORMATS

CLASSES = tuple('abcde')


def skip_without_engine(name, precision='fp32'):
    """Skip a test of an engine that is not installed; `make test` installs all."""
    try:
        FORMATS[name].check_installed(to_write=True, precision=precision)
    except InputError as error:
        pytest.skip(str(error))


def facts(format, model, **others):
    """What lies beside a file of a model."""
    usual = dict(
        format=format,
        precision='fp32',
        size=None,
        channels=3,
        normalizes=True,
        classes=CLASSES,
        palette=tuple((i, 2 * i, 3 * i) for i in range(5)),
        out_channels=model.out_channels,
        align_corners=False,
        threshold=None,
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True),
        test_cfg=dict(mode='whole'),
        test_pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')],
    )
    return EngineInfo(**(usual | others))


@torch.no_grad()
def find_several_classes(model, inputs):
    """Give a model of random weights a last layer by which it finds several classes in normalised images."""
    last = model.decode_head.conv_seg
    torch.nn.init.normal_(last.weight)
    logits = model(inputs, mode='tensor')
    last.bias -= logits.mean((0, 2, 3))


def pictures(*sizes):
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(256, (3, *size), generator=generator, dtype=torch.uint8) for size in sizes]
