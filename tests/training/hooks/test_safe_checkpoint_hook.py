"""What is left of the checkpoints of a run where it is killed, moved or resumed elsewhere; all with a run of a fraction of a second."""

import errno
import shutil

import mmengine.runner.runner as module
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.registry import METRICS
from toy_run import Images, Toy

from repvgg_seg.errors import InputError
from repvgg_seg.training.hooks import ResumeScheduleHook
from repvgg_seg.training.runner import QuietRunner

pytestmark = pytest.mark.slow  # each test builds some Runners


class Killed(Exception):
    """Stands for SIGKILL: nothing of the run is executed behind it."""


class KillAt(Hook):
    """Kills at an event."""

    priority = 'VERY_HIGH'

    def __init__(self, event, iteration):
        def kill(runner, *args, **kwargs):
            if runner.iter == iteration:
                raise Killed

        setattr(self, event, kill)


class WriteFails(Hook):
    """Kills in the middle of a write."""

    def __init__(self, monkeypatch, name):
        whole = module.save_checkpoint

        def save(checkpoint, path, **kwargs):
            whole(checkpoint, path, **kwargs)
            if name in path:
                with open(path, 'r+b') as file:
                    file.truncate(500)
                raise Killed

        monkeypatch.setattr(module, 'save_checkpoint', save)


class Bias(BaseMetric):
    """A score that depends on the weights: better with every training iteration of the toy."""

    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return dict(score=-float(torch.stack(results).mean()))


class Model(Toy):
    def forward(self, *images, mode='loss'):
        losses = super().forward(*images)
        return losses if mode == 'loss' else [losses['loss'].detach()]


def run(work_dir, *hooks, iterations=6, resume=None, accumulative_counts=1, **checkpoint):
    METRICS.register_module(module=Bias, force=True)
    torch.manual_seed(0)
    loader = dict(batch_size=2, dataset=Images(), sampler=dict(type='DefaultSampler', shuffle=False))
    default = dict(by_epoch=False, interval=1, max_keep_ckpts=1, save_best='score', rule='greater') | checkpoint
    runner = QuietRunner(
        Model(),
        str(work_dir),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=iterations, val_interval=2),
        val_cfg=dict(),
        val_evaluator=dict(type='Bias'),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9), accumulative_counts=accumulative_counts),
        param_scheduler=[],
        default_hooks=dict(checkpoint=dict(type='SafeCheckpointHook', **default)),
        custom_hooks=[*hooks, ResumeScheduleHook()],
        load_from=str(resume) if resume else None,
        resume=bool(resume),
        randomness=dict(seed=0),
        log_level='ERROR',
        default_scope='mmengine',
        experiment_name=f'run {work_dir} {resume} {len(hooks)}',
        cfg=Config(dict()),
    )
    runner.train()
    return runner


def content(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != '.py')


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    work = tmp_path_factory.mktemp('whole') / 'work'
    return work, run(work)


@pytest.mark.parametrize('event, at, resumed', [
    ('after_train_iter', 3, 'iter_3'),
    ('before_val', 4, 'iter_4'),  # between a checkpoint and its validation
    ('before_val', 6, 'iter_6'),  # in the last validation
])  # fmt: skip
def test_killed_and_resumed(whole, tmp_path, event, at, resumed):
    with pytest.raises(Killed):
        run(tmp_path, KillAt(event, at))
    assert f'{resumed}.pth' in content(tmp_path)
    assert (tmp_path / 'last_checkpoint').read_text() == f'{resumed}.pth', 'relative'
    runner = run(tmp_path, resume=tmp_path / f'{resumed}.pth')
    check_equal(whole, tmp_path, runner)


@pytest.mark.parametrize('name', ['iter_4', 'best_score_iter_4'])
def test_killed_while_it_writes(whole, tmp_path, monkeypatch, name):
    with monkeypatch.context() as patched, pytest.raises(Killed):
        run(tmp_path, WriteFails(patched, f'.{name}.pth'))
    for path in tmp_path.glob('[!.]*.pth'):
        torch.load(path, weights_only=False)  # each is whole
    best = [path.name for path in tmp_path.glob('best*')]
    assert best == ['best_score_iter_2.pth'], 'the old one is kept'
    (tmp_path / '.iter_1.pth.a1b2c3d4.pth').touch()  # of a process that had no time to remove it
    last = tmp_path / (tmp_path / 'last_checkpoint').read_text()
    check_equal(whole, tmp_path, run(tmp_path, resume=last))


def check_equal(whole, folder, runner):
    """Weights, momentum, scores and files are those of the run without a break."""
    work, other = whole
    assert content(folder) == content(work) == ['best_score_iter_6.pth', 'iter_6.pth', 'last_checkpoint']
    for a, b in zip(runner.model.state_dict().values(), other.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    mine, theirs = (torch.load(path / 'iter_6.pth', weights_only=False) for path in (folder, work))
    for i, state in theirs['optimizer']['state'].items():
        assert torch.equal(mine['optimizer']['state'][i]['momentum_buffer'], state['momentum_buffer'])
    info = [checkpoint['message_hub']['runtime_info'] for checkpoint in (mine, theirs)]
    assert info[0]['best_score'] == info[1]['best_score']
    assert info[0]['best_ckpt'] == str(folder / 'best_score_iter_6.pth')


def test_the_best_of_another_folder_is_left_alone(whole, tmp_path):
    """A resume into another folder, and into a copy of the folder: the original stays bit for bit."""
    first = tmp_path / 'a'
    run(first, iterations=4)
    before = {name: (first / name).read_bytes() for name in content(first)}
    elsewhere, copy = tmp_path / 'b', tmp_path / 'c'
    shutil.copytree(first, copy)
    run(elsewhere, resume=first / 'iter_4.pth')
    run(copy, resume=copy / 'iter_4.pth')
    assert {name: (first / name).read_bytes() for name in content(first)} == before
    for folder in (elsewhere, copy):
        assert content(folder) == ['best_score_iter_6.pth', 'iter_6.pth', 'last_checkpoint']


def test_a_full_disk_stops_the_run_and_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    whole = module.save_checkpoint

    def save(checkpoint, path, **kwargs):
        if 'iter_3' in path:
            with open(path, 'wb') as file:
                file.write(b'PK')
            raise OSError(errno.ENOSPC, 'No space left on device')
        whole(checkpoint, path, **kwargs)

    monkeypatch.setattr(module, 'save_checkpoint', save)
    with pytest.raises(
        InputError, match=r'cannot write .*iter_3.pth \(No space left on device\), so the run stops; .*--resume'
    ):
        run(tmp_path)
    assert content(tmp_path) == ['best_score_iter_2.pth', 'iter_2.pth', 'last_checkpoint']


def test_gradients_that_are_being_accumulated_are_saved(tmp_path):
    """Three of four gradients are in the checkpoint after iteration 3."""
    options = dict(iterations=4, accumulative_counts=4)
    whole = run(tmp_path / 'whole', **options)
    with pytest.raises(Killed):
        run(tmp_path / 'halves', KillAt('before_train_iter', 3), **options)
    halves = run(tmp_path / 'halves', resume=tmp_path / 'halves' / 'iter_3.pth', **options)
    for a, b in zip(whole.model.state_dict().values(), halves.model.state_dict().values(), strict=True):
        assert torch.equal(a, b)
