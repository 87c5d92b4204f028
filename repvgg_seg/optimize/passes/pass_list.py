"""The passes and their order. A new rewrite is a file of this folder and an entry here."""

from .compile import compile_parts
from .conv_bn import fold_conv_bn
from .dilation import undilate
from .dtype import cast
from .ending import shorten_ending
from .memory_format import set_memory_format, set_memory_format_of_backbone
from .pass_definition import Pass
from .pyramid import fold_pyramid
from .repvgg_fusion import fuse_repvgg
from .strip import strip_training, strip_training_and_keep_maps
from .winograd import MEMORY_OF_FUSED_MODEL, apply_winograd, apply_winograd_to_backbone, can_apply_winograd

# By name, in the order in which they run. Algebra comes first.
PASSES = {
    step.name: step
    for step in (
        Pass('fusion', fuse_repvgg, is_algebra=True),
        Pass('conv_bn', fold_conv_bn, is_algebra=True),
        Pass('strip', strip_training, is_algebra=True, narrower=strip_training_and_keep_maps),
        Pass('pyramid', fold_pyramid, is_algebra=True),
        Pass('ending', shorten_ending, is_algebra=True),
        Pass('dtype', cast),
        Pass('memory_format', set_memory_format, narrower=set_memory_format_of_backbone),
        Pass(
            'winograd',
            apply_winograd,
            applies=can_apply_winograd,
            needs=(MEMORY_OF_FUSED_MODEL,),
            is_remembered=True,
            narrower=apply_winograd_to_backbone,
        ),
        Pass('dilation', undilate, is_remembered=True),
        Pass('compile', compile_parts, is_compared=False),  # the first image of every size takes minutes
    )
}
