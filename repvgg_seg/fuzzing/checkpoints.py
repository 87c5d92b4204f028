"""Damaged checkpoints: what the tools do with a file of weights that they are given."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from ..models.classifier import RepVGGClassifier
from ..models.reparameterize import reparameterize_model
from ..weight_names import FAMILIES, sort_weights, to_checkpoint
from ..weights.convert import convert
from ..weights.install_reader import load_from_local
from ..weights.load_into_model import load_weights
from ..weights.read import read_checkpoint, read_meta
from ..weights.stored_config import stored_config
from ..weights.write import write_checkpoint
from .mutations import mutate_bytes, mutate_values, mutate_zip

_ARCH = dict(depths=(1, 1, 1, 1, 1), a=0.125, b=0.0625)


class Checkpoints:
    """Checkpoints of all families and forms, damaged, then read, described, converted and loaded."""

    def __init__(self, folder: Path) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)  # a case that is repeated finds the same files
            model = RepVGGClassifier(_ARCH, num_classes=4).eval()
        fused = reparameterize_model(model)
        weights = filter(None, map(sort_weights, (model.state_dict(), fused.state_dict())))
        self._values: list[dict[str, Any]] = [to_checkpoint(form, family) for form in weights for family in FAMILIES]
        self._values.append(_of_mmengine(model))
        for i, value in enumerate(self._values):
            torch.save(value, folder / f'{i}.pth')
            torch.save(value, folder / f'{i}_legacy.pth', _use_new_zipfile_serialization=i % 2 == 0)
            write_checkpoint(value, folder / f'{i}.safetensors')

    def make(self, random: Random, files: list[Path], folder: Path) -> dict[str, Any]:
        """Write one damaged checkpoint into a folder; returns the arguments of `read`."""
        file = random.choice(files)
        path = folder / f'case{file.suffix}'
        content = file.read_bytes()
        how = random.random()
        if how < 0.3:
            value = mutate_values(random.choice(self._values), random)
            try:
                torch.save(value, path.with_suffix('.pth'), _use_new_zipfile_serialization=random.random() < 0.7)
                path = path.with_suffix('.pth')
            except Exception:  # of a value that torch cannot write
                path.write_bytes(content)
        elif how < 0.6 and content[:2] == b'PK':
            path.write_bytes(mutate_zip(content, random))
        else:
            path.write_bytes(mutate_bytes(content, random, random.choice(files).read_bytes()))
        return dict(path=path, family=random.choice(list(FAMILIES)), deploy=random.random() < 0.7)

    def read(self, path: Path, family: str, deploy: bool) -> None:
        """Do with a file what the tools do.

        Raises:
            InputError: it is refused.
        """
        checkpoint = read_checkpoint(path)
        stored_config(read_meta(path, checkpoint))
        load_from_local(str(path))
        load_weights(RepVGGClassifier(_ARCH, num_classes=4), path)
        convert(checkpoint, family, deploy)


def _of_mmengine(model: RepVGGClassifier) -> dict[str, Any]:
    """A training checkpoint, as mmengine writes one."""
    history = HistoryBuffer()
    history.update(1.5)
    return dict(
        meta=dict(
            epoch=1,
            iter=np.int64(10),
            seed=0,
            cfg="model = dict(type='RepVGGClassifier', arch='A0')\nlr = 0.1\n",
            dataset_meta=dict(classes=('road', 'car'), palette=[[1, 2, 3], [4, 5, 6]]),
        ),
        message_hub=dict(log_scalars={'train/loss': history}, runtime_info=dict(lr=np.float64(0.5), x=np.arange(3))),
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9).state_dict(),
        state_dict=model.state_dict(),
    )
