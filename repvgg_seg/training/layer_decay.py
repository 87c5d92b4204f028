"""Learning rates that fall from the heads to the stem (layer-wise and stage-wise decay), for RepVGG backbones."""

import logging
from typing import Any

import mmseg.registry as mmseg
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS
from mmseg.engine.optimizers import LayerDecayOptimizerConstructor, LearningRateDecayOptimizerConstructor
from torch import nn

from ..errors import InputError
from ..models import RepVGG, RepVGGClassifier
from ..models.stride_dilation_plan import layer_names
from .config.registered_class import find_class

_TYPES = ('layer_wise', 'stage_wise')
# Backbones that mmseg's constructor tells by a part of their names, for each type of decay.
_KNOWN_TO_MMSEG = {'layer_wise': ('ConvNeXt', 'BEiT', 'MAE'), 'stage_wise': ('ConvNeXt',)}


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class RepVGGLayerDecayConstructor(DefaultOptimWrapperConstructor):
    """mmseg's `LearningRateDecayOptimizerConstructor` for models with a RepVGG backbone.

    The learning rate of layer `i` is `lr * decay_rate ** (num_layers + 1 - i)`: the stem is layer 0, every further block (or,
    stage-wise, every further stage) is one layer, and what does not belong to the backbone is layer `num_layers + 1`, with the
    rate of the config. Biases and the parameters of norms have no weight decay, as in mmseg.

    Args:
        optim_wrapper_cfg: the optimizer and its wrapper; the optimizer needs `lr`.
        paramwise_cfg: `decay_rate`, a positive number; `decay_type`, 'layer_wise' (default) or 'stage_wise'; `num_layers`,
            which need not be given: it is counted in the backbone.

    Raises:
        InputError: a setting is missing or out of its range, or the model has no RepVGG.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None):
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        rate = self.paramwise_cfg.get('decay_rate')
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate <= 0:
            raise InputError(
                f'optim_wrapper.paramwise_cfg.decay_rate: got {rate!r}; layer decay needs a positive number, such as 0.9'
            )
        self._decay_type = _decay_type(self.paramwise_cfg)
        if self.base_lr is None:
            raise InputError('optim_wrapper.optimizer.lr: layer decay multiplies it, and the config does not give it')

    def add_params(self, params: list[dict], module: nn.Module, **kwargs: Any) -> None:
        """Add one group for each layer, with and without weight decay, to `params`."""
        backbones = {name: part for name, part in module.named_modules() if isinstance(part, RepVGG)}
        if not backbones:
            raise InputError(
                f'optim_wrapper.constructor: {type(self).__name__} is for models with a RepVGG backbone, and this one has none'
            )
        count = max(self._number_of_layers(backbone) for backbone in backbones.values())
        self._compare_with_config(count)
        groups: dict[str, dict[str, Any]] = {}
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            layer = next(
                (i for i in (self._layer(name, *item) for item in backbones.items()) if i is not None), count + 1
            )
            decays = parameter.dim() > 1 and not name.endswith('.bias')
            group_name = f'layer_{layer}_{"decay" if decays else "no_decay"}'
            if group_name not in groups:
                scale = self.paramwise_cfg['decay_rate'] ** (count + 1 - layer)
                groups[group_name] = dict(
                    params=[], param_names=[], lr_scale=scale, group_name=group_name, lr=scale * self.base_lr
                )
                if self.base_wd is not None:
                    groups[group_name]['weight_decay'] = self.base_wd if decays else 0.0
            groups[group_name]['params'].append(parameter)
            groups[group_name]['param_names'].append(name)
        params.extend(groups.values())
        rates = [group['lr'] for group in groups.values()]
        print_log(
            f'{self._decay_type} decay: {count} layers between stem and heads, learning rates from {min(rates):.3g} to '
            f'{max(rates):.3g} in {len(groups)} groups',
            'current',
        )

    def _number_of_layers(self, backbone: RepVGG) -> int:
        """How many layers there are between the stem and the heads."""
        return sum(backbone.arch.depths[1:]) if self._decay_type == 'layer_wise' else len(backbone.arch.depths) - 1

    def _layer(self, name: str, prefix: str, backbone: RepVGG) -> int | None:
        """The layer of a parameter; None where it is not in this backbone."""
        start = f'{prefix}.' if prefix else ''
        first, _, rest = name.removeprefix(start).partition('.')
        if not name.startswith(start) or not first.startswith('stage'):
            return None
        stage = int(first.removeprefix('stage'))
        if self._decay_type == 'stage_wise' or stage == 0:
            return stage
        layers = layer_names(backbone.plans)
        inside = f'{first}.{rest}.'
        place = next((i for i, layer in enumerate(layers) if inside.startswith(f'{layer}.')), None)
        if place is None:  # a shortcut around two layers goes with the first of them
            place = layers.index(f'{first}.{rest.split(".")[0]}.layer1')
        return place

    def _compare_with_config(self, count: int) -> None:
        given = self.paramwise_cfg.get('num_layers', count)
        if given != count:
            print_log(
                f'optim_wrapper.paramwise_cfg.num_layers is {given!r}, and this backbone has {count} between stem and heads for '
                f'{self._decay_type} decay: {count} is used',
                'current',
                logging.WARNING,
            )


def use_repvgg_layers(cfg: Config) -> None:
    """Put our constructor in the place of mmseg's where the backbone is a RepVGG, which mmseg's does not know.

    Raises:
        InputError: mmseg's constructor with a backbone that neither knows.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    kind = wrapper.get('constructor')
    if kind is None:
        return
    scope = cfg.get('default_scope') or 'mmseg'
    cls = find_class(kind, 'optim_wrapper.constructor', mmseg.OPTIM_WRAPPER_CONSTRUCTORS, scope)
    if cls not in (LayerDecayOptimizerConstructor, LearningRateDecayOptimizerConstructor):
        return
    settings = wrapper.get('paramwise_cfg') or {}
    if cls is LayerDecayOptimizerConstructor:
        settings = {key: value for key, value in settings.items() if key != 'layer_decay_rate'} | dict(
            decay_rate=settings.get('layer_decay_rate', settings.get('decay_rate')), decay_type='layer_wise'
        )
    decay_type = _decay_type(settings)
    backbone = _backbone_class(cfg.model, scope)
    if isinstance(backbone, type) and issubclass(backbone, RepVGG):
        wrapper['constructor'], wrapper['paramwise_cfg'] = 'RepVGGLayerDecayConstructor', settings
        print_log(
            f'optim_wrapper.constructor: {cls.__name__} does not know the layers of RepVGG; RepVGGLayerDecayConstructor, '
            'which takes the same settings, builds the optimizer',
            'current',
        )
    elif backbone is not None and not any(part in backbone.__name__ for part in _KNOWN_TO_MMSEG[decay_type]):
        raise InputError(
            f'optim_wrapper.constructor: {cls.__name__} knows no layers of {backbone.__name__} for {decay_type} decay: leave it '
            'out and set rates by optim_wrapper.paramwise_cfg.custom_keys'
        )


def _decay_type(settings: dict) -> str:
    """The type of decay; mmseg takes every name that contains 'layer_wise'."""
    given = settings.get('decay_type', 'layer_wise')
    kind = 'layer_wise' if isinstance(given, str) and 'layer_wise' in given else given
    if kind not in _TYPES:
        raise InputError(f'optim_wrapper.paramwise_cfg.decay_type: got {given!r}; there are {" and ".join(_TYPES)}')
    return kind


def _backbone_class(model: dict, scope: str) -> Any:
    """The class of a model's backbone; None where the config does not show it."""
    whole = find_class(model['type'], 'model.type', mmseg.MODELS, scope) if 'type' in model else None
    if isinstance(whole, type) and issubclass(whole, RepVGGClassifier):
        return RepVGG
    backbone = model.get('backbone')
    if not isinstance(backbone, dict) or 'type' not in backbone:
        return None
    return find_class(backbone['type'], 'model.backbone.type', mmseg.MODELS, scope)
