"""A quiet start, which hides nothing else and leaves the process as it was."""

import logging
import subprocess
import sys
import warnings

import pytest
from helpers import REPO
from mmengine.logging import print_log

from repvgg_seg.quiet import quiet_imports, quiet_log, quiet_warnings

FAIL = 'Fail to import ``MultiScaleDeformableAttention`` from ``mmcv.ops.multi_scale_deform_attn``, and so on'


def python(code):
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=REPO)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.slow
def test_importing_the_package_says_nothing_and_leaves_no_trace():
    """What mmseg's own import leaves in `warnings`, `logging` and `print` is all that ours leaves."""
    traces = '; '.join(
        (
            'import builtins, logging, sys, warnings, mmengine.logging.logger as l',
            'print(warnings.showwarning.__module__, len(warnings.filters), builtins.print is print, hasattr(l, "print"))',
            'print(sys.stdout is sys.__stdout__, logging.root.handlers, logging.root.filters, logging.root.level)',
            'print(logging.getLoggerClass(), sorted(n for n in logging.root.manager.loggerDict if "mm" in n))',
        )
    )
    theirs = python(
        f'import kornia, transformers, mmseg.models, mmseg.datasets, mmseg.evaluation, mmseg.engine; {traces}'
    )
    printed, warned = python(f'import repvgg_seg; {traces}')
    assert printed.splitlines() == theirs[0].splitlines()[-3:]
    assert warned == ''


def test_only_the_line_named_is_not_printed(capsys):
    with quiet_imports():
        for line in ('Could not import OneDL', 'Could not import OneDLs', 'anything'):
            print_log(line)
        print('Could not import OneDL')  # not mmengine's
    print_log('Could not import OneDL')
    assert capsys.readouterr().out.splitlines() == [
        'Could not import OneDLs',
        'anything',
        'Could not import OneDL',
        'Could not import OneDL',
    ]


@pytest.mark.filterwarnings('always')
def test_only_the_warnings_named_are_not_shown(monkeypatch):
    shown = []
    monkeypatch.setattr(warnings, 'showwarning', lambda message, *_, **__: shown.append(str(message)))
    before = list(warnings.filters)
    with quiet_warnings():
        for message in (FAIL, 'The shape of value will convert from torch.Size([2])', f'Real: {FAIL}', 'another'):
            warnings.warn(message, stacklevel=1)
    warnings.warn(FAIL, stacklevel=1)
    assert shown == [f'Real: {FAIL}', 'another', FAIL]
    assert warnings.filters == before


def test_a_package_that_replaces_showwarning_keeps_its_own(monkeypatch):
    monkeypatch.setattr(warnings, 'showwarning', warnings.showwarning)

    def theirs(*args, **kwargs):
        pass

    with quiet_warnings():
        warnings.showwarning = theirs
    assert warnings.showwarning is theirs


def test_the_screen_misses_what_the_log_file_has(tmp_path, capsys):
    logger = logging.Logger('run')
    logger.addHandler(logging.StreamHandler(sys.stdout))
    logger.addHandler(logging.FileHandler(tmp_path / 'run.log'))
    quiet_log(logger)
    lines = [
        'paramwise_options -- a.bias:weight_decay=0.0',
        'The prefix is not set in metric class IoUMetric.',
        'loss: 1',
    ]
    for line in lines:
        logger.warning(line)
    assert capsys.readouterr().out.splitlines() == ['loss: 1']
    assert (tmp_path / 'run.log').read_text().splitlines() == lines
