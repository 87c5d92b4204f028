"""The data preprocessor of segmentors for images of any number of channels."""

from collections.abc import Sequence
from typing import Any

import torch
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS


@MODELS.register_module()
class MultiChannelPreProcessor(SegDataPreProcessor):
    """mmseg's `SegDataPreProcessor` with a mean and a std for each channel of images of any number of channels.

    Some versions of mmseg's own take 1 or 3 values only.

    Args:
        mean: of each channel, or one for all; None to leave the values as they are.
        std: as `mean`.
        kwargs: the other arguments of mmseg's class.
    """

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if mean is None or std is None:
            return
        self._enable_normalize = True
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)
