import gc
import itertools
import logging
import random
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from PIL import Image
from quick_runs import make_runs_quick
from suite_record import (  # noqa: F401 (pytest calls them)
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_terminal_summary,
)

import repvgg_seg  # noqa: F401 (registers)

REPO = Path(__file__).resolve().parents[1]
make_runs_quick()


def pytest_collection_finish():
    """Garbage is not looked for in what was imported: mmengine collects it with each data set that is built."""
    gc.freeze()


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Real images that stand beside a checkout of the project; not part of it."""
    path = REPO.parent / 'shared' / 'data'
    if not path.is_dir():
        pytest.skip(f'no real images: {path} does not exist')
    return path


_READERS = dict(CheckpointLoader._schemes)
_CACHES = itertools.count()


@pytest.fixture(autouse=True)
def _readers(monkeypatch):
    """The tools install the safe reader in mmengine; each test begins with the readers that the import leaves."""
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(_READERS))


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    yield
    for handler in [h for h in MMLogger.get_current_instance().handlers if isinstance(h, logging.FileHandler)]:
        MMLogger.get_current_instance().removeHandler(handler)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path_factory):
    """What is remembered from call to call stays within a test, and never comes from the user's own folder."""
    # Not `mktemp`, which looks at all folders that earlier tests have left.
    monkeypatch.setenv('REPVGG_SEG_CACHE', str(tmp_path_factory.getbasetemp() / 'caches' / str(next(_CACHES))))


@pytest.fixture(scope='session')
def scenes(tmp_path_factory) -> Path:
    """Six small synthetic scenes, four to train on and two to validate."""
    from repvgg_seg.synthetic.dataset import generate

    root = tmp_path_factory.mktemp('scenes') / 'synthetic'
    generate(root, dict(train=4, val=2), size=(64, 128), seed=0)
    return root


@pytest.fixture(scope='session')
def photos(tmp_path_factory) -> Path:
    """ImageNet's layout, with pictures of 64x64: three classes, told apart by their colour, six to train on and three to validate."""
    root = tmp_path_factory.mktemp('photos')
    generator = np.random.default_rng(0)
    for split, number in (('train', 6), ('val', 3)):
        for channel, name in enumerate(('n01', 'n02', 'n03')):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(number):
                picture = generator.integers(0, 128, (64, 64, 3), dtype=np.uint8)
                picture[..., channel] += 100
                Image.fromarray(picture).save(folder / f'{name}_{i}.JPEG')
    return root


@pytest.fixture
def work(tmp_path):
    """Where a tool is to put its log."""
    return ('--work-dir', tmp_path / 'work')


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
