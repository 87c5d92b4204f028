"""Measure subjects in turn, within one run: time, ratios, memory and counts."""

import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace

import torch
from mmengine.utils import ProgressBar

from ..errors import InputError
from ..measure.memory import held_bytes, peak_memory
from ..measure.timing import interleaved
from ..reports.benchmark_table import Row
from .subject import Subject

_MIB = 2**20
# What a row is compared with beside the baseline: name of the ratio -> form of the same model.
_FORMS_COMPARED_WITH = dict(times_fused='fused', times_peer='peer, channels first')


def measure_all(
    subjects: Sequence[Subject], device: torch.device, rounds: int, warmup: int, baseline: str | None = None
) -> list[Row]:
    """Measure the peak memory of each subject, then time all of them in turn; a progress bar goes to stderr.

    Args:
        subjects: what to measure.
        device: where they compute.
        rounds: timed calls of each subject.
        warmup: untimed calls of each subject beforehand.
        baseline: key of the subject that the ratios refer to, 'NAME:FORM:HxW'; by default the first subject.

    Returns:
        A row for each subject: median and quartiles, ratios to the baseline and to the fused form or the peer of the same
        model, memory, counts, and the figures of the paper.

    Raises:
        InputError: no subject has the key `baseline`.
    """
    calls = {subject.key: subject.call for subject in subjects}
    baseline = baseline or subjects[0].key
    if baseline not in calls:
        raise InputError(f'baseline must be one of {", ".join(calls)}, got {baseline!r}')
    memory = {subject.key: peak_memory(subject.call, device) for subject in subjects if subject.has_memory}
    bar = ProgressBar((rounds + warmup) * len(calls), bar_width=20, file=sys.stderr)
    times = interleaved(calls, device, rounds, warmup, bar.update)
    print(file=sys.stderr)
    rows = []
    for subject in subjects:
        row = _row(subject, times[subject.key], times[baseline], memory.get(subject.key))
        for name, form in _FORMS_COMPARED_WITH.items():
            other = times.get(replace(subject, form=form).key)
            if other:
                row[name] = _ratio(other, times[subject.key])
        rows.append(row)
    return rows


def _ratio(reference: list[float], times: list[float]) -> float:
    """How many times as fast as the reference: the median over the rounds, in each of which both were timed."""
    return statistics.median(other / own for own, other in zip(times, reference, strict=True))


def _row(subject: Subject, times: list[float], reference: list[float], peak: int | None) -> Row:
    """The figures of a subject, from the seconds of its calls and of those of the baseline, and its peak in bytes."""
    low, median, high = statistics.quantiles(times, n=4, method='inclusive') if len(times) > 1 else times * 3
    row: Row = dict(
        name=subject.name,
        form=subject.form,
        examples_per_s=subject.examples / median,
        ms=1e3 * median,
        ms_quartiles=[1e3 * low, 1e3 * high],
        ratio=_ratio(reference, times),
    )
    if peak is not None:
        row['peak_activations_mib'] = peak / _MIB
    if subject.size is not None:
        height, width = subject.size
        row.update(size=subject.size_name, ns_per_pixel=1e9 * median / (subject.examples * height * width))
    if subject.model is not None and peak is not None:
        row['weights_mib'] = held_bytes(subject.model) / _MIB
        row['memory_mib'] = row['weights_mib'] + row['peak_activations_mib']
    if subject.count is not None:
        row.update(
            params_m=subject.count.params / 1e6,
            flops_b=subject.count.flops / 1e9,
            wino_muls_b=subject.count.wino_muls / 1e9,
        )
    return row | subject.paper
