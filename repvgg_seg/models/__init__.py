"""The networks, and the algebra that fuses them."""

from .classifier import RepVGGClassifier
from .folded_psp_head import FoldedPSPHead
from .psp_head import QuarterPSPHead
from .reparameterize import reparameterize_model
from .repvgg import RepVGG

__all__ = ['FoldedPSPHead', 'QuarterPSPHead', 'RepVGG', 'RepVGGClassifier', 'reparameterize_model']
