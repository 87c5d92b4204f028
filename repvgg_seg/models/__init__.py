from .batch_augment import ClassificationPreprocessor
from .classifier import RepVGGClassifier
from .psp_head import QuarterPSPHead
from .repvgg import RepVGG

__all__ = ['ClassificationPreprocessor', 'QuarterPSPHead', 'RepVGG', 'RepVGGClassifier']
