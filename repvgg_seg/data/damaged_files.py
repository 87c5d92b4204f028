"""Which file it was that could not be read."""

import io

import mmcv
from mmengine.fileio import get
from PIL import Image

from ..errors import InputError


class NamesDamagedFiles:
    """Mixed into a data set of mmengine: where an item cannot be made and a file of it is damaged, the file is named.

    Raises:
        InputError: on access. Where the files can be decoded, the fault is elsewhere and its own error stays.
    """

    FILES = ('img_path',)  # keys of the files of an item

    def prepare_data(self, idx: int):
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
                        f'cannot decode {path}: the file is damaged or no image; fetch it again ({fault})'
                    ) from error
            raise


def _fault_of(path: str) -> str:
    """Why Pillow or OpenCV cannot decode a file; nothing where both can."""
    try:
        content = get(path)
        with Image.open(io.BytesIO(content)) as image:
            image.load()
        return '' if mmcv.imfrombytes(content, flag='unchanged') is not None else 'OpenCV cannot'
    except Exception as error:
        return ' '.join(str(error).split()) or type(error).__name__
