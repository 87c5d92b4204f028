"""The `Pretrained` weights that a config names: absent files are refused before anything is built."""

import os.path as osp

from ..errors import InputError
from ..weights.published import missing_weights_message
from .config import dicts_in


def check_pretrained(model_cfg: dict) -> None:
    """Refuse a `Pretrained` init_cfg whose file is not there.

    Raises:
        InputError: no name, or the name of a local file that does not exist; says where the weights can be had.
    """
    for part in dicts_in(model_cfg):
        if part.get('type') != 'Pretrained':
            continue
        path = part.get('checkpoint')
        if not path:
            raise InputError(
                'init_cfg Pretrained without a checkpoint: to train from scratch set init_cfg=None as a whole'
            )
        if '://' not in path and not osp.isfile(osp.expanduser(path)):
            raise InputError(missing_weights_message(path))


def drop_pretrained(model_cfg: dict) -> None:
    """Remove every `Pretrained` init_cfg, for a run whose weights come from a checkpoint."""
    for part in list(dicts_in(model_cfg)):
        if (part.get('init_cfg') or {}).get('type') == 'Pretrained':
            part['init_cfg'] = None
