import pytest

from repvgg_seg.training.amp import use_amp
from repvgg_seg.training.config import load_config
from repvgg_seg.training.data_loaders import fit_loaders


@pytest.mark.parametrize('gpu', [True, False])
def test_what_a_gpu_decides(monkeypatch, gpu):
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpu)
    cfg = load_config('configs/imagenet/repvgg_a0_120e.py')
    use_amp(cfg)
    fit_loaders(cfg)
    assert cfg.optim_wrapper.type == ('AmpOptimWrapper' if gpu else 'AutocastOptimWrapper')
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    assert [loader.get('pin_memory') for loader in loaders] == [True if gpu else None] * 3
