"""From a trained segmentor to a pruned one that trains, is scored and exported, by the command line."""

import json

import pytest
import torch
from helpers import REPO, randomise_bn, tool
from mmseg.registry import MODELS
from tiny import tiny_config

from repvgg_seg.models.match_checkpoint import recognise_arch
from repvgg_seg.training.config import load_config
from repvgg_seg.training.fine_tuning import shorten
from repvgg_seg.training.runner import build_runner
from repvgg_seg.weight_names import sort_weights
from repvgg_seg.weights.read import read_checkpoint

TOOL = REPO / 'tools' / 'prune.py'


def written(cfg, folder):
    """The config in a file, and a file of random weights for it, whose names have blanks."""
    cfg.dump(folder / 'my config.py')
    torch.save(randomise_bn(MODELS.build(cfg.model)).state_dict(), folder / 'my weights.pth')
    return folder / 'my config.py', folder / 'my weights.pth'


@pytest.mark.slow
def test_the_whole_way(run, scenes, tmp_path):
    config, checkpoint = written(tiny_config(scenes, tmp_path / 'run', train_cfg__val_interval=4), tmp_path)
    options = ('--share', 0.33, '--images', 4)
    status, said, err = run(config, checkpoint, *options, '--iterations', 4, '--out-dir', tmp_path / 'out')
    assert status == 0, err
    out, own = tmp_path / 'out' / 'my config_pruned.pth', tmp_path / 'out' / 'my config_pruned.py'
    arch = recognise_arch(sort_weights(read_checkpoint(out)).backbone)
    before = 2 * 16 + 16 + 2 * 32 + 5 * 64 + 128
    assert abs(sum(arch.widths_by_layer) / before - 0.67) < 0.03 and arch.layer_widths
    assert f'channels after:  {", ".join(map(str, arch.layer_widths))}' in said
    cfg = load_config(str(own))
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(0.05 / 5) and cfg.train_cfg.max_iters == 4
    with torch.device('meta'):
        assert MODELS.build(dict(cfg.model, data_preprocessor=None)).backbone.arch == arch
    status, _, err = run(config, checkpoint, *options, '--out-dir', tmp_path / 'out')
    assert status == 2 and 'exists: name another file, or say --overwrite' in err
    tool('train.py', own, '--work-dir', tmp_path / 'tuned', '--no-rehearsal')
    trained = tmp_path / 'tuned' / 'iter_4.pth'
    assert recognise_arch(sort_weights(read_checkpoint(trained)).backbone) == arch
    # The config of the whole network begins with it as well.
    cfg = load_config(str(config), dict(load_from=str(out), work_dir=str(tmp_path / 'again')))
    model = build_runner(cfg).model
    assert model.backbone.arch == arch and model.decode_head.in_channels == arch.widths[4]
    # With the config of the whole network it is scored, and a fused one is made trainable and pruned again.
    tool('test.py', config, trained, '--result', tmp_path / 'r.json', '--work-dir', tmp_path / 't', '--no-rehearsal')
    assert json.loads((tmp_path / 'r.json').read_text())['form'] == 'fused'
    assert run(own, out, '--share', 0.2, '--images', 4, '--out-dir', tmp_path / 'more')[0] == 0


@pytest.mark.slow
def test_refusals(run, scenes, photos, tmp_path):
    config, checkpoint = written(tiny_config(scenes, tmp_path / 'run'), tmp_path)
    out = ('--out-dir', tmp_path / 'out')
    for words, said in (
        ((config, checkpoint, '--share', 1, *out), '--share must be from 0 to less than 1, such as 0.33, got 1'),
        ((config, checkpoint, '--share', 'nan', *out), 'got nan'),
        ((config, checkpoint, '--share', 0.3, *out, '--images', 0), '--images must be a positive integer, got 0'),
        ((config, checkpoint, '--share', 0.3, *out, '--lr', -1), '--lr must be a positive number, got -1'),
        ((config, tmp_path / 'none.pth', '--share', 0.3, *out), 'no file'),
        ((tmp_path / 'none.py', checkpoint, '--share', 0.3, *out), 'no config'),
        (('configs/imagenet/repvgg_a0_120e.py', checkpoint, '--share', 0.3, *out), 'it has no model.decode_head'),
        ((config, checkpoint, '--share', 0.3, '--out-dir', checkpoint), '--out-dir'),
    ):
        status, _, err = run(*words)
        assert status == 2 and said in err and 'Traceback' not in err, (words, err)
        assert not (tmp_path / 'out').exists()
    words = ('--share', 0.3, *out, '--cfg-options', 'train_dataloader.dataset.data_root=nowhere')
    status, _, err = run(config, checkpoint, *words)
    assert status == 2 and 'no folder nowhere' in err and not list((tmp_path / 'out').iterdir())


@pytest.mark.parametrize('config', ['pspnet_repvgg_b2', 'pspnet_repvgg_a0_camvid'])
def test_a_schedule_of_epochs_becomes_one_of_iterations(config):
    cfg = load_config(f'configs/{config}.py')
    shorten(cfg, 100, 0.003)
    assert cfg.optim_wrapper.optimizer.lr == 0.003
    assert cfg.train_cfg == dict(type='IterBasedTrainLoop', max_iters=100, val_interval=25)
    assert [dict(s) for s in cfg.param_scheduler] == [
        dict(type='PolyLR', power=0.9, eta_min=0.0, begin=0, end=100, by_epoch=False)
    ]
    hooks = cfg.default_hooks
    assert hooks.checkpoint.interval == 25 and hooks.checkpoint.by_epoch is False and hooks.logger.interval == 25
    assert cfg.log_processor.by_epoch is False
