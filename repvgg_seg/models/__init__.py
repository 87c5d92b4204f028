"""The networks, and the algebra that fuses them."""

from .classifier import BackboneClassifier, RepVGGClassifier
from .folded_psp_head import FoldedPSPHead, FoldedQuarterPSPHead
from .foreground_dice_loss import ForegroundDiceLoss
from .loss_by_strips import StripLossFCNHead
from .psp_head import QuarterPSPHead
from .reparameterize import reparameterize_model
from .repvgg import RepVGG
from .repvgg_resnet import RepVGGResNet
from .weighted_cross_entropy_loss import WeightedCrossEntropyLoss

__all__ = [
    'BackboneClassifier',
    'FoldedPSPHead',
    'FoldedQuarterPSPHead',
    'ForegroundDiceLoss',
    'QuarterPSPHead',
    'RepVGG',
    'RepVGGClassifier',
    'RepVGGResNet',
    'StripLossFCNHead',
    'WeightedCrossEntropyLoss',
    'reparameterize_model',
]
