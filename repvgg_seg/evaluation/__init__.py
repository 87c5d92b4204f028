"""Metrics; importing them registers them with mmseg."""

from .accuracy import TopKAccuracy
from .iou_metric import StreetIoUMetric

__all__ = ['StreetIoUMetric', 'TopKAccuracy']
