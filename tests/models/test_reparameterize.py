import copy
import runpy
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from helpers import randomise_bn, relative_error
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from mmseg.registry import MODELS
from tiny import tiny_config
from torch import nn

from repvgg_seg import RepVGG, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.models.block import RepVGGBlock, find_blocks
from repvgg_seg.weights.read import read_checkpoint

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
X = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def segmentor():
    head = dict(in_channels=128, in_index=3, channels=16, num_classes=19, norm_cfg=dict(type='BN'), align_corners=False)
    backbone = dict(type='RepVGG', arch=TINY, output_stride=8)
    model = MODELS.build(dict(type='EncoderDecoder', backbone=backbone, decode_head=dict(head, type='PSPHead')))
    return randomise_bn(model).eval()


@torch.no_grad()
def test_a_copy_is_fused_and_the_original_stays():
    model = segmentor()
    before = copy.deepcopy(model.state_dict())
    fused = reparameterize_model(model)
    assert fused is not model and not find_blocks(fused) and len(find_blocks(model)) == 11
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert relative_error(fused(X, mode='tensor'), model(X, mode='tensor')) < 1e-5
    # nothing is shared: training goes on without a trace in the copy
    kept = fused(X, mode='tensor')
    for parameter in model.parameters():
        parameter.add_(1)
    assert torch.equal(fused(X, mode='tensor'), kept)


@torch.no_grad()
def test_in_place():
    model = segmentor()
    expected = model(X, mode='tensor')
    assert reparameterize_model(model, inplace=True) is model
    assert relative_error(model(X, mode='tensor'), expected) < 1e-5


@torch.no_grad()
def test_a_fused_state_dict_loads_strictly_into_a_deploy_model():
    model = randomise_bn(RepVGG(TINY)).eval()
    fused = reparameterize_model(model)
    deploy = RepVGG(TINY, deploy=True).eval()
    deploy.load_state_dict(fused.state_dict(), strict=True)
    for found, expected in zip(deploy(X), fused(X), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize('wrap', [nn.DataParallel, MMDistributedDataParallel, nn.parallel.DistributedDataParallel])
@torch.no_grad()
def test_wrapped_for_distributed_training(wrap, tmp_path):
    model = randomise_bn(RepVGG(TINY)).eval()
    if wrap is not nn.DataParallel:
        dist.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
    try:
        fused = reparameterize_model(wrap(model))
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    assert isinstance(fused, RepVGG) and find_blocks(model)
    assert relative_error(fused(X)[-1], model(X)[-1]) < 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
@torch.no_grad()
def test_on_the_gpu():
    model = segmentor().cuda()
    fused = reparameterize_model(model)
    assert relative_error(fused(X.cuda(), mode='tensor'), model(X.cuda(), mode='tensor')) < 1e-4


@pytest.mark.parametrize('inplace', [False, True])
def test_a_norm_that_cannot_be_fused_leaves_everything_as_it_was(inplace):
    model = RepVGG(TINY)
    model.stage4[0].rbr_1x1.bn = nn.GroupNorm(2, 128)
    with pytest.raises(InputError, match='cannot fuse GroupNorm'):
        reparameterize_model(model, inplace=inplace)
    assert len(find_blocks(model)) == 11
    with pytest.raises(InputError, match='cannot fuse GroupNorm'):
        model.switch_to_deploy()
    assert len(find_blocks(model)) == 11


@pytest.mark.parametrize('model', [nn.Conv2d(1, 1, 3), RepVGG(TINY, deploy=True)], ids=['no RepVGG', 'fused already'])
def test_nothing_to_fuse(model):
    with pytest.raises(InputError, match='nothing to fuse in this (Conv2d|RepVGG)'):
        reparameterize_model(model)


def test_a_single_block_and_a_frozen_body():
    frozen = RepVGG(TINY, frozen_stages=4)
    block = randomise_bn(frozen.stage1[0])
    assert isinstance(reparameterize_model(block), RepVGGBlock)
    frozen.switch_to_deploy()
    assert frozen.train() is frozen and not find_blocks(frozen)


@pytest.fixture
def tool(scenes, tmp_path, monkeypatch):
    """Run tools/reparameterize.py on a tiny segmentor's checkpoint, beside which stands a config, into a file."""
    cfg = tiny_config(scenes, tmp_path)
    cfg.dump(tmp_path / 'tiny.py')
    state = randomise_bn(MODELS.build(cfg.model)).state_dict()

    def run(meta, out):
        torch.save(dict(meta=meta, state_dict=state), tmp_path / 'trained.pth')
        script = str(Path(__file__).parents[2] / 'tools' / 'reparameterize.py')
        monkeypatch.setattr(sys, 'argv', [script, *map(str, (tmp_path / 'tiny.py', tmp_path / 'trained.pth', out))])
        runpy.run_path(script, run_name='__main__')
        return read_checkpoint(out)

    return run


def test_the_config_in_a_fused_file_builds_the_fused_form(tool, tmp_path):
    trained = Config.fromfile(tmp_path / 'tiny.py')
    fused = tool(dict(iter=3, cfg=trained.pretty_text), tmp_path / 'fused.pth')
    assert fused['meta']['fused'] is True and fused['meta']['iter'] == 3
    cfg = Config.fromstring(fused['meta']['cfg'], '.py')
    MODELS.build(cfg.model).load_state_dict(fused['state_dict'])
    assert cfg.model.backbone.pop('deploy') is True
    assert cfg.to_dict() == trained.to_dict()


@pytest.mark.slow
def test_a_config_in_a_file_that_would_run_code_stays_text(tool, tmp_path):
    text = f'import os\nos.mkdir({str(tmp_path / "ran")!r})'
    meta = tool(dict(cfg=text), tmp_path / 'fused.pth')['meta']
    assert meta['cfg'] == text and meta['fused'] is True
    assert not (tmp_path / 'ran').exists()


def test_fused_into_a_safetensors_file(tool, tmp_path):
    fused = tool(dict(iter=3), tmp_path / 'fused.safetensors')
    assert 'backbone.stage0.rbr_reparam.weight' in fused
