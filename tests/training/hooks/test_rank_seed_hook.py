import random
from types import SimpleNamespace

import numpy as np
import torch

from repvgg_seg.training.hooks import RankSeedHook


def drawn(monkeypatch, seed=7, rank=0, iteration=0):
    monkeypatch.setattr('repvgg_seg.training.hooks.rank_seed_hook.get_rank', lambda: rank)
    RankSeedHook().before_train_iter(SimpleNamespace(seed=seed, iter=iteration), iteration)
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_seeds_differ_between_runs_processes_and_iterations_and_come_again(monkeypatch):
    first = drawn(monkeypatch)
    others = [drawn(monkeypatch, seed=8), drawn(monkeypatch, rank=1), drawn(monkeypatch, iteration=1)]
    for column in zip(first, *others, strict=True):
        assert len(set(column)) == 4
    assert drawn(monkeypatch) == first
