"""Damaged labels, images, lists of images and polygons: what a data set reads."""

import json
from pathlib import Path
from random import Random
from typing import Any

import mmcv.transforms
import numpy as np
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from ..data.checked_pipeline import CheckedPipeline, Checks
from ..data.image_list_file import read_list
from ..data.image_orientation import fits_as_read, orientation_of
from ..data.prepare_cityscapes import make_label
from ..data.read_image import read_image
from .mutations import mutate_bytes, mutate_png, mutate_text

_CLASSES = 19
_PNG = b'\x89PNG'


class Labels:
    """Labels of all kinds of file, damaged, then read through a checked pipeline."""

    def __init__(self, folder: Path) -> None:
        draw = np.random.default_rng(0)
        label = Image.fromarray(draw.integers(0, _CLASSES, (24, 32), dtype=np.uint8))
        picture = Image.fromarray(draw.integers(0, 256, (24, 32, 3), dtype=np.uint8))
        palette = label.convert('P')
        palette.putpalette(list(range(256)) * 3)
        for name, image in dict(grey=label, palette=palette, binary=label.convert('1'), rgb=picture).items():
            image.save(folder / f'{name}.png')
        Image.fromarray(np.asarray(label).astype(np.uint16) * 300).save(folder / 'wide.png')
        label.save(folder / 'interlaced.gif')
        for ending in ('jpg', 'webp', 'bmp', 'tif', 'ppm'):
            picture.save(folder / f'image.{ending}')
        turned = Image.Exif()
        turned[0x0112] = 6
        picture.save(folder / 'turned.jpg', exif=turned)
        np.save(folder / 'array.npy', np.asarray(picture))
        polygon = dict(label='road', polygon=[[0, 0], [31, 0], [31, 23], [0, 23]])
        polygons = dict(imgHeight=24, imgWidth=32, objects=[polygon, dict(polygon, label='car')])
        (folder / 'a_polygons.json').write_text(json.dumps(polygons), encoding='utf-8')
        (folder / 'list.txt').write_text('a/b_c\nd\n\ne.png\n', encoding='utf-8')

    def make(self, random: Random, files: list[Path], folder: Path) -> dict[str, Any]:
        """Write one damaged file into a folder, and a whole one beside it; returns the arguments of `read`."""
        file = random.choice(files)
        path, content = folder / f'case{file.suffix}', file.read_bytes()
        if file.suffix in ('.json', '.txt') and random.random() < 0.7:
            text = mutate_text(content.decode(), random)
            path.write_bytes(text.encode('utf-8', 'surrogatepass'))
        elif content.startswith(_PNG) and random.random() < 0.5:
            path.write_bytes(mutate_png(content, random))
        else:
            path.write_bytes(mutate_bytes(content, random, random.choice(files).read_bytes()))
        whole = folder / 'whole.png'
        Image.new('RGB', (32, 24)).save(whole)
        return dict(
            path=path,
            whole=whole,
            is_label=random.random() < 0.7,
            backend=random.choice(('cv2', 'pillow')),
            loader=random.choice((LoadAnnotations, LoadAnnotations, mmcv.transforms.LoadAnnotations)),
        )

    def read(self, path: Path, whole: Path, is_label: bool, backend: str, loader: type) -> None:
        """Do with a file what a data set does.

        Raises:
            InputError: it is refused.
        """
        if path.suffix == '.json':
            make_label((path, path.with_suffix('.png')))
            return
        if path.suffix == '.txt':
            read_list(str(path), ('.png',))
            return
        orientation_of(str(path))
        fits_as_read(str(whole), str(path), turned=True)
        fits_as_read(str(path), str(whole), turned=True)
        steps = [mmcv.transforms.LoadImageFromFile(imdecode_backend=backend), loader(imdecode_backend=backend)]
        pipeline = CheckedPipeline(steps, Checks(item=dict(num_classes=_CLASSES, ignored_labels=(255,))))
        paths = (whole, path) if is_label else (path, whole)
        item = dict(
            img_path=str(paths[0]), seg_map_path=str(paths[1]), seg_fields=[], reduce_zero_label=False, label_map=None
        )
        if path.suffix != '.npy':
            pipeline(item)
        read_image(path)
