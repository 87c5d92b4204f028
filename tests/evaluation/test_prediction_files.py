"""Which label ids the predictions of a data set are written with."""

import pytest
from mmengine.config import Config
from mmseg.datasets import BaseSegDataset, CityscapesDataset
from mmseg.registry import DATASETS

from repvgg_seg.data import CamVidDataset, CheckedCityscapesDataset
from repvgg_seg.evaluation.prediction_files import write_predictions


def config(dataset):
    return Config(dict(test_dataloader=dict(dataset=dict(type=dataset)), test_evaluator=dict(type='StreetIoUMetric')))


@pytest.fixture
def subclass():
    """A registered class of a user."""

    @DATASETS.register_module()
    class CityscapesOfAUser(CheckedCityscapesDataset):
        pass

    yield CityscapesOfAUser
    del DATASETS.module_dict['CityscapesOfAUser']


@pytest.mark.parametrize(
    'dataset', ['CheckedCityscapesDataset', 'CityscapesDataset', 'mmseg.CityscapesDataset', CityscapesDataset]
)
def test_cityscapes_gets_official_ids(dataset, tmp_path):
    cfg = config(dataset)
    write_predictions(cfg, str(tmp_path), score=True)
    assert [metric.type for metric in cfg.test_evaluator] == ['StreetIoUMetric', 'CityscapesMetric']
    assert cfg.test_evaluator[1].output_dir == str(tmp_path)


def test_a_subclass_of_a_user_gets_official_ids(subclass, tmp_path):
    for dataset in (subclass, subclass.__name__):
        cfg = config(dataset)
        write_predictions(cfg, str(tmp_path), score=True)
        assert cfg.test_evaluator[1].type == 'CityscapesMetric'


@pytest.mark.parametrize('dataset', ['CamVidDataset', CamVidDataset, BaseSegDataset])
def test_others_get_class_numbers(dataset, tmp_path):
    cfg = config(dataset)
    write_predictions(cfg, str(tmp_path), score=True)
    assert cfg.test_evaluator.to_dict() == dict(type='StreetIoUMetric', output_dir=str(tmp_path))
