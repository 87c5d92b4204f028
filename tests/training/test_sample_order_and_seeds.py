"""Which samples a run draws, and with which random numbers: a resumed one those that it would have drawn without the break."""

import pickle
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch.utils.data import DataLoader, Dataset

from repvgg_seg.training.sample_order_and_seeds import (
    NumberedIndex,
    ResumedBatches,
    SampleOrderHook,
    seed_samples,
    start_workers_anew,
)


class Noise(Dataset):
    """Seven samples: (index, a number of Python, of numpy, of torch), and the indices that were loaded."""

    def __init__(self):
        self.loaded = []

    def __len__(self):
        return 7

    def __getitem__(self, index):
        self.loaded.append(index)
        return float(index), random.random(), np.random.rand(), torch.rand(1).item()


class AllAtOnce(Noise):
    def __getitems__(self, indices):
        return [self[index] for index in indices]


def loader_of(sampler, workers=0, batch_size=2, dataset=None, seed=5, **options):
    dataset = dataset or Noise()
    loader = DataLoader(
        dataset, batch_size, sampler=sampler(dataset, seed=1), num_workers=workers, collate_fn=list, **options
    )
    seed_samples(loader, seed)
    return loader


def drawn(batches, number):
    random.seed(number)  # what was drawn before does not matter
    np.random.seed(number)
    torch.manual_seed(number)
    batches = iter(batches)
    return [next(batches) for _ in range(number)]


@pytest.mark.parametrize('sampler', [InfiniteSampler, DefaultSampler])
@pytest.mark.parametrize('calls_skip', [True, False], ids=['onedl-mmengine', 'mmengine'])
def test_iterations_after_a_break(sampler, calls_skip):
    """Two batches after eleven; an epoch of the finite sampler has four."""
    whole = drawn(ResumedBatches(first := loader_of(sampler), first.batch_sampler.sampler, 0), 13)
    loader = loader_of(sampler)
    batches = ResumedBatches(loader, loader.batch_sampler.sampler, 11)
    if calls_skip:
        batches.skip_iter(11)
    else:
        assert [next(batches) for _ in range(11)] == [None] * 11
    assert drawn(batches, 2) == whole[11:]
    assert len(loader.dataset.loaded) <= 4, 'what was drawn is not loaded again'
    assert len({sample for batch in whole for sample in batch}) == sum(map(len, whole)), 'all numbers differ'


@pytest.mark.slow
def test_workers_make_no_difference():
    whole = drawn(loader_of(DefaultSampler), 4)
    assert drawn(loader_of(DefaultSampler, workers=2), 4) == whole
    spawned = loader_of(DefaultSampler, workers=1)
    assert pickle.loads(pickle.dumps(spawned.dataset.__getitems__)).seed == 5, 'workers may be spawned'


def test_what_the_numbers_depend_on(monkeypatch):
    first = drawn(loader_of(DefaultSampler), 1)[0][0]
    assert drawn(loader_of(DefaultSampler), 1)[0][0] == first
    assert drawn(loader_of(DefaultSampler, dataset=AllAtOnce()), 1)[0][0] == first
    others = [drawn(loader_of(DefaultSampler, seed=6), 1)[0][0]]
    monkeypatch.setattr('repvgg_seg.training.sample_order_and_seeds.get_rank', lambda: 1)
    others.append(drawn(loader_of(DefaultSampler), 1)[0][0])
    for other in others:
        assert other[0] == first[0] and not set(other[1:]) & set(first[1:])


def test_epochs_after_a_break():
    """The third batch of the second epoch."""
    loader = loader_of(DefaultSampler)
    epochs = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        epochs.append(list(loader))
    again = loader_of(DefaultSampler)
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    loop._iter, loop._epoch = 6, 1
    SampleOrderHook().before_train(SimpleNamespace(train_loop=loop, train_dataloader=again))
    again.sampler.set_epoch(1)
    assert list(again) == epochs[1][2:] and len(again) == 4
    assert epochs[0] != epochs[1] and not {s[1] for b in epochs[0] for s in b} & {s[1] for b in epochs[1] for s in b}


def test_the_iterator_of_a_resumed_loop_is_ours():
    loader = loader_of(InfiniteSampler)
    loop = IterBasedTrainLoop.__new__(IterBasedTrainLoop)
    loop.dataloader_iterator, loop._iter, loop.fast_forward_on_resume = 'theirs', 3, True
    runner = SimpleNamespace(train_loop=loop, train_dataloader=loader)
    SampleOrderHook().before_train(runner)
    assert loop.dataloader_iterator == 'theirs', 'the config asks for other samples'
    loop.fast_forward_on_resume = False
    SampleOrderHook().before_train(runner)
    assert isinstance(loop.dataloader_iterator, ResumedBatches)


class EagerBatches:
    """What mmengine 0.10.7 has in its loop: the workers start at once."""

    def __init__(self, loader):
        self._dataloader, self._iterator = loader, iter(loader)

    def __next__(self):
        return next(self._iterator)


def test_workers_that_have_started_see_what_was_done_to_the_data_set_since():
    expected = next(iter(loader_of(InfiniteSampler)))
    dataset = Noise()
    loader = DataLoader(
        dataset, 2, sampler=InfiniteSampler(dataset, seed=1), num_workers=1, collate_fn=list, persistent_workers=True
    )
    loop = SimpleNamespace(dataloader=loader, dataloader_iterator=EagerBatches(loader))
    seed_samples(loader, 5)
    start_workers_anew(loop)
    assert next(loop.dataloader_iterator) == expected
    lazy = SimpleNamespace(_iterator=None)
    start_workers_anew(loop := SimpleNamespace(dataloader=loader, dataloader_iterator=lazy))
    assert loop.dataloader_iterator is lazy


def test_loaders_without_a_sampler_are_left_alone(logged):
    loader = DataLoader(Noise(), batch_size=None)
    seed_samples(loader, 5)
    assert 'a resumed run draws other ones than a run without a break' in logged()
    assert not hasattr(loader.dataset, '__getitems__')


def test_numbered_indices_are_numbers():
    index = pickle.loads(pickle.dumps(NumberedIndex(3, 17)))
    assert (index, index.place, [10, 11, 12, 13][index]) == (3, 17, 13)
