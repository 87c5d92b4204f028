"""The rewrites, one module each, with one face: pass(model, options) -> what it changed, '' for nothing.

Each works in place, on a model in eval mode, and leaves what it cannot rewrite as it is.
"""

from .conv_bn import fold_conv_bn
from .dilation import undilate
from .ending import shorten_ending
from .memory_format import cast, compile_parts, lay_out
from .pyramid import fold_pyramid
from .repvgg_fusion import fuse_repvgg
from .strip import strip_training
from .winograd import apply_winograd

# In the order in which they run.
PASSES = dict(
    fusion=fuse_repvgg,
    conv_bn=fold_conv_bn,
    strip=strip_training,
    pyramid=fold_pyramid,
    ending=shorten_ending,
    dtype=cast,
    memory_format=lay_out,
    winograd=apply_winograd,
    dilation=undilate,
    compile=compile_parts,
)

__all__ = ['PASSES', *(rewrite.__name__ for rewrite in PASSES.values())]
