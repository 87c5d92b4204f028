import copy

import pytest
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader, SequentialSampler

from repvgg_seg.errors import InputError
from repvgg_seg.training.amp import use_amp
from repvgg_seg.training.config import load_config
from repvgg_seg.training.data_loaders import check_shared, evaluate_each_image_once, fit_loaders


@pytest.mark.parametrize('gpu', [True, False])
def test_what_a_gpu_decides(monkeypatch, gpu):
    monkeypatch.setattr('torch.cuda.is_available', lambda: gpu)
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '0')  # mmengine's logger looks for the number of the GPU
    cfg = load_config('configs/imagenet/repvgg_a0_120e.py')
    use_amp(cfg)
    fit_loaders(cfg)
    assert cfg.optim_wrapper.type == ('AmpOptimWrapper' if gpu else 'AutocastOptimWrapper')
    loaders = cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader
    assert [loader.get('pin_memory') for loader in loaders] == [True if gpu else None] * 3


EVALUATION = dict(
    val_dataloader=dict(sampler=dict(type='DefaultSampler', shuffle=False)),
    test_dataloader=dict(sampler=dict(type='mmengine.DefaultSampler', round_up=True)),
    val_evaluator=[dict(type='StreetIoUMetric'), dict(type='DepthMetric')],
    test_evaluator=dict(type='IoUMetric', collect_device='cpu'),
)


@pytest.mark.parametrize(
    'processes, expected', [('1', [None, True, None, None, 'cpu']), ('3', [False, True, 'gpu', None, 'cpu'])]
)
def test_several_processes_share_the_images_once(monkeypatch, processes, expected):
    monkeypatch.setenv('WORLD_SIZE', processes)
    cfg = Config(copy.deepcopy(dict(EVALUATION, launcher='pytorch')))
    evaluate_each_image_once(cfg)
    found = [cfg[f'{stage}_dataloader'].sampler.get('round_up') for stage in ('val', 'test')]
    assert [*found, *(metric.get('collect_device') for metric in (*cfg.val_evaluator, cfg.test_evaluator))] == expected


@pytest.mark.parametrize('images, processes', [(5, 2), (2, 3), (1, 4), (6, 3)])
def test_every_image_has_one_process(monkeypatch, images, processes):
    """The indices of all processes together are each image once, in whatever order."""
    found = []
    for rank in range(processes):
        monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda rank=rank: (rank, processes))
        found += list(DefaultSampler(range(images), shuffle=False, seed=0, round_up=False))
    assert sorted(found) == list(range(images))


@pytest.mark.parametrize('sampler, refused', [(SequentialSampler, True), (DefaultSampler, False)])
def test_a_sampler_that_gives_an_image_to_several_processes(monkeypatch, sampler, refused):
    monkeypatch.setattr('mmengine.dataset.sampler.get_dist_info', lambda: (0, 2))
    monkeypatch.setattr('mmengine.dataset.sampler.sync_random_seed', lambda: 0)
    images = list(range(5))
    loader = DataLoader(images, sampler=sampler(images))
    check_shared(loader, 'test_dataloader')
    monkeypatch.setattr('repvgg_seg.training.data_loaders.get_world_size', lambda: 2)
    if not refused:
        return check_shared(loader, 'test_dataloader')
    with pytest.raises(
        InputError, match='test_dataloader.sampler: SequentialSampler gives each of 2 processes 5 of 5 images'
    ):
        check_shared(loader, 'test_dataloader')
