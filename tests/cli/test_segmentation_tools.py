"""The tools as a user runs them, each in a process of its own, on a run of four iterations."""

import importlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from cityscapesscripts.helpers.labels import trainId2label
from helpers import REPO, randomise_bn, records, relative_error, tool, tool_in_two_processes
from mmengine.config import Config
from mmseg.datasets import CityscapesDataset
from mmseg.registry import MODELS
from PIL import Image
from tiny import TINY, tiny_config
from weight_files import classifier, written_by

HOOK_BESIDE_IT = """
from mmengine.hooks import Hook
from mmseg.registry import HOOKS


@HOOKS.register_module()
class HookBesideIt(Hook):
    pass
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """A config file, and the checkpoint that tools/train.py wrote for it."""
    work = tmp_path_factory.mktemp('trained')
    config = work / 'tiny.py'
    cfg = tiny_config(scenes, work, log_level='INFO')
    cfg.dump(config)
    said = tool('train.py', config, '--work-dir', work)
    assert 'evaluating the fused form: 11 RepVGG blocks' in said
    return config, work / 'iter_4.pth'


@pytest.fixture(scope='module')
def scored(trained, tmp_path_factory):
    """What tools/test.py records of it."""
    return records(trained, tmp_path_factory.mktemp('scored'))


def test_scores_fused_and_unfused_are_the_same(trained, scored, tmp_path):
    fused, plain = scored, records(trained, tmp_path, '--no-fuse')
    assert (fused['form'], plain['form']) == ('fused', 'training form')
    assert fused['images'] == plain['images'] == len(fused['image_miou']) == 2
    assert sum(map(sum, fused['confusion'])) > 0 and 'examples' not in fused
    assert fused['metrics'].keys() == {'mIoU', 'mAcc', 'aAcc'} and len(fused['per_class']) == 19
    for name, value in fused['metrics'].items():
        assert value == pytest.approx(plain['metrics'][name], abs=0.01)
    for key in ('device', 'torch', 'mmseg'):
        assert fused['environment'][key]
    assert (fused['training']['iterations'], fused['training']['seed'], fused['training']['batch_size']) == (4, 3, 2)
    assert fused['checkpoint']['name'] == 'iter_4.pth' and len(fused['checkpoint']['sha256']) == 64


def test_a_page_about_the_run(trained, tmp_path):
    page = tmp_path / 'report.html'
    said = tool('report.py', trained[0].parent, '--split', 'val', '--images', 1, '--out', page)
    assert said.splitlines()[-1] == str(page)
    text = page.read_text(encoding='utf-8')
    # One image, which is the worst of one, in both forms.
    for expected in (
        'Loss',
        'Confusion matrix',
        '<strong>worst</strong>',
        '<td>fused</td>',
        '<td>training form</td>',
        '+0.00',
    ):
        assert expected in text, expected
    assert text.count('<img ') == 3 and 'tools/train.py' in text
    assert text.split('id="missing"')[1].count('Nothing.') == 1


def test_scores_of_the_optimized_form_are_the_same(trained, scored, tmp_path):
    optimized = records(trained, tmp_path, '--optimize', '--memory', 'fused')
    assert optimized['form'] == 'optimized'
    assert optimized['metrics'] == pytest.approx(scored['metrics'], abs=0.01)


def test_checkpoints_are_those_of_the_head_of_mmseg_both_ways(trained, tmp_path, work):
    """mmseg's head trains on from a file of ours; the file that it makes is scored alike under both."""
    plain = ('--cfg-options', 'model.decode_head.type=PSPHead')
    tool('train.py', trained[0], *work, *plain, f'load_from={trained[1]}')
    theirs = trained[0], work[1] / 'iter_4.pth'
    assert records(theirs, tmp_path)['metrics'] == pytest.approx(records(theirs, tmp_path, *plain)['metrics'], abs=0.01)
    before, after = (torch.load(path, weights_only=False)['state_dict'] for _, path in (trained, theirs))
    name = 'decode_head.bottleneck.conv.weight'
    assert before.keys() == after.keys() and not torch.equal(before[name], after[name])


def test_test_time_augmentation(trained, tmp_path):
    assert records(trained, tmp_path, '--tta')['tta'] is True


def test_predictions_as_official_labels_and_as_pictures(trained, tmp_path, work):
    out, show = tmp_path / 'out', tmp_path / 'show'
    tool('test.py', *trained, '--out', out, '--show-dir', show, *work)
    labels = sorted(out.rglob('*.png'))
    names = [f'synthval/synthval_00000{i}_000019_leftImg8bit.png' for i in range(2)]
    assert [path.relative_to(out).as_posix() for path in labels] == names
    official = {label.id for train_id, label in trainId2label.items() if 0 <= train_id < 19}
    for path in labels:
        label = np.array(Image.open(path))
        assert label.shape == (64, 128) and set(np.unique(label)) <= official
    assert {Image.open(show / name).size for name in names} == {(256, 64)}, 'label and prediction side by side'
    assert 'exists: name a new folder' in tool('test.py', *trained, '--show-dir', show, *work, status=2)
    assert 'is not empty' in tool('test.py', *trained, '--out', out, *work, status=2)


def test_prediction_without_labels(trained, scenes, tmp_path, work):
    images = shutil.copytree(scenes / 'leftImg8bit', tmp_path / 'images' / 'leftImg8bit')
    root = f'test_dataloader.dataset.data_root={images.parent}'
    tool('test.py', *trained, '--out', tmp_path / 'out', '--format-only', *work, '--cfg-options', root)
    assert len(list((tmp_path / 'out').rglob('*.png'))) == 2
    prefix = 'test_dataloader.dataset.data_prefix'
    none = (f'{prefix}._delete_=True', f'{prefix}.img_path=leftImg8bit/val')
    assert '--format-only' in tool('test.py', *trained, *work, '--cfg-options', root, *none, status=2)


def test_two_data_sets_with_images_of_the_same_names(trained, scenes, tmp_path, work):
    """Each with numbers of its own, scored as one set, and predicted without labels too."""
    cfg = Config.fromfile(trained[0])
    first = cfg.test_dataloader.dataset
    copy = shutil.copytree(scenes, tmp_path / 'other scenes' / 'ö')
    steps = [step for step in first.pipeline if step.type != 'CheckAnnotations']
    metainfo = {key: CityscapesDataset.METAINFO[key] for key in ('classes', 'palette')}
    suffixes = dict(img_suffix='_leftImg8bit.png', seg_map_suffix='_gtFine_labelTrainIds.png')
    plain = dict(first, type='BaseSegDataset', data_root=str(copy), pipeline=steps, metainfo=metainfo, **suffixes)
    both = dict(type='ConcatDataset', datasets=[first, plain])
    cfg.test_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=both)
    cfg.dump(tmp_path / 'two.py')
    for name, options in dict(scored=['--show-dir', tmp_path / 'show'], alone=['--format-only', '--tta']).items():
        out = tmp_path / name
        said = tool('test.py', tmp_path / 'two.py', trained[1], '--out', out, *options, *work)
        assert ('mIoU' in said) == (name == 'scored')
        files = sorted(out.rglob('*.png'))
        numbers = [np.array(Image.open(path)) for path in files if 'ö' in path.parts]
        official = [np.array(Image.open(path)) for path in files if 'ö' not in path.parts]
        assert len(numbers) == len(official) == 2
        for classes, ids in zip(numbers, official, strict=True):
            assert np.array_equal(ids, np.array([trainId2label[i].id for i in range(19)])[classes])
    assert len(list((tmp_path / 'show').rglob('*.png'))) == 4

    black = dict(plain, metainfo=dict(metainfo, palette=[[0, 0, 0]] * 19))
    cfg.test_dataloader.dataset = dict(both, datasets=[first, black])
    cfg.dump(tmp_path / 'unlike.py')
    assert 'ignore_keys' in tool('test.py', tmp_path / 'unlike.py', trained[1], *work, status=2)


def test_reparameterize_and_score_the_fused_file(trained, scenes, tmp_path, work):
    config, checkpoint = trained
    fused = tmp_path / 'fused.pth'
    image = next((scenes / 'leftImg8bit' / 'val').rglob('*.png'))
    said = tool('reparameterize.py', config, checkpoint, fused, '--image', image)
    difference = float(said.split('of the fused form: ')[1].split()[0])
    assert 0 < difference < 1e-5
    names = torch.load(fused, weights_only=False)['state_dict']
    assert 'backbone.stage0.rbr_reparam.weight' in names and not any('rbr_dense' in name for name in names)
    from_file = records((config, fused), tmp_path)
    assert from_file['metrics'] == pytest.approx(records(trained, tmp_path)['metrics'], abs=0.01)

    before = fused.read_bytes()
    assert 'exists' in tool('reparameterize.py', config, checkpoint, fused, status=2)
    assert fused.read_bytes() == before
    assert 'cannot be recovered' in tool('reparameterize.py', config, checkpoint, checkpoint, '--overwrite', status=2)
    assert 'is fused already' in tool('test.py', config, fused, '--no-fuse', *work, status=2)
    assert 'nothing to fuse' in tool('reparameterize.py', config, fused, tmp_path / 'again.pth', status=2)
    # and into a model built fused
    deploy = ('--cfg-options', 'model.backbone.deploy=True')
    tool('test.py', config, fused, *work, *deploy)
    tool('test.py', config, checkpoint, *work, *deploy)


def test_reparameterize_writes_nothing_where_the_forms_differ(trained, tmp_path):
    """A BN whose variance has gone to NaN."""
    config, checkpoint = trained
    broken = torch.load(checkpoint, weights_only=False)
    broken['state_dict']['backbone.stage1.0.rbr_dense.bn.running_var'][0] = float('nan')
    torch.save(broken, tmp_path / 'broken.pth')
    out = tmp_path / 'fused.pth'
    assert 'nothing is written' in tool('reparameterize.py', config, tmp_path / 'broken.pth', out, status=2)
    assert not out.exists()


def test_checkpoint_of_another_architecture(trained, tmp_path, work):
    config, _ = trained
    other = randomise_bn(MODELS.build(dict(type='RepVGG', arch='A0', output_stride=8)))
    torch.save({f'backbone.{name}': tensor for name, tensor in other.state_dict().items()}, tmp_path / 'a0.pth')
    assert 'is a RepVGG-A0, the config says' in tool('test.py', config, tmp_path / 'a0.pth', *work, status=2)


def test_a_second_run_does_not_write_over_the_first(trained):
    config, checkpoint = trained
    before = checkpoint.read_bytes()
    assert '--resume goes on from it' in tool('train.py', config, '--work-dir', checkpoint.parent, status=2)
    assert checkpoint.read_bytes() == before


def test_the_speed_of_the_demo(trained, scenes, monkeypatch):
    demo = importlib.import_module('repvgg_seg.cli.demo')
    monkeypatch.setattr(demo, 'CONFIG', str(trained[0]))
    image = next((scenes / 'leftImg8bit' / 'val').rglob('*.png'))
    assert sorted(demo.seconds_per_image(trained[1], image)) == ['fused', 'training']


def test_training_starts_from_no_fused_checkpoint(trained, tmp_path, work):
    config, checkpoint = trained
    tool('reparameterize.py', config, checkpoint, tmp_path / 'fused.pth')
    said = tool('train.py', config, *work, '--cfg-options', f'load_from={tmp_path / "fused.pth"}', status=2)
    assert 'cannot be taken apart again' in said


def test_resume(trained, tmp_path):
    """From the second iteration to the fourth: counters, momentum and learning rate go on."""
    config, checkpoint = trained
    tool('train.py', config, '--work-dir', tmp_path, '--resume', checkpoint.with_name('iter_2.pth'))
    half, whole, resumed = (
        torch.load(path, weights_only=False)
        for path in (checkpoint.with_name('iter_2.pth'), checkpoint, tmp_path / 'iter_4.pth')
    )
    assert resumed['meta']['iter'] == 4
    assert resumed['param_schedulers'] == whole['param_schedulers'] != half['param_schedulers']
    assert not (tmp_path / 'iter_2.pth').exists(), 'it did not start again'


def test_resume_with_other_settings(trained, tmp_path):
    """A longer schedule, another rate and a wrapper for GPUs: PolyLR's rate after 4 of 8 iterations, by hand."""
    config, checkpoint = trained
    longer = ('train_cfg.max_iters=4', 'param_scheduler.0.end=8', 'optim_wrapper.optimizer.lr=0.1')
    other = ('optim_wrapper.type=AmpOptimWrapper', 'optim_wrapper.loss_scale=512', 'optim_wrapper.dtype=float16')
    said = tool(
        'train.py', config, '--work-dir', tmp_path, '--resume', checkpoint.with_name('iter_2.pth'),
        '--cfg-options', *longer, *other,
    )  # fmt: skip
    assert (
        'config and iter_2.pth differ in optimizer.lr 0.05 -> 0.1, param_scheduler.0.end 4 -> 8: the config rules'
        in said
    )
    if not torch.cuda.is_available():
        assert "is computed in bfloat16, without loss_scale=512.0, dtype='float16'" in said
    (group,) = torch.load(tmp_path / 'iter_4.pth', weights_only=False)['optimizer']['param_groups']
    assert group['lr'] == pytest.approx((0.1 - 1e-4) * (1 - 4 / 7) ** 0.9 + 1e-4)
    again = tool('train.py', config, '--work-dir', tmp_path, '--resume', '--cfg-options', *longer)
    assert 'this run is finished: 4 iterations are done and train_cfg.max_iters is 4' in again


def test_mixed_precision_and_channels_last(trained, tmp_path):
    config, checkpoint = trained
    tool('train.py', config, '--work-dir', tmp_path, '--amp', '--channels-last')
    plain, mixed = (torch.load(path, weights_only=False) for path in (checkpoint, tmp_path / 'iter_4.pth'))
    name = 'backbone.stage4.0.rbr_dense.conv.weight'
    plain, mixed = plain['state_dict'][name], mixed['state_dict'][name]
    assert mixed.dtype == torch.float32
    assert 0 < relative_error(mixed, plain) < 0.1


def test_train_refuses_raw_labels_in_one_line(trained, work):
    """From the worker of a loader; tests/cli/test_bad_inputs.py has what is refused before."""
    suffix = 'train_dataloader.dataset.seg_map_suffix=_gtFine_labelIds.png'
    said = tool('train.py', trained[0], *work, '--cfg-options', suffix, 'train_dataloader.num_workers=1', status=2)
    assert 'raw Cityscapes' in said


def test_a_damaged_image_is_named(trained, scenes, tmp_path, work):
    copy = shutil.copytree(scenes, tmp_path / 'copy')
    for image in (copy / 'leftImg8bit' / 'train').rglob('*.png'):
        image.write_bytes(image.read_bytes()[:500])
    options = (f'train_dataloader.dataset.data_root={copy}', 'train_dataloader.num_workers=1')
    assert f'cannot decode {copy}' in tool('train.py', trained[0], *work, '--cfg-options', *options, status=2)


def test_distributed_over_gloo(trained, scored, tmp_path):
    """Two processes, as on two GPUs; the scripts are torchrun's."""
    config, checkpoint = trained
    env = dict(os.environ, PYTHON=sys.executable, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')
    one = ('--cfg-options', 'train_cfg.max_iters=2', 'train_cfg.val_interval=2')
    subprocess.run(
        ['tools/dist_train.sh', config, '2', '--work-dir', tmp_path / 'a', *one], cwd=REPO, env=env, check=True
    )
    assert (tmp_path / 'a' / 'iter_2.pth').exists()
    result = tmp_path / 'r.json'
    test = ['tools/dist_test.sh', config, checkpoint, '2', '--work-dir', tmp_path / 'b', '--result', result]
    folders = tmp_path / 'out', tmp_path / 'show'
    subprocess.run([*test, '--out', folders[0], '--show-dir', folders[1]], cwd=REPO, env=env, check=True)
    for folder in folders:
        assert len([path for path in folder.rglob('*') if path.is_file()]) == 2, 'one of each process'
    assert json.loads(result.read_text())['metrics'] == pytest.approx(scored['metrics'], abs=0.01)


def test_hooks_and_options_of_ones_own_lose_nothing(trained, scenes, tmp_path, work):
    """A child's custom_hooks replaces the base's; blanks and commas of a path stay; a module lies beside the config."""
    config, checkpoint = trained
    data = shutil.copytree(scenes, tmp_path / 'my data, new')
    weights = tmp_path / 'timm, old.pth'
    torch.save(written_by(classifier(TINY), 'timm'), weights)
    (tmp_path / 'hook_beside_it.py').write_text(HOOK_BESIDE_IT)
    child = tmp_path / 'child.py'
    child.write_text(
        f"_base_ = ['{config}']\ncustom_imports = dict(imports=['repvgg_seg', 'hook_beside_it'])\n"
        "custom_hooks = [dict(type='EMAHook', momentum=0.01), dict(type='HookBesideIt')]\n"
    )
    said = tool(
        'train.py', child, *work, '--cfg-options', f'load_from={weights}', f'train_dataloader.dataset.data_root={data}'
    )
    assert 'custom_hooks lack SwitchToDeployHook, LoadWeightsHook' in said
    assert 'evaluating the fused form: 11 RepVGG blocks' in said
    child.write_text(f"_base_ = ['{config}']\ndisabled_protections = ['SwitchToDeployHook']\n")
    options = ('--cfg-options', f'test_dataloader.dataset.data_root={data}', 'test_dataloader.num_workers=0')
    record = records((child, checkpoint), tmp_path, *options)
    assert record['form'] == 'training form'
    assert record['options'] == {'test_dataloader.dataset.data_root': str(data), 'test_dataloader.num_workers': 0}


@pytest.mark.parametrize(
    'options',
    [
        ('model.backbone.out_indices=[0,1,2]',),
        (),  # stage 5 is computed and no head reads it: find_unused_parameters is set for the run
    ],
    ids=['not computed', 'not read'],
)
def test_two_processes_without_the_last_stage(trained, options, tmp_path):
    heads = ('model.decode_head.in_index=2', 'model.decode_head.in_channels=64')
    heads += ('model.auxiliary_head.in_index=1', 'model.auxiliary_head.in_channels=32', 'train_cfg.max_iters=3')
    tool_in_two_processes('train.py', trained[0], '--work-dir', tmp_path / 'a', '--cfg-options', *heads, *options)
    weights = torch.load(tmp_path / 'a' / 'iter_3.pth', weights_only=False)['state_dict']
    assert 'backbone.stage4.0.rbr_dense.conv.weight' in weights
