"""RepVGG as an ImageNet classifier (paper, sections 3.4 and 4.1)."""

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from .arch import ArchSpec
from .repvgg import RepVGG
from .weights import account_for, backbone_weights


@MODELS.register_module()
class RepVGGClassifier(BaseModule):
    """Backbone, global average pooling and a linear layer, (N, in_channels, H, W) -> logits (N, num_classes).

    Args:
        arch: as `RepVGG` takes it.
        num_classes: classes.
        in_channels: channels of the image.
        deploy: build the fused form.
        norm_cfg: norm of the branches, as `RepVGG` takes it.
        with_cp: save memory in training, as `RepVGG` takes it.
        init_cfg: mmengine's.

    Raises:
        InputError: as `RepVGG`.
    """

    def __init__(
        self,
        arch: 'str | dict | ArchSpec',
        num_classes: int = 1000,
        in_channels: int = 3,
        deploy: bool = False,
        norm_cfg: 'dict | None' = None,
        with_cp: bool = False,
        init_cfg: 'dict | list[dict] | None' = None,
    ):
        super().__init__(init_cfg)
        self.backbone = RepVGG(arch, in_channels, out_indices=(3,), norm_cfg=norm_cfg, with_cp=with_cp, deploy=deploy)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(self.backbone.out_channels[0], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        (features,) = self.backbone(x)
        return self.linear(self.gap(features).flatten(1))

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs):
        """Take any family's names and wrappers, and account for the linear layer; the backbone does so for its own."""
        given = {name: value for name, value in state_dict.items() if name.startswith(prefix)}
        weights = backbone_weights({name[len(prefix) :]: value for name, value in given.items()}, self.backbone)
        account_for(weights.rest, {f'linear.{name}': tensor for name, tensor in self.linear.state_dict().items()})
        for name in given:
            del state_dict[name]
        for name, tensor in weights.rest.items():
            state_dict[prefix + name] = tensor
        for name, tensor in weights.backbone.items():
            state_dict[f'{prefix}backbone.{name}'] = tensor
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
