import pytest
import torch

from repvgg_seg.pruning.choose_channels import Candidates, channels_to_keep


def kept(layers, share):
    return [numbers.tolist() for numbers in channels_to_keep(layers, share)]


@pytest.mark.parametrize(
    'layers, share, expected',
    [
        # The two weakest of eight, wherever they are.
        ([Candidates(torch.tensor([4.0, 1, 3, 5])), Candidates(torch.tensor([9.0, 2, 8, 7]))], 0.25, [[0, 2, 3], [0, 2, 3]]),
        # Two at a time: the pair of 1 and 3 (mean 2) before that of 2 and 7 (mean 4.5).
        (
            [Candidates(torch.tensor([4.0, 1, 3, 5]), step=2), Candidates(torch.tensor([9.0, 2, 8, 7]), step=2)],
            0.25,
            [[0, 3], [0, 1, 2, 3]],
        ),
        # As many from each of two blocks: 0 of the first, 3 of the second.
        ([Candidates(torch.tensor([1.0, 9, 9, 2]), parts=2)], 0.5, [[1, 2]]),
        ([Candidates(torch.tensor([1.0, 2]), whole=True), Candidates(torch.tensor([7.0, 8]))], 0.25, [[0, 1], [1]]),
        # A width that is no multiple of the step becomes one.
        ([Candidates(torch.arange(5.0), step=2)], 0.2, [[1, 2, 3, 4]]),
        # A layer of zeros does not vanish: a quarter of the half that stays on average, 2 of 16.
        ([Candidates(torch.zeros(16)), Candidates(torch.arange(1.0, 17))], 0.5, [[0, 1], list(range(2, 16))]),
        ([Candidates(torch.arange(4.0))], 0.0, [[0, 1, 2, 3]]),
        ([Candidates(torch.arange(4.0))], 0.99, [[3]]),
    ],
)  # fmt: skip
def test_what_stays(layers, share, expected):
    assert kept(layers, share) == expected
