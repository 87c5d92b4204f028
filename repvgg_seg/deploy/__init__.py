from .optimize import optimize_for_inference
from .passes import PASSES
from .reparameterize import reparameterize_model

__all__ = ['PASSES', 'optimize_for_inference', 'reparameterize_model']
