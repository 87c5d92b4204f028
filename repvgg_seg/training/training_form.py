"""Refuses to train a fused network, which has no BN and one branch only."""

from mmseg.registry import MODELS

from ..errors import InputError
from ..models import RepVGG, RepVGGClassifier, RepVGGResNet
from .config.registered_class import find_class


def check_training_form(model_cfg: dict) -> None:
    """Refuse `deploy=True` in the model or its backbone, unless the whole backbone is frozen.

    Raises:
        InputError: the fused form would be trained.
    """
    for path, part in (('model', model_cfg), ('model.backbone', model_cfg.get('backbone'))):
        if not isinstance(part, dict) or not part.get('deploy') or part.get('frozen_stages', -1) == 4:
            continue
        cls = find_class(part.get('type'), f'{path}.type', MODELS, part.get('_scope_') or 'mmseg')
        if isinstance(cls, type) and issubclass(cls, (RepVGG, RepVGGClassifier, RepVGGResNet)):
            raise InputError(
                f'{path}.deploy=True builds the fused form, without BN and branches, which is for evaluation: leave it out to '
                'train (every evaluation fuses by itself), and start from a checkpoint in training form, since a fused one '
                'cannot be taken apart again'
                + ('; to train the heads alone over a fused backbone, add frozen_stages=4' if path != 'model' else '')
            )
