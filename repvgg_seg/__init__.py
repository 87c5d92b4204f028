"""RepVGG for MMSegmentation. Importing the package registers its parts with mmseg."""

from importlib.util import find_spec

from .quiet import quiet_imports
from .version import __version__

if not all(map(find_spec, ('mmcv', 'mmengine', 'mmseg'))):
    raise ImportError(
        "repvgg_seg needs mmcv, mmengine and mmsegmentation: pip install 'repvgg_seg[onedl]' for the maintained forks, or "
        "'repvgg_seg[upstream]' for the originals"
    )

with quiet_imports():
    from . import data, evaluation, registry, training  # noqa: F401 (registers)
    from .export import load_engine
    from .inference import Segmentor
    from .models import RepVGG, RepVGGClassifier, reparameterize_model
    from .optimize import optimize_for_inference
    from .weights import load_weights

__all__ = [
    'RepVGG',
    'RepVGGClassifier',
    'Segmentor',
    '__version__',
    'load_engine',
    'load_weights',
    'optimize_for_inference',
    'reparameterize_model',
]
