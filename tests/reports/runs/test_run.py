import json

import pytest
import torch

from repvgg_seg.errors import InputError
from repvgg_seg.files import sha256
from repvgg_seg.reports.runs.run import find_run, find_runs

CONFIG = "model = dict(type='EncoderDecoder', backbone=dict(type='RepVGG', arch='A0'))\nx = dict(a=[dict(b=1)])\n"


@pytest.fixture
def work(tmp_path):
    """A work dir with a session, two checkpoints and records."""
    folder = tmp_path / 'run'
    vis = folder / '20260101_000000' / 'vis_data'
    vis.mkdir(parents=True)
    (vis / 'scalars.json').write_text('{"loss": 1.0, "iter": 3, "step": 3}\n')
    (vis / 'config.py').write_text(CONFIG)
    (vis.parent / 'run.json').write_text('{"command": "train it"}')
    (folder / 'my.py').write_text(CONFIG)
    for name, iteration in (('iter_9', 9), ('best_mIoU_iter_8', 8)):
        torch.save(dict(state_dict={}, meta=dict(iter=iteration, seed=1)), folder / f'{name}.pth')
    return folder


def record(path, sha='', form='fused', **training):
    training = training and dict(training)
    content = dict(form=form, metrics=dict(mIoU=1.0), environment={}, checkpoint=dict(name='c', sha256=sha))
    path.write_text(json.dumps(dict(content, training=training)))


def test_everything_that_a_work_dir_has(work):
    best = work / 'best_mIoU_iter_8.pth'
    record(work / 'a.json', sha256(best))
    record(work / 'b.json', form='training form', iterations=9, seed=1)  # of another checkpoint
    record(work / 'c.json', form='optimized', iterations=8, seed=1)  # of the fused file, for example
    (work / 'broken.json').write_text('{')
    run = find_run(str(work))
    assert (run.name, run.checkpoint, run.config_file.name) == ('run', best, 'my.py')
    assert run.commands == ['train it'] and run.config['x'] == {'a': [{'b': 1}]}
    assert run.records.keys() == {'fused', 'optimized'} and run.missing == []


def test_a_checkpoint_in_its_work_dir_and_alone(work, tmp_path):
    run = find_run(str(work / 'iter_9.pth'))
    assert run.name == 'run/iter_9.pth' and run.checkpoint.name == 'iter_9.pth' and run.curves.last_iteration == 3
    alone = tmp_path / 'alone.pth'
    torch.save(dict(state_dict={}, meta=dict(cfg=CONFIG)), alone)
    run = find_run(str(alone))
    assert run.config['model']['backbone']['arch'] == 'A0' and 'no curves' in run.missing[0]


def test_a_record_and_a_log_alone(work, tmp_path):
    record(tmp_path / 'r.json')
    assert find_run(str(tmp_path / 'r.json')).records.keys() == {'fused'}
    (tmp_path / 'log.jsonl').write_text('{"loss": 1.0, "iter": 3, "step": 3}\n')
    assert find_run(str(tmp_path / 'log.jsonl')).curves.last_iteration == 3


def test_a_config_is_read_and_not_run(work):
    for file in (work / 'my.py', work / '20260101_000000' / 'vis_data' / 'config.py'):
        file.write_text('import os\nos.mkdir("made")\n' + CONFIG)
    assert find_run(str(work)).config is None and not list(work.glob('**/made'))


def test_runs_of_the_same_name_have_the_names_of_their_paths(work, tmp_path):
    other = tmp_path / 'b' / 'run'
    other.mkdir(parents=True)
    (other / 'my.py').write_text(CONFIG)
    assert len({run.name for run in find_runs([str(work), str(other), str(work)])}) == 2


@pytest.mark.parametrize(
    'name, said', [('none', 'no run .*none'), ('empty', 'no config, no log and no checkpoint'), ('x.json', 'is no run'),
                   ('x.pth', 'not a checkpoint'), ('x.txt', 'is no run')]
)  # fmt: skip
def test_what_is_no_run(name, said, tmp_path):
    (tmp_path / 'empty').mkdir()
    for file in ('x.json', 'x.pth', 'x.txt'):
        (tmp_path / file).write_text('{}')
    with pytest.raises(InputError, match=said):
        find_run(str(tmp_path / name))
