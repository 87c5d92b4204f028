"""The memory that this process holds, as the system and the GPU count it."""

from pathlib import Path

import torch

from .spare_memory import numbers_of_lines

_STATUS = Path('/proc/self/status')


def process_memory() -> dict[str, int]:
    """Bytes that this process holds now, and the most it has held, by name; what the system does not tell is missing.

    `resident` is its RAM, `peak_resident` the most of it; `gpu` and `peak_gpu` are the tensors on the current GPU.
    """
    try:
        told = numbers_of_lines(_STATUS.read_text(encoding='utf-8'))
    except OSError:  # another system than Linux
        told = {}
    held = {
        name: told[line] * 1024
        for name, line in dict(resident='VmRSS:', peak_resident='VmHWM:').items()
        if line in told
    }
    if torch.cuda.is_available():
        held.update(gpu=torch.cuda.memory_allocated(), peak_gpu=torch.cuda.max_memory_allocated())
    return held
