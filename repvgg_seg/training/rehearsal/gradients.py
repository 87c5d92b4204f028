"""What one backward pass tells about losses and parameters."""

import logging
import math
from collections.abc import Mapping

from mmengine.logging import print_log
from torch import Tensor, nn

from ...errors import InputError, listed, parts_of_names


def check_losses_finite(losses: Mapping[str, float], scaled: bool) -> None:
    """Refuse losses that are infinite or NaN.

    Args:
        losses: every entry of the log of one iteration.
        scaled: whether a loss scale of float16 skips such iterations, so that they are logged as a warning only.

    Raises:
        InputError: names the losses.
    """
    wrong = {name: value for name, value in losses.items() if 'loss' in name and not math.isfinite(value)}
    wrong.pop('loss', None) if len(wrong) > 1 else None  # the sum
    if not wrong:
        return
    message = (
        f'rehearsal, step "losses": {", ".join(f"{name} is {value}" for name, value in wrong.items())} on the first batch: check '
        'the weights of this loss, mean and std of the data preprocessor, and the weights that were loaded'
    )
    if not scaled:
        raise InputError(message)
    print_log(f'{message}; the loss scale of float16 may get over it', 'current', logging.WARNING)


def check_gradients(trained: nn.Module) -> list[str]:
    """Look for parameters that require a gradient and got none, and for gradients that are NaN.

    Args:
        trained: the model after a backward pass.

    Returns:
        The names of the parameters that got none, which are logged.

    Raises:
        InputError: a gradient is NaN.
    """
    learning = {name: parameter for name, parameter in trained.named_parameters() if parameter.requires_grad}
    unused = [name for name, parameter in learning.items() if parameter.grad is None]
    nan = [
        name
        for name, parameter in learning.items()
        if parameter.grad is not None and bool(parameter.grad.isnan().any())
    ]
    if nan:
        raise InputError(
            f'rehearsal, step "backward pass": the gradient of {listed(nan)} is NaN on the first batch: after one step the '
            'weights would be too'
        )
    used = [parameter.grad for name, parameter in learning.items() if isinstance(parameter.grad, Tensor)]
    if used and not any(bool(gradient.any()) for gradient in used):
        print_log('every gradient of the first batch is 0: nothing is learnt from it', 'current', logging.WARNING)
    if unused:
        print_log(
            f'{len(unused)} parameters get no gradient, since no loss depends on them: {listed(parts_of_names(unused, 2))}; they '
            'stay as they are',
            'current',
            logging.WARNING,
        )
    return unused
