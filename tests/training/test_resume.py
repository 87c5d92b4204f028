import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.training.config import load_config
from repvgg_seg.training.resume import AUTO, check_training_state, resume_from, what_to_resume


def config(work_dir, **options):
    cfg = load_config('pspnet_repvgg_a0_camvid', {})
    cfg.work_dir = str(work_dir)
    cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize('names, out_dir', [
    (['last_checkpoint'], None), (['iter_4.pth'], None), (['epoch_2.pth'], None), (['best_mIoU_iter_4.pth'], None),
    (['out/work/iter_4.pth'], 'out'),
])  # fmt: skip
def test_an_earlier_run_is_not_overwritten(tmp_path, names, out_dir):
    work = tmp_path / 'work'
    cfg = config(work, **({'default_hooks.checkpoint.out_dir': str(tmp_path / out_dir)} if out_dir else {}))
    assert what_to_resume(cfg, None) is None, 'the folder does not exist'
    work.mkdir()
    (work / 'pretrained.pth').touch()
    assert what_to_resume(cfg, None) is None, 'nothing that a run writes'
    for name in names:
        path = tmp_path / name if out_dir else work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('iter_4.pth')
    with pytest.raises(InputError, match=r'holds an earlier run \((iter_4|epoch_2|best_mIoU_iter_4).pth\).*--resume'):
        what_to_resume(cfg, None)
    other = tmp_path / 'other.pth'
    torch.save({}, other)
    with pytest.raises(InputError, match='holds an earlier run'):
        what_to_resume(cfg, str(other))  # it would be written over, too


def test_resuming_where_there_is_nothing_starts_anew(tmp_path, logged):
    cfg = config(tmp_path)
    assert what_to_resume(cfg, AUTO) is None
    assert logged() == f'--resume: no checkpoint to go on from in {tmp_path}, so the run starts anew'
    cfg.resume = True
    assert what_to_resume(cfg, None) is None and cfg.resume is False
    (tmp_path / 'iter_2.pth').write_bytes(b'PK cut short')
    assert what_to_resume(cfg, AUTO) is None, 'there is no whole one'
    assert f'passed over {tmp_path}/iter_2.pth: it is cut short or damaged (12 bytes' in logged()


def test_resuming(tmp_path):
    cfg = load_config('configs/pspnet_repvgg_b2.py')
    cfg.work_dir = str(tmp_path)
    latest, other = str(tmp_path / 'iter_4.pth'), str(tmp_path / 'other.pth')
    torch.save(dict(meta=dict(seed=5)), latest)
    torch.save(dict(meta=dict(seed=6)), other)
    resume_from(cfg, what_to_resume(cfg, AUTO))
    assert (cfg.resume, cfg.load_from, cfg.model.backbone.init_cfg) == (True, latest, None)
    assert cfg.randomness.seed == 5, 'the sampler is built with it'
    resume_from(cfg, what_to_resume(cfg, other))
    assert cfg.load_from == other and cfg.randomness.seed == 5, 'a seed of the config stays'
    (tmp_path / 'iter_6.pth').write_bytes((tmp_path / 'iter_4.pth').read_bytes()[:-30])
    with pytest.raises(
        InputError, match='cut short or damaged .*; --resume without a name goes on from the last whole'
    ):
        resume_from(cfg, str(tmp_path / 'iter_6.pth'))


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
