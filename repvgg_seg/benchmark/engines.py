"""Exported files, timed beside the forms of a network in PyTorch."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch

from ..errors import InputError
from ..export import Engine, EngineSegmentor, load_engine
from ..export.formats import FORMATS
from ..reports.benchmark_table import Row
from .paper_tables import SEGMENTORS
from .subject import Subject


def engine_subjects(files: Sequence[str], sizes: Sequence[tuple[int, int]], batch: int, mode: str) -> Iterator[Subject]:
    """Exported files, each called on one random batch of each size.

    Args:
        files: as `load_engine` takes them.
        sizes: (height, width) of the images.
        batch: number of images at a time.
        mode: 'tensor', up to logits, or 'predict', to labels.

    Raises:
        InputError: as `load_engine`, a file takes no images of a size, or two files would have one row.
    """
    engines = list(map(load_engine, files))
    rows = [(engine.stem, engine.name) for engine in engines]
    for engine, row in zip(engines, rows, strict=True):
        if rows.count(row) > 1:
            raise InputError(f'{engine.file} is given twice, or has the name of another: leave one out, or rename it')
        for size in sizes:
            yield _subject(engine, size, batch, mode)


def _subject(engine: Engine, size: tuple[int, int], batch: int, mode: str) -> Subject:
    info = engine.info
    if info.size is not None and info.size != size:
        only = f'{info.size[0]}x{info.size[1]}'
        raise InputError(f'{engine.file} takes images of {only} alone: set --sizes {only}, or export it for this size')
    miou, speed = SEGMENTORS.get(str(info.about.get('config')), (None, None))
    facts: Row = dict(miou=miou, paper_examples_per_s=speed) if miou else {}
    facts['engine'] = FORMATS[info.format].versions()
    image = torch.rand(batch, info.channels, *size) * (255 if info.normalizes else 1)
    call: Callable[[], object] = partial(engine, image)
    if mode == 'predict':
        # Without mean and deviation: what is timed is the file, not that they are turned back for it.
        call = partial(EngineSegmentor(engine, dict(type='SegDataPreProcessor')).eval(), image, mode=mode)
    return Subject(
        engine.stem, engine.name, torch.inference_mode()(call), batch, paper=facts, size=size, has_memory=False
    )
