"""Mistyped configs, options and paths of configs: what `load_config` and the checks behind it are given."""

import ast
import shutil
import sys
from pathlib import Path
from random import Random
from typing import Any

from ..training.config.config_check import TRAINING, VALIDATION, check_config
from ..training.config.find_config import packaged_configs
from ..training.config.load_config import load_config
from ..training.config.option_values import TypedText
from ..training.config.settings_check import check_settings
from .mutations import mutate_text

_OPTIONS = (
    'model.backbone.arch=B2',
    'model.backbone.arch.depths=(1,2,2,5,1)',
    'train_dataloader.batch_size=4',
    'train_dataloader.dataset.pipeline.3.scale=(512, 256)',
    'param_scheduler.0.end=10',
    'optim_wrapper.optimizer.lr=1e-3',
    "custom_hooks=[dict(type='ChannelsLastHook')]",
    "model.decode_head.loss_decode={'type': 'CrossEntropyLoss', 'loss_weight': 0.4}",
    'default_hooks.checkpoint._delete_=True',
    'randomness.seed=3',
    'load_from=C:\\weights\\new.pth',
)
_RUNS = ('eval', 'exec', 'open', 'compile', '__import__', 'breakpoint', 'input', 'exit', 'quit', 'help')


class Configs:
    """Configs of this package, damaged, then read with options; a text that could run something is not tried."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / 'configs'
        shutil.copytree(packaged_configs(), self._root)
        self._names = sorted(path for path in self._root.rglob('*.py'))

    def make(self, random: Random, files: list[Path], folder: Path) -> dict[str, Any]:
        """Write one damaged config beside those that it inherits from; returns the arguments of `read`."""
        how = random.random()
        own = [file for file in files if file.suffix in ('.py', '.json', '.yml', '.yaml')]
        file = random.choice(own or self._names)
        path = file.with_name('case' + random.choice((file.suffix,) * 12 + ('.json', '.yaml', '.txt', '')))
        text = file.read_text(encoding='utf-8')
        text = mutate_text(text, random) if how < 0.6 else text
        name = str(path)
        if _may_run(text):
            text = file.read_text(encoding='utf-8')
        if random.random() < 0.05:
            path.write_bytes(random.randbytes(random.choice((0, 1, 100))))
        else:
            path.write_bytes(text.encode('utf-8', 'surrogatepass'))
        if 0.6 < how < 0.75:
            name = mutate_text(random.choice((name, 'pspnet_repvgg_b2', 'configs/imagenet/repvgg_a0_120e.py')), random)
        options = [mutate_text(option, random) for option in random.sample(_OPTIONS, random.choice((0, 1, 2)))]
        pairs = [option.partition('=')[::2] for option in options]
        return dict(
            path=path,
            name=name.replace('\0', ''),  # which no command line can hold
            options={key.strip(): TypedText(value) for key, value in pairs if key.strip()},
        )

    def read(self, path: Path, name: str, options: dict[str, Any]) -> None:
        """Read a config with options and check it, as the tools do before anything is built.

        Raises:
            InputError: it is refused.
        """
        kept = list(sys.path)
        try:
            cfg = load_config(name, options)
            check_config(cfg, (*TRAINING, *VALIDATION))
            check_settings(cfg, training=True)
        finally:
            sys.path[:] = kept
            path.unlink()


def _may_run(text: str) -> bool:
    """Whether the text of a config, which is Python, imports, loops, or calls something else than dict."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except Exception:  # it is no Python, so that nothing of it is run
        return False
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    kinds = (ast.Import, ast.ImportFrom, ast.While, ast.For, ast.Pow, ast.comprehension, ast.Delete, ast.With)
    return bool(names & set(_RUNS)) or any(isinstance(node, kinds) for node in nodes)
