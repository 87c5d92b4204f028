"""RepVGG for MMSegmentation. Importing the package registers its parts with mmseg."""

from .deploy import reparameterize_model
from .models import RepVGG

__all__ = ['RepVGG', 'reparameterize_model']
