"""EncoderDecoder of mmseg with a quicker way from the logits of the network to the labels."""

from __future__ import annotations

from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import SampleList
from torch import Tensor

from ..models.take_over import take_over
from ..models.tracing import is_tracing


@MODELS.register_module()
class InferenceEncoderDecoder(EncoderDecoder):
    """mmseg's `EncoderDecoder` with the same arguments and the same results, quicker in inference."""

    @classmethod
    def from_segmentor(cls, model: EncoderDecoder) -> InferenceEncoderDecoder:
        """A segmentor over the parts of another one, which it takes over with all that belongs to it (`cfg`, hooks, ...)."""
        return take_over(cls, model)

    def slide_inference(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Average the logits of the windows where they overlap, (N, 3, H, W) -> (N, classes, H, W).

        mmseg pads the logits of every window to the whole image and adds that; this method adds each window to its part
        of the total. The windows cannot share work: each sees zero padding at its own border and pools over its own pixels.
        """
        if is_tracing():  # the older ONNX exporter would lose what is added to a part of the total
            return super().slide_inference(inputs, batch_img_metas)
        height, width = inputs.shape[2:]
        total = inputs.new_zeros((len(inputs), self.out_channels, height, width))
        times = inputs.new_zeros((1, 1, height, width))
        for rows in _windows(height, self.test_cfg.crop_size[0], self.test_cfg.stride[0]):
            for columns in _windows(width, self.test_cfg.crop_size[1], self.test_cfg.stride[1]):
                window = inputs[:, :, rows, columns]
                metas = [dict(meta, img_shape=window.shape[2:]) for meta in batch_img_metas]
                total[:, :, rows, columns] += self.encode_decode(window, metas)
                times[:, :, rows, columns] += 1
        return total.div_(times)

    def postprocess_result(self, seg_logits: Tensor, data_samples: list[SegDataSample] | None = None) -> SampleList:
        """As mmseg's, but logits that have their final size already are not resized to it again."""
        whole = data_samples is None or all(_is_final(sample.metainfo, seg_logits) for sample in data_samples)
        if not whole or seg_logits.shape[1] == 1:
            return super().postprocess_result(seg_logits, data_samples)
        data_samples = data_samples or [SegDataSample() for _ in seg_logits]
        for logits, sample in zip(seg_logits, data_samples, strict=True):
            # max() is several times as fast as argmax(): torch vectorises it across pixels. Both name the first of equals.
            labels = logits.max(dim=0, keepdim=True).indices
            sample.set_data({'seg_logits': PixelData(data=logits), 'pred_sem_seg': PixelData(data=labels)})
        return data_samples


def _windows(length: int, crop: int, stride: int) -> list[slice]:
    """The windows of mmseg's sliding inference along one axis; the last one is moved back into the image."""
    number = max(length - crop + stride - 1, 0) // stride + 1
    stops = [min(i * stride + crop, length) for i in range(number)]
    return [slice(max(stop - crop, 0), stop) for stop in stops]


def _is_final(meta: dict, seg_logits: Tensor) -> bool:
    """Whether the logits of a batch have the size of the original image already."""
    padding = meta.get('img_padding_size', meta.get('padding_size', [0] * 4))
    return not any(padding) and not meta.get('flip') and tuple(meta['ori_shape']) == tuple(seg_logits.shape[2:])
