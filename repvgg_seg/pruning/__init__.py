"""Removes channels of a fused segmentor (paper, section 3.1 and Figure 3), and puts BN back behind what is left."""

from .measure_channels import moments_of_convs
from .prune import BY, Pruned, check_prunable, prune
from .put_bn_back import put_bn_back
from .recalibrate import recalibrate

__all__ = ['BY', 'Pruned', 'check_prunable', 'moments_of_convs', 'prune', 'put_bn_back', 'recalibrate']
