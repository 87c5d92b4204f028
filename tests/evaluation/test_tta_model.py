"""Predictions of several views, merged: expected values by hand and from plain torch."""

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from small_models import head_config, segmentor
from torch import nn

from repvgg_seg.evaluation import MeanProbabilityTTAModel


class Predictions(nn.Module):
    """A segmentor that only names its threshold."""

    def __init__(self, threshold=0.3, cascade=False):
        super().__init__()
        head = nn.Module()
        head.threshold = threshold
        self.decode_head = nn.ModuleList([nn.Module(), head]) if cascade else head

    def test_step(self, data):
        raise NotImplementedError


def view(logits, label=0):
    label = PixelData(data=torch.full((1, 1, 1), label))
    return SegDataSample(seg_logits=PixelData(data=torch.tensor(logits)[:, None, None]), gt_sem_seg=label)


@pytest.mark.parametrize('cascade', [False, True])
@pytest.mark.parametrize(
    'probabilities, threshold, label', [((0.1, 0.4), 0.3, 0), ((0.1, 0.4), 0.2, 1), ((0.6, 0.5), 0.5, 1)]
)
def test_one_logit(probabilities, threshold, label, cascade):
    """mmseg's segmentor hands out the probability; another sigmoid would lift 0.1 to 0.52."""
    views = [view([p]) for p in probabilities]
    (merged,) = MeanProbabilityTTAModel(Predictions(threshold, cascade)).merge_preds([views])
    assert merged.seg_logits.data.item() == pytest.approx(sum(probabilities) / 2)
    assert merged.pred_sem_seg.data.shape == (1, 1, 1) and merged.pred_sem_seg.data.item() == label


def test_two_classes():
    """Probabilities (0.9, 0.1) and (0.2, 0.8): their mean is (0.55, 0.45), though the mean of the logits says class 1."""
    pairs = [(9.0, 1.0), (0.2, 0.8)]
    views = [view(torch.tensor(pair).log().tolist(), label) for pair, label in zip(pairs, (1, 0), strict=True)]
    (merged,) = MeanProbabilityTTAModel(Predictions()).merge_preds([views])
    assert merged.seg_logits.data.exp().flatten().tolist() == pytest.approx([0.55, 0.45])
    assert merged.pred_sem_seg.data.item() == 0 and merged.gt_sem_seg.data.item() == 1


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('mode', [dict(mode='whole'), dict(mode='slide', crop_size=(32, 32), stride=(16, 16))])
@torch.inference_mode()
def test_flips_and_scales_of_a_segmentor(out_channels, mode):
    """The mean over views of the probabilities that the network gives, flipped and resized by hand."""
    head = head_config('FCNHead', channels=8, num_convs=1, num_classes=2, out_channels=out_channels, threshold=0.45)
    model = segmentor(
        decode_head=head, auxiliary_head=None, test_cfg=ConfigDict(mode),
        data_preprocessor=dict(type='SegDataPreProcessor'),
    )  # fmt: skip
    image = torch.rand(1, 3, 48, 64)
    classifier = model.decode_head.conv_seg
    classifier.weight *= 50  # logits as far apart as those of a trained network, around 0
    classifier.bias -= model(image).mean((0, 2, 3))
    views, expected = [], []
    for flip in (False, True):
        for size in ((48, 64), (72, 96)):
            seen = nn.functional.interpolate(image, size, mode='bilinear')
            seen = seen.flip(3) if flip else seen
            meta = dict(
                ori_shape=(48, 64), img_shape=size, pad_shape=size, flip=flip,
                flip_direction='horizontal' if flip else None,
            )  # fmt: skip
            views.append(dict(inputs=[seen[0]], data_samples=[SegDataSample(metainfo=meta)]))
            logits = model.inference(seen, [dict(meta)])
            logits = logits.flip(3) if flip else logits
            logits = nn.functional.interpolate(logits, (48, 64), mode='bilinear')[0]
            expected.append(logits.softmax(0) if out_channels == 2 else logits.sigmoid())
    tta = MODELS.build(dict(type='MeanProbabilityTTAModel', module=model))
    (merged,) = tta.test_step({key: [view[key] for view in views] for key in ('inputs', 'data_samples')})
    mean = torch.stack(expected).mean(0)
    found = merged.seg_logits.data
    torch.testing.assert_close(found.exp() if out_channels == 2 else found, mean)
    labels = mean.argmax(0) if out_channels == 2 else (mean[0] > 0.45).float()
    assert torch.equal(merged.pred_sem_seg.data[0], labels) and 0 < labels.float().mean() < 1
