"""A test set and its metrics, before anything is predicted."""

import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.evaluation import CityscapesMetric, IoUMetric
from mmseg.registry import DATASETS
from PIL import Image

from repvgg_seg.errors import InputError
from repvgg_seg.evaluation import StreetIoUMetric
from repvgg_seg.evaluation.check_test_set import check_test_set

IMAGE, LABEL, PACK = (dict(type=name) for name in ('LoadImageFromFile', 'LoadAnnotations', 'PackSegInputs'))


class OwnStep(BaseTransform):
    """A step of a user, which may make labels."""

    def transform(self, results):
        return results


class OwnLoader(LoadAnnotations):
    """A step of a user that loads labels from elsewhere."""


@pytest.fixture
def root(tmp_path):
    for folder in ('a', 'b'):
        for part in ('images', 'labels'):
            path = tmp_path / part / folder / '0.png'
            path.parent.mkdir(parents=True)
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)
    return tmp_path


def built(root, pipeline, **prefix):
    part = dict(type='BaseSegDataset', img_suffix='.png', metainfo=dict(classes=('x', 'y')), pipeline=pipeline)
    prefix = dict(img_path=str(root / 'images')) | {key: str(root / folder) for key, folder in prefix.items()}
    return DATASETS.build(dict(type='RepeatDataset', times=2, dataset=dict(part, data_prefix=prefix)))


TTA = dict(type='TestTimeAug', transforms=[[dict(type='RandomFlip', prob=0.0)], [LABEL], [PACK]])


@pytest.mark.slow
@pytest.mark.parametrize('metric', [IoUMetric, StreetIoUMetric])
@pytest.mark.parametrize(
    'pipeline, prefix',
    [
        ([IMAGE, LABEL, PACK], dict(seg_map_path='labels')),
        ([IMAGE, TTA], dict(seg_map_path='labels')),
        ([IMAGE, dict(type=OwnLoader), PACK], {}),
        ([IMAGE, dict(type=OwnStep), PACK], {}),
        ([IMAGE, dict(type='RandomApply', prob=1.0, transforms=[dict(type=OwnStep)]), PACK], {}),
    ],
)
def test_what_can_have_labels_goes_on(metric, pipeline, prefix, root):
    check_test_set(built(root, pipeline, **prefix), [metric()])


@pytest.mark.slow
@pytest.mark.parametrize(
    'pipeline, prefix, why',
    [
        ([IMAGE, LABEL, PACK], {}, r'no label of the first image \(None\)'),
        ([IMAGE, TTA], {}, r'no label of the first image'),
        ([IMAGE, LABEL, PACK], dict(seg_map_path='masks'), r'masks.a.0.png'),
        ([IMAGE, PACK], dict(seg_map_path='labels'), 'no step of its pipeline'),
    ],
)
def test_a_score_needs_labels(pipeline, prefix, why, root):
    dataset = built(root, pipeline, **prefix)
    with pytest.raises(InputError, match=why) as error:
        check_test_set(dataset, [IoUMetric()])
    assert '--format-only' in str(error.value) and '\n' not in str(error.value)
    check_test_set(dataset, [])
    check_test_set(dataset, [IoUMetric(format_only=True, output_dir=str(root / 'out'))])


def test_a_metric_that_would_mix_up_images(root, tmp_path):
    pipeline = [IMAGE, LABEL, PACK]
    with pytest.raises(InputError, match='2 images are called 0'):
        check_test_set(built(root, pipeline), [CityscapesMetric(str(tmp_path / 'out'), keep_results=True)])
