"""The model that test-time augmentation runs with."""

from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS

from .config.registered_class import find_class


def use_own_tta_model(cfg: Config) -> None:
    """Put `MeanProbabilityTTAModel` in the place of mmseg's `SegTTAModel`, and where the config has no `tta_model`.

    A class of somebody else's, also one derived from mmseg's, stays.

    Args:
        cfg: changed in place.
    """
    model = cfg.get('tta_model') or dict(type=SegTTAModel)
    if not isinstance(model, dict):  # `check_config` refuses it
        return
    if find_class(model.get('type'), 'tta_model.type', MODELS, cfg.get('default_scope') or 'mmseg') is SegTTAModel:
        cfg.tta_model = dict(model, type='MeanProbabilityTTAModel')
        print_log(
            'tta_model: MeanProbabilityTTAModel in the place of SegTTAModel, which takes the sigmoid of one logit twice',
            'current',
        )
