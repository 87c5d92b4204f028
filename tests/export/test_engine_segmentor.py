"""An exported file predicts as the model that it was made from."""

import pytest
import torch
from engine_files import pictures
from mmseg.structures import SegDataSample

from repvgg_seg.errors import InputError
from repvgg_seg.export import EngineSegmentor, load_engine
from repvgg_seg.export.engine_segmentor import check_number_of_classes
from repvgg_seg.models.image_channels import image_channels

pytestmark = pytest.mark.slow
NORMALIZE = dict(type='SegDataPreProcessor', mean=[120.0] * 3, std=[60.0] * 3, bgr_to_rgb=True)


@pytest.fixture
def engine(exported):
    return load_engine(exported('ncnn', (64, 96))[0])


def samples(picture):
    meta = dict(img_shape=picture.shape[1:], ori_shape=(100, 150), pad_shape=picture.shape[1:])
    return dict(inputs=[picture], data_samples=[SegDataSample(metainfo=meta)])


@pytest.mark.parametrize(
    'test_cfg, size',
    [(dict(mode='whole'), (64, 96)), (dict(mode='slide', crop_size=(64, 96), stride=(40, 50)), (90, 130))],
)
@torch.no_grad()
def test_labels_and_logits_are_those_of_the_model(small, engine, test_cfg, size, monkeypatch):
    network = EngineSegmentor(engine, NORMALIZE, test_cfg).eval()
    monkeypatch.setattr(small, 'test_cfg', network.test_cfg)
    (picture,) = pictures(size)
    (found,), (expected,) = (model.test_step(samples(picture)) for model in (network, small))
    assert found.seg_logits.data.shape == (5, 100, 150)
    torch.testing.assert_close(found.seg_logits.data, expected.seg_logits.data, rtol=1e-3, atol=1e-3)
    assert (found.pred_sem_seg.data == expected.pred_sem_seg.data).float().mean() > 0.999
    assert expected.pred_sem_seg.data.unique().numel() > 1


def test_it_tells_its_channels_and_is_for_inference_only(engine):
    network = EngineSegmentor(engine, NORMALIZE)
    assert image_channels(network) == 3 and network.out_channels == network.num_classes == 5
    with pytest.raises(InputError, match='cannot be trained'):
        network(torch.zeros(1, 3, 64, 96), [], mode='loss')
    with pytest.raises(InputError, match='no feature maps'):
        network.extract_feat(torch.zeros(1, 3, 64, 96))


@pytest.mark.parametrize(
    'head, said',
    [
        (dict(num_classes=5), None),
        ([dict(num_classes=9), dict(num_classes=5)], None),
        (dict(num_classes=19), 'predicts 5 classes, and the config has 19'),
        (dict(num_classes=2, out_channels=1), 'predicts 5 classes, and the config has 1'),
    ],
)
def test_the_number_of_classes(engine, head, said):
    if said is None:
        return check_number_of_classes(engine, dict(decode_head=head))
    with pytest.raises(InputError, match=said):
        check_number_of_classes(engine, dict(decode_head=head))
