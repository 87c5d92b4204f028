import logging
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

import repvgg_seg  # noqa: F401 (registers)

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Real images that stand beside a checkout of the project; not part of it."""
    path = REPO.parent / 'shared' / 'data'
    if not path.is_dir():
        pytest.skip(f'no real images: {path} does not exist')
    return path


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    yield
    for handler in [h for h in MMLogger.get_current_instance().handlers if isinstance(h, logging.FileHandler)]:
        MMLogger.get_current_instance().removeHandler(handler)


@pytest.fixture(scope='session')
def scenes(tmp_path_factory) -> Path:
    """Six small synthetic scenes, four to train on and two to validate."""
    from repvgg_seg.datasets.synthetic import generate

    root = tmp_path_factory.mktemp('scenes') / 'synthetic'
    generate(root, dict(train=4, val=2), size=(64, 128), seed=0)
    return root


@pytest.fixture
def run(monkeypatch, capsys, request):
    """Run the `TOOL` of the test's module on arguments: exit status, stdout and stderr."""

    tool = str(request.module.TOOL)

    def run(*args):
        monkeypatch.setattr(sys, 'argv', [tool, *map(str, args)])
        status = 0
        try:
            runpy.run_path(tool, run_name='__main__')
        except SystemExit as end:
            status = end.code
        return status, *capsys.readouterr()

    return run
