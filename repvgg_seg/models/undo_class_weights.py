"""Class weights of a loss undone after training, in the bias of the classifier."""

from mmseg.models import BaseSegmentor
from mmseg.models.losses import CrossEntropyLoss
from torch import nn

from ..errors import InputError


def undo_class_weights(model: nn.Module) -> None:
    """Subtract log(class_weight) from the bias of the last conv of a decode head, in place.

    A softmax that was trained with weights w scores a class c by p(c) w(c), normalised, and so finds rare classes too often; with
    the weights divided out it scores by p(c), the share of the class in the data (not in the paper).

    Args:
        model: a segmentor, in training or fused form.

    Raises:
        InputError: its decode head has no loss that is one softmax cross entropy with weights, each greater than 0.
    """
    head = getattr(model, 'decode_head', None) if isinstance(model, BaseSegmentor) else None
    loss, conv = getattr(head, 'loss_decode', None), getattr(head, 'conv_seg', None)
    weights = getattr(loss, 'class_weight', None)
    if (
        not isinstance(loss, CrossEntropyLoss)
        or loss.use_sigmoid
        or weights is None
        or not isinstance(conv, nn.Conv2d)
        or conv.bias is None
    ):
        raise InputError(
            f'the loss of this {type(head or model).__name__} has no class weights to undo: it takes one softmax cross entropy '
            'with class_weight (model.decode_head.loss_decode)'
        )
    factors = conv.bias.new_tensor(weights)
    if not (factors > 0).all():
        raise InputError(
            f'class_weight holds {float(factors.min()):g}, which cannot be divided out: weights are above 0'
        )
    conv.bias.data -= factors.log()
