"""The head of PSPNet as the official code has it, which no setting of mmseg's `PSPHead` gives."""

from typing import Any

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import PSPHead
from mmseg.models.decode_heads.psp_head import PPM
from mmseg.registry import MODELS

from ..errors import InputError


@MODELS.register_module()
class QuarterPSPHead(PSPHead):
    """PSPHead whose pyramid reduces the C channels of the backbone to C / 4 for each bin, as the official PSPNet does.

    mmseg's head reduces them to `channels`, the width of the 3x3 conv behind the pyramid. Both are 512 for the 2,048
    channels of a ResNet or RepVGG-B1; for the 2,560 channels of a RepVGG-B2, C / 4 is 640.

    Args:
        quarter: False for the pyramid of mmseg's head.
        **kwargs: those of mmseg's `PSPHead`.

    Raises:
        InputError: `in_channels` is no multiple of the number of bins.
    """

    def __init__(self, quarter: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.quarter = quarter
        if not quarter:
            return
        bins = len(self.pool_scales)
        if self.in_channels % bins:
            raise InputError(f'in_channels must be a multiple of the {bins} pyramid bins, got {self.in_channels}')
        cfgs = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        self.psp_modules = PPM(
            self.pool_scales,
            self.in_channels,
            self.in_channels // bins,
            align_corners=self.align_corners,
            **cfgs,
        )
        self.bottleneck = ConvModule(2 * self.in_channels, self.channels, 3, padding=1, **cfgs)
