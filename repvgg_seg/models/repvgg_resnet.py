"""ResNet-50 and deeper, with a RepVGG block in the place of every 3x3 conv of a bottleneck (paper, end of section 4.2)."""

from typing import Any

from mmseg.models.backbones.resnet import Bottleneck, ResNet
from mmseg.registry import MODELS
from torch import nn

from ..errors import InputError
from .block import RepVGGBlock, switch_to_deploy
from .block_variants import BlockSpec, get_block
from .stride_dilation_plan import LayerPlan

_DEPTHS = [depth for depth, (block, _) in ResNet.arch_settings.items() if block is Bottleneck]


@MODELS.register_module()
class RepVGGResNet(ResNet):
    """mmseg's `ResNet` whose bottlenecks have a RepVGG block, with its ReLU, in the place of `conv2` and its norm.

    Args:
        depth: 50, 101 or 152.
        block: the kind of block, as `RepVGG` takes it; with 'plain' the network is the ordinary ResNet. A 'residual' one has
            no place here.
        deploy: build the fused form.
        kwargs: further arguments of `ResNet`, such as `strides`, `dilations` and `norm_cfg`.

    Attributes:
        out_channels: channels of the feature maps, in the order of `out_indices`.

    Raises:
        InputError: a depth or a block that is not possible, or deformable convs, whose place the blocks take.
    """

    def __init__(
        self,
        depth: int = 50,
        block: str | dict[str, Any] | BlockSpec = 'repvgg',
        deploy: bool = False,
        **kwargs: Any,
    ):
        if depth not in _DEPTHS:
            raise InputError(
                f'depth must be one of {", ".join(map(str, _DEPTHS))}, whose blocks are bottlenecks, got {depth!r}'
            )
        if kwargs.get('dcn'):
            raise InputError('dcn: the 3x3 convs of a RepVGGResNet are RepVGG blocks; leave it out, or take ResNet')
        spec = get_block(block)
        if spec.residual:
            raise InputError(
                "block='residual' is two layers with a shortcut, and a bottleneck has one 3x3 conv: take another"
            )
        super().__init__(depth, **kwargs)
        for name in self.res_layers:
            for bottleneck in getattr(self, name):
                conv = bottleneck.conv2
                plan = LayerPlan(
                    int(name.removeprefix('layer')), conv.in_channels, conv.out_channels, conv.stride[0], conv.dilation[0],
                    conv.groups, se=False, block=spec,
                )  # fmt: skip
                bottleneck.conv2 = RepVGGBlock(plan, self.norm_cfg, deploy=deploy)
                bottleneck.conv2.nonlinearity = nn.Identity()  # the bottleneck has a ReLU behind its second norm
                bottleneck.add_module(bottleneck.norm2_name, nn.Identity())
        self._freeze_stages()
        self.out_channels = tuple(self.base_channels * 2**i * self.block.expansion for i in self.out_indices)

    def switch_to_deploy(self) -> None:
        """Fuse every block in place. Where one cannot be fused, `InputError` is raised and nothing is changed."""
        switch_to_deploy(self)
