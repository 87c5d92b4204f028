"""The networks, and the algebra that fuses them."""

from .classifier import RepVGGClassifier
from .folded_psp_head import FoldedPSPHead, FoldedQuarterPSPHead
from .foreground_dice_loss import ForegroundDiceLoss
from .loss_by_strips import StripLossFCNHead
from .psp_head import QuarterPSPHead
from .reparameterize import reparameterize_model
from .repvgg import RepVGG
from .weighted_cross_entropy_loss import WeightedCrossEntropyLoss

__all__ = [
    'FoldedPSPHead',
    'FoldedQuarterPSPHead',
    'ForegroundDiceLoss',
    'QuarterPSPHead',
    'RepVGG',
    'RepVGGClassifier',
    'StripLossFCNHead',
    'WeightedCrossEntropyLoss',
    'reparameterize_model',
]
