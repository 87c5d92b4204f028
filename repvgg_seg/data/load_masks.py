"""The pipeline step that loads masks of numbers or colours as class numbers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from ..errors import InputError
from .damaged_files import fault_of
from .image_size_limit import fault_of_header
from .mask_form import MaskForm, classes_of_mask, decode_mask


@TRANSFORMS.register_module()
class LoadMasks(LoadAnnotations):
    """mmseg's `LoadAnnotations` for masks in the form that a `MaskForm` describes; `FolderDataset` puts it into its pipeline.

    Args:
        form: what the masks hold.
        kwargs: the arguments of `LoadAnnotations`.

    Raises:
        InputError: on use, a mask cannot be read, or holds what is no class.
    """

    def __init__(self, form: MaskForm, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.form = form

    def _load_seg_map(self, results: dict) -> None:
        path = str(results['seg_map_path'])
        results['gt_seg_map'] = load_mask(path, self.form)
        results['seg_fields'].append('gt_seg_map')

    def __repr__(self) -> str:
        return f'LoadMasks(form={self.form})'


def load_mask(path: str, form: MaskForm) -> np.ndarray:
    """The class numbers (H, W) of a mask file.

    Raises:
        InputError: it cannot be read, or holds what is no class.
    """
    if fault := fault_of_header(path):
        raise InputError(fault)
    try:
        return classes_of_mask(Path(path).read_bytes(), form, path)
    except InputError:
        raise
    except Exception as error:  # decoders raise many types for damaged files
        raise InputError(fault_of(path, decode_mask) or f'{path} cannot be read as a mask: {error}') from error


def with_masks(pipeline: Sequence[Any], form: MaskForm) -> list[Any]:
    """A pipeline as a config has it, with `LoadMasks` in the place of every `LoadAnnotations`, also inside other steps."""
    return [_with_masks(step, form) for step in pipeline]


def _with_masks(value: Any, form: MaskForm) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_with_masks(one, form) for one in value)
    if not isinstance(value, dict):
        return value
    if value.get('type') in ('LoadAnnotations', 'mmseg.LoadAnnotations', LoadAnnotations):
        others = {key: one for key, one in value.items() if key not in ('type', 'imdecode_backend', '_scope_')}
        return dict(type=LoadMasks, form=form, **others)
    return {key: _with_masks(one, form) for key, one in value.items()}
