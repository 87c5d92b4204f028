"""The form of a segmentor that is exported: fused, its pyramid folded, in operators that every engine has."""

import copy
from collections.abc import Collection
from typing import Any

import torch
from mmseg.models import EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ..errors import InputError
from ..models.block import find_blocks
from ..models.folded_psp_head import FoldedPyramid
from ..models.image_channels import image_channels
from ..models.replace_module import replace_module
from ..models.unfold_heads import unfold_heads
from ..optimize import PASSES, optimize_for_inference
from ..optimize.layer_shapes import input_shapes
from ..optimize.options import Options
from ..optimize.passes.dilation import PhaseRun
from .gutter_run import GutterRun
from .identity_apart import set_identities_apart
from .pixel_normalization import as_layer, pixel_normalization
from .plain_pyramid import PlainPyramid

_ALGEBRA = ('fusion', 'conv_bn', 'strip', 'pyramid')  # the passes that do not depend on who computes the result
REWRITES = ('pyramid', 'dilation', 'identity')  # those that may be left out
Size = tuple[int, int]


class ExportForm(nn.Module):
    """A segmentor as one function, images (N, C, H, W) -> logits (N, classes, h, w) at the stride of the network.

    Args:
        segmentor: an mmseg segmentor, rewritten for export.
        normalization: the layer that normalises an image; None for images that are normalised already.
    """

    def __init__(self, segmentor: nn.Module, normalization: nn.Module | None):
        super().__init__()
        self.normalization = normalization or nn.Identity()
        self.segmentor = segmentor

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.segmentor(self.normalization(image), mode='tensor')
        return logits


def export_form(
    model: nn.Module,
    size: Size | None,
    normalizes: bool,
    undilated: bool = False,
    identity_apart: bool = False,
    skip: Collection[str] = (),
) -> ExportForm:
    """Rewrite a segmentor for export; the given one stays as it is.

    Args:
        model: an mmseg `EncoderDecoder` with trained weights, in training or fused form, on the CPU.
        size: (H, W) of the only images that the result takes; None for any.
        normalizes: whether the result takes images as the data preprocessor does, values from 0 to 255.
        undilated: lay runs of dilated layers out as undilated ones (`GutterRun`); needs a size.
        identity_apart: take the identity out of the fused convs (`IdentityApart`).
        skip: some of `REWRITES` that are left out all the same. Without 'pyramid' the head is computed as mmseg does.

    Raises:
        InputError: the model is no such segmentor, has a block that cannot be fused, or does not take images of this size.
    """
    check_exportable(model)
    channels = image_channels(model)
    shape = (1, channels, *(size or (512, 512)))
    preprocessor: Any = model.data_preprocessor
    layer = as_layer(*pixel_normalization(preprocessor, channels)) if normalizes else None
    passes = {*_ALGEBRA, 'dilation'} if undilated else {*_ALGEBRA}
    left_out = [name for name in PASSES if name not in passes - {*skip}]
    if 'pyramid' in skip:
        model = copy.deepcopy(model)
        unfold_heads(model)
    rewritten = optimize_for_inference(model, input_shape=shape, dilation='gutter', skip=left_out)
    parts = [part for part in rewritten.modules() if isinstance(part, (FoldedPyramid, PhaseRun))]
    sizes: dict[nn.Module, Size] = {}
    if size is not None:
        try:
            shapes = input_shapes(rewritten, parts, Options(shape))
        except Exception as error:  # a network may raise anything for an image that is too small for it
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(f'the network takes no images of {size[0]}x{size[1]} (height x width): {first}') from error
        sizes = {part: (shapes[part][2], shapes[part][3]) for part in parts if part in shapes}
    for part in parts:
        if isinstance(part, FoldedPyramid):
            rewritten = replace_module(rewritten, part, PlainPyramid(part, sizes.get(part)))
        elif part in sizes:
            rewritten = replace_module(rewritten, part, GutterRun(part, sizes[part]))
    if identity_apart and 'identity' not in skip:
        set_identities_apart(rewritten)
    return ExportForm(rewritten, layer).eval()


def check_exportable(model: nn.Module) -> None:
    """Refuse a model that is called in another way than `EncoderDecoder`, and one that cannot be fused.

    Raises:
        InputError: says what cannot be exported.
    """
    head = getattr(model, 'decode_head', None)
    if not isinstance(model, EncoderDecoder) or any(
        getattr(type(model), name) is not getattr(EncoderDecoder, name) for name in ('_forward', 'encode_decode')
    ):
        raise InputError(
            f'a {type(model).__name__} is not exported: only EncoderDecoder of mmseg and what derives from it'
        )
    if not isinstance(head, BaseDecodeHead) or any(
        getattr(type(head), name) is not getattr(BaseDecodeHead, name) for name in ('predict', 'predict_by_feat')
    ):
        raise InputError(
            f'a {type(head).__name__} makes its predictions in its own way and is not exported: only heads whose logits are '
            'resized to the image'
        )
    for block in find_blocks(model):
        try:
            block.check_fusible()
        except InputError as error:
            raise InputError(f'only fused networks are exported: {str(error).split("; ")[0]}') from None


def example_image(channels: int, size: Size | None) -> Tensor:
    """Noise that an export may record the network with; without a size, two images of an odd size."""
    shape = (1, channels, *size) if size else (2, channels, 161, 227)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))
