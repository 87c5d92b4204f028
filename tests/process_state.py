"""What a process holds that `import repvgg_seg` could change; run by test_import_leaves_all_as_it_was.py.

    python process_state.py FILE ...

compares the state of the process, and what mmengine reads from checkpoint files, before and after the import. mmseg is
imported before the first look: what it changes is not ours.
"""

import logging
import os
import random
import signal
import sys
import threading
import warnings

import cv2
import mmcv  # noqa: F401
import mmengine.registry
import mmseg.apis
import mmseg.datasets
import mmseg.engine
import mmseg.evaluation
import mmseg.models
import mmseg.registry
import mmseg.visualization
import numpy as np
import torch
from mmengine.registry import Registry
from mmengine.runner import CheckpointLoader
from PIL import Image, ImageFile


def registries():
    return {
        f'{module.__name__}.{place}: {name}': registered
        for module in (mmengine.registry, mmseg.registry)
        for place, registry in vars(module).items()
        if isinstance(registry, Registry)
        for name, registered in registry.module_dict.items()
    }


def defaults():
    cudnn = torch.backends.cudnn
    return dict(
        dtype=torch.get_default_dtype(),
        device=torch.get_default_device(),
        threads=(torch.get_num_threads(), torch.get_num_interop_threads()),
        grad=torch.is_grad_enabled(),
        deterministic=torch.are_deterministic_algorithms_enabled(),
        precision=torch.get_float32_matmul_precision(),
        tf32=(torch.backends.cuda.matmul.allow_tf32, cudnn.allow_tf32),
        cudnn=(cudnn.enabled, cudnn.benchmark, cudnn.deterministic),
        mkldnn=torch.backends.mkldnn.enabled,
        sharing=torch.multiprocessing.get_sharing_strategy(),
        start_method=torch.multiprocessing.get_start_method(allow_none=True),
        safe_globals=torch.serialization.get_safe_globals(),
        random=hash((str(torch.get_rng_state().tolist()), random.getstate(), str(np.random.get_state()))),
        numpy=(np.geterr(), np.get_printoptions()),
        cv2=cv2.getNumThreads(),
        pil=(Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
    )


def loggers():
    known = {name: log for name, log in logging.root.manager.loggerDict.items() if isinstance(log, logging.Logger)}
    return {
        name: (log.level, log.propagate, log.disabled, list(log.handlers), list(log.filters))
        for name, log in dict(known, root=logging.root).items()
    } | dict(disable=logging.root.manager.disable, kind=logging.getLoggerClass())


def process():
    return dict(
        filters=list(warnings.filters),
        showwarning=warnings.showwarning,
        environment=dict(os.environ),
        folder=os.getcwd(),
        path=list(sys.path),
        hooks=(sys.excepthook, sys.displayhook, sys.stdout, sys.stderr),
        signals={number: signal.getsignal(number) for number in signal.valid_signals()},
        threads=threading.active_count(),
    )


def schemes():
    return {prefix: place for place, prefix in enumerate(p for p in CheckpointLoader._schemes if p != 'trusted://')}


def comparable(value):
    """A value as nested containers that `==` can compare."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    if isinstance(value, (torch.Tensor, np.ndarray, np.generic)):
        return type(value), str(value.dtype), value.tolist()
    if isinstance(value, torch.nn.Module):
        return type(value), comparable(value.state_dict())
    return type(value), comparable(vars(value)) if hasattr(value, '__dict__') else value


def content(path):
    """What mmengine reads; None where it reads nothing, as mmengine 0.10.7 reads no objects with torch 2.6 or newer."""
    try:
        return comparable(CheckpointLoader.load_checkpoint(path))
    except Exception:
        return None


def files():
    return {path: content(path) for path in sys.argv[1:]}


LOOKS = (registries, defaults, loggers, process, schemes)

if __name__ == '__main__':
    contents = files()
    before = {look: look() for look in LOOKS}  # last: reading files makes a logger
    import repvgg_seg  # noqa: F401

    after = {look: look() for look in LOOKS}
    before[files], after[files] = contents, files()
    changes = [
        f'{look.__name__}: {name} was {seen!s:.300} and is {after[look].get(name)!s:.300}'
        for look in before
        for name, seen in before[look].items()
        if after[look].get(name) != seen and not (look is files and seen is None)
    ]
    added = {name: new for name, new in after[registries].items() if name not in before[registries]}
    changes += [f'{name} was added' for name, new in added.items() if not new.__module__.startswith('repvgg_seg')]
    looked_at = {look.__name__: len(seen) for look, seen in before.items()}
    print(looked_at)
    sys.exit('\n'.join(changes) or None)
