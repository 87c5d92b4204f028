"""The rehearsal of tools/train.py and tools/test.py, each in a process of its own."""

import re
from pathlib import Path

import pytest
from helpers import records, tool
from mmengine.config import Config
from tiny import tiny_config

from repvgg_seg.data.cityscapes import CheckedCityscapesDataset

pytestmark = pytest.mark.slow

BROKEN_METRIC = """
from mmengine.evaluator import BaseMetric
from mmseg.registry import METRICS


@METRICS.register_module()
class BrokenMetric(BaseMetric):
    def process(self, data_batch, data_samples):
        raise KeyError('nobody foresaw this')

    def compute_metrics(self, results):
        return {}
"""


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """A run whose backbone has a norm that cannot be fused: its config and checkpoint, and what was said."""
    work = tmp_path_factory.mktemp('trained')
    cfg = tiny_config(scenes, work, log_level='INFO')
    cfg.model.backbone.norm_cfg = dict(type='GN', num_groups=4)
    cfg.dump(work / 'tiny.py')
    return work / 'tiny.py', work / 'iter_4.pth', tool('train.py', work / 'tiny.py', '--work-dir', work)


def test_a_norm_that_cannot_be_fused_is_said_at_the_start(trained, tmp_path):
    config, checkpoint, said = trained
    assert said.count('evaluating the training form: GroupNorm') == 1
    assert said.index('evaluating the training form') < said.index('rehearsal passed in') < said.index('Iter(train)')
    assert records((config, checkpoint), tmp_path)['form'] == 'training form'
    assert 'GroupNorm' in tool('test.py', config, checkpoint, '--optimize', '--work-dir', tmp_path / 'o')


def test_a_set_of_other_classes_is_not_scored(trained, tmp_path):
    config, checkpoint, _ = trained
    classes = list(CheckedCityscapesDataset.METAINFO['classes'])
    cfg = Config.fromfile(config)
    cfg.test_dataloader.dataset.metainfo = dict(classes=classes[1::-1] + classes[2:])
    cfg.dump(tmp_path / 'other.py')
    arguments = (tmp_path / 'other.py', checkpoint, '--work-dir', tmp_path / 'work')
    told = tool('test.py', *arguments, status=2)
    assert "the order differs, class 0 is 'road' in the checkpoint and 'sidewalk' in the data set (2 differ)" in told
    tool('test.py', *arguments, '--no-rehearsal')


def test_an_unforeseen_error_is_one_line_and_its_traceback_in_the_log(trained, tmp_path):
    (tmp_path / 'broken_metric.py').write_text(BROKEN_METRIC, encoding='utf-8')
    cfg = Config.fromfile(trained[0])
    cfg.custom_imports = dict(imports=['repvgg_seg', 'broken_metric'])
    cfg.val_evaluator = dict(type='BrokenMetric')
    cfg.default_hooks.checkpoint.save_best = None
    cfg.dump(tmp_path / 'wrong.py')
    told = tool('train.py', tmp_path / 'wrong.py', '--work-dir', tmp_path / 'work', status=2)
    assert 'rehearsal, step "validation metric": KeyError' in told and 'nobody foresaw' in told
    assert 'Traceback (most recent call last)' in Path(re.search(r'the traceback is in (\S+)', told)[1]).read_text()
    assert not list((tmp_path / 'work').glob('*.pth'))
