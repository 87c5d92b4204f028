"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: 'str | os.PathLike') -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place at the end and goes where something fails."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.', suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(temporary)
        with open(temporary, 'rb') as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's files are its owner's alone
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
