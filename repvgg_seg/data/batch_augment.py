"""Images on their device, as a batch: AutoAugment, mixup and normalisation (paper, section 4.1)."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseDataPreprocessor
from mmengine.utils import digit_version
from mmseg.registry import MODELS
from torch import Tensor, nn
from torch.distributions import Beta

from ..errors import InputError


@MODELS.register_module()
class ClassificationPreprocessor(BaseDataPreprocessor):
    """Batches of 8-bit RGB images -> normalised ones, augmented in training.

    Takes `dict(inputs=(N, 3, H, W) uint8, labels=(N,))`, gives the same with floats, and with mixup labels (N, 3):
    class, other class, and the other's share.

    Args:
        mean: of the red, green and blue values of an image, 0 to 255.
        std: of the same.
        auto_augment: whether training images go through AutoAugment's ImageNet policy, a sub-policy drawn for each image.
        mixup_alpha: training images are mixed by shares from Beta(alpha, alpha), one share for a batch; None or 0 for none.

    Raises:
        InputError: a negative alpha.
    """

    def __init__(
        self,
        mean: 'Sequence[float]' = (123.675, 116.28, 103.53),
        std: 'Sequence[float]' = (58.395, 57.12, 57.375),
        auto_augment: bool = False,
        mixup_alpha: 'float | None' = None,
        non_blocking: bool = True,
    ):
        super().__init__(non_blocking)
        self.register_buffer('mean', torch.tensor(mean).view(3, 1, 1) / 255, persistent=False)
        self.register_buffer('std', torch.tensor(std).view(3, 1, 1) / 255, persistent=False)
        self.auto_augment = ImageNetAutoAugment() if auto_augment else None
        self.mixup = _mixup(mixup_alpha) if mixup_alpha else None

    @torch.no_grad()
    def forward(self, data: dict, training: bool = False) -> dict:
        data = self.cast_data(data)
        with torch.autocast(data['inputs'].device.type, enabled=False):  # half precision would displace pixels
            return self._prepare(data, training)

    def _prepare(self, data: dict, training: bool) -> dict:
        images, labels = data['inputs'].float() / 255, data['labels']
        if training and self.auto_augment is not None:
            images = self.auto_augment(images)
        images = (images - self.mean) / self.std
        if training and self.mixup is not None:
            images, labels = self.mixup(images, labels)
        return dict(inputs=images, labels=labels)


class ImageNetAutoAugment:
    """kornia's AutoAugment on a batch, (N, 3, H, W) from 0 to 1 -> the same.

    kornia draws one sub-policy for a whole batch; the policy is made for one an image. So every image draws its own
    here, and those with the same go through it together. No module: kornia's have parameters, which the network's
    optimizer and checkpoints are not to know.
    """

    def __init__(self):
        self.sub_policies = list(_kornia().augmentation.auto.AutoAugment('imagenet').children())

    def __call__(self, images: Tensor) -> Tensor:
        drawn = torch.randint(len(self.sub_policies), (len(images),))
        out = images.clone()
        for i in drawn.unique():
            members = (drawn == i).nonzero().flatten().to(images.device)
            out[members] = self.sub_policies[i].to(images.device)(images[members])
        return out


def _kornia():
    """kornia, imported only where it is used: that takes a second or two.

    Before 0.9 its AutoAugment blended the steps of a policy in by parts rather than taking them or not.
    """
    try:
        import kornia
    except ImportError:
        kornia = None
    if kornia is None or digit_version(kornia.__version__) < digit_version('0.9.0'):
        found = kornia.__version__ if kornia else 'none'
        raise InputError(
            f'auto_augment and mixup need kornia 0.9 or newer (and so Python 3.11), found {found}: pip install "kornia>=0.9"'
        )
    return kornia


def _mixup(alpha: float) -> nn.Module:
    """kornia's mixup, with shares from Beta(alpha, alpha) where kornia's own are uniform."""
    if not isinstance(alpha, (int, float)) or alpha < 0:
        raise InputError(f'mixup_alpha must be positive, or None for no mixup, got {alpha!r}')
    mixup = _kornia().augmentation.RandomMixUpV2(same_on_batch=True, data_keys=['input', 'class'])
    generator = type(mixup._param_generator)

    class BetaGenerator(generator):
        def make_samplers(self, device, dtype):
            super().make_samplers(device, dtype)
            self.lambda_sampler = Beta(*torch.full((2,), alpha, device=device, dtype=dtype))

    mixup._param_generator = BetaGenerator()
    return mixup
