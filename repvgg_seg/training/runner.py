"""The Runner of a run."""

import logging
import os
import os.path as osp
import re
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import CheckpointLoader, Runner
from torch import nn
from torch.utils.data import DataLoader

from ..errors import InputError
from ..evaluation.fast_drawing import draw_fast
from ..files import replacing
from ..models.match_checkpoint import is_fused
from ..models.take_widths import take_widths
from ..quiet import quiet_log
from ..weight_names import unwrap
from ..weights.load_into_model import find_backbone

# mmengine/dataset/dataset_wrapper.py
_DIFFERENT = re.compile(r'meta information of|should be the same with the first dataset')


class QuietRunner(Runner):
    """mmengine's Runner, whose screen shows no line that carries nothing (`repvgg_seg.quiet`); its log file holds all."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """The logger that mmengine builds; its file is UTF-8, also where another encoding is usual."""
        logger = super().build_logger(*args, **kwargs)
        quiet_log(logger)
        for handler in logger.handlers:
            if isinstance(handler, logging.FileHandler) and handler.stream:
                handler.encoding = 'utf-8'  # should it open the file again
                handler.stream.reconfigure(encoding=handler.encoding)
                logger.info(f'environment, config and hooks are in {handler.baseFilename}')
        return logger

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """The model that mmengine builds, with the widths of the checkpoint that it is going to load, where that was pruned."""
        built = super().build_model(model)
        _, backbone = find_backbone(built)
        if self._load_from and backbone is not None:
            try:
                file = CheckpointLoader.load_checkpoint(self._load_from, 'cpu', logger='silent')
            except Exception:  # which is told when the file is loaded
                return built
            tensors = unwrap(file)
            if not is_fused(tensors):  # a fused one is refused when it is loaded
                take_widths(built, backbone, tensors)
        return built

    def save_checkpoint(self, out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        """mmengine's, whose file is there whole or not at all, and replaces one of the same name when it is whole.

        Raises:
            InputError: it cannot be written, as on a full disk.
        """
        elsewhere = '://' in str(out_dir) or kwargs.get('backend_args') or kwargs.get('file_client_args') or any(args)
        if elsewhere or not is_main_process():
            super().save_checkpoint(out_dir, filename, *args, **kwargs)
            return
        path = osp.join(out_dir, filename)
        try:
            os.makedirs(out_dir, exist_ok=True)
            with replacing(path) as temporary:
                super().save_checkpoint(str(temporary.parent), temporary.name, *args, **kwargs)
        except OSError as error:
            raise InputError(
                f'cannot write {path} ({error.strerror or error}), so the run stops; earlier checkpoints are as they were: make room, '
                'and go on from the last with --resume'
            ) from error

    @staticmethod
    def build_dataloader(*args: Any, **kwargs: Any) -> DataLoader:
        """The loader that mmengine builds.

        Raises:
            InputError: data sets are put together whose classes or colours differ.
        """
        try:
            return Runner.build_dataloader(*args, **kwargs)
        except (TypeError, ValueError) as error:
            if isinstance(error, InputError) or not _DIFFERENT.search(str(error)):
                raise
            raise InputError(
                'ConcatDataset takes data sets with the same metainfo: give them the same classes and palette, or name what '
                f'may differ in its ignore_keys, such as ignore_keys=["palette"] ({error})'
            ) from error


def build_runner(cfg: Config) -> Runner:
    """A `QuietRunner`, which draws fast where its visualizer is mmseg's."""
    runner = QuietRunner.from_cfg(cfg)
    draw_fast(runner.visualizer)
    return runner
