from .street_scenes import CamVidDataset, CheckedCityscapesDataset
from .transforms import CheckAnnotations, RandomGaussianBlur

__all__ = ['CamVidDataset', 'CheckAnnotations', 'CheckedCityscapesDataset', 'RandomGaussianBlur']
