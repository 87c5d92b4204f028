"""A copy of an evaluator that writes no files of its own."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from os import path as osp
from tempfile import TemporaryDirectory

from mmengine.evaluator import Evaluator

_FOLDERS, _FILES = ('output_dir', 'outfile_prefix'), ('out_file_path',)


@contextmanager
def copied_evaluator(evaluator: Evaluator) -> Iterator[Evaluator]:
    """A copy whose metrics write predictions into a folder that is removed at the end."""
    copied = copy.deepcopy(evaluator)
    with TemporaryDirectory() as folder:
        for metric in copied.metrics:
            for name in (*_FOLDERS, *_FILES):
                value = getattr(metric, name, None)
                if isinstance(value, str):
                    setattr(metric, name, osp.join(folder, osp.basename(value)) if name in _FILES else folder)
        yield copied
