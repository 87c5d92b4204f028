"""From a checkpoint to a file that is scored, predicts and is timed, by the command line."""

import json
import os
import shutil
from collections import OrderedDict

import cv2
import numpy as np
import pytest
import torch
from engine_files import find_several_classes, skip_without_engine
from helpers import REPO, randomise_bn
from mmengine.logging import MMLogger
from mmseg.registry import MODELS
from PIL import Image
from tiny import tiny_config

from repvgg_seg.cli.main import main as command_line
from repvgg_seg.export.engine_info import read_info

TOOL = REPO / 'tools' / 'export.py'
pytestmark = pytest.mark.slow
SIZE = (64, 128)  # of the scenes


def picture_of(scenes):
    return next(scenes.rglob('val/**/*leftImg8bit.png'))


@pytest.fixture(scope='module')
def trained(scenes, tmp_path_factory):
    """A config and a checkpoint of random weights that find several classes."""
    from mmengine.registry import init_default_scope

    init_default_scope('mmseg')
    folder = tmp_path_factory.mktemp('trained')
    cfg = tiny_config(scenes, folder)
    torch.manual_seed(0)
    model = randomise_bn(MODELS.build(cfg.model)).eval()
    pixels = torch.from_numpy(cv2.imread(str(picture_of(scenes)))).permute(2, 0, 1)
    find_several_classes(model, model.data_preprocessor(dict(inputs=[pixels]), False)['inputs'])
    cfg.pop('work_dir')
    cfg.dump(folder / 'tiny.py')
    torch.save(dict(state_dict=model.state_dict()), folder / 'tiny.pth')
    return folder / 'tiny.py', folder / 'tiny.pth'


@pytest.fixture(scope='module')
def file(trained, tmp_path_factory):
    """The network in a file for ncnn, which is made most quickly."""
    skip_without_engine('ncnn')
    folder = tmp_path_factory.mktemp('exported')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('sys.argv', [])
        command_line(
            ['export', *map(str, trained), '--to', 'ncnn', '--size', *map(str, SIZE), '--out-dir', str(folder)]
        )
    return folder / 'tiny_64x128.ncnn.param'


def call(monkeypatch, capsys, *words):
    """Call a command; exit status, stdout and stderr."""
    monkeypatch.setattr('sys.argv', [])
    monkeypatch.setattr(MMLogger, '_instance_dict', OrderedDict())  # those of earlier tests write to their screens
    status = 0
    try:
        command_line([*map(str, words)])
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


def test_what_lies_beside_the_file(file, scenes):
    assert sorted(path.name for path in file.parent.iterdir()) == [
        'tiny_64x128.ncnn.bin',
        'tiny_64x128.ncnn.param',
        'tiny_64x128.ncnn.param.json',
    ]
    info = read_info(file)
    assert info.classes[:2] == ('road', 'sidewalk') and info.palette[0] == (128, 64, 128) and info.size == SIZE
    assert info.data_preprocessor['mean'] == (123.675, 116.28, 103.53) and info.test_cfg == dict(mode='whole')
    compared = info.about['compared']
    assert compared['images'] == 2 and compared['sizes'] == ['64x128'] and compared['relative_error'] < 1e-4
    assert str(scenes) not in json.dumps(info.about)


def test_the_scores_are_those_of_the_checkpoint(monkeypatch, capsys, trained, file, tmp_path):
    config, checkpoint = trained
    records = []
    for name, given in (('engine', ('--engine', file)), ('torch', (checkpoint,))):
        result = tmp_path / f'{name}.json'
        words = ('test', config, *given, '--result', result, '--work-dir', tmp_path / 'work')
        status, _, err = call(monkeypatch, capsys, *words)
        assert status == 0, err
        records.append(json.loads(result.read_text()))
    engine, torch_ = records
    assert engine['form'] == 'ncnn-fp32' and torch_['form'] == 'fused'
    assert engine['engine']['size'] == [64, 128] and engine['engine']['about']['checkpoint']['name'] == 'tiny.pth'
    for name, score in torch_['metrics'].items():
        assert engine['metrics'][name] == pytest.approx(score, abs=0.01)
    assert np.count_nonzero(np.sum(torch_['confusion'], 0)) > 1  # several classes are predicted


def test_it_predicts_without_a_config(monkeypatch, capsys, trained, file, scenes, tmp_path):
    picture = picture_of(scenes)
    labels = []
    for name, given in (
        ('engine', ('--checkpoint', file)),
        ('torch', ('--checkpoint', trained[1], '--config', trained[0])),
    ):
        words = ('predict', picture, *given, '--out-dir', tmp_path / name, '--device', 'cpu')
        status, _, err = call(monkeypatch, capsys, *words)
        assert status == 0, err
        labels.append(np.array(Image.open(next((tmp_path / name / 'labels').rglob('*.png')))))
    assert len(np.unique(labels[1])) > 1 and (labels[0] == labels[1]).mean() > 0.999
    assert json.loads((tmp_path / 'engine/predictions.json').read_text())['form'] == 'ncnn-fp32'


def test_it_is_timed(monkeypatch, capsys, file, tmp_path):
    words = (
        'benchmark',
        'segmentors',
        '--engine',
        file,
        '--sizes',
        '64x128',
        '--batch',
        2,
        '--rounds',
        1,
        '--warmup',
        1,
    )
    status, out, err = call(monkeypatch, capsys, *words, '--device', 'cpu', '--out', tmp_path / 'times')
    assert status == 0, err
    (row,) = json.loads((tmp_path / 'times.json').read_text())['rows']
    assert (row['name'], row['form'], row['size']) == ('tiny_64x128', 'ncnn-fp32', '64x128') and row['ms'] > 0
    assert 'peak_activations_mib' not in row and 'tiny_64x128' in out
    status, _, err = call(
        monkeypatch, capsys, *words[:4], *words[3:4], '--sizes', '64x128', '--device', 'cpu', '--out', tmp_path / 't'
    )
    assert status == 2 and 'is given twice' in err


@pytest.mark.parametrize(
    'line, said',
    [
        ('export {config} {checkpoint} --to ncnn', 'takes images of one size: name it'),
        ('export {config} {checkpoint} --to onnx --dynamic --size 64 64', '--size and --dynamic exclude each other'),
        ('export {config} {checkpoint} --to onnx --precision bf16', "ONNX Runtime computes in fp32 or int8 here, got 'bf16'"),
        ('export {config} {checkpoint} --to onnx --precision int8 --int8-error -1', '--int8-error is a share'),
        ('export {config} {checkpoint} --to auto --size 64 128 --out-dir {folder}', 'exists: name another folder'),
        ('export {config} {checkpoint} --to ncnn --size 0 64', 'height and width in pixels, got 0 64'),
        ('export {config} none.pth --to torch-export', 'no file none.pth'),
        ('export none.py {checkpoint} --to torch-export', 'no config none.py'),
        ('export {config} {checkpoint} --to torch-export --images none.png', 'none.png'),
        ('export {config} {checkpoint} --to torch-export --out-dir {checkpoint}', 'cannot make this folder'),
        ('export {config} {checkpoint} --to ncnn --size 64 128 --out-dir {folder}', 'exists: name another folder'),
        ('test {config}', 'nothing to score: name a checkpoint, or a file of tools/export.py'),
        ('test {config} {checkpoint} --engine {file}', '--engine is scored in the place of a checkpoint'),
        ('test {config} --engine {file} --optimize', '--optimize is for a checkpoint'),
        ('test {config} --engine {file} --no-fuse', '--no-fuse is for a checkpoint'),
        ('test {config} --engine none.onnx', 'no file none.onnx'),
        ('test {config} --engine {checkpoint}', 'is no exported file, by its ending'),
        (
            'test {config} --engine {file} --cfg-options model.decode_head.num_classes=4',
            'predicts 19 classes, and the config has 4',
        ),
        (
            'test {config} --engine {file} --cfg-options test_dataloader.dataset.pipeline.1.scale=(64,32)',
            'takes images of 64x128 (height x width) alone, got 32x64',
        ),
        ('predict {picture} --checkpoint {file} --form optimized --device cpu', 'has the form that it was exported in'),
        ('benchmark segmentors --engine {file} --sizes 32x32 --device cpu --out o', 'takes images of 64x128 alone'),
    ],
)  # fmt: skip
def test_refusals(monkeypatch, capsys, trained, file, scenes, tmp_path, line, said):
    monkeypatch.chdir(tmp_path)
    config, checkpoint = trained
    picture = picture_of(scenes)
    names = dict(config=config, checkpoint=checkpoint, file=file, folder=file.parent, picture=picture)
    before = sorted(file.parent.iterdir()), sorted(checkpoint.parent.iterdir())
    words = [word.format(**names) for word in line.split()]
    words += ['--work-dir', str(tmp_path / 'work')] if words[0] == 'test' else []
    status, _, err = call(monkeypatch, capsys, *words)
    assert status == 2 and 'Traceback' not in err
    (error,) = [line for line in err.splitlines() if 'error: ' in line]
    assert said in error
    assert (sorted(file.parent.iterdir()), sorted(checkpoint.parent.iterdir())) == before
    assert {path.name for path in tmp_path.iterdir()} <= {'work', 'exported'}
    assert not (tmp_path / 'exported').exists() or not list((tmp_path / 'exported').iterdir())


def test_a_file_of_other_classes(monkeypatch, capsys, trained, file, tmp_path):
    for path in file.parent.iterdir():
        shutil.copy(path, tmp_path)
    info = tmp_path / f'{file.name}.json'
    info.write_text(info.read_text().replace('"road"', '"?"').replace('"sky"', '"road"').replace('"?"', '"sky"'))
    words = ('test', trained[0], '--engine', tmp_path / file.name, '--work-dir', tmp_path / 'work')
    status, _, err = call(monkeypatch, capsys, *words)
    assert status == 2 and 'was trained on other classes: the order differs, class 0 is ' in err


def test_an_unfusable_model(monkeypatch, capsys, scenes, tmp_path):
    cfg = tiny_config(scenes, tmp_path)
    cfg.model.backbone.norm_cfg = dict(type='GN', num_groups=4)
    cfg.dump(tmp_path / 'gn.py')
    torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'gn.pth')
    words = ('export', tmp_path / 'gn.py', tmp_path / 'gn.pth', '--to', 'torch-export', '--out-dir', tmp_path / 'out')
    status, _, err = call(monkeypatch, capsys, *words)
    assert status == 2 and 'only fused networks are exported: cannot fuse GroupNorm' in err
    assert os.listdir(tmp_path / 'out') == []
