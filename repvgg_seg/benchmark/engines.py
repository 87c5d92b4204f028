"""Networks in other engines, timed beside their forms in PyTorch: exported files, or what is exported for the measurement."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from mmseg.models import EncoderDecoder

from ..errors import InputError
from ..export import Engine, EngineSegmentor, load_engine
from ..export.engine_info import EngineInfo
from ..export.export_form import REWRITES
from ..export.formats import FORMATS, chosen_format
from ..export.write_engine_file import ExportOptions, write_engine_file
from ..models.block import find_blocks
from ..models.image_channels import image_channels
from ..reports.benchmark_table import Row
from ..reports.engines_table import AS_MMSEG
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


def exported_subjects(
    name: str, model: EncoderDecoder, formats: Sequence[str], precision: str, size: tuple[int, int]
) -> Iterator[Subject]:
    """A network exported for several engines, each compared with PyTorch and called on one random image.

    A network without RepVGG blocks comes twice for each engine: by our rewrites, and 'as mmseg', without them.

    Args:
        name: name of the config.
        model: its network, on the CPU, in eval mode.
        formats: names of formats.
        precision: in which the engines compute.
        size: (height, width) of the image.

    Raises:
        InputError: as `write_engine_file`.
    """
    classes = tuple(f'class {i}' for i in range(model.num_classes))
    images = [torch.randint(256, (image_channels(model), *size), generator=torch.Generator().manual_seed(0))]
    for format in formats:
        chosen_format(format, precision, size)
        info = EngineInfo.of_model(
            model,
            format=format,
            precision=precision,
            size=size,
            normalizes=True,
            classes=classes,
            palette=tuple((i, i, i) for i in range(model.num_classes)),
            data_preprocessor={},
            test_cfg=dict(mode='whole'),
            test_pipeline=[],
            about=dict(config=name),
        )
        for skip in ((), REWRITES)[: 1 if find_blocks(model) else 2]:
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                file = Path(folder, name + FORMATS[format].suffix)
                found = write_engine_file(model, file, info, ExportOptions(images, images, skip=skip))
                subject = _subject(load_engine(file), size, 1, 'tensor')
            subject.form += f', {AS_MMSEG}' if skip else ''
            subject.paper['relative_error'] = found.relative_error
            yield subject


def _subject(engine: Engine, size: tuple[int, int], batch: int, mode: str) -> Subject:
    info = engine.info
    if info.size is not None and info.size != size:
        only = f'{info.size[0]}x{info.size[1]}'
        raise InputError(f'{engine.file} takes images of {only} alone: set --sizes {only}, or export it for this size')
    facts: Row = dict(SEGMENTORS.get(str(info.about.get('config')), {}), engine=FORMATS[info.format].versions())
    image = torch.rand(batch, info.channels, *size) * (255 if info.normalizes else 1)
    call: Callable[[], object] = partial(engine, image)
    if mode == 'predict':
        # Without mean and deviation: what is timed is the file, not that they are turned back for it.
        call = partial(EngineSegmentor(engine, dict(type='SegDataPreProcessor')).eval(), image, mode=mode)
    return Subject(
        engine.stem, engine.name, torch.inference_mode()(call), batch, paper=facts, size=size, has_memory=False
    )
