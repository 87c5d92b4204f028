"""A classifier before conversion, with and without its identity and 1x1 branches (paper, Table 6)."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.block import RepVGGBlock
from ..optimize.options import Options
from . import paper_tables
from .networks import build_classifier, network_subjects, replace_blocks
from .subject import Subject


class BranchesOfBlock(nn.Module):
    """A block in training form with some of its branches.

    Args:
        block: in training form.
        identity: keep its identity branch, where it has one.
        one_by_one: keep its 1x1 branch.
    """

    def __init__(self, block: RepVGGBlock, identity: bool, one_by_one: bool):
        super().__init__()
        self.rbr_dense = block.rbr_dense
        self.rbr_1x1 = block.rbr_1x1 if one_by_one else None
        self.rbr_identity = block.rbr_identity if identity else None

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the branches and its ReLU, (N, C, H, W) -> (N, C_out, H / stride, W / stride), rounded up."""
        out = self.rbr_dense(x)
        if self.rbr_1x1 is not None:
            out = out + self.rbr_1x1(x)
        if self.rbr_identity is not None:
            out = out + self.rbr_identity(x)
        return F.relu(out, inplace=True)


def branch_subjects(arch: str, options: Options, device: torch.device) -> Iterator[Subject]:
    """The four combinations of branches of a RepVGG classifier.

    Args:
        arch: such as 'B0', which is the paper's.
        options: input shape, number type and compilation.
        device: where they compute.
    """
    for (identity, one_by_one), speed in paper_tables.BRANCHES.items():
        model = build_classifier(f'RepVGG-{arch}').to(device)
        replace_blocks(model, partial(BranchesOfBlock, identity=identity, one_by_one=one_by_one))
        branches = ' + '.join(['3x3', *['1x1'] * one_by_one, *['identity'] * identity])
        paper = dict(paper_examples_per_s=speed) if arch == 'B0' else None
        for subject in network_subjects(f'RepVGG-{arch}', model, ('training',), options, paper=paper):
            yield replace(subject, form=branches)
