"""The tool ablation: what it runs, what it does not run again, and the table. The runs themselves are replaced."""

import json
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from helpers import REPO
from tiny import tiny_classifier

from repvgg_seg.benchmark.ablation import Ablation
from repvgg_seg.errors import InputError
from repvgg_seg.reports.record import write_record

TOOL = REPO / 'tools' / 'ablation.py'
SCORES = {'plain': (40, 44), 'repvgg': (50, 51), 'relu_in_branches': (30, 31)}


@pytest.fixture
def calls(monkeypatch):
    """What would have been called: a training leaves a checkpoint, a test a record."""
    called = []

    def call(self, name, tool, *arguments):
        words = [str(argument) for argument in arguments]
        called.append((name, tool, words))
        row, seed = name.split('_seed_')
        assert {f'model.block={row}', f'randomness.seed={seed}'} <= set(words[words.index('--cfg-options') :])
        if tool == 'train':
            assert '--resume' in words
            work_dir = Path(words[words.index('--work-dir') + 1])
            work_dir.mkdir(parents=True, exist_ok=True)
            torch.save(dict(state_dict=dict(a=torch.ones(1)), meta=dict(epoch=1, iter=1)), work_dir / 'epoch_1.pth')
        elif seed == '9':
            raise InputError(f'{name}: test ended with status 1: broken')
        else:
            assert words[1].endswith('epoch_1.pth')
            write_record(words[words.index('--result') + 1], metrics=dict(top1=SCORES[row][int(seed)], top5=99))

    monkeypatch.setattr(Ablation, '_call', call)
    return called


@pytest.mark.slow
def test_rows_and_seeds(run, tmp_path, photos, calls):
    tiny_classifier(photos, tmp_path).dump(tmp_path / 'tiny.py')
    out = tmp_path / 'new' / 'ablation'
    common = (tmp_path / 'tiny.py', '--out', out, '--seeds', 0, 1)
    timing = ('--rounds', 1, '--warmup', 0, '--batch', 2, '--size', '32x32')
    status, said, err = run(*common, '--rows', 'repvgg', 'plain', *timing)
    assert status == 0, err
    assert 'plain_seed_1: top1 44.00' in said and len(calls) == 8
    record = json.loads((out / 'ablation.json').read_text())
    assert [(row['name'], row['mean'], row['seeds']) for row in record['rows']] == [
        ('plain', 42, 2),
        ('repvgg', 50.5, 2),
    ]
    assert record['rows'][0]['spread'] == pytest.approx(8**0.5)  # of 40 and 44: the sum of squares is 8, over 2 - 1
    plain, repvgg = record['rows']
    assert (
        plain['fused_params_m'] == repvgg['fused_params_m'] < plain['training_params_m'] < repvgg['training_params_m']
    )
    for name in ('iteration_examples_per_s', 'training_examples_per_s', 'fused_examples_per_s', 'fused_over_training'):
        assert plain[name] > 0
    assert record['metric'] == 'top1' and '| top1, mean ' in (out / 'ablation.md').read_text()
    assert (out / 'ablation.svg').stat().st_size

    status, _, err = run(*common, '--rows', 'relu_in_branches', '--no-speed')
    assert status == 0, err
    assert len(calls) == 12 and all(name.startswith('relu') for name, *_ in calls[8:])
    record = json.loads((out / 'ablation.json').read_text())
    assert [row['name'] for row in record['rows']] == ['plain', 'repvgg', 'relu_in_branches']
    assert not any('fused_params_m' in row for row in record['rows'])  # no figures from two runs in one table

    status, _, err = run(*common, '--rows', 'plain', *timing)
    assert status == 0 and len(calls) == 12
    record = json.loads((out / 'ablation.json').read_text())
    assert 'training_params_m' in record['rows'][2] and 'fused_params_m' not in record['rows'][2]
    status, _, err = run(*common, '--rows', 'plain', '--cfg-options', 'train_cfg.max_epochs=9')
    assert status == 2 and "this is {'train_cfg.max_epochs': '9'}: name another --out" in err


def test_a_folder_in_which_another_command_works(run, tmp_path, photos, calls):
    tiny_classifier(photos, tmp_path).dump(tmp_path / 'tiny.py')
    (tmp_path / 'out').mkdir()
    with FileLock(tmp_path / 'out' / '.lock'):
        status, _, err = run(tmp_path / 'tiny.py', '--out', tmp_path / 'out')
    assert status == 2 and 'another command is at work in this folder' in err and not calls


@pytest.mark.slow
def test_a_run_that_fails(run, tmp_path, photos, calls):
    tiny_classifier(photos, tmp_path).dump(tmp_path / 'tiny.py')
    status, said, err = run(tmp_path / 'tiny.py', '--out', tmp_path / 'out', '--rows', 'plain', '--seeds', 0, 9)
    assert status == 2 and 'error: plain_seed_9: test ended with status 1: broken' in err
    assert 'plain_seed_0: top1 40.00' in said
    assert json.loads((tmp_path / 'out' / 'ablation.json').read_text())['rows'][0]['scores'] == {'0': 40}


@pytest.mark.parametrize(
    'options, message',
    [
        (('--jobs', 0), '--jobs must be positive, got 0'),
        (('--size', '64'), "--size must look like 64x64, got '64'"),
        (('--seeds', -1), '--warmup and --seeds must be 0 or more'),
        (('--cfg-options', 'model.block=plain'), '--cfg-options model.block: --rows and --seeds set it'),
        (('--cfg-options', 'model.arhc=A0'), 'model.arhc'),
        (('--cfg-options', 'model.type=EncoderDecoder'), ''),
        (('--rows', 'residual', '--cfg-options', 'model.arch.depths=[1,2,3,4,1]'), 'an even number of them'),
    ],
)
def test_refusals(run, tmp_path, photos, options, message):
    tiny_classifier(photos, tmp_path).dump(tmp_path / 'tiny.py')
    status, _, err = run(tmp_path / 'tiny.py', '--out', tmp_path / 'out', *options)
    assert status == 2 and message in err and 'Traceback' not in err
    assert not (tmp_path / 'out').exists()
