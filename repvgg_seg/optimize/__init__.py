"""Exact rewrites of trained networks for inference."""

from .optimize import optimize_for_inference
from .passes import PASSES

__all__ = ['PASSES', 'optimize_for_inference']
