"""RepVGG for MMSegmentation. Importing the package registers its parts with mmseg."""

from . import autocast, datasets, evaluation, hooks  # noqa: F401 (registers)
from .deploy import optimize_for_inference, reparameterize_model
from .models import RepVGG, RepVGGClassifier
from .models.weights import load_weights

__all__ = ['RepVGG', 'RepVGGClassifier', 'load_weights', 'optimize_for_inference', 'reparameterize_model']
