from types import SimpleNamespace

import pytest
import torch

from repvgg_seg.training.hooks import RankSeedHook


@pytest.mark.parametrize('rank', [0, 1, 2])
def test_every_process_but_the_first_gets_a_seed_of_its_own(monkeypatch, rank):
    monkeypatch.setattr('repvgg_seg.training.hooks.rank_seed_hook.get_rank', lambda: rank)
    torch.manual_seed(7)
    torch.rand(3)
    before = torch.get_rng_state()
    RankSeedHook().before_train(SimpleNamespace(seed=7))
    if rank == 0:
        assert torch.equal(torch.get_rng_state(), before)
    else:
        assert torch.initial_seed() == 7 + rank
