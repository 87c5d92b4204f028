"""Losses of the heads: class weights and the weights of the losses themselves.

What mmseg's losses cannot compute for a head is replaced or refused in the config, by `repvgg_seg.training.losses`.
"""

import logging
import math

from mmengine.logging import print_log
from torch import nn

from ...errors import InputError
from .segmentor_parts import heads_of, losses_of


def check_losses(model: nn.Module) -> None:
    """Check the losses of every head.

    Raises:
        InputError: a loss that cannot be computed for its head, or nothing that would be learnt.
    """
    weights = []
    for name, head in heads_of(model).items():
        for place, loss in losses_of(head).items():
            path = f'model.{name}.{place}'
            _check_class_weight(path, loss, head)
            weights.append(_weight(path, loss))
    if weights and not any(weights):
        raise InputError(
            'every loss has loss_weight 0, or a loss_name without "loss", which keeps it out of the sum: nothing would be '
            'learnt; set --cfg-options model.decode_head.loss_decode.loss_weight=1.0'
        )


def _check_class_weight(path: str, loss: nn.Module, head: nn.Module) -> None:
    weight, logits = getattr(loss, 'class_weight', None), getattr(head, 'out_channels', None)
    if weight is None or logits is None or isinstance(weight, str) or not hasattr(weight, '__len__'):
        return
    if len(weight) != logits:
        raise InputError(
            f'{path}.class_weight has {len(weight)} numbers, and the head has {logits} {_outputs(logits)}: give '
            f'{logits}, in the order of the classes'
        )
    wrong = [value for value in map(float, weight) if not (math.isfinite(value) and value >= 0)]
    if wrong:
        raise InputError(f'{path}.class_weight holds {wrong[0]}: weights are 0 or greater')


def _outputs(logits: int) -> str:
    return 'logit' if logits == 1 else 'classes'


def _weight(path: str, loss: nn.Module) -> float:
    """How much a loss counts; what makes it count nothing is logged."""
    weight, name = getattr(loss, 'loss_weight', 1.0), getattr(loss, 'loss_name', 'loss')
    if not isinstance(weight, (int, float)):
        return 1.0
    if weight < 0:
        raise InputError(f'{path}.loss_weight is {weight}: the loss would be maximised; give 0 or more')
    if isinstance(name, str) and 'loss' not in name:
        print_log(
            f'{path}.loss_name is {name!r}: without "loss" in it, it is logged and not learnt from',
            'current',
            logging.WARNING,
        )
        return 0.0
    if weight == 0:
        print_log(f'{path}.loss_weight is 0: nothing is learnt from this loss', 'current', logging.WARNING)
    return float(weight)
