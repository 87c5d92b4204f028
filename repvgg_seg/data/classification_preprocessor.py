"""The data preprocessor of the classifiers: batches of images are augmented and normalised on their device."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from mmseg.registry import MODELS

from .autoaugment import ImageNetAutoAugment
from .mixup import mixup_from_beta


@MODELS.register_module()
class ClassificationPreprocessor(BaseDataPreprocessor):
    """Normalise batches of 8-bit RGB images; in training, also augment them (paper, section 4.1).

    `dict(inputs=(N, 3, H, W) uint8, labels=(N,))` becomes the same with normalised float images. Mixup makes the labels
    (N, 3): the class, the class of the other image, and the share of the other image.

    Args:
        mean: mean of the red, green and blue values, from 0 to 255; of other images, of each channel.
        std: standard deviation of the red, green and blue values, or of each channel.
        auto_augment: whether training images go through AutoAugment's ImageNet policy, with a sub-policy drawn for
            each image.
        mixup_alpha: training images are mixed with shares from Beta(alpha, alpha), one share per batch; no mixup for
            None or 0.
        non_blocking: whether batches are copied to their device asynchronously.

    Raises:
        InputError: `mixup_alpha` is negative or not a number, or kornia is needed and is missing or too old.
    """

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        auto_augment: bool = False,
        mixup_alpha: float | None = None,
        non_blocking: bool = True,
    ) -> None:
        super().__init__(non_blocking)
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1) / 255, persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1) / 255, persistent=False)
        self.auto_augment = ImageNetAutoAugment() if auto_augment else None
        self.mixup = mixup_from_beta(mixup_alpha) if mixup_alpha else None

    @torch.no_grad()
    def forward(self, data: dict, training: bool = False) -> dict:
        """Move a batch to the device, normalise it and, in training, augment it; shapes as above."""
        data = self.cast_data(data)
        # The augmentations compute coordinates of pixels, which half precision would displace.
        with torch.autocast(data['inputs'].device.type, enabled=False):
            return self._augmented_and_normalised(data, training)

    def _augmented_and_normalised(self, data: dict, training: bool) -> dict:
        """The batch after AutoAugment, normalisation and mixup, in this order."""
        images, labels = data['inputs'].float() / 255, data['labels']
        if training and self.auto_augment is not None:
            images = self.auto_augment(images)
        images = (images - self.mean) / self.std
        if training and self.mixup is not None:
            images, labels = self.mixup(images, labels)
        return dict(inputs=images, labels=labels)
