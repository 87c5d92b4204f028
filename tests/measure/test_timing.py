"""The order of timed calls, and what is kept of them."""

import torch

from repvgg_seg.measure.timing import best_seconds, interleaved, seconds

CPU = torch.device('cpu')


def test_calls_take_turns():
    calls = []
    times = interleaved({name: lambda name=name: calls.append(name) for name in 'abc'}, CPU, rounds=2, warmup=1)
    assert ''.join(calls) == 'abcabcabc'
    assert [len(times[name]) for name in 'abc'] == [2, 2, 2]


def test_seconds_by_a_clock():
    clock = iter([2.0, 5.5])
    assert seconds(lambda: None, CPU, lambda: next(clock)) == 3.5


def test_the_best_of_the_rounds_is_kept(monkeypatch):
    """Of all rounds, the warm-up included."""
    taken = {'a': [9.0, 3.0, 4.0], 'b': [1.0, 2.0, 2.0]}
    monkeypatch.setattr('repvgg_seg.measure.timing.seconds', lambda call, device, clock: taken[call()].pop(0))
    assert best_seconds({name: lambda name=name: name for name in 'ab'}, CPU, rounds=2) == dict(a=3.0, b=1.0)
