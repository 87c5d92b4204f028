"""A segmentor of mmseg whose network is an exported file, so that it is scored and predicts as any other."""

from types import SimpleNamespace
from typing import Any, NoReturn

from mmengine.config import ConfigDict
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.registry import MODELS
from torch import Tensor

from ..errors import InputError
from ..optimize.inference_encoder_decoder import InferenceEncoderDecoder
from .engine import Engine, load_engine
from .pixel_normalization import pixel_normalization, pixels_again


@MODELS.register_module()
class EngineSegmentor(InferenceEncoderDecoder):
    """mmseg's `EncoderDecoder` over an exported file: windows, resizing and labels as there, on the CPU, for inference only.

    Args:
        engine: an exported file, or what `load_engine` made of it.
        data_preprocessor: that of the config. What it normalises is turned back for a file that normalises by itself.
        test_cfg: that of the config, for whole images or windows.

    Raises:
        InputError: as `load_engine`.
    """

    def __init__(
        self,
        engine: str | Engine,
        data_preprocessor: dict[str, Any] | None = None,
        test_cfg: dict[str, Any] | None = None,
    ):
        BaseSegmentor.__init__(self, data_preprocessor=data_preprocessor)  # that of EncoderDecoder builds a backbone
        self.engine = engine if isinstance(engine, Engine) else load_engine(engine)
        info = self.engine.info
        self.test_cfg, self.train_cfg = ConfigDict(test_cfg or dict(mode='whole')), None
        self.image_channels = info.channels
        self.num_classes, self.out_channels = len(info.classes), info.out_channels
        self.align_corners = info.align_corners
        # What mmseg asks of a head behind the logits.
        self.decode_head = SimpleNamespace(align_corners=info.align_corners, threshold=info.threshold)
        if info.normalizes:
            matrix, vector = pixel_normalization(self.data_preprocessor, info.channels)
            self.register_buffer('_matrix', matrix)
            self.register_buffer('_vector', vector)

    def _forward(self, inputs: Tensor, data_samples: object = None) -> Tensor:
        if self.engine.info.normalizes:
            inputs = pixels_again(inputs, self._matrix, self._vector)
        logits: Tensor = self.engine(inputs)
        return logits

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits (N, classes, H, W) of normalised images, of their size."""
        logits: Tensor = BaseDecodeHead.predict_by_feat(self.decode_head, self._forward(inputs), batch_img_metas)
        return logits

    def extract_feat(self, inputs: Tensor) -> NoReturn:
        raise InputError(f'{self.engine.file} gives logits and no feature maps')

    def loss(self, inputs: Tensor, data_samples: object) -> NoReturn:
        raise InputError(f'{self.engine.file} cannot be trained: train the model that it was exported from')


def engine_segmentor_config(file: str, model: dict[str, Any]) -> dict[str, Any]:
    """The config of a segmentor over an exported file, in the place of the model of a config."""
    kept: dict[str, Any] = {key: model[key] for key in ('data_preprocessor', 'test_cfg') if key in model}
    return dict(type='EngineSegmentor', engine=file, **kept)


def check_number_of_classes(engine: Engine, model: dict[str, Any]) -> None:
    """Refuse a file of another number of classes than the model of a config has.

    Raises:
        InputError: names both numbers.
    """
    heads = model.get('decode_head') or {}
    head = heads[-1] if isinstance(heads, (list, tuple)) else heads
    known = head.get('out_channels') or head.get('num_classes')
    if known is not None and known != engine.info.out_channels:
        raise InputError(
            f'{engine.file} predicts {engine.info.out_channels} classes, and the config has {known} '
            '(model.decode_head.num_classes): name the config that it was exported from'
        )
