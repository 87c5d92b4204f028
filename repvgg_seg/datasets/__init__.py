from .image_transforms import LoadRandomResizedCrop, PackClassificationInputs
from .imagenet import ImageNetDataset
from .street_scenes import CamVidDataset, CheckedCityscapesDataset
from .transforms import CheckAnnotations, RandomGaussianBlur

__all__ = [
    'CamVidDataset',
    'CheckAnnotations',
    'CheckedCityscapesDataset',
    'ImageNetDataset',
    'LoadRandomResizedCrop',
    'PackClassificationInputs',
    'RandomGaussianBlur',
]
