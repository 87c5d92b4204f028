"""Images that do not fit in memory are computed in windows, and nothing else is."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.models import EncoderDecoder
from torch import nn

from repvgg_seg.errors import InputError
from repvgg_seg.evaluation import images_too_large
from repvgg_seg.evaluation.images_too_large import windows_if_too_large


class Segmentor(EncoderDecoder):
    """Twice the image as logits, so that windows change nothing; a device that holds `most` pixels at a time."""

    def __init__(self, most=10**9, size=None, **test_cfg):
        nn.Module.__init__(self)
        self.data_preprocessor = nn.Identity()
        self.data_preprocessor.size = size
        self.out_channels, self.align_corners = 3, False
        self.test_cfg = ConfigDict(test_cfg or dict(mode='whole'))
        self.most, self.sizes = most, []

    def encode_decode(self, inputs, batch_img_metas):
        self.sizes.append((len(inputs), *inputs.shape[2:]))
        if inputs[:, 0].numel() > self.most:
            raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        return inputs * 2


SLIDE = dict(mode='slide', crop_size=(256, 256), stride=(200, 200))


@pytest.mark.parametrize(
    'model, images, windows, number',
    [
        (Segmentor(), (1, 300, 500), set(), 0),
        (Segmentor(most=300 * 200, size=(128, 160)), (1, 300, 500), {(128, 160)}, 1),
        (
            Segmentor(most=300 * 200),
            (1, 300, 500),
            {(150, 250)},
            1,
        ),  # the usual window is larger than the image: its half
        (Segmentor(most=300 * 600), (2, 300, 500), set(), 0),  # one by one
        (Segmentor(most=128 * 200), (2, 256, 500), {(128, 250)}, None),
        (Segmentor(**SLIDE), (1, 300, 500), set(), 0),
        (Segmentor(most=200 * 200, **SLIDE), (1, 300, 500), {(128, 128)}, 1),  # the windows of the config are too large
    ],
)
def test_what_a_gpu_has_no_memory_for(model, images, windows, number):
    inputs = torch.rand(images[0], 3, *images[1:])
    metas = [dict(ori_shape=images[1:])] * len(inputs)
    if windows == {(128, 250)}:  # 128 x 250 is too much still, and its half is too small
        with windows_if_too_large(model), pytest.raises(InputError, match='256x500 does not fit .* 128x250 .*Resize'):
            model.inference(inputs, metas)
        return
    before = model.test_cfg
    with windows_if_too_large(model) as given:
        for _ in range(2):
            torch.testing.assert_close(model.inference(inputs, metas), inputs * 2)
        failures = sum(size[0] * size[1] * size[2] > model.most for size in model.sizes)
        assert failures <= 1, 'the second image of a size starts with what fitted'
        assert (given.windows, given.images) == (windows, 2 * number)
    assert model.test_cfg is before and 'inference' not in vars(model)


def test_another_error_is_none_of_memory():
    model = Segmentor()
    with windows_if_too_large(model), pytest.raises(RuntimeError, match='mat1 and mat2'):
        model.encode_decode = lambda *_: torch.ones(2, 3) @ torch.ones(2, 3)
        model.inference(torch.rand(1, 3, 8, 8), [dict(ori_shape=(8, 8))])


@pytest.mark.slow  # torch's profiler takes its time to start
@pytest.mark.parametrize('spare, windows', [(2**34, set()), (2**22, {(256, 512)}), (2**12, None)])
def test_what_a_cpu_would_have_no_memory_for(monkeypatch, spare, windows):
    """A pixel of three channels takes 12 bytes twice as it is computed, and 36 beside it."""
    monkeypatch.setattr(images_too_large, 'spare_memory', lambda: spare * 10)
    model, inputs = Segmentor(size=(256, 512)), torch.rand(1, 3, 1024, 1024)
    with windows_if_too_large(model) as given:
        if windows is None:
            with pytest.raises(InputError, match='1024x1024 does not fit in memory .* GiB to spare'):
                model.inference(inputs, [dict(ori_shape=(1024, 1024))])
            return
        torch.testing.assert_close(model.inference(inputs, [dict(ori_shape=(1024, 1024))]), inputs * 2)
        assert given.windows == windows
    largest = max(height * width for _, height, width in model.sizes)
    assert largest == (256 * 512 if windows else 1024 * 1024), 'nothing larger was tried'


def test_other_models_stay_as_they_are():
    with windows_if_too_large(nn.Conv2d(3, 3, 1)) as given:
        assert given is None
