"""Data sets of real images, the checks of their files and labels, and the steps of their pipelines."""

from .camvid import CamVidDataset
from .checked_dataset import CheckedSegDataset
from .cityscapes import CheckedCityscapesDataset
from .classification_preprocessor import ClassificationPreprocessor
from .evenly_spread_sampler import EvenlySpreadSampler
from .folder_dataset import FolderDataset
from .gaussian_blur import RandomGaussianBlur
from .imagenet import ImageNetDataset
from .label_checks import CheckAnnotations
from .load_masks import LoadMasks
from .pack_classification_inputs import PackClassificationInputs
from .random_resized_crop import LoadRandomResizedCrop
from .segmentation_preprocessor import MultiChannelPreProcessor

__all__ = [
    'CamVidDataset',
    'CheckAnnotations',
    'CheckedCityscapesDataset',
    'CheckedSegDataset',
    'ClassificationPreprocessor',
    'FolderDataset',
    'EvenlySpreadSampler',
    'ImageNetDataset',
    'LoadMasks',
    'LoadRandomResizedCrop',
    'MultiChannelPreProcessor',
    'PackClassificationInputs',
    'RandomGaussianBlur',
]
