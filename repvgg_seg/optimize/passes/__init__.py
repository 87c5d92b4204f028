"""The passes of `optimize_for_inference`, one file each."""

from .pass_definition import Pass
from .pass_list import PASSES

__all__ = ['PASSES', 'Pass']
