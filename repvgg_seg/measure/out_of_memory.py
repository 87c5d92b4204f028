"""How torch and the system say that there is no memory left."""

import torch

_SAID = ('out of memory', "can't allocate memory", 'Unable to allocate')


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a GPU or the machine had no memory left."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(text in str(error) for text in _SAID)
