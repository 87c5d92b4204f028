"""Memory against what is allocated."""

import pytest
import torch
from torch import nn

from repvgg_seg.measure import allocator_events
from repvgg_seg.measure.memory import held_bytes, peak_memory

CPU = torch.device('cpu')
MIB = 2**18  # floats


def three_tensors():
    first = torch.empty(3 * MIB)
    second = torch.empty(5 * MIB)
    del first
    third = torch.empty(2 * MIB)
    return second, third


def test_peak_memory_is_what_is_held_at_a_time():
    assert peak_memory(three_tensors, CPU) == pytest.approx(8 * 2**20, rel=0.01)
    assert held_bytes(nn.Linear(10, 10)) == 440


def test_packed_kernels_count_as_weights():
    model = nn.Sequential(nn.Linear(10, 10))
    model[0].kernel = torch.zeros(5)
    assert held_bytes(model) == 440 + 20


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='this torch has no oneDNN')
def test_copies_within_an_operator_are_seen():
    """oneDNN's conv copies x (1 MiB), which is channels first, to a layout of its own; what comes out is 1 MiB too."""
    x = torch.zeros(1, 16, 128, 128)
    conv = nn.Conv2d(16, 16, 3, padding=1)

    def call():
        with torch.inference_mode():
            return conv(x)

    assert peak_memory(call, CPU) >= 2 * 2**20
    assert allocator_events._peak(call, allocator_events._operator_totals) < 2 * 2**20


@pytest.fixture
def messages(monkeypatch):
    messages = []
    monkeypatch.setattr(allocator_events, 'print_log', lambda message, logger: messages.append(message))
    allocator_events._can_read_allocations.cache_clear()
    yield messages
    allocator_events._can_read_allocations.cache_clear()


def test_without_private_events_the_totals_of_operators_stand_in(monkeypatch, messages):
    def gone(profile):
        raise AttributeError("no attribute 'kineto_results'")

    monkeypatch.setattr(allocator_events, '_allocations', gone)
    for _ in range(2):
        assert peak_memory(three_tensors, CPU) == pytest.approx(8 * 2**20, rel=0.01)
    (message,) = messages
    assert message.endswith("no attribute 'kineto_results'") and 'totals of operators' in message


def test_events_that_mean_something_else_are_noticed(monkeypatch, messages):
    monkeypatch.setattr(allocator_events, '_allocations', lambda profile: [(0, 7), (1, -7)])
    assert peak_memory(three_tensors, CPU) == pytest.approx(8 * 2**20, rel=0.01)
    assert '7 bytes in place of 3072' in messages[0]
