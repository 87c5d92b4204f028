"""The logits of optimized segmentors against those of their training form, over sizes and batches."""

import sys
from collections.abc import Iterator, Mapping, Sequence

import torch
from mmengine.config import Config
from mmengine.utils import ProgressBar
from torch import Tensor, nn

from ..measure.difference import relative_error
from ..models.image_channels import image_channels
from ..optimize.optimize import optimize_for_inference
from ..reports.benchmark_table import Row
from .networks import build_segmentor
from .random_bn import randomise_bn


def verify(
    configs: Mapping[str, Config],
    sizes: Sequence[tuple[int, int]],
    batches: Sequence[int],
    dtypes: Sequence[str],
    device: torch.device,
) -> Iterator[list[Row]]:
    """Compare every config at every size, batch and number type, on random images and with random BN.

    Progress goes to stderr.

    Args:
        configs: configs of segmentors, by the names of their rows.
        sizes: (height, width) in pixels.
        batches: numbers of images at a time.
        dtypes: 'fp32', 'bf16' or 'fp16', of the optimized form.
        device: where they compute.

    Yields:
        The rows so far, after each config. A row holds the largest difference over the largest logit of the training
        form in fp32, and the fraction of pixels that get the same label.
    """
    rows: list[Row] = []
    bar = ProgressBar(len(configs) * len(sizes) * len(batches), bar_width=20, file=sys.stderr)
    for name, cfg in configs.items():
        torch.manual_seed(0)
        model = randomise_bn(build_segmentor(cfg)).to(device)
        channels = image_channels(model)
        optimized = {dtype: optimize_for_inference(model, dtype=dtype) for dtype in dtypes}
        for height, width in sizes:
            for batch in batches:
                found = compare(model, optimized, torch.randn(batch, channels, height, width, device=device))
                facts = dict(name=name, size=f'{height}x{width}', batch=batch)
                rows += [dict(facts, dtype=dtype, **errors) for dtype, errors in found.items()]
                bar.update()
        yield rows
    print(file=sys.stderr)


@torch.inference_mode()
def compare(model: nn.Module, optimized: Mapping[str, nn.Module], image: Tensor) -> dict[str, dict[str, float]]:
    """Relative error of the logits and fraction of equal labels, for each number type.

    Args:
        model: the network whose logits are expected.
        optimized: the networks to compare with it, by number type.
        image: (N, C, H, W).
    """
    expected = model(image)
    errors = {}
    for dtype, network in optimized.items():
        found = network(image)
        errors[dtype] = dict(
            relative_error=relative_error(found, expected),
            argmax_equal=(found.argmax(1) == expected.argmax(1)).double().mean().item(),
        )
    return errors
