import numpy as np
from mmengine.dataset import BaseDataset, ConcatDataset, InfiniteSampler
from torch.utils.data import DataLoader, IterableDataset

from repvgg_seg.training.rehearsal.batch import can_be_drawn_from, copied_dataset, draw_batch


class Step:
    def __init__(self):
        self.seen = []

    def __call__(self, item):
        self.seen.append(item['number'])
        return item['number']


class Numbers(BaseDataset):
    def load_data_list(self):
        return [dict(number=i) for i in range(10)]


def test_a_batch_is_spread_over_the_images_and_nothing_is_consumed():
    dataset = Numbers(pipeline=[Step()], lazy_init=False)
    loader = DataLoader(dataset, 4, sampler=InfiniteSampler(dataset, seed=1), collate_fn=list)
    assert can_be_drawn_from(loader)
    copied = copied_dataset(dataset)
    assert draw_batch(loader, copied) == ([0, 2, 5, 7], 4)
    assert dataset.pipeline.transforms[0].seen == [] and copied.pipeline.transforms[0].seen == [0, 2, 5, 7]
    assert copied.data_bytes is dataset.data_bytes, 'the list of files is not copied'
    fresh = InfiniteSampler(dataset, seed=1)
    assert next(iter(loader)) == [next(iter(fresh.indices)) for _ in range(4)]


def test_wrapped_data_sets():
    whole = ConcatDataset([Numbers(pipeline=[Step()]), Numbers(pipeline=[Step()])])
    copied = copied_dataset(whole)
    assert copied is not whole and copied[15] == 5
    assert whole.datasets[1].pipeline.transforms[0].seen == []
    assert np.shares_memory(copied.datasets[1].data_bytes, whole.datasets[1].data_bytes)


def test_what_cannot_be_copied_is_used_itself(tmp_path):
    dataset = Numbers(pipeline=[Step()], lazy_init=False)
    dataset.file = open(tmp_path / 'x', 'w')  # noqa: SIM115
    assert copied_dataset(dataset) is dataset
    dataset.file.close()


def test_a_stream_is_not_drawn_from():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(())

    assert not can_be_drawn_from(DataLoader(Stream(), 2))
    assert not can_be_drawn_from(None)
