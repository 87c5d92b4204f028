"""Real images and labels: data sets, their checks, and the steps of their pipelines."""

from .batch_augment import ClassificationPreprocessor
from .cityscapes import CamVidDataset, CheckedCityscapesDataset
from .classification_transforms import LoadRandomResizedCrop, PackClassificationInputs
from .imagenet import ImageNetDataset
from .label_checks import CheckAnnotations, RandomGaussianBlur

__all__ = [
    'CamVidDataset',
    'CheckAnnotations',
    'CheckedCityscapesDataset',
    'ClassificationPreprocessor',
    'ImageNetDataset',
    'LoadRandomResizedCrop',
    'PackClassificationInputs',
    'RandomGaussianBlur',
]
