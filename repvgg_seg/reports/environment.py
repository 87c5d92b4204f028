"""What a measurement depends on besides the model: device, threads, versions, commit, compilers."""

import functools
import os
import platform
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.utils.dl_utils import collect_env

from ..measure.device_name import device_name
from ..version import __version__
from .git_commit import git_commit

# The facts of `collect_env` that a record keeps. The others are in the record already, change from call to call (the
# seed of numpy), or are paths.
_SYSTEM_FACTS = re.compile(r'sys\.platform|GPU [\d,]+|NVCC|GCC|MSVC|PyTorch compiling details|TorchVision|OpenCV')
_PATH = re.compile(r'(^|[\s="\'(:,])(~?/\w|[A-Za-z]:\\)')


def environment(device: torch.device) -> dict[str, Any]:
    """Device, threads, versions, git commit and compilers, for the record of what was measured on `device`.

    Nothing in it names the user or a path of the machine.

    Returns:
        Figures and texts by name; `commit` is None unless the package stands in its own checkout, and `system` holds
        the facts of mmengine's `collect_env`.
    """
    import mmcv
    import mmengine
    import mmseg

    cuda = device.type == 'cuda'
    commit, changed = git_commit() or (None, None)
    return dict(
        device=device_name(device),
        threads=torch.get_num_threads(),
        tf32=torch.backends.cudnn.allow_tf32 if cuda else None,
        cuda=torch.version.cuda if cuda else None,
        cudnn=torch.backends.cudnn.version() if cuda else None,
        python=platform.python_version(),
        torch=torch.__version__,
        mmengine=mmengine.__version__,
        mmcv=mmcv.__version__,
        mmseg=mmseg.__version__,
        repvgg_seg=__version__,
        commit=commit,
        uncommitted_changes=changed,
        system=system_facts(),
    )


@functools.cache
def system_facts() -> dict[str, Any]:
    """The GPUs, compilers and libraries that mmengine's `collect_env` finds, without anything that holds a path."""
    try:
        with warnings.catch_warnings(), _silent_stderr():
            warnings.simplefilter('ignore')
            found = collect_env()
    except ImportError:  # it imports distutils, which Python 3.12 has only where setuptools is installed
        return {}
    facts = {}
    for name, value in found.items():
        lines = [line.strip(' -') for line in str(value).splitlines()]
        lines = [line for line in lines if line and not _PATH.search(line)]
        if _SYSTEM_FACTS.fullmatch(name) and lines:
            facts[name] = lines if len(lines) > 1 else lines[0]
    return facts


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep what a subprocess writes to stderr from the screen, such as "gcc: not found"."""
    kept = os.dup(2)
    try:
        with open(os.devnull, 'w', encoding='utf-8') as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
