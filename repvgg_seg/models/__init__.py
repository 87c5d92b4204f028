from .classifier import RepVGGClassifier
from .psp_head import QuarterPSPHead
from .repvgg import RepVGG

__all__ = ['QuarterPSPHead', 'RepVGG', 'RepVGGClassifier']
