"""A mixin for data sets that names the damaged file when an item cannot be read."""

import io
from typing import Any

import mmcv
from mmengine.dataset import BaseDataset
from mmengine.fileio import get
from PIL import Image

from ..errors import InputError


class NamesDamagedFiles(BaseDataset):
    """Mixin for data sets of mmengine: where the pipeline fails on an item and a file of it is damaged, name the file.

    If all files of the item can be decoded, the cause is elsewhere and the original error is raised.

    Raises:
        InputError: when an item is read, a file of it cannot be decoded.
    """

    FILES: tuple[str, ...] = ('img_path',)  # keys under which an item holds the paths of its files

    def prepare_data(self, idx: int) -> Any:
        """The item that the pipeline makes."""
        try:
            return super().prepare_data(idx)
        except InputError:
            raise
        except Exception as error:
            info = self.get_data_info(idx)
            for path in filter(None, map(info.get, self.FILES)):
                fault = _fault_of(path)
                if fault:
                    raise InputError(
                        f'cannot decode {path}: the file is damaged or not an image; fetch it again ({fault})'
                    ) from error
            raise


def _fault_of(path: str) -> str:
    """Return why Pillow or OpenCV cannot decode a file, or an empty string if both can."""
    try:
        content = get(path)
        with Image.open(io.BytesIO(content)) as image:
            image.load()
        return '' if mmcv.imfrombytes(content, flag='unchanged') is not None else 'OpenCV cannot'
    except Exception as error:
        return ' '.join(str(error).split()) or type(error).__name__
