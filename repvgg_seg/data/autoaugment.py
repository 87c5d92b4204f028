"""AutoAugment's ImageNet policy, applied to batches."""

import torch
from torch import Tensor, nn

from .kornia_import import import_kornia


class ImageNetAutoAugment:
    """Apply one randomly drawn sub-policy of AutoAugment's ImageNet policy to every image of a batch.

    Images are (N, 3, H, W) with values from 0 to 1, before and after.

    kornia's own AutoAugment draws one sub-policy for a whole batch, but the policy is meant to draw one for each image.
    This class draws one for each image and applies it to all images of the batch that drew the same.

    The class is not an `nn.Module`, because kornia's sub-policies have parameters, which must not enter the optimizer
    or the checkpoints of the network.

    Raises:
        InputError: kornia is missing or too old.
    """

    def __init__(self) -> None:
        policy = import_kornia().augmentation.auto.AutoAugment('imagenet')
        self.sub_policies: list[nn.Module] = list(policy.children())

    def __call__(self, images: Tensor) -> Tensor:
        """Augmented images (N, 3, H, W); the given ones stay as they are."""
        drawn = torch.randint(len(self.sub_policies), (len(images),))
        out = images.clone()
        for i in drawn.unique().tolist():
            members = (drawn == i).nonzero().flatten().to(images.device)
            out[members] = self.sub_policies[i].to(images.device)(images[members])
        return out
