"""Fuse a checkpoint: python tools/reparameterize.py CONFIG CHECKPOINT OUT"""

import argparse
import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..data.read_image import read_image
from ..errors import InputError, listed
from ..invocation import as_typed
from ..measure.difference import largest_relative_error
from ..models import BackboneClassifier, reparameterize_model
from ..models.image_channels import image_channels
from ..models.undo_class_weights import undo_class_weights
from ..training.config import load_config
from ..training.prepare import prepare_model
from ..weights.classes_of_config import classes_of_config
from ..weights.load_into_model import load_weights
from ..weights.read import read_checkpoint, read_meta
from ..weights.stored_config import stored_config
from ..weights.write import check_output, write_checkpoint
from .config_options import add_config_options
from .exit import exit_on_input_error

LIMIT = 1e-4  # of the relative error; rounding alone gives about 1e-6


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Fuse every RepVGG block of a checkpoint into one 3x3 conv')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint in training form')
    parser.add_argument('out', help='file for the fused checkpoint')
    parser.add_argument('--image', help='image on which both forms are compared (random pixels by default)')
    parser.add_argument(
        '--publish',
        action='store_true',
        help='write a small file for others: half precision, and of the run only the classes, the model and the test pipeline',
    )
    parser.add_argument(
        '--undo-class-weights',
        action='store_true',
        help='divide the class_weight of the loss out of the scores, which otherwise favour the classes of large weights',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace OUT where it exists')
    parser.add_argument('--trust', action='store_true', help='read CHECKPOINT even if that runs code in the file')
    add_config_options(parser)
    return parser.parse_args()


def load_image(path: str | None, channels: int) -> Tensor:
    """An image as the data preprocessor takes it, (1, channels, H, W): three are BGR, from 0 to 255.

    Args:
        path: of an image, or of an array (H, W, channels) in a .npy file; None for 512x512 random pixels.
        channels: those that the network takes.

    Raises:
        InputError: the file cannot be read, or has other channels.
    """
    if path is None:
        return torch.randint(256, (1, channels, 512, 512), generator=torch.Generator().manual_seed(0))
    return torch.from_numpy(read_image(path, channels).astype(np.float32)).permute(2, 0, 1)[None]


@torch.no_grad()
def largest_error(model: BaseSegmentor | BackboneClassifier, fused: nn.Module, image: Tensor) -> float:
    """The largest relative error of the fused model, in its logits and in every feature map."""
    batch: dict[str, Any] = dict(inputs=list(image))
    if isinstance(model, BackboneClassifier):
        batch = dict(inputs=image, labels=torch.zeros(1, dtype=torch.long))
    inputs = model.data_preprocessor(batch)['inputs']
    networks: Iterable[Any] = (model.eval(), fused.eval())
    outputs, fused_outputs = ([m(inputs, mode='tensor'), *m.backbone(inputs)] for m in networks)
    return largest_relative_error(fused_outputs, outputs)


def fused_meta(meta: dict[str, Any], cfg: Config) -> dict[str, Any]:
    """The `meta` of the fused checkpoint; the config in it builds the backbone with deploy=True.

    Args:
        meta: that of the checkpoint in training form.
        cfg: whose text and classes are taken where `meta` has none.
    """
    meta = dict(meta, fused=True)
    classes = classes_of_config(cfg)
    if classes and 'dataset_meta' not in meta and 'CLASSES' not in meta:
        meta['dataset_meta'] = classes
    stored = stored_config(meta) if 'cfg' in meta else copy.deepcopy(cfg)
    if stored and 'model' in stored:
        stored.model.get('backbone', stored.model).deploy = True  # a classifier builds its backbone itself
        meta['cfg'] = stored.pretty_text
    return meta


def published(fused: nn.Module, meta: dict[str, Any], cfg: Config) -> dict[str, Any]:
    """A checkpoint in half precision that tells nothing of the run that made it but classes, model and test pipeline.

    Args:
        fused: the model; its weights become those that the file holds.
        meta: as `fused_meta` returns it.
        cfg: the config of the model.

    Raises:
        InputError: a weight is too large for half precision.
    """
    state = fused.state_dict()
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    too_large = [name for name, tensor in half.items() if not tensor.isfinite().all()]
    if too_large:
        raise InputError(f'half precision ends at 65504, and {listed(too_large)} goes beyond: leave out --publish')
    fused.load_state_dict(half)
    kept = {key: copy.deepcopy(cfg[key]) for key in ('model', 'test_pipeline') if key in cfg}
    kept['model'].get('backbone', kept['model']).update(deploy=True, init_cfg=None)
    classes = {key: meta[key] for key in ('dataset_meta', 'CLASSES', 'PALETTE') if key in meta}
    return dict(meta=dict(fused=True, cfg=Config(kept).pretty_text, **classes), state_dict=half)


@exit_on_input_error
def main() -> None:
    args = parse_args()
    check_output(args.checkpoint, args.out, args.overwrite)
    cfg = load_config(args.config, args.cfg_options)
    prepare_model(cfg)
    model = MODELS.build(cfg.model)
    load_weights(model, args.checkpoint, trust=args.trust)
    if args.undo_class_weights:
        undo_class_weights(model)
    fused = reparameterize_model(model)
    error = largest_error(model, fused, load_image(args.image, image_channels(model)))
    print(f'largest relative error of the fused form: {error:.2e}')
    if not error <= LIMIT:
        raise InputError(
            f'the forms differ by {error:.2e}, more than {LIMIT:.0e}: nothing is written; look for infinite, NaN or '
            'vanishing BN variances in the checkpoint'
        )
    meta = read_meta(args.checkpoint, read_checkpoint(args.checkpoint, trust=args.trust))
    checkpoint = dict(meta=fused_meta(meta, cfg), state_dict=fused.state_dict())
    if args.publish:
        checkpoint = published(fused, checkpoint['meta'], cfg)
        error = largest_error(model, fused, load_image(args.image, image_channels(model)))
        print(f'largest relative error with weights in half precision: {error:.2e}')
    write_checkpoint(checkpoint, args.out)
    print(
        f'wrote {args.out}; {as_typed("test", args.config, args.out)} scores it; '
        'elsewhere build the backbone with deploy=True'
    )
