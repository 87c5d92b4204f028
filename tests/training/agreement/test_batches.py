import pytest
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, ValLoop
from torch.utils.data import BatchSampler, DataLoader

from repvgg_seg.errors import InputError
from repvgg_seg.training.agreement.batches import check_sampler

IMAGES = list(range(6))


def loader(sampler, shuffle=True, in_batches=False):
    sampler = sampler(IMAGES, shuffle=shuffle)
    if in_batches:
        return DataLoader(IMAGES, batch_sampler=BatchSampler(sampler, 2, False))
    return DataLoader(IMAGES, batch_size=2, sampler=sampler)


@pytest.mark.parametrize(
    'loop, setting, loader, message',
    [
        (IterBasedTrainLoop, 'train_dataloader', loader(InfiniteSampler), ''),
        (IterBasedTrainLoop, 'train_dataloader', loader(DefaultSampler), ''),
        (EpochBasedTrainLoop, 'train_dataloader', loader(DefaultSampler), ''),
        (EpochBasedTrainLoop, 'train_dataloader', loader(InfiniteSampler), 'an epoch would never be over'),
        (
            EpochBasedTrainLoop,
            'train_dataloader',
            loader(InfiniteSampler, in_batches=True),
            'an epoch would never be over',
        ),
        (
            ValLoop,
            'val_dataloader',
            loader(InfiniteSampler),
            'set --cfg-options val_dataloader.sampler.type=DefaultSampler',
        ),
        (ValLoop, 'val_dataloader', loader(DefaultSampler, shuffle=False), ''),
    ],
)
def test_endless_samplers(loop, setting, loader, message, logged):
    loop = loop.__new__(loop)
    if message:
        with pytest.raises(InputError, match=message):
            check_sampler(loop, loader, setting)
    else:
        check_sampler(loop, loader, setting)
    assert not logged()


def test_an_order_that_never_changes_is_said(logged):
    loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    check_sampler(loop, loader(DefaultSampler, shuffle=False), 'train_dataloader')
    assert 'the images in the same order' in logged()
