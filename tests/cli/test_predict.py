"""tools/predict.py by its command line."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import REPO, tool
from PIL import Image
from script_process import run_script
from tiny import TINY
from videos import read, write

from repvgg_seg.cli.predict import MANY, check_args, end_on_sigterm, new_folder, parse_args

TOOL = REPO / 'tools' / 'predict.py'


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    """A network that needs no config: three classes, random weights."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    init_default_scope('mmseg')
    head = dict(type='FCNHead', in_channels=128, channels=128, num_classes=3, num_convs=0, concat_input=False)
    head['loss_decode'] = dict(type='CrossEntropyLoss', avg_non_ignore=True)
    model = dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[128.0] * 3, std=[64.0] * 3, bgr_to_rgb=True),
        backbone=dict(type='RepVGG', arch=TINY, norm_cfg=dict(type='BN')),
        decode_head=head,
    )
    cfg = Config(dict(model=model, test_pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]))
    torch.manual_seed(0)
    built = MODELS.build(cfg.model)
    torch.nn.init.normal_(built.decode_head.conv_seg.weight)
    path = tmp_path_factory.mktemp('network') / 'net.pth'
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=built.state_dict()), path)
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The current folder, with two pictures and a broken one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'in').mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for name in ('a.png', 'ein blick 道路.png'):
        Image.fromarray(noise).save(tmp_path / 'in' / name)
    (tmp_path / 'in/broken.png').write_bytes(b'\x89PNG\r\n\x1a\n')
    return tmp_path


def predict(place, *args):
    return run_script(TOOL, *map(str, args), cwd=place)


@pytest.mark.slow
def test_a_folder_with_a_broken_file(place, checkpoint):
    status, stdout, stderr = predict(place, 'in', '--checkpoint', checkpoint, '--device', 'cpu')
    assert status == 1 and 'Traceback' not in stderr
    assert '2 images in ' in stdout and ' images/s: overlay, colours, labels in predictions\n' in stdout
    lines = stderr.splitlines()
    assert lines[-2] == 'error: 1 of 3 inputs could not be predicted:' and 'in/broken.png' in lines[-1]
    written = {str(path.relative_to(place)) for path in (place / 'predictions').rglob('*') if path.is_file()}
    assert written == {
        'predictions/predictions.json',
        *(f'predictions/overlay/{name}.jpg' for name in ('a', 'ein blick 道路')),
        *(f'predictions/{kind}/{name}.png' for kind in ('colours', 'labels') for name in ('a', 'ein blick 道路')),
    }
    record = json.loads((place / 'predictions/predictions.json').read_text())
    assert (record['complete'], record['images'], record['form'], record['config']) == (True, 2, 'fused', None)
    assert record['classes'] == ['class 0', 'class 1', 'class 2'] and [one['input'] for one in record['broken']] == [
        'in/broken.png'
    ]
    # Once more: a new folder, in which the first is no input.
    status, stdout, _ = predict(place, '.', '--checkpoint', checkpoint, '--device', 'cpu', '--write', 'labels')
    assert status == 1 and 'labels in predictions_2' in stdout
    assert sorted(path.name for path in (place / 'predictions_2/labels/in').iterdir()) == [
        'a.png',
        'ein blick 道路.png',
    ]


@pytest.mark.slow
def test_a_pipe_options_between_inputs_and_an_optimized_form(place, checkpoint):
    """As `predict <(cat in/a.png) --batch-size 2 in/a.png` in bash."""
    os.mkfifo(place / 'pipe')
    content = (place / 'in/a.png').read_bytes()
    threading.Thread(target=(place / 'pipe').write_bytes, args=(content,), daemon=True).start()
    options = (
        '--batch-size',
        2,
        '--out-dir',
        'out',
        '--checkpoint',
        checkpoint,
        '--form',
        'optimized',
        '--device',
        'cpu',
    )
    status, _, stderr = predict(place, 'pipe', *options[:4], 'in/a.png', *options[4:])
    assert status == 0, stderr
    piped, named = (np.array(Image.open(place / 'out/labels' / name)) for name in ('pipe_pipe.png', 'a.png'))
    np.testing.assert_array_equal(piped, named)
    assert json.loads((place / 'out/predictions.json').read_text())['form'] == 'optimized'


@pytest.mark.slow
def test_ctrl_c_leaves_whole_files(place, checkpoint):
    write(place / 'long.mp4', frames=3000, size=(48, 64))
    command = [
        sys.executable,
        TOOL,
        'in/a.png',
        'long.mp4',
        '--checkpoint',
        checkpoint,
        '--out-dir',
        'out',
        '--form',
        'fused',
    ]
    env = dict(os.environ, PYTHONPATH=str(REPO), OMP_NUM_THREADS='1')
    options = dict(cwd=place, env=env, stderr=subprocess.PIPE, text=True)
    # A shell has processes in the background ignore the signal, and those that they start.
    options['preexec_fn'] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(list(map(str, command)), **options) as process:
        until = time.monotonic() + 120
        while not list(place.glob('out/overlay/.long*')) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and 'Traceback' not in stderr, stderr
    reader, frames = read(place / 'out/overlay/long.mp4')
    assert 0 < len(frames) < 3000 and Image.open(place / 'out/labels/in/a.png').size == (64, 48)
    assert not list((place / 'out').rglob('.*'))
    record = json.loads((place / 'out/predictions.json').read_text())
    assert not record['complete'] and record['predicted'][-1]['frames'] == len(frames)


@pytest.mark.slow
@pytest.mark.parametrize(
    'args, said',
    [
        (['in/none.png'], 'no such file or folder: in/none.png'),
        (['net.py', 'in/a.png'], 'net.py is no image: say --config net.py'),
        (['net.pth', 'in/a.png'], 'net.pth is no image: say --checkpoint net.pth'),
        (['in/a.png', '--write', 'pictures'], "'pictures' is none of overlay, colours, labels"),
        (['in/a.png', '--write', ''], 'is none of overlay'),
        (['in/a.png', '--opacity', '2'], '--opacity must be from 0 to 1, got 2.0'),
        (['in/a.png', '--opacity', 'nan'], '--opacity must be from 0 to 1, got nan'),
        (['in/a.png', '--batch-size', '0'], '--batch-size must be 1 or more, got 0'),
        (['in/a.png', '--frames', '-1'], '--frames must be 1 or more, got -1'),
        (['in/a.png', '--memory', '2GB'], 'memory'),
        (['in/a.png', '--device', 'tpu'], "device 'tpu' cannot be used here"),
        (['in/a.png', '--config', 'pspnet_repvgg_b2'], 'comes without a checkpoint'),
        (['in/a.png', '--checkpoint', 'none.pth'], 'no file none.pth'),
        (['in/a.png', '--checkpoint', '{checkpoint}', '--ids', 'official'], 'these are the ids of Cityscapes'),
        (['in/a.png', '--checkpoint', '{checkpoint}', '--out-dir', 'in/a.png'], 'in/a.png: cannot make this folder'),
        (['in/a.png', '--checkpoint', '{checkpoint}', '--out-dir', ''], '--out-dir names no folder'),
        (['in/a.png', '--checkpoint', '{checkpoint}', '--out-dir', 'done'], 'done/predictions.json exists'),
    ],
)  # fmt: skip
def test_refusals_are_one_line_and_write_nothing(place, checkpoint, args, said):
    (place / 'done').mkdir()
    (place / 'done/predictions.json').write_text('x')
    before = sorted(place.rglob('*'))
    words = [word.format(checkpoint=checkpoint) for word in args]
    status, _, stderr = run_script(TOOL, *words, cwd=place)
    assert status == 2 and 'Traceback' not in stderr
    assert said in [line for line in stderr.splitlines() if line.startswith('error: ')][-1]
    assert sorted(place.rglob('*')) == before


@pytest.mark.parametrize(
    'line', ['a.png --device cpu b.png', '--device cpu -- a.png b.png', 'a.png b.png --device cpu']
)
def test_options_stand_anywhere(monkeypatch, line):
    monkeypatch.setattr(sys, 'argv', ['predict', *line.split()])
    args = parse_args()
    assert (args.inputs, args.device) == (['a.png', 'b.png'], 'cpu')


def test_a_new_folder_for_every_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('predictions', 'predictions_2', 'predictions_3'):
        assert new_folder() == name
        Path(name).symlink_to('nowhere')


def test_sigterm_ends_as_ctrl_c_does():
    with pytest.raises(SystemExit) as raised:
        end_on_sigterm(signal.SIGTERM, None)
    assert raised.value.code == 143


def test_kinds_with_blanks(monkeypatch):
    from argparse import Namespace

    args = Namespace(inputs=['a'], out_dir=None, opacity=0.5, batch_size=None, frames=None, write='overlay, labels')
    assert check_args(args) == ['overlay', 'labels'] and MANY > 1


@pytest.mark.slow
def test_what_is_published_needs_no_config(place, checkpoint):
    """Fused, in half precision, and without a word of where it was trained."""
    config = place / 'config_of_a_run.py'
    text = torch.load(checkpoint, weights_only=True)['meta']['cfg']
    config.write_text(
        text
        + "\nwork_dir = '/secret'\ntest_dataloader = dict(dataset=dict(type='CamVidDataset', data_root='/secret'))\n"
    )
    out = place / 'small.safetensors'
    said = tool('reparameterize.py', config, checkpoint, out, '--publish')
    assert 'weights in half precision' in said
    assert out.stat().st_size < 0.6 * checkpoint.stat().st_size and b'secret' not in out.read_bytes()
    status, _, stderr = predict(place, 'in/a.png', '--checkpoint', out, '--device', 'cpu', '--out-dir', 'half')
    assert status == 0, stderr
    assert predict(place, 'in/a.png', '--checkpoint', checkpoint, '--device', 'cpu', '--out-dir', 'whole')[0] == 0
    half, whole = (np.array(Image.open(place / name / 'labels/a.png')) for name in ('half', 'whole'))
    assert (half == whole).mean() > 0.99
