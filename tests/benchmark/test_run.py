"""The figures of a row, by hand."""

import pytest
import torch

from repvgg_seg.benchmark.run import measure_all
from repvgg_seg.benchmark.subject import Subject
from repvgg_seg.errors import InputError

CPU = torch.device('cpu')


def test_rows_say_how_much_faster(monkeypatch):
    monkeypatch.setattr(
        'repvgg_seg.benchmark.run.interleaved',
        lambda *args: {'m:fused:4x8': [2.0, 4.0, 6.0], 'm:optimized:4x8': [1.0, 1.0, 2.0]},
    )
    subjects = [Subject('m', form, lambda: None, 2, size=(4, 8)) for form in ('fused', 'optimized')]
    fused, optimized = measure_all(subjects, CPU, 3, 1)
    assert (fused['ms'], fused['ms_quartiles'], fused['examples_per_s']) == (4000, [3000, 5000], 0.5)
    assert optimized['ratio'] == optimized['times_fused'] == 3  # of 2, 4 and 3
    assert optimized['ns_per_pixel'] == pytest.approx(1e9 / 64)
    with pytest.raises(InputError, match="^baseline must be one of m:fused:4x8, m:optimized:4x8, got 'x'"):
        measure_all(subjects, CPU, 3, 1, 'x')
