"""The channels of the images, which the backbone and the data preprocessor of a config have to agree on."""

import logging
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS

from ..data.classification_preprocessor import ClassificationPreprocessor
from ..data.segmentation_preprocessor import MultiChannelPreProcessor
from ..errors import InputError
from .config.argument_kinds import default_of
from .config.registered_class import find_class


def fit_preprocessor(cfg: Config) -> None:
    """Compare the data preprocessor of a config with the channels that the backbone takes, before anything is built.

    Torch would broadcast a mean of three values over an image of one channel without a word. Where mmseg's preprocessor
    takes no mean of so many values, ours takes its place. Preprocessors of other classes are not judged.

    Args:
        cfg: changed in place.

    Raises:
        InputError: a mean or std that has neither one value nor one for each channel.
    """
    scope = cfg.get('default_scope') or 'mmseg'
    model = cfg.model
    place = 'model.data_preprocessor' if model.get('data_preprocessor') else 'data_preprocessor'
    preprocessor = model.get('data_preprocessor') or cfg.get('data_preprocessor')
    part = 'model.backbone' if 'backbone' in model else 'model'
    channels = _in_channels(model.get('backbone', model), f'{part}.type', scope)
    if not isinstance(preprocessor, dict) or channels is None:
        return
    cls = find_class(preprocessor.get('type'), f'{place}.type', MODELS, scope)
    if cls not in (SegDataPreProcessor, MultiChannelPreProcessor, ClassificationPreprocessor):
        return
    for name in ('mean', 'std'):
        values = preprocessor.get(name)
        if isinstance(values, (list, tuple)) and len(values) not in (1, channels):
            raise InputError(
                f'{place}.{name} has {len(values)} values, the backbone takes images of {channels} channels '
                f'({part}.in_channels): give {place}.mean and .std {channels} values each'
            )
    if channels != 3 and (preprocessor.get('bgr_to_rgb') or preprocessor.get('rgb_to_bgr')):
        print_log(
            f'{place}: bgr_to_rgb and rgb_to_bgr are for images of 3 channels; the {channels} channels stay in the order in '
            'which they are loaded: set them to False',
            'current',
            logging.WARNING,
        )
    if cls is SegDataPreProcessor and len(preprocessor.get('mean') or [0]) not in (1, 3):
        preprocessor['type'] = MultiChannelPreProcessor.__name__
        print_log(
            f"{place}: type='MultiChannelPreProcessor' in place of SegDataPreProcessor, which takes a mean of 1 or 3 values; "
            'write that type into the config for its use outside of these tools',
            'current',
        )


def _in_channels(part: dict[str, Any], path: str, scope: str) -> int | None:
    """The `in_channels` of a backbone or classifier, or the default of its class; None where it has no such argument."""
    if 'in_channels' in part:
        value = part['in_channels']
    else:
        value = default_of(find_class(part.get('type'), path, MODELS, scope), 'in_channels')
    return value if isinstance(value, int) else None
