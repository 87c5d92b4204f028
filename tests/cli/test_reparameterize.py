"""The tool reparameterize, on networks for images of several kinds."""

import cv2
import numpy as np
import pytest
import torch
from helpers import REPO, randomise_bn
from mmseg.registry import MODELS
from tiny import tiny_classifier, tiny_config

from repvgg_seg.weights.read import read_checkpoint, read_meta

TOOL = REPO / 'tools' / 'reparameterize.py'
pytestmark = pytest.mark.slow


def written(cfg, folder):
    """The config in a file, and a file of random weights for it, whose names have blanks."""
    config, checkpoint = folder / 'my config.py', folder / 'my weights.pth'
    cfg.dump(config)
    torch.save(randomise_bn(MODELS.build(cfg.model)).state_dict(), checkpoint)
    return config, checkpoint


@pytest.mark.parametrize('channels', [1, 4, 9])
def test_images_of_other_channels(run, scenes, tmp_path, channels):
    cfg = tiny_config(scenes, tmp_path, model__backbone__in_channels=channels)
    cfg.model.data_preprocessor.update(mean=[100.0], std=[50.0], bgr_to_rgb=False)
    files, out = written(cfg, tmp_path), tmp_path / 'fused.safetensors'
    pictures = {1: tmp_path / 'grau\u00fc.png', 4: tmp_path / 'with alpha.png', 9: tmp_path / 'bands.npy'}
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, channels), dtype=np.uint8)
    np.save(pictures[channels], pixels) if channels == 9 else cv2.imwrite(str(pictures[channels]), pixels)
    for options in ((), ('--image', pictures[channels], '--overwrite')):
        status, said, err = run(*files, out, *options)
        assert status == 0, err
        assert float(said.split('of the fused form: ')[1].split()[0]) < 1e-5
    fused = read_checkpoint(out)
    meta = read_meta(out, fused)
    assert fused['backbone.stage0.rbr_reparam.weight'].shape == (16, channels, 3, 3)
    assert meta['fused'] is True and meta['dataset_meta']['classes'][0] == 'road'
    if channels > 1:
        cv2.imwrite(str(tmp_path / 'bgr.png'), np.zeros((64, 64, 3), np.uint8))
        status, _, err = run(*files, tmp_path / 'b.pth', '--image', tmp_path / 'bgr.png')
        assert status == 2 and f'bgr.png has 3 channels, the network takes {channels}: name another' in err
    status, _, err = run(*files, tmp_path / 'b.pth', '--image', tmp_path / 'none.png')
    assert status == 2 and 'cannot read' in err and not (tmp_path / 'b.pth').exists()


def test_a_classifier(run, photos, tmp_path):
    files, out = written(tiny_classifier(photos, tmp_path), tmp_path), tmp_path / 'fused.pth'
    status, said, err = run(*files, out)
    assert status == 0, err
    assert float(said.split('of the fused form: ')[1].split()[0]) < 1e-5
    assert 'deploy=True' in read_checkpoint(out)['meta']['cfg']


def test_class_weights_are_divided_out(run, scenes, tmp_path):
    weights = [1.0] * 18 + [4.0]
    loss = dict(_delete_=True, type='WeightedCrossEntropyLoss', class_weight=weights)
    cfg = tiny_config(scenes, tmp_path, model__decode_head__loss_decode=loss)
    config, checkpoint = written(cfg, tmp_path)
    assert run(config, checkpoint, tmp_path / 'out.pth', '--undo-class-weights')[0] == 0
    before, after = (read_checkpoint(path) for path in (checkpoint, tmp_path / 'out.pth'))
    change = after['state_dict']['decode_head.conv_seg.bias'] - before['decode_head.conv_seg.bias']
    torch.testing.assert_close(change, torch.tensor([0.0] * 18 + [-1.3862944]))
    for options, said in (
        (['model.decode_head.loss_decode.class_weight=None'], 'has no class weights to undo'),
        ([f'model.decode_head.loss_decode.class_weight={[0] * 19}'], 'holds 0, which cannot be divided out'),
    ):
        status, _, err = run(config, checkpoint, tmp_path / 'b.pth', '--undo-class-weights', '--cfg-options', *options)
        assert status == 2 and said in err and not (tmp_path / 'b.pth').exists(), err
