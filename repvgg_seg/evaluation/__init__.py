"""Metrics, test-time augmentation, and the hooks that write and draw predictions; importing them registers them with mmseg."""

from .accuracy import TopKAccuracy
from .draw_predictions_hook import DrawPredictionsHook
from .image_scores_hook import ImageScoresHook
from .iou_metric import StreetIoUMetric
from .picture_backend import PictureVisBackend
from .tta_model import MeanProbabilityTTAModel
from .write_labels_hook import WriteLabelsHook

__all__ = [
    'DrawPredictionsHook',
    'ImageScoresHook',
    'MeanProbabilityTTAModel',
    'PictureVisBackend',
    'StreetIoUMetric',
    'TopKAccuracy',
    'WriteLabelsHook',
]
