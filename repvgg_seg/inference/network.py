"""The network that predicts: from the shipped file, a config and a checkpoint, or a checkpoint that holds its config."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS

from ..errors import InputError, listed
from ..export.engine import is_engine_file, load_engine
from ..export.engine_segmentor import EngineSegmentor, check_number_of_classes
from ..invocation import config_name
from ..quiet import quiet_warnings
from ..training.config import load_config
from ..training.one_line_error import told_in_one_line
from ..training.prepare import prepare_model
from ..training.sync_bn import sync_bn_to_bn
from ..weights.classes_of_config import classes_of_config
from ..weights.load_into_model import load_weights
from ..weights.read import check_readable, read_checkpoint, read_meta
from .config_of_checkpoint import checked_config, config_of_checkpoint
from .shipped_network import CONFIG, shipped_network

Path_ = str | os.PathLike[str]


@dataclass
class Network:
    """A trained segmentor, in the form of its checkpoint, and what it predicts.

    Attributes:
        model: in eval mode.
        cfg: the config that it was built from.
        classes: names of what it predicts, one for each number in a label map.
        palette: their RGB colours.
        config: name of the config, as it was given; None for that of the checkpoint.
        checkpoint: path of the checkpoint.
    """

    model: BaseSegmentor
    cfg: Config
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    config: str | None
    checkpoint: str


def load_network(
    config: Path_ | Config | None,
    checkpoint: Path_ | None,
    cfg_options: dict[str, Any] | None = None,
    trust: bool = False,
) -> Network:
    """Build a segmentor and load its weights.

    Args:
        config: path or name of a config, or a config that was read; None for that in the checkpoint.
        checkpoint: path of a checkpoint, in training or fused form, or of a file of tools/export.py; None with the config of the shipped network, or without
            any config, for the shipped network.
        cfg_options: settings that are put over the config, by their dotted keys.
        trust: read a checkpoint that runs code when read.

    Raises:
        InputError: nothing can be predicted with that: a file is missing or wrong, a config comes without a checkpoint, they
            do not fit each other, or the model is no segmentor.
    """
    if checkpoint is None and (config is None or _is_shipped(config)):
        config, checkpoint = shipped_network()
        cfg_options = {'model.backbone.deploy': True} | (cfg_options or {})  # as the file is
    if checkpoint is None:
        raise _without_weights(config)
    checkpoint = os.fspath(checkpoint)
    if is_engine_file(checkpoint):
        return _network_of_engine(config, checkpoint, cfg_options)
    if config is None:
        check_readable(checkpoint)
        meta = read_meta(checkpoint, read_checkpoint(checkpoint, trust))
        cfg = config_of_checkpoint(meta, checkpoint)
        cfg.merge_from_dict(cfg_options or {})
    else:
        cfg = _given(config, cfg_options)
        check_readable(checkpoint)
    if 'decode_head' not in cfg.model:
        raise InputError(f'{config or checkpoint} is no segmentor (it has no model.decode_head): name one that is')
    if not cfg.model.get('test_cfg'):
        cfg.model.test_cfg = dict(mode='whole')
    sync_bn_to_bn(cfg)  # the same in inference
    with quiet_warnings():
        prepare_model(cfg)
        try:
            model = MODELS.build(cfg.model)
        except InputError:
            raise
        except Exception as error:  # a wrong value raises whatever the class makes of it
            raise told_in_one_line(error, f'building the network of {config or checkpoint}') from error
    meta = load_weights(model, checkpoint, trust=trust) or read_meta(checkpoint, {})
    classes, palette = _classes(model, cfg, meta, checkpoint)
    return Network(model.eval().requires_grad_(False), cfg, classes, palette, _name_of(config), checkpoint)


def _network_of_engine(config: Path_ | Config | None, file: str, cfg_options: dict[str, Any] | None) -> Network:
    """An exported file as a segmentor, with the pipeline of a config or else of what lies beside the file."""
    engine = load_engine(file)
    info = engine.info
    if config is None:
        model = dict(data_preprocessor=info.data_preprocessor, test_cfg=info.test_cfg)
        cfg = checked_config(dict(model=model, test_pipeline=info.test_pipeline), file)
        cfg.merge_from_dict(cfg_options or {})
    else:
        cfg = _given(config, cfg_options)
        check_number_of_classes(engine, cfg.model)
    init_default_scope('mmseg')
    try:
        segmentor = EngineSegmentor(engine, cfg.model.get('data_preprocessor'), cfg.model.get('test_cfg')).eval()
    except InputError:
        raise
    except Exception as error:  # a wrong value raises whatever the class makes of it
        raise told_in_one_line(error, f'building the network of {file}') from error
    classes, palette = _classes(segmentor, cfg, engine.meta, file)
    return Network(segmentor, cfg, classes, palette, _name_of(config), file)


def _given(config: Path_ | Config, cfg_options: dict[str, Any] | None) -> Config:
    """A config that was named or read, with settings put over it."""
    if not isinstance(config, Config):
        return load_config(os.fspath(config), cfg_options)
    cfg = config.copy()
    cfg.merge_from_dict(cfg_options or {})
    return cfg


def _name_of(config: Path_ | Config | None) -> str | None:
    return None if config is None else getattr(config, 'filename', None) or str(config)


def _is_shipped(config: Path_ | Config) -> bool:
    return not isinstance(config, Config) and Path(config).with_suffix('').as_posix() in (CONFIG, f'configs/{CONFIG}')


def _without_weights(config: Any) -> InputError:
    """Say that a config alone predicts nothing, with the newest checkpoint of it that lies at its usual place."""
    name = config.filename if isinstance(config, Config) else os.fspath(config)
    latest = Path('work_dirs', Path(name or 'config').stem, 'last_checkpoint')
    try:
        found = f', such as {latest.read_text(encoding="utf-8").strip()}'
    except OSError:
        found = ''
    return InputError(
        f'{name} comes without a checkpoint, and without one its network has random weights: name the checkpoint{found}; '
        f'only {config_name(CONFIG)} has weights in the package'
    )


def _classes(
    model: BaseSegmentor, cfg: Config, meta: Mapping[str, Any], checkpoint: str
) -> tuple[tuple[str, ...], tuple[tuple[int, int, int], ...]]:
    """The names and colours of the classes: of the checkpoint, else of the config, else numbers."""
    number = max(2, model.out_channels)  # one logit tells two classes apart
    stored = _mapping(meta.get('dataset_meta'))
    of_checkpoint = _names(stored.get('classes') or meta.get('CLASSES'))
    of_config = classes_of_config(cfg) or {}
    names = of_checkpoint or _names(of_config.get('classes'))
    if of_checkpoint and of_config and of_checkpoint != tuple(of_config['classes']):
        print_log(
            f'{checkpoint} was trained on other classes ({listed(of_checkpoint)}) than those of the config '
            f'({listed(of_config["classes"])}): those of the checkpoint are used',
            'current',
            logging.WARNING,
        )
    if len(names) == 1 and number == 2:
        names = ('background', *names)
    if len(names) != number:
        if names:
            print_log(
                f'the network predicts {number} classes, and {len(names)} have names ({listed(names)}): they are called by '
                'their numbers',
                'current',
                logging.WARNING,
            )
        names = tuple(f'class {i}' for i in range(number))
    colours = stored.get('palette') or meta.get('PALETTE')
    if not _are_colours(colours, number) and names == _names(of_config.get('classes')):
        colours = of_config.get('palette')
    return names, _palette(colours, number)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


def _are_colours(value: Any, number: int) -> bool:
    """Whether a value of a file is so many colours of three whole numbers from 0 to 255."""
    try:
        array = np.asarray(value)
        return array.shape == (number, 3) and array.dtype.kind in 'iu' and array.min() >= 0 and array.max() <= 255
    except (ValueError, TypeError):
        return False


def _palette(colours: Any, number: int) -> tuple[tuple[int, int, int], ...]:
    """Colours as given, or, where they are not as many as classes, mmseg's for data sets without colours."""
    if not _are_colours(colours, number):
        colours = np.random.RandomState(42).randint(0, 255, size=(number, 3)).tolist()
    return tuple((int(red), int(green), int(blue)) for red, green, blue in colours)


def chosen_device(device: str | torch.device | None) -> torch.device:
    """The device that was asked for, by default the GPU where there is one.

    Raises:
        InputError: it is none that torch has here.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).item()  # on the device 'meta' there are no values
    except Exception as error:  # torch raises many types, of which some name an internal function
        raise InputError(
            f'device {device!r} cannot be used here ({str(error).splitlines()[0][:120]}): give cpu, or cuda or cuda:NUMBER '
            'where there is a GPU'
        ) from None
    return chosen
