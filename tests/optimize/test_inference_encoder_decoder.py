"""The results of mmseg's segmentor, in a quicker way; built from a config here."""

import copy
import pickle

import pytest
import torch
from mmseg.structures import SegDataSample
from small_models import segmentor

from repvgg_seg.optimize.inference_encoder_decoder import InferenceEncoderDecoder


def pair(**kwargs):
    """mmseg's segmentor and ours, with the same weights."""
    model, quick = segmentor(**kwargs), segmentor(**kwargs, type='InferenceEncoderDecoder')
    assert type(quick) is InferenceEncoderDecoder
    quick.load_state_dict(model.state_dict())
    return model, quick


@pytest.mark.parametrize('padding, size', [([0, 0, 0, 0], (64, 64)), ([0, 8, 0, 16], (48, 56)), ([0] * 4, (100, 70))])
@torch.no_grad()
def test_the_same_labels_and_logits(padding, size):
    model, quick = pair()
    x = torch.randn(2, 3, 64, 64)

    def samples():
        meta = dict(ori_shape=size, img_shape=(64, 64), pad_shape=(64, 64), padding_size=padding)
        return [SegDataSample(metainfo=dict(meta)) for _ in x]

    for data in (samples, lambda: None):
        expected = model(x, data(), mode='predict')
        for found, wanted in zip(quick(x, data(), mode='predict'), expected, strict=True):
            assert torch.equal(found.seg_logits.data, wanted.seg_logits.data)
            assert torch.equal(found.pred_sem_seg.data, wanted.pred_sem_seg.data)


@torch.no_grad()
def test_the_first_of_equal_classes_is_named():
    model = segmentor(type='InferenceEncoderDecoder')
    logits = torch.tensor([0.0, 2, 2, 1, 2]).reshape(1, 5, 1, 1).expand(1, 5, 4, 4)
    (sample,) = model.postprocess_result(logits)
    assert sample.pred_sem_seg.data.unique().tolist() == [1]


@pytest.mark.parametrize('size', [(64, 64), (100, 77), (40, 90)])
@torch.no_grad()
def test_sliding_windows_add_up_to_the_same(size):
    model, quick = pair(test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(43, 43)))
    x = torch.randn(2, 3, *size)
    expected = model(x, mode='predict')
    for found, wanted in zip(quick(x, mode='predict'), expected, strict=True):
        assert torch.equal(found.seg_logits.data, wanted.seg_logits.data)


@torch.no_grad()
def test_it_survives_copy_and_pickle():
    model = InferenceEncoderDecoder.from_segmentor(segmentor())
    x = torch.randn(1, 3, 64, 64)
    expected = model(x)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(twin(x), expected)
