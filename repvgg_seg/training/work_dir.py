"""The folder of a run, and other folders that options name."""

import os
import os.path as osp

from mmengine.config import Config

from ..errors import InputError
from ..files import check_folder_takes_files


def set_work_dir(cfg: Config, config_path: str, work_dir: str | None) -> None:
    """Set `cfg.work_dir` in mmseg's order: the command line, the config, `work_dirs/` and the name of the config."""
    name = osp.splitext(osp.basename(config_path))[0]
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', name)


def make_folder(path: str | None, option: str) -> None:
    """Make the folder that an option names, where it names one.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    if path is None:
        return
    if not path.strip():
        raise InputError(f'{option} names no folder: give it one, or leave it out')
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(f'{option} {path}: cannot make this folder ({error.strerror}); name another') from None
    try:
        check_folder_takes_files(path)
    except OSError as error:
        raise InputError(f'{option} {path}: cannot write into this folder ({error.strerror}); name another') from None
