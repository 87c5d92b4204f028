"""The backbone in configs that are not ours: custom_imports, and a step of training."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.models import build_segmentor
from mmseg.structures import SegDataSample

from repvgg_seg import reparameterize_model
from repvgg_seg.models.block import find_blocks

# Heads as mmseg's own configs have them, narrower; {channels} are those of RepVGG-A0's stages 2 to 5.
HEADS = dict(
    deeplabv3plus="""dict(type='DepthwiseSeparableASPPHead', in_channels=1280, in_index=3, channels=32,
        dilations=(1, 12, 24, 36), c1_in_channels=48, c1_channels=12, dropout_ratio=0.1, num_classes=19,
        norm_cfg=dict(type='BN'), align_corners=False)""",
    upernet="""dict(type='UPerHead', in_channels=[48, 96, 192, 1280], in_index=[0, 1, 2, 3],
        pool_scales=(1, 2, 3, 6), channels=32, dropout_ratio=0.1, num_classes=19, norm_cfg=dict(type='BN'),
        align_corners=False)""",
    fpn="""dict(type='FPNHead', in_channels=[32] * 4, in_index=[0, 1, 2, 3], feature_strides=[4, 8, 16, 32],
        channels=32, dropout_ratio=0.1, num_classes=19, norm_cfg=dict(type='BN'), align_corners=False)""",
)
CONFIG = """
custom_imports = dict(imports=['repvgg_seg'])
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', size=(64, 128)),
    backbone=dict(type='RepVGG', arch='A0', output_stride={output_stride}),
    {neck}
    decode_head={head},
    train_cfg=dict(), test_cfg=dict(mode='whole'))
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
"""
NECK = "neck=dict(type='FPN', in_channels=[48, 96, 192, 1280], out_channels=32, num_outs=4),"


@pytest.mark.slow
@pytest.mark.parametrize('name', HEADS)
def test_trains_a_step(name, tmp_path):
    from mmengine.optim import build_optim_wrapper

    text = CONFIG.format(
        head=HEADS[name], neck=NECK if name == 'fpn' else '', output_stride=16 if name == 'deeplabv3plus' else 32
    )
    path = tmp_path / f'{name}.py'
    path.write_text(text)
    model = build_segmentor(Config.fromfile(path).model).train()
    wrapper = build_optim_wrapper(model, Config.fromfile(path).optim_wrapper)
    data = dict(inputs=list(torch.randint(256, (2, 3, 64, 128))), data_samples=[sample() for _ in range(2)])
    before = model.backbone.stage0.rbr_dense.conv.weight.clone()
    losses = model.train_step(data, wrapper)
    assert torch.isfinite(losses['loss'])
    assert not torch.equal(before, model.backbone.stage0.rbr_dense.conv.weight)
    fused = reparameterize_model(model).eval()
    assert not find_blocks(fused)
    predictions = fused.test_step(data)
    assert predictions[0].pred_sem_seg.data.shape == (1, 64, 128)


def sample():
    return SegDataSample(
        gt_sem_seg=PixelData(data=torch.randint(19, (1, 64, 128))),
        metainfo=dict(img_shape=(64, 128), ori_shape=(64, 128)),
    )


@pytest.mark.slow
def test_custom_imports_alone_register_the_backbone(tmp_path):
    """In a process of its own, where nothing else has imported the package."""
    import subprocess

    path = tmp_path / 'config.py'
    path.write_text(CONFIG.format(head=HEADS['upernet'], neck='', output_stride=32))
    code = (
        'from mmengine.config import Config; from mmseg.registry import MODELS\n'
        f'cfg = Config.fromfile({str(path)!r})\n'
        'from mmengine.registry import init_default_scope; init_default_scope("mmseg")\n'
        'print(type(MODELS.build(cfg.model.backbone)).__module__)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip().endswith('repvgg_seg.models.repvgg'), done.stderr
