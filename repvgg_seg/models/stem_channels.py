"""Kernels of the first layer for images of another number of channels than the weights were trained on."""

import torch
from mmengine.logging import print_log
from torch import Tensor

from ..errors import InputError
from .block_variants import BRANCHES

STEM_WEIGHTS = ('mean', 'repeat')
_STEM_KERNELS = (*(f'stage0.{name}.conv.weight' for name in BRANCHES.values()), 'stage0.rbr_reparam.weight')


def fit_stem(body: dict[str, Tensor], channels: int, how: str | None) -> None:
    """Give the first layer kernels for images of `channels` channels, in place, and log it.

    Args:
        body: the tensors of a backbone in training or fused form, under official names.
        channels: of the images that the backbone takes.
        how: 'mean' or 'repeat', as `inflate` takes it; None to refuse kernels of other channels.

    Raises:
        InputError: kernels of other channels and no `how`, or one that does not go with these channels.
    """
    kernels = {name: body[name] for name in _STEM_KERNELS if name in body and body[name].dim() == 4}
    others = {name: kernel for name, kernel in kernels.items() if kernel.shape[1] != channels}
    if not others:
        return
    found = next(iter(others.values())).shape[1]
    if how is None:
        raise InputError(
            f'the weights are for images of {found} channels, the backbone takes {channels}: set stem_weights="mean" '
            'or "repeat" in the dict of the backbone to fit the kernels of the first layer, or change in_channels'
        )
    body.update({name: inflate(kernel, channels, how) for name, kernel in others.items()})
    order = ', in the order of the weights (red, green, blue of ImageNet weights)' if how == 'repeat' else ''
    print_log(
        f'stem_weights={how!r}: the first layer of the weights takes {found} channels and is fitted to {channels}{order}',
        'current',
    )


def inflate(kernel: Tensor, channels: int, how: str) -> Tensor:
    """A kernel (C_out, C, k, k) for images of other channels, (C_out, channels, k, k), of the same number type.

    A grey image, whose channels are all equal, gets the response that it had.

    Args:
        kernel: of a conv without groups.
        channels: of the result.
        how: 'mean': each channel gets the mean of all, times C / `channels`. 'repeat': the channels are repeated, and each
            is divided by the number of its copies.

    Raises:
        InputError: 'repeat' with fewer channels than the kernel has.
    """
    found = kernel.shape[1]
    exact = kernel.double()
    if how == 'mean':
        inflated = exact.sum(1, keepdim=True).div(channels).repeat(1, channels, 1, 1)
    else:
        if channels < found:
            raise InputError(
                f'stem_weights="repeat" needs at least the {found} channels of the weights, the backbone takes {channels}: '
                'set stem_weights="mean"'
            )
        source = torch.arange(channels, device=kernel.device) % found
        inflated = exact[:, source] / source.bincount(minlength=found)[source][:, None, None]
    return inflated.to(kernel.dtype)
