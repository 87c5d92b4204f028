"""Name the step of a pipeline that raised an error, and the file that it was at."""

from collections.abc import Callable
from functools import partial
from typing import Any

import mmcv
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmseg.datasets.transforms import LoadAnnotations

from .damaged_files import fault_of, fault_of_system, one_line
from .mask_form import decode_mask


def describe_error(error: Exception, step: Callable, place: str, results: Any) -> str:
    """Return in one line which step raised an error, at which file, and whether the file is at fault.

    The file is read again by the decoder of that step alone: another decoder may know less or more formats.

    Args:
        error: what the step raised.
        step: of the pipeline.
        place: where it stands, such as 'train_dataloader.dataset.pipeline.4'.
        results: what the step was given.
    """
    name = name_of_step(step)
    if isinstance(error, OSError) and error.errno is not None:
        return f'{fault_of_system(error, "a file")} ({place}, {name})'
    paths = paths_of(results, labels_first='Annotation' in name)
    for i, path in enumerate(paths if is_loader(step) else []):
        fault = fault_of(path, decoder_of(step) if i == 0 else None)
        if fault:
            return f'{fault} ({place}, {name})'
    at = f' at {paths[0]}' if paths else ''
    held = ', '.join(f'{key} {_described(results[key])}' for key in ('img', 'gt_seg_map') if key in results)
    given = f'; it was given {held}' if held else ''
    way_out = ''
    if isinstance(error, KeyError) and error.args == ('seg_map_path',):
        way_out = ': the data set names no labels; set data_prefix.seg_map_path, or leave this step out of the pipeline'
    return f'{place}, {name}, failed{at}: {one_line(error)}{given}{way_out}'


def name_of_step(step: Callable) -> str:
    """The name of a transform's class, or of a function."""
    return getattr(step, '__name__', type(step).__name__)


def is_loader(step: Callable) -> bool:
    """Whether a step reads a file, which mmseg's and mmcv's say by their names."""
    return name_of_step(step).startswith('Load')


def loads_labels(step: Any) -> bool:
    """Whether a step, or the class of one, reads labels, which most say by their names."""
    cls = step if isinstance(step, type) else type(step)
    name = name_of_step(step)
    return issubclass(cls, mmcv.transforms.LoadAnnotations) or (
        name.startswith('Load') and 'Annotation' in name and 'Depth' not in name
    )


def paths_of(results: Any, labels_first: bool = False) -> list[str]:
    """The paths of the files of an item: image and label first."""
    if not isinstance(results, dict):
        return []
    first = ['img_path', 'seg_map_path']
    first = first[::-1] if labels_first else first
    keys = first + [key for key in results if str(key).endswith('_path') and key not in first]
    return [results[key] for key in keys if isinstance(results.get(key), str)]


def decoder_of(step: Callable) -> Callable[[bytes], Any] | None:
    """How a loader of mmcv or mmseg decodes bytes; None for another, whose way is not known."""
    if isinstance(step, LoadImageFromFile) and type(step).transform is LoadImageFromFile.transform:
        return partial(mmcv.imfrombytes, flag=step.color_type, backend=step.imdecode_backend)
    if isinstance(step, LoadAnnotations) and type(step)._load_seg_map is LoadAnnotations._load_seg_map:
        return partial(mmcv.imfrombytes, flag='unchanged', backend=step.imdecode_backend)
    if name_of_step(step) == 'LoadMasks':
        return decode_mask
    if name_of_step(step) == 'LoadRandomResizedCrop':
        return mmcv.imfrombytes
    return None


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f'{"x".join(map(str, value.shape))} {value.dtype}'
    return type(value).__name__
