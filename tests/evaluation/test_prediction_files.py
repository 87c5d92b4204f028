"""Config edits that write and draw predictions."""

import pytest
from mmcv.transforms import BaseTransform
from mmcv.transforms import LoadAnnotations as AnyLoadAnnotations
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.visualization import Visualizer
from mmseg.datasets import BaseSegDataset
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.evaluation import CityscapesMetric, IoUMetric

from repvgg_seg.data import CheckedCityscapesDataset
from repvgg_seg.errors import InputError
from repvgg_seg.evaluation.prediction_files import draw_predictions, write_predictions, write_what_metrics_write


class OwnLoader(LoadAnnotations):
    """A step of a user that loads labels."""


class LoadArrayAnnotationsForTest(BaseTransform):
    """A step of a user that loads labels and is derived from none that does."""

    def transform(self, results):
        return results


class OwnPrefix(CheckedCityscapesDataset):
    """A data set of a user with folders of its own."""

    def __init__(self, data_prefix=dict(img_path='photos', seg_map_path='masks'), **kwargs):  # noqa: B006 (as mmseg does)
        super().__init__(data_prefix=data_prefix, **kwargs)


def config(dataset=None, **parts):
    dataset = dict(type='CamVidDataset') if dataset is None else dataset
    parts = {'test_evaluator': dict(type='StreetIoUMetric'), **parts}
    return Config(dict(test_dataloader=dict(dataset=dataset), **parts))


@pytest.mark.parametrize(
    'evaluator',
    [
        dict(type='StreetIoUMetric'),
        [dict(type='StreetIoUMetric'), dict(type='SomebodysMetric', labels='x')],
        dict(type='Evaluator', metrics=[dict(type='IoUMetric')]),
    ],
)
def test_with_scores_the_evaluator_stays(evaluator):
    cfg = config(test_evaluator=evaluator, custom_hooks=[dict(type='CheckHeadsHook')])
    write_predictions(cfg, 'out', score=True)
    assert cfg.to_dict()['test_evaluator'] == evaluator
    assert [hook.type for hook in cfg.custom_hooks] == ['CheckHeadsHook', 'WriteLabelsHook']
    assert cfg.custom_hooks[1].folder == 'out'


PREFIX = dict(img_path='i', seg_map_path='s')


@pytest.mark.parametrize(
    'dataset, prefixes',
    [
        (dict(type='CamVidDataset', data_prefix=PREFIX), [dict(img_path='i')]),
        (dict(type='CamVidDataset'), [dict(img_path='')]),
        (dict(type=BaseSegDataset), [dict(img_path='')]),
        (dict(type=OwnPrefix), [dict(img_path='photos')]),
        (
            dict(type='RepeatDataset', times=2, dataset=dict(type='CamVidDataset', data_prefix=PREFIX)),
            [dict(img_path='i')],
        ),
        (
            dict(
                type='ConcatDataset',
                datasets=[
                    dict(type='CamVidDataset', data_prefix=PREFIX),
                    dict(
                        type='ConcatDataset', datasets=[dict(type='CityscapesDataset', data_prefix=dict(img_path='j'))]
                    ),
                ],
            ),
            [dict(img_path='i'), dict(img_path='j')],
        ),
    ],
)
def test_without_scores_no_data_set_has_labels(dataset, prefixes):
    cfg = config(dataset, test_evaluator=[dict(type='SomebodysMetric')])
    write_predictions(cfg, 'out', score=False)
    found = []

    def look(part):
        for inner in [*part.get('datasets', []), *([part['dataset']] if 'dataset' in part else [])]:
            look(inner)
        if 'data_prefix' in part:
            found.append(part['data_prefix'])

    look(cfg.to_dict()['test_dataloader']['dataset'])
    assert found == prefixes
    assert cfg.test_evaluator == []


@pytest.mark.parametrize(
    'loader',
    [
        'LoadAnnotations',
        'mmseg.LoadAnnotations',
        LoadAnnotations,
        OwnLoader,
        AnyLoadAnnotations,
        LoadArrayAnnotationsForTest,
        'LoadBiomedicalAnnotation',
    ],
)
def test_without_scores_no_step_loads_labels(loader):
    image, label, pack = dict(type='LoadImageFromFile'), dict(type=loader), dict(type='PackSegInputs')
    flips = [dict(type='RandomFlip', prob=p) for p in (0.0, 1.0)]
    tta = dict(type='TestTimeAug', transforms=[flips, [label], [pack]])
    choice = dict(type='RandomChoice', transforms=[[label, flips[0]], [flips[1]]])
    pipeline = [image, label, choice, tta, pack]
    cfg = config(dict(type='ConcatDataset', datasets=[dict(type='CamVidDataset', pipeline=pipeline)]))
    write_predictions(cfg, 'out', score=False)
    assert cfg.to_dict()['test_dataloader']['dataset']['datasets'][0]['pipeline'] == [
        image,
        dict(type='RandomChoice', transforms=[[flips[0]], [flips[1]]]),
        dict(type='TestTimeAug', transforms=[flips, [pack]]),
        pack,
    ]


class OwnWriter(IoUMetric):
    """A metric of a user that processes predictions in its own way."""

    def process(self, data_batch, data_samples):
        pass


IOU = dict(type='StreetIoUMetric', iou_metrics=['mIoU'])
FILES = dict(output_dir='o')
FORMAT = dict(output_dir='o', format_only=True)


@pytest.mark.parametrize(
    'evaluator, left, official',
    [
        (IOU, IOU, []),
        (dict(IOU, **FILES), IOU, [False]),
        ([dict(type='IoUMetric', **FILES), IOU], [dict(type='IoUMetric'), IOU], [False]),
        (dict(metrics=[dict(IOU, **FILES)]), dict(metrics=[IOU]), [False]),
        (dict(metrics=dict(type='IoUMetric', **FORMAT)), dict(metrics=[]), [False]),
        (dict(type='IoUMetric', **FORMAT), [], [False]),
        (dict(type='CityscapesMetric', keep_results=True, **FORMAT), [], [True]),
        (dict(type=CityscapesMetric, **FILES), dict(type=CityscapesMetric, **FILES), []),  # it scores its files
        (dict(type=OwnWriter, **FILES), dict(type=OwnWriter, **FILES), []),
        (dict(type=BaseMetric), dict(type=BaseMetric), []),
    ],
)
def test_what_the_metrics_of_a_config_write(evaluator, left, official):
    cfg = config(test_evaluator=evaluator)
    write_what_metrics_write(cfg)
    assert cfg.to_dict()['test_evaluator'] == left
    assert [hook.official for hook in cfg.get('custom_hooks', [])] == official


LOCAL, BOARD = dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')
PICTURES = dict(type='PictureVisBackend', pictures='d')


@pytest.mark.parametrize(
    'visualizer, backends',
    [
        (None, [PICTURES]),
        (dict(type='SegLocalVisualizer', name='v', alpha=0.3), [PICTURES]),
        (dict(type='SegLocalVisualizer', vis_backends=LOCAL), [PICTURES]),
        (dict(type='SegLocalVisualizer', vis_backends=[LOCAL, BOARD]), [BOARD, PICTURES]),
    ],
)
def test_pictures(visualizer, backends):
    parts = {} if visualizer is None else dict(visualizer=visualizer, default_hooks=dict(timer=None))
    cfg = config(**parts)
    draw_predictions(cfg, 'd', show=False, wait_time=2)
    expected = dict(visualizer or dict(type='SegLocalVisualizer', name='visualizer'), vis_backends=backends)
    assert cfg.to_dict()['visualizer'] == expected
    assert cfg.default_hooks.visualization.to_dict() == dict(
        type='DrawPredictionsHook', folder='d', show=False, wait_time=2
    )


def test_pictures_on_the_screen_are_not_kept():
    cfg = config(visualizer=dict(type='SegLocalVisualizer', vis_backends=[LOCAL]))
    draw_predictions(cfg, None, show=True, wait_time=2)
    assert cfg.visualizer.vis_backends == []


@pytest.mark.parametrize('kind', ['Visualizer', Visualizer])
def test_a_visualizer_that_draws_no_predictions(kind):
    with pytest.raises(InputError, match='visualizer.type=SegLocalVisualizer'):
        draw_predictions(config(visualizer=dict(type=kind)), 'd', show=False, wait_time=2)
