"""Convs of 1x1 to 7x7 (paper, Table 1)."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import nn

from ..measure.flops import count
from . import paper_tables
from .subject import Subject


def kernel_subjects(channels: int, size: int, batch: int, device: torch.device) -> Iterator[Subject]:
    """Convs of four kernel sizes at stride 1, on random feature maps (batch, channels, size, size)."""
    shape = (batch, channels, size, size)
    x = torch.rand(shape, device=device)
    for side, paper_ms in paper_tables.KERNELS.items():
        build = partial(nn.Conv2d, channels, channels, side, padding=side // 2, bias=False)
        conv = build(device=device)
        counted = count(build(device='meta'), torch.empty(shape, device='meta'))
        call = torch.inference_mode()(partial(conv, x))
        yield Subject(f'{side}x{side}', 'conv', call, batch, conv, counted, dict(paper_ms=paper_ms))
