"""Why a data set of a config cannot be built: the cause is looked for in its settings."""

import os.path as osp
from typing import Any

from mmseg.registry import DATASETS

from ..data.class_names import fault_of_classes
from ..data.damaged_files import one_line
from ..data.files_left_out import no_images
from ..data.wrapped_datasets import inner_configs


def why_not_built(cfg: dict, split: str, error: Exception) -> str:
    """Look for the cause in the settings of the data sets."""
    place = f'{split}_dataloader.dataset'
    for part in inner_configs(cfg['dataset']):
        kind = part.get('type')
        cls = DATASETS.get(kind) if isinstance(kind, str) else kind
        if not isinstance(cls, type) or not hasattr(cls, 'METAINFO'):
            continue
        root, prefix = part.get('data_root') or '', part.get('data_prefix') or {}
        paths = [osp.join(root, path) for path in prefix.values() if isinstance(path, str)]
        if missing := [path for path in [root, *paths] if path and '://' not in path and not osp.exists(path)]:
            return f'{place}: no folder {missing[0]}: check data_root and data_prefix'
        if fault := fault_of_classes(cls, part.get('metainfo')):
            return f'{place}: {fault}'
        if not isinstance(part.get('img_suffix', ''), str):
            return f'{place}: {cls.__name__} takes one img_suffix, got {part["img_suffix"]!r}; CheckedSegDataset takes several'
        ann_file = part.get('ann_file') or ''
        if ann_file and '://' not in ann_file and not osp.exists(osp.join(root, ann_file)):
            return f'{place}: no such file: {osp.join(root, ann_file)} (ann_file)'
        if isinstance(error, ValueError) and 'concatenate' in str(error):  # mmengine joins the bytes of no items
            empty: Any = DATASETS.build(dict(part) | dict(lazy_init=True, pipeline=[]))
            folder, suffix = empty.data_prefix.get('img_path'), getattr(empty, 'img_suffix', '')
            return f'{place}: {no_images(cls.__name__, folder, [suffix], empty.ann_file)}'
    return f'{place} cannot be built: {one_line(error)}'
