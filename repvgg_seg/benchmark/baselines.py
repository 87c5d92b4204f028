"""The classifiers that the paper compares with (Tables 4 and 5), from the libraries that have them."""

from importlib.util import find_spec
from typing import NamedTuple

from mmcv.cnn import VGG
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..errors import InputError


class _RegNetX(NamedTuple):
    """Fields of `RegNetConfig` of `transformers`."""

    depths: list[int]
    hidden_sizes: list[int]
    groups_width: int


class _EfficientNet(NamedTuple):
    """Fields of `EfficientNetConfig` of `transformers`."""

    width_coefficient: float
    depth_coefficient: float
    hidden_dim: int


# The networks that only the library `transformers` has, by the fields of its configs.
_REGNETX = {
    'RegNetX-3.2GF': _RegNetX([2, 6, 15, 2], [96, 192, 432, 1008], 48),
    'RegNetX-12GF': _RegNetX([2, 5, 11, 1], [224, 448, 896, 2240], 112),
}
_EFFICIENTNETS = {
    'EfficientNet-B0': _EfficientNet(1.0, 1.0, 1280),
    'EfficientNet-B3': _EfficientNet(1.2, 1.4, 1536),
}
_RESNETS = tuple(f'ResNet-{depth}' for depth in (18, 34, 50, 101, 152)) + ('ResNeXt-50', 'ResNeXt-101')
BASELINES = (*_RESNETS, 'VGG-16', *_REGNETX, *_EFFICIENTNETS)
# The convs of `transformers` and the norms behind them, by the names of the attributes.
_PAIRS = (
    ('convolution', 'normalization'),
    ('convolution', 'batchnorm'),
    ('expand_conv', 'expand_bn'),
    ('depthwise_conv', 'depthwise_norm'),
    ('project_conv', 'project_bn'),
    ('top_conv', 'top_bn'),
)


class Classifier(nn.Module):
    """A backbone, and a head on its last feature map."""

    def __init__(self, backbone: nn.Module, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) to logits (N, 1000)."""
        features = self.backbone(x)
        return self.head(features[-1] if isinstance(features, tuple) else features)


class _Pooled(nn.Module):
    """A network of `transformers` as a backbone that returns its pooled features."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 3, H, W) to features (N, C)."""
        return self.network(x).pooler_output.flatten(1)


def is_available(name: str) -> bool:
    """Whether the library that has this baseline is installed; True for a name that is not a baseline."""
    return name not in (*_REGNETX, *_EFFICIENTNETS) or find_spec('transformers') is not None


def build_baseline(name: str) -> nn.Module:
    """One of `BASELINES` with random weights and 1,000 classes; `fold_conv_bn` can fold every BN of it.

    Raises:
        InputError: the library that has the network is not installed.
    """
    if not is_available(name):
        raise InputError(
            f'{name} comes from the library transformers, which is not installed: pip install transformers'
        )
    family, _, size = name.partition('-')
    if name == 'VGG-16':
        wide = [nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)]
        return Classifier(VGG(16, with_bn=True), nn.Sequential(nn.Flatten(), *wide))
    if name in _RESNETS:
        groups = dict(groups=32, base_width=4) if family == 'ResNeXt' else {}
        backbone = MODELS.build(
            dict(type=family, depth=int(size), out_indices=(3,), norm_cfg=dict(type='BN'), **groups)
        )
        channels = 512 if int(size) < 50 else 2048
        return Classifier(backbone, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000)))
    return _from_transformers(name)


def _from_transformers(name: str) -> Classifier:
    """A RegNetX or an EfficientNet, with its convs and norms paired."""
    from transformers import EfficientNetConfig, EfficientNetModel, RegNetConfig, RegNetModel

    network: RegNetModel | EfficientNetModel
    if name in _REGNETX:
        regnet = _REGNETX[name]
        network = RegNetModel(
            RegNetConfig(
                layer_type='x',
                embedding_size=32,
                depths=regnet.depths,
                hidden_sizes=regnet.hidden_sizes,
                groups_width=regnet.groups_width,
            )
        )
        channels = regnet.hidden_sizes[-1]
    else:
        efficientnet = _EFFICIENTNETS[name]
        network = EfficientNetModel(EfficientNetConfig(**efficientnet._asdict()))
        channels = efficientnet.hidden_dim
    _pair_up(network)
    return Classifier(_Pooled(network), nn.Linear(channels, 1000))


def _pair_up(network: nn.Module) -> None:
    """Put every conv and the BN behind it into one `nn.Sequential` in the place of the conv, where folding finds them."""
    for owner in list(network.modules()):
        for conv_name, norm_name in _PAIRS:
            conv, norm = getattr(owner, conv_name, None), getattr(owner, norm_name, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(owner, conv_name, nn.Sequential(_plain(conv), norm))
                setattr(owner, norm_name, nn.Identity())


def _plain(conv: nn.Conv2d) -> nn.Conv2d:
    """The same conv as an `nn.Conv2d` itself: the subclass that EfficientNet has differs in its constructor alone."""
    plain = nn.Conv2d(
        conv.in_channels,
        conv.out_channels,
        _pair(conv.kernel_size),
        _pair(conv.stride),
        conv.padding if isinstance(conv.padding, str) else _pair(conv.padding),
        _pair(conv.dilation),
        conv.groups,
        bias=conv.bias is not None,
        device='meta',
    )
    plain.weight, plain.bias = conv.weight, conv.bias
    return plain


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    """The two values of an attribute that torch declares as a tuple of any length."""
    height, width = values
    return height, width
