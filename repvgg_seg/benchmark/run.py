"""Benchmarks: subjects, timed in turn in one run, and the table, record and plot of what came out."""

import copy
import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from mmengine.utils import ProgressBar
from torch import nn

from ..errors import InputError
from ..files import replacing
from ..measure.flops import Count
from ..measure.memory import held_bytes, peak_memory
from ..measure.timing import interleaved
from ..reports.environment import environment

_MIB = 2**20


@dataclass
class Subject:
    """One row of a benchmark.

    Args:
        name: of the model.
        form: 'training', 'fused', 'optimized' or whatever else tells rows of one model apart.
        call: what is timed.
        examples: that one call works through.
        model: whose weights count as memory.
        count: parameters, FLOPs and Wino MULs of one example.
        paper: what the paper reports, shown beside.
        size: 'HxW' of the images, where there are images.
    """

    name: str
    form: str
    call: 'Callable[[], object]'
    examples: int
    model: 'nn.Module | None' = None
    count: 'Count | None' = None
    paper: dict = field(default_factory=dict)
    size: str = ''

    @property
    def key(self) -> str:
        return ':'.join(filter(None, (self.name, self.form, self.size)))


def measure_all(
    subjects: 'list[Subject]', device: torch.device, rounds: int, warmup: int, baseline: 'str | None' = None
) -> 'list[dict]':
    """Time all subjects in turn and take their peak memory; a progress bar with the time left goes to stderr.

    Args:
        subjects: what to measure.
        device: where they compute.
        rounds: timed calls of each.
        warmup: untimed calls of each beforehand.
        baseline: key of the subject that the ratios refer to, 'name:form:size'; the first by default.

    Returns:
        A row for each subject: median and quartiles, ratios to the baseline and to the fused form of the same,
        memory.

    Raises:
        InputError: no subject of the baseline's name.
    """
    keys = [subject.key for subject in subjects]
    baseline = baseline or keys[0]
    if baseline not in keys:
        raise InputError(f'--baseline must be one of {", ".join(keys)}, got {baseline!r}')
    memory = {subject.key: peak_memory(subject.call, device) for subject in subjects}
    bar = ProgressBar((rounds + warmup) * len(subjects), bar_width=20, file=sys.stderr)
    times = interleaved({subject.key: subject.call for subject in subjects}, device, rounds, warmup, bar.update)
    print(file=sys.stderr)
    rows = []
    for subject in subjects:
        row = _row(subject, times[subject.key], times[baseline], memory[subject.key])
        fused = times.get(replace(subject, form='fused').key)
        if fused:
            row['times_fused'] = _ratio(fused, times[subject.key])
        rows.append(row)
    return rows


def _ratio(reference: 'list[float]', times: 'list[float]') -> float:
    """How many times as fast as the reference, as the median over the rounds, in each of which both were timed."""
    return statistics.median(other / own for own, other in zip(times, reference, strict=True))


def _row(subject: Subject, times: 'list[float]', reference: 'list[float]', peak: int) -> dict:
    low, median, high = statistics.quantiles(times, n=4, method='inclusive') if len(times) > 1 else times * 3
    row = dict(
        name=subject.name,
        form=subject.form,
        examples_per_s=subject.examples / median,
        ms=1e3 * median,
        ms_quartiles=[1e3 * low, 1e3 * high],
        ratio=_ratio(reference, times),
        peak_activations_mib=peak / _MIB,
    )
    if subject.size:
        height, width = map(int, subject.size.split('x'))
        row.update(size=subject.size, ns_per_pixel=1e9 * median / (subject.examples * height * width))
    if subject.model is not None:
        row['weights_mib'] = held_bytes(subject.model) / _MIB
        row['memory_mib'] = row['weights_mib'] + row['peak_activations_mib']
    if subject.count is not None:
        row.update(
            params_m=subject.count.params / 1e6,
            flops_b=subject.count.flops / 1e9,
            wino_muls_b=subject.count.wino_muls / 1e9,
        )
    return row | subject.paper


_COLUMNS = {
    'name': ('model', '{}'),
    'form': ('form', '{}'),
    'size': ('size', '{}'),
    'batch': ('batch', '{}'),
    'dtype': ('dtype', '{}'),
    'examples_per_s': ('examples/s', '{:.2f}'),
    'ms': ('ms', '{:.1f}'),
    'ms_quartiles': ('quartiles', '{0[0]:.1f}-{0[1]:.1f}'),
    'ratio': ('times baseline', '{:.2f}'),
    'times_fused': ('times fused', '{:.2f}'),
    'ns_per_pixel': ('ns/pixel', '{:.0f}'),
    'peak_activations_mib': ('peak activations (MiB)', '{:.0f}'),
    'weights_mib': ('weights (MiB)', '{:.0f}'),
    'memory_mib': ('both (MiB)', '{:.0f}'),
    'params_m': ('params (M)', '{:.2f}'),
    'flops_b': ('FLOPs (B)', '{:.1f}'),
    'wino_muls_b': ('Wino MULs (B)', '{:.1f}'),
    'miou': ('mIoU, paper', '{:.2f}'),
    'top1': ('top-1, paper', '{:.2f}'),
    'paper_examples_per_s': ('examples/s, paper', '{:.1f}'),
    'paper_ms': ('ms, paper', '{:.1f}'),
    'relative_error': ('relative error', '{:.1e}'),
    'argmax_equal': ('equal labels', '{:.6f}'),
}


def table(rows: 'list[dict]') -> str:
    """Rows as a Markdown table, with the columns that any of them has."""
    columns = [name for name in _COLUMNS if any(name in row for row in rows)]
    lines = [[_COLUMNS[name][0] for name in columns], ['---'] * len(columns)]
    lines += [[_COLUMNS[name][1].format(row[name]) if name in row else '' for name in columns] for row in rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def write(out: str, title: str, rows: 'list[dict]', settings: dict, device: torch.device) -> None:
    """Write OUT.json (rows, settings, versions, device) and OUT.md (the same as a table)."""
    facts = environment(device)
    record = dict(title=title, settings=settings, environment=facts, rows=rows)
    with replacing(f'{out}.json') as temporary:
        temporary.write_text(json.dumps(record, indent=2) + '\n')
    said = [
        ', '.join(f'{key} {value}' for key, value in part.items() if value is not None) for part in (settings, facts)
    ]
    Path(f'{out}.md').write_text(
        f'# {title}\n\n{table(rows)}\n' + ''.join(f'{line}\n\n' for line in said).rstrip() + '\n'
    )


def plot(out: str, rows: 'list[dict]', accuracy: str, label: str) -> None:
    """Write OUT.svg: accuracy against speed, one line a family and form (paper, Figure 1).

    Args:
        rows: of `measure_all`; those without the accuracy are left out.
        accuracy: its key in the rows, 'miou' or 'top1'.
        label: of the axis.
    """
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 5))
    families = {}
    for row in rows:
        if accuracy in row:
            family = 'ResNet' if 'resne' in row['name'].lower() else 'RepVGG'
            families.setdefault(f'{family}, {row["form"]}', []).append(row)
    for name, members in families.items():
        members.sort(key=lambda row: row['examples_per_s'])
        speeds, heights = [row['examples_per_s'] for row in members], [row[accuracy] for row in members]
        axes.plot(speeds, heights, marker='s' if 'ResNet' in name else 'o', label=name)
        for row in members:
            axes.annotate(row['name'].removeprefix('pspnet_'), (row['examples_per_s'], row[accuracy]), fontsize=7)
    axes.set(xlabel='speed (examples/second)', ylabel=label)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(f'{out}.svg')
    pyplot.close(figure)


def on_meta(model: nn.Module) -> nn.Module:
    """A copy without storage, to count without computing."""
    return copy.deepcopy(model).to('meta')
