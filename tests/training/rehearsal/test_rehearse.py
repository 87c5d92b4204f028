"""What a rehearsal finds, and the one line in which it is told."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.runner import Runner
from mmseg.evaluation import IoUMetric
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import METRICS, MODELS, TRANSFORMS
from PIL import Image
from tiny import tiny_config

from repvgg_seg.errors import InputError
from repvgg_seg.training.start import build, train

pytestmark = pytest.mark.slow  # each test builds a Runner


@MODELS.register_module()
class RaisingHead(FCNHead):
    """A user's head with a mistake in it."""

    def forward(self, inputs):
        raise KeyError('not there')


@MODELS.register_module()
class InfiniteLoss(torch.nn.Module):
    loss_name = 'loss_mine'

    def forward(self, logits, label, **kwargs):
        return logits.sum() * float('inf')


@MODELS.register_module()
class OwnStepSegmentor(MODELS.get('EncoderDecoder')):
    """It trains in its own way, which cannot be rehearsed."""

    def train_step(self, data, optim_wrapper):
        return super().train_step(data, optim_wrapper)


@MODELS.register_module()
class NaNGradientLoss(torch.nn.Module):
    """Finite, with the gradient of sqrt(0) times 0."""

    loss_name = 'loss_mine'

    def forward(self, logits, label, **kwargs):
        return (logits * 0).sqrt().sum()


@METRICS.register_module()
class RaisingMetric(IoUMetric):
    def compute_metrics(self, results):
        raise ZeroDivisionError('no pixels\nat all')


@METRICS.register_module()
class ExitingMetric(IoUMetric):
    """As cityscapesscripts tell an error."""

    def compute_metrics(self, results):
        print('ERROR: no ground truth')
        sys.exit(-1)


@TRANSFORMS.register_module()
class WideLabel(BaseTransform):
    """A pipeline of one's own that leaves a value no head knows."""

    def transform(self, results):
        results['gt_seg_map'] = np.full_like(results['gt_seg_map'], 77)
        return results


FCN = dict(type='FCNHead', in_channels=64, in_index=2, channels=8, num_convs=1, num_classes=19)


def start(scenes, tmp_path, edit, **options):
    """Start a run that is edited; returns the log file."""
    cfg = tiny_config(scenes, tmp_path, train_cfg__max_iters=1, log_level='INFO', **options)
    cfg.param_scheduler[0].end = 1
    edit(cfg)
    cfg.custom_hooks = [dict(type='SwitchToDeployHook'), dict(type='RehearsalHook')]
    cfg.experiment_name = f'rehearsal_{tmp_path.name}'
    runner = build(cfg)
    train(runner)
    return next(Path(runner.log_dir).glob('*.log')).read_text()


def auxiliary(**changes):
    return lambda cfg: setattr(cfg.model, 'auxiliary_head', [FCN, {**FCN, **changes}])


def loss(**changes):
    return lambda cfg: setattr(cfg.model.decode_head, 'loss_decode', changes)


@pytest.mark.parametrize(
    'edit, message',
    [
        (auxiliary(type='RaisingHead'), r"step \"forward pass of auxiliary_head.1\": KeyError: 'not there'"),
        (loss(type='InfiniteLoss'), r'step "losses": decode.loss_mine is (-?inf|nan)'),
        (loss(type='NaNGradientLoss'), r'step "backward pass": the gradient of .* is NaN'),
        (lambda cfg: cfg.val_evaluator.update(type='RaisingMetric'), r'step "validation metric": ZeroDivisionError'),
        (
            lambda cfg: cfg.val_evaluator.update(type='ExitingMetric'),
            r'step "validation metric": SystemExit.*ERROR: no ground truth',
        ),
        (lambda cfg: cfg.model.test_cfg.update(mode='slide'), r'validation batch.*needs crop_size and stride'),
        (
            # Else the look at the data set refuses such labels before the rehearsal.
            lambda cfg: (
                cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='WideLabel')),
                cfg.update(disabled_protections=['CheckAnnotations']),
            ),
            r'step "labels": .*holds the values \[77\]; decode_head knows the classes 0 to 18 and ignores 255',
        ),
        (
            lambda cfg: cfg.model.data_preprocessor.update(size=None),
            r'step "data_preprocessor": AssertionError.*set model.data_preprocessor.size to the crop_size',
        ),
        (
            lambda cfg: cfg.val_evaluator.update(iou_metrics=['mDice']),
            r"save_best is 'mIoU', and the scores are aAcc, mDice, mAcc",
        ),
        (lambda cfg: cfg.model.decode_head.update(in_index='3'), r'building from the config: AssertionError'),
        (lambda cfg: cfg.model.backbone.update(frozen_stages=4, norm_eval=True), None),
    ],
)
def test_a_step_that_fails_is_named(scenes, tmp_path, edit, message):
    if message is None:
        assert 'rehearsal passed in ' in start(scenes, tmp_path, edit)
        return
    with pytest.raises(InputError, match=message) as caught:
        start(scenes, tmp_path, edit)
    told = str(caught.value)
    assert '\n' not in told
    named = re.search(r'the traceback is in (\S+)', told)
    if named:
        assert 'Traceback (most recent call last)' in Path(named.group(1)).read_text()


def test_one_line_is_logged_and_no_table(scenes, tmp_path):
    log = start(scenes, tmp_path, lambda cfg: None)
    said = re.findall('rehearsal passed in .*', log)
    assert len(said) == 1 and 'a batch of 2 through' in said[0] and 'a validation batch of 1' in said[0]
    assert 'decode.loss_ce' in said[0] and 'aux.loss_ce' in said[0] and '(aAcc, mIoU, mAcc)' in said[0]
    before = log[: log.index('rehearsal passed')]
    assert 'per class results' not in before and log.count('per class results') == 1


def test_channels_of_another_backbone_are_explained(scenes, tmp_path):
    """They are not known before a forward pass."""

    def edit(cfg):
        backbone = dict(type='ResNetV1c', depth=18, base_channels=8, stem_channels=8, norm_cfg=dict(type='BN'))
        cfg.model.backbone = backbone
        cfg.model.auxiliary_head = [FCN | dict(in_channels=16, in_index=1), FCN]
        cfg.model.decode_head.in_channels = 64

    with pytest.raises(InputError, match=r'auxiliary_head.1.*gives 32 channels at index 2.*in_channels=32'):
        start(scenes, tmp_path, edit)


def test_a_model_that_trains_in_its_own_way_is_validated_only(scenes, tmp_path):
    log = start(scenes, tmp_path, lambda cfg: cfg.model.update(type='OwnStepSegmentor'))
    said = re.findall('rehearsal passed in .*', log)
    assert len(said) == 1 and 'a validation batch' in said[0] and 'backward' not in said[0]


def test_parameters_without_a_gradient_are_named(scenes, tmp_path):
    log = start(scenes, tmp_path, lambda cfg: cfg.model.decode_head.loss_decode.update(loss_name='ce'))
    assert re.search(r'parameters get no gradient.*decode_head.conv_seg', log)


def test_predictions_are_not_written(scenes, tmp_path):
    cfg = tiny_config(scenes, tmp_path / 'work')
    out = tmp_path / 'out'
    cfg.test_evaluator.output_dir = str(out)
    cfg.custom_hooks = [dict(type='RehearsalHook')]
    runner = Runner.from_cfg(cfg)
    runner.test_loop  # noqa: B018 (built here)
    runner._hooks[-1].before_test_epoch(runner)
    assert not list(out.glob('*'))


@pytest.mark.parametrize('batch_size, message', [(2, 'batch_size is 2.*64x128.*32x64.*batch_size=1'), (1, '')])
def test_validation_batches_of_two_sizes(scenes, tmp_path, batch_size, message):
    """The third image is smaller, so that the first batch does not show it."""
    import shutil

    copy = shutil.copytree(scenes, tmp_path / 'scenes')
    for folder, suffix in (('leftImg8bit', '_leftImg8bit.png'), ('gtFine', '_gtFine_labelTrainIds.png')):
        example = next((copy / folder / 'val').rglob(f'*{suffix}'))
        for name, size in (('x0', (128, 64)), ('x1', (64, 32))):
            Image.open(example).resize(size, Image.Resampling.NEAREST).save(example.with_name(f'zz_{name}{suffix}'))

    def edit(cfg):
        cfg.val_dataloader.batch_size = batch_size
        cfg.val_dataloader.dataset.data_root = str(copy)
        cfg.val_dataloader.dataset.pipeline.pop(1)  # Resize

    if message:
        with pytest.raises(InputError, match=message):
            start(scenes, tmp_path / 'work', edit)
    else:
        assert 'rehearsal passed' in start(scenes, tmp_path / 'work', edit)
