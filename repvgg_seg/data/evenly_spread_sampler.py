"""A sampler that takes a few images, spread evenly over a data set."""

from collections.abc import Iterator, Sized

from mmengine.dist import get_dist_info
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class EvenlySpreadSampler(Sampler):
    """Every n-th image of a data set, for a quick evaluation: neighbours, such as the frames of a video, are alike.

    Args:
        dataset: the data set.
        number: how many images; all of them where there are no more.
        seed: unused; mmengine gives one to every sampler.
    """

    def __init__(self, dataset: Sized, number: int, seed: int | None = None) -> None:
        self.number = min(number, len(dataset))
        rank, processes = get_dist_info()
        self._indices = [i * len(dataset) // self.number for i in range(self.number)][rank::processes]

    def __iter__(self) -> Iterator[int]:
        return iter(self._indices)

    def __len__(self) -> int:
        return len(self._indices)
