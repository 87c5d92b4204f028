"""Pass 'ending': a shorter way from the logits to the labels, and windows added without full-size copies."""

from dataclasses import dataclass

from mmseg.models.segmentors import EncoderDecoder
from torch import nn

from ..inference_encoder_decoder import InferenceEncoderDecoder
from ..options import Options
from .pass_definition import Record


@dataclass(frozen=True)
class EndingRecord(Record):
    """The segmentor became an `InferenceEncoderDecoder`."""

    def __str__(self) -> str:
        return 'logits of final size are not resized, labels by max() in place of argmax(), windows added in place'


def shorten_ending(model: nn.Module, options: Options) -> tuple[nn.Module, EndingRecord | None]:
    """Put an `InferenceEncoderDecoder` in the place of mmseg's `EncoderDecoder`, over the same parts.

    A subclass of `EncoderDecoder` is left, since it may have an ending of its own.
    """
    if type(model) is not EncoderDecoder:
        return model, None
    return InferenceEncoderDecoder.from_segmentor(model), EndingRecord()
