"""Pretraining as a user runs it: train, score, resume, several processes, and on to the segmentor."""

import json
import shutil

import pytest
import torch
from helpers import REPO, randomise_bn, records, tool, tool_in_two_processes
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import MODELS
from tiny import TINY, tiny_classifier, tiny_config

from repvgg_seg import RepVGG, RepVGGClassifier
from repvgg_seg.training.resume import resume_from

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def trained(photos, tmp_path_factory):
    """A config file, and the checkpoint that tools/train.py wrote for it after 4 epochs."""
    work = tmp_path_factory.mktemp('pretrained')
    config = work / 'tiny.py'
    cfg = tiny_classifier(photos, work, log_level='INFO', randomness__seed=1)
    cfg.test_evaluator = dict(type='TopKAccuracy', topk=(1, 2))
    cfg.dump(config)
    said = tool('train.py', config, '--work-dir', work)
    assert 'evaluating the fused form: 11 RepVGG blocks' in said and 'top1: ' in said
    return config, work / 'epoch_4.pth'


@pytest.fixture(scope='module')
def scored(trained, tmp_path_factory):
    """What tools/test.py records of it."""
    return records(trained, tmp_path_factory.mktemp('scored'))


def test_scores_of_every_form_are_the_same(trained, scored, tmp_path):
    fused = scored
    assert fused['form'] == 'fused' and fused['images'] == 9
    assert fused['metrics'].keys() == {'top1', 'top2'}
    assert (fused['training']['epochs'], fused['training']['batch_size']) == (4, 4)
    for option in ('--no-fuse', '--optimize'):
        assert records(trained, tmp_path, option)['metrics'] == fused['metrics']


@pytest.mark.parametrize('family', ['official', 'timm', 'mmpretrain'])
def test_weights_of_others(trained, scored, tmp_path, family):
    config, checkpoint = trained
    converted = tmp_path / f'{family}.pth'
    tool('convert_weights.py', checkpoint, converted, '--to', family)
    assert records((config, converted), tmp_path)['metrics'] == scored['metrics']


@pytest.mark.parametrize('output_stride', [32, 8])
def test_the_segmentor_starts_from_it(trained, output_stride, monkeypatch):
    """One line of a config: what train.py wrote, as it is."""
    _, checkpoint = trained
    init = dict(type='Pretrained', checkpoint=str(checkpoint))
    backbone = MODELS.build(dict(type='RepVGG', arch=TINY, output_stride=output_stride, init_cfg=init))
    said = []
    monkeypatch.setattr('repvgg_seg.models.repvgg.print_log', lambda message, *_: said.append(message))
    backbone.init_weights()
    written = torch.load(checkpoint, weights_only=False)['state_dict']
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, written[f'backbone.{name}'])
    assert 'not used by the backbone: linear.weight, linear.bias' in said


@pytest.mark.parametrize('change', ['missing', 'shape'])
def test_the_segmentor_does_not_start_from_a_part_of_it(trained, scenes, tmp_path, change):
    _, checkpoint = trained
    written = torch.load(checkpoint, weights_only=False)
    name = 'backbone.stage2.1.rbr_1x1.conv.weight'
    tensor = written['state_dict'].pop(name)
    if change == 'shape':
        written['state_dict'][name] = tensor[:, :-1]
    torch.save(written, tmp_path / 'broken.pth')
    cfg = tiny_config(scenes, tmp_path / 'work')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'broken.pth'))
    cfg.dump(tmp_path / 'seg.py')
    said = tool('train.py', tmp_path / 'seg.py', '--work-dir', tmp_path / 'work', status=2)
    assert ('1 missing' if change == 'missing' else '1 of another shape') in said
    assert 'stage2.1.rbr_1x1.conv.weight' in said


class Recorder(Hook):
    """The images of every iteration, known by their mean, with the learning rate that they met."""

    def __init__(self):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        images = data_batch['inputs'].float().mean((1, 2, 3)).tolist()
        self.seen.append((runner.epoch, runner.iter, runner.optim_wrapper.get_lr()['lr'], images))


def recorded(cfg):
    recorder = Recorder()
    runner = Runner.from_cfg(cfg)
    runner.register_hook(recorder)
    runner.train()
    return recorder.seen


def test_resumed_at_the_same_rate_and_with_the_same_order(photos, tmp_path):
    """Interrupted after the second epoch of four; nobody gave a seed."""

    def config():
        cfg = tiny_classifier(photos, tmp_path)
        cfg.train_dataloader.dataset.pipeline = cfg.test_pipeline
        return cfg

    whole = recorded(config())
    cfg = config()
    resume_from(cfg, str(tmp_path / 'epoch_2.pth'))
    resumed = recorded(cfg)
    assert len(whole) == 16 and resumed == whole[8:]
    assert whole[0][3] != whole[4][3], 'the order changes with the epoch'


def scalars(work):
    (path,) = work.glob('*/vis_data/scalars.json')
    return [step['loss'] for step in map(json.loads, path.read_text().splitlines()) if 'loss' in step]


@pytest.mark.parametrize('norm, tolerance', [(dict(type='GN', num_groups=1), 1e-4), (dict(type='BN'), 0.25)])
def test_two_processes_have_the_loss_curve_of_one(photos, tmp_path, norm, tolerance):
    """Over gloo, with the same global batch: exactly with a norm that sees one image at a time.

    BN takes its statistics from the process's half of the batch, and there is no SyncBN on a CPU: about the same.
    """
    curves = {}
    for processes, train in ((1, tool), (2, tool_in_two_processes)):
        cfg = tiny_classifier(
            photos, tmp_path, randomness__seed=0, train_cfg__max_epochs=10, train_cfg__val_interval=99
        )
        cfg.model.norm_cfg = norm
        cfg.custom_hooks = []  # GN cannot be fused
        cfg.param_scheduler = []
        cfg.optim_wrapper.optimizer.lr = 0.02
        cfg.train_dataloader.dataset.pipeline = cfg.test_pipeline
        cfg.train_dataloader.batch_size = 5  # for --keep-global-batch to put right
        cfg.auto_scale_lr.base_batch_size = 16
        cfg.dump(tmp_path / 'c.py')
        work = tmp_path / str(processes)
        train('train.py', tmp_path / 'c.py', '--work-dir', work, '--keep-global-batch')
        curves[processes] = torch.tensor(scalars(work))
    assert len(curves[1]) == len(curves[2]) == 10  # of the 18 images 16 in an epoch
    assert curves[1][-1] < curves[1][0]
    torch.testing.assert_close(curves[2], curves[1], rtol=tolerance, atol=0)


def test_the_global_batch_is_never_scaled_silently(trained, tmp_path, work):
    config, _ = trained
    said = tool('train.py', config, *work, '--cfg-options', 'train_dataloader.batch_size=2', 'train_cfg.max_epochs=1')
    assert 'the global batch is 2 (1 x 2), the recipe is for 4' in said and '--keep-global-batch shares out' in said


def test_all_processes_save_the_same_statistics(photos, tmp_path):
    """The mean over the processes, which for the first layer's means is that of one process with all images."""
    statistics = {}
    for processes, train in ((1, tool), (2, tool_in_two_processes)):
        cfg = tiny_classifier(photos, tmp_path, randomness__seed=0, train_cfg__max_epochs=1)
        cfg.param_scheduler = []
        cfg.optim_wrapper.optimizer.lr = 0.0
        cfg.train_dataloader.dataset.pipeline = cfg.test_pipeline
        cfg.dump(tmp_path / 'c.py')
        train('train.py', tmp_path / 'c.py', '--work-dir', tmp_path / str(processes), '--keep-global-batch')
        state = torch.load(tmp_path / str(processes) / 'epoch_1.pth', weights_only=False)['state_dict']
        statistics[processes] = state['backbone.stage0.rbr_dense.bn.running_mean']
    assert statistics[1].abs().max() > 0
    torch.testing.assert_close(statistics[2], statistics[1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('fault', ['classes', 'no train', 'empty', 'no image', 'val classes', 'few images'])
def test_train_refuses_in_one_line(trained, photos, tmp_path, work, fault):
    config, _ = trained
    root = shutil.copytree(photos, tmp_path / 'photos')
    options, message = [], ''
    if fault == 'classes':
        options, message = ['model.num_classes=4'], 'the data set has 3 classes, model.num_classes is 4'
    elif fault == 'no train':
        shutil.rmtree(root / 'train')
        message = 'has no train/ (it holds val)'
    elif fault == 'empty':
        (root / 'train' / 'n09').mkdir()
        message = 'n09 is an empty class'
    elif fault == 'val classes':
        (root / 'val' / 'n02').rename(root / 'val' / 'n09')
        options = [f'val_dataloader.dataset.data_root={root}']
        message = 'do not have the same classes: they differ in n02, n09'
    elif fault == 'few images':
        options, message = ['train_dataloader.batch_size=19'], '18 images for each process make no batch of 19'
    else:
        for path in (root / 'train' / 'n01').iterdir():
            path.write_text('no image')
        options, message = ['train_dataloader.num_workers=1'], 'the file is damaged or not an image'
    options.append(f'train_dataloader.dataset.data_root={root}')
    assert message in tool('train.py', config, *work, '--cfg-options', *options, status=2)


def test_grey_and_cmyk_are_trained_on(trained, photos, tmp_path, work):
    from PIL import Image

    config, _ = trained
    root = shutil.copytree(photos, tmp_path / 'photos')
    for mode, folder in (('L', 'n01'), ('CMYK', 'n02')):
        for path in (root / 'train' / folder).iterdir():
            with Image.open(path) as opened:
                image = opened.convert(mode)
            image.save(path)
    tool(
        'train.py',
        config,
        *work,
        '--cfg-options',
        f'train_dataloader.dataset.data_root={root}',
        'train_cfg.max_epochs=1',
    )


@pytest.mark.parametrize('option', [('--tta',), ('--out', 'x'), ('--format-only',), ('--show-dir', 'x')])
def test_what_is_for_segmentors(trained, tmp_path, work, option):
    given = [tmp_path / 'x' if word == 'x' else word for word in option]
    assert f'{option[0]} is for segmentors' in tool('test.py', *trained, *given, *work, status=2)


def test_the_strong_recipe_trains(photos, tmp_path):
    """AutoAugment, mixup and label smoothing together, with mixed precision, for an epoch."""
    cfg = tiny_classifier(photos, tmp_path / 'work', train_cfg__max_epochs=1, model__label_smoothing=0.1)
    cfg.model.data_preprocessor.update(auto_augment=True, mixup_alpha=0.2)
    cfg.dump(tmp_path / 'c.py')
    tool('train.py', tmp_path / 'c.py', '--work-dir', tmp_path / 'work', '--amp', '--channels-last')
    written = torch.load(tmp_path / 'work' / 'epoch_1.pth', weights_only=False)['state_dict']
    assert all(tensor.isfinite().all() for tensor in written.values())
    assert {name.split('.')[0] for name in written} == {'backbone', 'linear'}


def test_an_official_file_is_scored(photos, tmp_path):
    """As it comes from the authors: training form, under their names."""
    model = randomise_bn(RepVGGClassifier('A0', num_classes=3))
    official = {name.removeprefix('backbone.'): tensor for name, tensor in model.state_dict().items()}
    torch.save(official, tmp_path / 'RepVGG-A0-train.pth')
    loader = [
        f'test_dataloader.{key}' for key in (f'dataset.data_root={photos}', 'num_workers=0', 'persistent_workers=False')
    ]
    config = REPO / 'configs' / 'imagenet' / 'repvgg_a0_120e.py'
    said = tool(
        'test.py',
        config,
        tmp_path / 'RepVGG-A0-train.pth',
        '--work-dir',
        tmp_path / 'work',
        '--cfg-options',
        'model.num_classes=3',
        *loader,
    )
    assert 'evaluating the fused form: 22 RepVGG blocks' in said and 'top1: ' in said


def test_it_starts_from_a_classifier_of_other_classes(trained, tmp_path, work):
    config, _ = trained
    torch.save(RepVGGClassifier(TINY, num_classes=10).state_dict(), tmp_path / 'ten.pth')
    said = tool(
        'train.py', config, *work, '--cfg-options', f'load_from={tmp_path / "ten.pth"}', 'train_cfg.max_epochs=1'
    )
    assert 'is for 10 classes, not 3: it starts anew' in said


def test_a_stem_of_stride_1_is_no_other_architecture(tmp_path):
    """Tiny-ImageNet's network gives its weights to a segmentor, whose stem has stride 2."""
    torch.save(RepVGGClassifier('A0', stem_stride=1).state_dict(), tmp_path / 'a0.pth')
    backbone = RepVGG('A0', output_stride=8, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'a0.pth')))
    backbone.init_weights()
