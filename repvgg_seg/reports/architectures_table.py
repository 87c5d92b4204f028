"""The table of docs/architectures.md: what each architecture costs and reaches."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..models.archs import ARCHS
from ..weights.published import weights_of
from .benchmark_table import Row, settings_and_environment
from .markdown import markdown_table

RECORD = 'benchmark_architectures_cpu'  # of `tools/benchmark.py classifiers`, in the forms training and fused
_HEADINGS = (
    'arch',
    'parameters, training (M)',
    'fused (M)',
    'FLOPs, fused (B)',
    'images/s, training form',
    'fused',
    'top-1 in the paper',
    'published weights: top-1',
)


def architectures_table(record: Mapping[str, Any]) -> Iterator[str]:
    """The table, and how it was measured.

    Args:
        record: as `tools/benchmark.py classifiers` writes it, with rows `RepVGG-ARCH` in the forms training and fused.
    """
    rows: dict[tuple[str, str], Row] = {(row['name'], row['form']): row for row in record['rows']}
    yield markdown_table(
        _HEADINGS,
        [
            list(_cells(arch, rows[f'RepVGG-{arch}', 'training'], rows[f'RepVGG-{arch}', 'fused']))
            for arch in ARCHS
            if (f'RepVGG-{arch}', 'fused') in rows
        ],
    )
    yield settings_and_environment(record)


def _cells(arch: str, training: Row, fused: Row) -> Iterator[str]:
    yield arch
    yield f'{training["params_m"]:.2f}'
    yield f'{fused["params_m"]:.2f}'
    yield f'{fused["flops_b"]:.1f}'
    yield f'{training["examples_per_s"]:.1f}'
    yield f'{fused["examples_per_s"]:.1f}'
    yield f'{fused["top1"]:.2f}' if 'top1' in fused else ''
    yield ', '.join(f'{known.source} {known.top1:.2f}' for known in weights_of(arch) if known.top1)
