"""The head of PSPNet where mmseg's cannot say what the paper says."""

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads import PSPHead
from mmseg.models.decode_heads.psp_head import PPM
from mmseg.registry import MODELS

from ..errors import InputError


@MODELS.register_module()
class QuarterPSPHead(PSPHead):
    """PSPHead whose pyramid reduces the C channels of the backbone to C / 4 for each bin, as the official PSPNet does.

    In mmseg's head they are as many as the `channels` of the 3x3 conv behind the pyramid: the same for the 2,048
    channels of a ResNet or RepVGG-B1 (512), not for the 2,560 of a RepVGG-B2 (640).

    Raises:
        InputError: `in_channels` that the number of bins does not divide.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
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
