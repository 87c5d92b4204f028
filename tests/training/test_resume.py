import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config
from repvgg_seg.training.resume import check_no_earlier_run, check_training_state, resume_from


def test_an_earlier_run_is_not_overwritten(tmp_path, capsys):
    check_no_earlier_run(str(tmp_path))
    check_no_earlier_run(str(tmp_path / 'nowhere'))
    assert capsys.readouterr().out == '', 'mmengine says that it finds nothing'
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'iter_4.pth'))
    with pytest.raises(InputError, match=r'holds an earlier run \(iter_4.pth\).*--resume'):
        check_no_earlier_run(str(tmp_path))


def test_resuming(tmp_path):
    cfg = load_config('configs/pspnet_repvgg_b2.py')
    cfg.work_dir = str(tmp_path)
    with pytest.raises(InputError, match='no checkpoint in'):
        resume_from(cfg, 'auto')
    latest, other = str(tmp_path / 'iter_4.pth'), str(tmp_path / 'other.pth')
    (tmp_path / 'last_checkpoint').write_text(latest)
    with pytest.raises(InputError, match='no file .*iter_4.pth'):
        resume_from(cfg, 'auto')
    torch.save(dict(meta=dict(seed=5)), latest)
    torch.save(dict(meta=dict(seed=6)), other)
    resume_from(cfg, 'auto')
    assert (cfg.resume, cfg.load_from, cfg.model.backbone.init_cfg) == (True, latest, None)
    assert cfg.randomness.seed == 5, 'the sampler is built with it'
    resume_from(cfg, other)
    assert cfg.load_from == other and cfg.randomness.seed == 5, 'a seed of the config stays'


@pytest.mark.parametrize('meta', [None, {}, dict(epoch=0)], ids=['of nothing', 'empty', 'without iterations'])
def test_a_file_without_training_state(tmp_path, meta):
    path = tmp_path / 'x.pth'
    state = {'backbone.stage0.rbr_dense.conv.weight': torch.ones(1)}
    checkpoint = dict(meta=meta, message_hub={}, optimizer={}, state_dict=state)
    torch.save(checkpoint, path)
    resume_from(load_config('pspnet_repvgg_a0_camvid'), str(path))
    with pytest.raises(
        InputError, match='no training state .*; to start from its weights: --cfg-options load_from=a.pth'
    ):
        check_training_state(checkpoint, 'a.pth')
    fused = {'backbone.stage0.rbr_reparam.weight': torch.ones(1)}
    for content in (dict(meta=meta, state_dict=fused), fused):
        with pytest.raises(InputError, match='are fused, which cannot be undone: name the checkpoint of the training$'):
            check_training_state(content, 'a.pth')
