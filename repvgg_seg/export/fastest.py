"""What is computed fastest on the machine at hand, found by measuring."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmseg.models import EncoderDecoder
from torch import Tensor

from ..measure.timing import interleaved
from .compare import as_file_takes_it
from .engine import Engine, load_engine
from .engine_info import EngineInfo
from .formats import FORMATS

_ROUNDS = 3


def seconds_of(engines: Mapping[str, Engine], model: EncoderDecoder, image: Tensor) -> dict[str, float]:
    """The least seconds that each of some exported files takes for an image, by their names, fastest first.

    Args:
        engines: the files, by name.
        model: that they were made from.
        image: (C, H, W), as its data preprocessor takes it.
    """
    calls = {name: partial(engine, as_file_takes_it(image, model, engine.info)) for name, engine in engines.items()}
    best = {name: min(times) for name, times in interleaved(calls, torch.device('cpu'), _ROUNDS).items()}
    return dict(sorted(best.items(), key=lambda item: item[1]))


def with_fastest_settings(model: EncoderDecoder, file: Path, info: EngineInfo, image: Tensor) -> EngineInfo:
    """The facts of a file, with those settings of its engine by which it is computed fastest.

    Args:
        model: that the file was made from.
        file: an exported file; what lies beside it is written anew.
        info: its facts.
        image: (C, H, W), as the data preprocessor takes it, with which the settings are timed.
    """
    format = FORMATS[info.format]
    candidates = {str(dict(settings)): replace(info, settings=dict(settings)) for settings in format.settings}
    if len(candidates) == 1:
        return info
    engines = {}
    for name, candidate in candidates.items():
        candidate.write(file)
        engines[name] = load_engine(file)
    seconds = seconds_of(engines, model, image)
    times = ', '.join(f'{name} {1e3 * time:.0f} ms' for name, time in seconds.items())
    print_log(f'settings of {format.engine}: {times}', 'current')
    return candidates[next(iter(seconds))]
