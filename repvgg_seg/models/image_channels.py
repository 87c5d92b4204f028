"""How many channels the images of a network have."""

from torch import nn

from .model_wrappers import inner_model


def image_channels(model: nn.Module) -> int:
    """Channels of the images that a network takes: those of the first conv of its backbone, of any kind; 3 without one.

    A network without convs of its own tells them by an attribute `image_channels`.

    Args:
        model: a segmentor, a classifier, a backbone or any other network, in any form; also in a wrapper (DDP, test-time
            augmentation).
    """
    model = inner_model(model)
    known = getattr(model, 'image_channels', None)
    if isinstance(known, int):
        return known
    convs = (module for module in getattr(model, 'backbone', model).modules() if isinstance(module, nn.Conv2d))
    first = next(convs, None)
    return 3 if first is None else first.in_channels
