"""A small segmentation data set on disk, and ways to build it."""

import numpy as np
from mmseg.registry import DATASETS
from PIL import Image

SIZE = (12, 16)  # height, width
LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]


def write_data(root, names=('a', 'b', 'c'), suffix='.png', values=(0, 1), folder='train'):
    """Noise as images; labels whose columns hold the values in turn."""
    generator = np.random.default_rng(0)
    label = np.resize(np.array(values, np.uint8), (SIZE[1], SIZE[0])).T
    for name in names:
        image = Image.fromarray(generator.integers(0, 255, (*SIZE, 3), dtype=np.uint8))
        for part, picture, end in (('images', image, suffix), ('labels', Image.fromarray(label), '.png')):
            path = root / part / folder / f'{name}{end}'
            path.parent.mkdir(parents=True, exist_ok=True)
            picture.save(path)
    return root


def build(root, kind='BaseSegDataset', classes=('ground', 'road'), folder='train', **options):
    """The data set, with a pipeline that loads image and label."""
    cfg = dict(
        type=kind,
        data_root=str(root),
        data_prefix=dict(img_path=f'images/{folder}', seg_map_path=f'labels/{folder}'),
        img_suffix='.png',
        pipeline=LOAD,
    )
    if classes:
        cfg['metainfo'] = dict(classes=list(classes))
    return DATASETS.build(cfg | options)


def relabel(root, change):
    """Write every label anew, as `change` makes it of the array."""
    for path in (root / 'labels').rglob('*.png'):
        change(np.array(Image.open(path))).save(path)
