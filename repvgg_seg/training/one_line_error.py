"""An unforeseen error, told in one line."""

import errno
import os.path as osp
import traceback

import torch

from ..errors import InputError
from .log_file import write_to_log_file

_LONGEST = 400  # characters of somebody else's message
_NO_MEMORY = ('out of memory', "can't allocate memory", 'Unable to allocate')
# What gloo and NCCL say in a process whose partner is gone.
_LOST_PROCESS = ('Connection closed by peer', 'Connection reset by peer', 'remote process exited')
_ONE_VALUE = 'Expected more than 1 value per channel'
_DEVICE_ASSERT = 'device-side assert'
_NO_WINDOW = ("no attribute 'stride'", "no attribute 'crop_size'")
_NO_SIZE = 'only one of size and size_divisor should be valid'


def told_in_one_line(error: BaseException, where: str, what_to_do: str = '') -> InputError:
    """The `InputError` that tells an error of any kind; its traceback goes into the log file alone.

    Args:
        error: what was raised, by mmseg, torch or a class of the user's.
        where: what the program was doing.
        what_to_do: the way out, where it is known.
    """
    trace = traceback.extract_tb(error.__traceback__)
    path = write_to_log_file(f'{where}\n' + ''.join(traceback.format_exception(error)))
    message = ' '.join(str(error).split())
    if len(message) > _LONGEST:
        message = f'{message[:_LONGEST]} ...'
    place = f' ({osp.basename(trace[-1].filename)}, line {trace[-1].lineno})' if trace else ''
    end = f'; the traceback is in {path}' if path else ''
    advice = what_to_do or _advice(error, message)
    told = InputError(
        f'{where}: {type(error).__name__}: {message or "no message"}{place}{f": {advice}" if advice else ""}{end}'
    )
    told.is_logged = True
    return told


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU or the machine had no memory left."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(text in str(error) for text in _NO_MEMORY)


def is_full_disk(error: BaseException) -> bool:
    """Whether a file could not be written for want of room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_lost_process(error: BaseException) -> bool:
    """Whether another process of the run has ended, which this one waited for."""
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _LOST_PROCESS)


def _advice(error: BaseException, message: str) -> str:
    """What to do about some errors of torch."""
    if is_out_of_memory(error):
        return 'set a smaller batch_size of the loader or a smaller crop_size, or train with --amp or with_cp=True of the backbone'
    if is_full_disk(error):
        return (
            'the checkpoints that have been written are as they were: make room, and go on from the last with --resume'
        )
    if is_lost_process(error):
        return 'another process of this run has ended, and its own error says why'
    if _ONE_VALUE in message:
        return 'BN needs more than one value per channel: set train_dataloader.batch_size=2 or more'
    if _DEVICE_ASSERT in message:
        return 'a label or an index is out of range; with CUDA_VISIBLE_DEVICES="" the same command says which'
    if any(text in message for text in _NO_WINDOW):
        return "mode='slide' of model.test_cfg needs crop_size and stride"
    if _NO_SIZE in message:
        return 'set model.data_preprocessor.size to the crop_size of training, and no size_divisor'
    return ''
