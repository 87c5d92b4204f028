"""A classifier before conversion, with and without its identity and 1x1 branches (paper, Table 6)."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from ..models.block_variants import BLOCKS, BRANCHES
from ..optimize.options import Options
from . import paper_tables
from .networks import build_classifier, network_subjects
from .subject import Subject


def branch_subjects(arch: str, options: Options, device: torch.device) -> Iterator[Subject]:
    """The four combinations of branches of a RepVGG classifier.

    Args:
        arch: such as 'B0', which is the paper's.
        options: input shape, number type and compilation.
        device: where they compute.
    """
    for block, speed in paper_tables.BRANCHES.items():
        model = build_classifier(f'RepVGG-{arch}', block=block).to(device)
        branches = ' + '.join(branch for branch in BRANCHES if branch in BLOCKS[block].branches)
        paper = dict(paper_examples_per_s=speed) if arch == 'B0' else None
        for subject in network_subjects(f'RepVGG-{arch}', model, ('training',), options, paper=paper):
            yield replace(subject, form=branches)
