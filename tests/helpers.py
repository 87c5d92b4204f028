"""What several tests need."""

import json
from pathlib import Path

import pytest
from script_process import ranks, run_script, run_scripts

from repvgg_seg.benchmark.baselines import is_available
from repvgg_seg.benchmark.random_bn import randomise_bn  # noqa: F401 (tests import it from here)
from repvgg_seg.measure.difference import relative_error  # noqa: F401 (tests import it from here)
from repvgg_seg.models.archs import ARCHS

REPO = Path(__file__).resolve().parents[1]
# For tests of whole networks, of which the large ones take seconds each. L2pse is as large as D2se; its tests have a small one.
EVERY_ARCH = [arch if arch == 'A0' else pytest.param(arch, marks=pytest.mark.slow) for arch in ARCHS if arch != 'L2pse']


def skip_without_its_library(name):
    """Skip a test of a baseline whose library is not installed."""
    if not is_available(name):
        pytest.skip(f'{name} comes from the library transformers, which is not installed')


def tool(name, *args, status=0):
    """Run a tool in a process of its own; returns what it printed. A refusal (status 2) must be one line, without a traceback."""
    returncode, stdout, stderr = run_script(REPO / 'tools' / name, *map(str, args), cwd=REPO)
    assert returncode == status, stdout[-2000:] + stderr[-3000:]
    if status == 2:
        assert 'Traceback' not in stderr
        (error,) = [line for line in stderr.splitlines() if line.startswith('error: ')]
        return error
    return stdout + stderr


def tool_in_two_processes(name, *args):
    """Run a tool over gloo, as torchrun starts it on two GPUs; returns what both printed.

    tools/dist_train.sh and torchrun themselves are for tests/cli/test_segmentation_tools.py and tests/package/test_wheel.py.
    """
    words = map(str, (*args, '--launcher', 'pytorch'))
    done = run_scripts(REPO / 'tools' / name, *words, cwd=REPO, variables=ranks(2), timeout=60)
    assert [status for status, _, _ in done] == [0, 0], done
    return ''.join(stdout + stderr for _, stdout, stderr in done)


def records(trained, tmp_path, *options):
    """What tools/test.py recorded of a (config, checkpoint)."""
    config, checkpoint = trained
    tool('test.py', config, checkpoint, '--result', tmp_path / 'r.json', '--work-dir', tmp_path / 'work', *options)
    return json.loads((tmp_path / 'r.json').read_text())
