"""The logits of optimized segmentors against those of their training form, with random BN, over sizes and batches."""

import sys
from collections.abc import Iterator

import torch
from mmengine.config import Config
from mmengine.utils import ProgressBar
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import InputError
from ..optimize.optimize import optimize_for_inference
from .subjects import build_segmentor


def verify(
    configs: 'dict[str, Config]',
    sizes: 'list[tuple[int, int]]',
    batches: 'list[int]',
    dtypes: 'list[str]',
    device: torch.device,
) -> 'Iterator[list[dict]]':
    """Compare every config at every size, batch and number type on random images; progress goes to stderr.

    Yields:
        The rows so far, after each config. A row holds the largest difference over the largest logit of the training form
        in fp32, and the fraction of pixels with the same label.
    """
    rows = []
    bar = ProgressBar(len(configs) * len(sizes) * len(batches), bar_width=20, file=sys.stderr)
    for name, cfg in configs.items():
        torch.manual_seed(0)
        model = randomise_bn(build_segmentor(cfg)).to(device)
        optimized = {dtype: optimize_for_inference(model, dtype=dtype) for dtype in dtypes}
        for height, width in sizes:
            for batch in batches:
                found = compare(model, optimized, torch.randn(batch, 3, height, width, device=device))
                facts = dict(name=name, size=f'{height}x{width}', batch=batch)
                rows += [dict(facts, dtype=dtype, **errors) for dtype, errors in found.items()]
                bar.update()
        yield rows
    print(file=sys.stderr)


@torch.inference_mode()
def compare(model: nn.Module, optimized: 'dict[str, nn.Module]', image: torch.Tensor) -> 'dict[str, dict]':
    """Relative error of the logits and fraction of equal labels, for each number type."""
    expected = model(image)
    errors = {}
    for dtype, network in optimized.items():
        found = network(image)
        errors[dtype] = dict(
            relative_error=((found - expected).abs().max() / expected.abs().max()).item(),
            argmax_equal=(found.argmax(1) == expected.argmax(1)).double().mean().item(),
        )
    return errors


@torch.no_grad()
def randomise_bn(model: nn.Module) -> nn.Module:
    """Random statistics, weights and biases, of both signs: as built, a BN hides what a wrong rewrite does."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.5, 2)
            module.weight.normal_()
            module.bias.normal_(0, 0.5)
    return model


def parse_sizes(sizes: 'list[str]') -> 'list[tuple[int, int]]':
    """'512x1024' -> (512, 1024). Raises `InputError` for anything else."""
    parsed = []
    for size in sizes:
        height, _, width = size.partition('x')
        if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
            raise InputError(f'--sizes must look like 512x1024, got {size!r}')
        parsed.append((int(height), int(width)))
    return parsed
