"""An unforeseen error, told in one line."""

import errno
import inspect
import os.path as osp
import re
import traceback

from torch.utils.data import DataLoader

from ..errors import InputError
from ..measure.out_of_memory import is_out_of_memory
from .log_file import write_to_log_file

_LONGEST = 400  # characters of somebody else's message
# What gloo and NCCL say in a process whose partner is gone.
_LOST_PROCESS = ('Connection closed by peer', 'Connection reset by peer', 'remote process exited', 'Broken pipe')
_SILENT_PROCESS = ('Timed out waiting', 'Watchdog caught collective operation timeout', 'wait timeout after')
_OF_GLOO = re.compile(r'\[\S+\.cc:\d+\] |\. This is typically caused by .*', re.DOTALL)
_KILLED_WORKER = ('DataLoader worker', 'Pin memory thread exited')
_NO_GRADIENT = 'Expected to have finished reduction in the prior iteration'
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
    path = write_to_log_file(f'{where}\n' + ''.join(traceback.format_exception(error)))
    error = _lost_process(error) or error
    trace = traceback.extract_tb(error.__traceback__)
    message = ' '.join(_OF_GLOO.sub('', str(error)).split())
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


def is_full_disk(error: BaseException) -> bool:
    """Whether a file could not be written for want of room."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_lost_process(error: BaseException) -> bool:
    """Whether another process of the run, or a worker of a loader, has ended or stays away, which this one waited for."""
    return _lost_process(error) is not None


def _lost_process(error: BaseException | None) -> BaseException | None:
    """The error of a lost process, also where another one came of it: torch raises that of a worker wherever the run is."""
    texts = (*_LOST_PROCESS, *_SILENT_PROCESS, *_KILLED_WORKER, _NO_GRADIENT)
    while error is not None:
        if _is_end_of_worker(error) or (isinstance(error, RuntimeError) and any(text in str(error) for text in texts)):
            return error
        error = error.__cause__ or error.__context__
    return None


def _is_end_of_worker(error: BaseException) -> bool:
    """Whether a worker ended while it handed over a batch, before torch had noticed."""
    frames = traceback.extract_tb(error.__traceback__)
    loader = inspect.getfile(DataLoader)
    return isinstance(error, (EOFError, ConnectionError)) and any(frame.filename == loader for frame in frames)


def _advice(error: BaseException, message: str) -> str:
    """What to do about some errors of torch."""
    if is_out_of_memory(error):
        return 'set a smaller batch_size of the loader or a smaller crop_size, or train with --amp or with_cp=True of the backbone'
    if is_full_disk(error):
        return (
            'the checkpoints that have been written are as they were: make room, and go on from the last with --resume'
        )
    if any(text in message for text in _KILLED_WORKER) or _is_end_of_worker(error):
        return 'a worker of the loader was killed; perhaps the system had no memory left for it: set a smaller num_workers or prefetch_factor of the loader'
    if _NO_GRADIENT in message:
        return 'some parameters got no gradient: set --cfg-options find_unused_parameters=True'
    if any(text in message for text in _SILENT_PROCESS):
        return 'another process of this run stands still; env_cfg.dist_cfg.timeout says for how many seconds the others wait for it'
    if any(text in message for text in _LOST_PROCESS):
        return 'another process of this run has ended: its own error says why, or it was killed, as for want of memory'
    if _ONE_VALUE in message:
        return 'BN needs more than one value per channel: set train_dataloader.batch_size=2 or more'
    if _DEVICE_ASSERT in message:
        return 'a label or an index is out of range; with CUDA_VISIBLE_DEVICES="" the same command says which'
    if any(text in message for text in _NO_WINDOW):
        return "mode='slide' of model.test_cfg needs crop_size and stride"
    if _NO_SIZE in message:
        return 'set model.data_preprocessor.size to the crop_size of training, and no size_divisor'
    return ''
