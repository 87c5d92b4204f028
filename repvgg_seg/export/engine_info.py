"""What has to be known of an exported file to use it: a JSON file beside it, with labels, colours and preprocessing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mmseg.models import EncoderDecoder

from ..errors import InputError
from ..models.image_channels import image_channels

SUFFIX = '.json'  # behind the whole name of the file


@dataclass(frozen=True)
class EngineInfo:
    """The facts of an exported file.

    Args:
        format: name of its format.
        precision: in which it is computed, or in which its weights are stored.
        size: (height, width) of the only images that it takes; None for any.
        channels: of the images.
        normalizes: whether it takes images as the data preprocessor does, with values from 0 to 255 and BGR where it turns the
            channels; otherwise what the data preprocessor makes of them.
        classes: names of the classes.
        palette: their RGB colours.
        out_channels: channels of the logits; one logit tells two classes apart.
        align_corners: how logits are brought to the size of the image.
        threshold: of one logit, after the sigmoid.
        data_preprocessor, test_cfg, test_pipeline: those of the config.
        settings: options of the engine with which it computes the network fastest.
        about: where it comes from and how it was compared with PyTorch.
    """

    format: str
    precision: str
    size: tuple[int, int] | None
    channels: int
    normalizes: bool
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    out_channels: int
    align_corners: bool
    threshold: float | None
    data_preprocessor: dict[str, Any]
    test_cfg: dict[str, Any]
    test_pipeline: list[dict[str, Any]]
    settings: dict[str, bool] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_model(cls, model: EncoderDecoder, **others: Any) -> EngineInfo:
        """The facts of a file that is made of a model: what the model itself says, and `others`, the rest of them."""
        return cls(
            channels=image_channels(model),
            out_channels=model.out_channels,
            align_corners=model.align_corners,
            threshold=model.decode_head.threshold if model.out_channels == 1 else None,
            **others,
        )

    def write(self, engine_file: Path) -> None:
        """Write it beside an engine file."""
        text = json.dumps(asdict(self), indent=2, default=str)
        info_file(engine_file).write_text(text + '\n', encoding='utf-8')


def info_file(engine_file: Path) -> Path:
    """The file beside an engine file."""
    return engine_file.with_name(engine_file.name + SUFFIX)


def read_info(engine_file: Path) -> EngineInfo:
    """The facts of an engine file.

    Raises:
        InputError: the file beside it is missing or damaged.
    """
    path = info_file(engine_file)
    try:
        read = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise InputError(
            f'{path} cannot be read ({error.strerror}): it belongs to {engine_file.name}, and tools/export.py has written both'
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f'{path} is damaged: export the network again') from None
    try:
        given = {item.name: read[item.name] for item in fields(EngineInfo)}
        given['size'] = None if given['size'] is None else _pair(given['size'])
        given['classes'] = tuple(map(str, given['classes']))
        given['palette'] = tuple((int(red), int(green), int(blue)) for red, green, blue in given['palette'])
        for name in ('data_preprocessor', 'test_cfg', 'test_pipeline'):
            given[name] = _with_tuples(given[name])
        info = EngineInfo(**given)
        whole: dict[type, tuple[Any, ...]] = {
            int: (info.channels, info.out_channels),
            bool: (info.normalizes, info.align_corners),
            str: (info.format, info.precision),
            dict: (info.data_preprocessor, info.test_cfg, info.settings, info.about),
            list: (info.test_pipeline,),
        }
        if not all(type(value) is kind for kind, values in whole.items() for value in values):
            raise TypeError
    except (KeyError, TypeError, ValueError):
        raise InputError(f'{path} is damaged, or of another version: export the network again') from None
    return info


def _with_tuples(value: Any) -> Any:
    """A nest in which lists of numbers are tuples, as configs have them: JSON knows none, and a scale has to be one."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        numbers = bool(value) and all(type(item) in (int, float) for item in value)
        return tuple(value) if numbers else list(map(_with_tuples, value))
    return value


def _pair(size: Any) -> tuple[int, int]:
    height, width = size
    return int(height), int(width)
