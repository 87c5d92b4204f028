"""Remove channels of a fused segmentor: python tools/prune.py CONFIG CHECKPOINT --share 0.33 --out-dir DIR"""

import argparse
import copy
import logging
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.models import BaseSegmentor
from mmseg.registry import MODELS
from torch import Tensor

from ..errors import InputError
from ..files import replacing
from ..inference.network import chosen_device
from ..invocation import as_typed
from ..measure.difference import relative_error
from ..models.archs import ArchSpec, arch_name
from ..models.take_widths import heads_of
from ..pruning import BY, Pruned, check_prunable, moments_of_convs, prune, put_bn_back, recalibrate
from ..training.config import load_config
from ..training.fine_tuning import shorten
from ..training.one_line_error import told_in_one_line
from ..training.prepare import prepare_model
from ..training.pretrained import drop_pretrained
from ..training.training_images import training_batches
from ..training.work_dir import make_folder
from ..weights.classes_of_config import classes_of_config
from ..weights.load_into_model import load_weights
from ..weights.read import check_readable, read_meta
from ..weights.write import check_output, write_checkpoint
from .config_options import add_config_options
from .exit import exit_on_input_error

LIMIT = 1e-4  # of the relative error of the network with BN; rounding alone gives about 1e-6


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Remove channels of the backbone of a segmentor, fused, put BN back behind its convs, and write the '
        'checkpoint and the config of its fine-tuning'
    )
    parser.add_argument('config', help='config file, or the name of one')
    parser.add_argument('checkpoint', help='checkpoint of a segmentor, in training or fused form')
    parser.add_argument(
        '--share',
        required=True,
        type=float,
        help='of the channels of the backbone that is removed, 0 to less than 1; 0 only makes a fused network trainable again',
    )
    parser.add_argument(
        '--by', choices=BY, default=BY[0],
        help='what channels are ranked by: the L1 norm of their fused kernels, or their effect on the loss (effect)',
    )  # fmt: skip
    parser.add_argument('--out-dir', required=True, help='folder for checkpoint and config')
    parser.add_argument('--multiple-of', type=int, default=8, metavar='N', help='widths become multiples of N (8)')
    parser.add_argument(
        '--images', type=int, default=64, help='of the training set, on which channels and BN are measured (64)'
    )
    parser.add_argument(
        '--iterations',
        type=int,
        help='length of the fine-tuning in the config that is written; as the config by default',
    )
    parser.add_argument('--lr', type=float, help='learning rate of the fine-tuning; a fifth of that of the config')
    parser.add_argument('--seed', type=int, default=0, help='of the choice and the augmentation of the images (0)')
    parser.add_argument('--device', help='where images are computed; the GPU by default, where there is one')
    parser.add_argument('--overwrite', action='store_true', help='replace files of an earlier run')
    parser.add_argument('--trust', action='store_true', help='read CHECKPOINT even if that runs code in the file')
    add_config_options(parser)
    return parser.parse_args()


def check_numbers(args: argparse.Namespace) -> None:
    """Refuse numbers out of their range."""
    if not 0 <= args.share < 1:
        raise InputError(f'--share must be from 0 to less than 1, such as 0.33, got {args.share:g}')
    for name in ('multiple_of', 'images', 'iterations'):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise InputError(f'--{name.replace("_", "-")} must be a positive integer, got {value}')
    if args.seed < 0:
        raise InputError(f'--seed must be 0 or more, got {args.seed}')
    if args.lr is not None and not 0 < args.lr < float('inf'):
        raise InputError(f'--lr must be a positive number, got {args.lr:g}')


def as_dict(spec: ArchSpec) -> dict[str, Any]:
    """An architecture as a config names it."""
    return {item.name: value for item in fields(spec) if (value := getattr(spec, item.name)) != item.default}


def pruned_config(cfg: Config, model: BaseSegmentor, checkpoint: Path) -> Config:
    """The config of a pruned model, which begins with its checkpoint.

    Args:
        cfg: of the model before, which stays as it is.
        model: as it is trained on.
        checkpoint: its file.
    """
    cfg = copy.deepcopy(cfg)
    drop_pretrained(cfg.model)
    cfg.model.backbone.arch = as_dict(model.backbone.arch)  # `update` would keep a and b
    cfg.model.backbone.block = 'plain'
    cfg.model.backbone.pop('deploy', None)
    parts = (cfg.model.decode_head, cfg.model.get('auxiliary_head'))
    dicts = [one for part in parts if part for one in (part if isinstance(part, (list, tuple)) else [part])]
    for part, head in zip(dicts, heads_of(model), strict=True):
        if isinstance(head.in_channels, int) and isinstance(part.get('in_channels'), int):
            part['in_channels'] = head.in_channels
    cfg.load_from, cfg.resume = str(checkpoint), False
    return cfg


@torch.no_grad()
def logits(model: BaseSegmentor, batch: dict[str, Any]) -> Tensor:
    """The logits of the first image of a batch, fused."""
    inputs = model.data_preprocessor(batch, True)['inputs'][:1]
    found: Tensor = model.eval()(inputs, mode='tensor')
    return found


def widths(spec: ArchSpec) -> str:
    return ', '.join(map(str, spec.widths_by_layer))


def tell(pruned: Pruned, asked: float) -> None:
    """Say what was removed, and where it differs from what was asked for."""
    print(f'channels before: {widths(pruned.before)}')
    print(f'channels after:  {widths(pruned.after)}')
    print(f'removed: {100 * pruned.share:.1f} % of the channels of the backbone')
    if pruned.whole_layers and asked:
        print_log(
            f'kept whole: layers {", ".join(map(str, pruned.whole_layers))} (the first is 0), since not all that reads their maps '
            'is a head of a known class, or nothing reads them',
            'current',
        )
    if abs(pruned.share - asked) > 0.02:
        print_log(
            f'{100 * asked:.1f} % were asked for, {100 * pruned.share:.1f} % are gone: a layer keeps at least one step of widths '
            '(--multiple-of) and a quarter of the average share',
            'current',
            logging.WARNING,
        )
    if pruned.share and pruned.after.layer_widths is None:
        print_log(
            f'the widths are those of a {arch_name(pruned.after)}, so that the file cannot be told from one of that network: name '
            'the config that is written, not the one before, to load it',
            'current',
            logging.WARNING,
        )


def remove(model: BaseSegmentor, args: argparse.Namespace, batches: list[dict[str, Any]]) -> Pruned:
    """Remove channels, put BN back and recalibrate what has changed, in place; says by how much the logits change.

    Raises:
        InputError: the network with BN computes something else than the fused one.
    """
    model.backbone.switch_to_deploy()
    moments, whole = moments_of_convs(model, batches), logits(model, batches[0])
    pruned = prune(model, args.share, batches, args.by, args.multiple_of)
    tell(pruned, args.share)
    without = logits(model, batches[0])
    put_bn_back(model, batches)
    error, lost = relative_error(logits(model, batches[0]), without), relative_error(without, whole)
    print(f'largest relative error of the logits with BN in the place of the fused form: {error:.2e}')
    if not error <= LIMIT:
        raise InputError(
            f'the network with BN differs by {error:.2e}, more than {LIMIT:.0e}: nothing is written; look for infinite or NaN '
            'weights in the checkpoint'
        )
    if lost > LIMIT:
        recalibrate(model, moments, pruned.kept, batches)
        again = relative_error(logits(model, batches[0]), whole)
        print(
            f'change of the logits by the removal: {lost:.2f}, after all BN statistics were measured anew {again:.2f}'
        )
    return pruned


@exit_on_input_error
def main() -> None:
    args = parse_args()
    check_numbers(args)
    device = chosen_device(args.device)
    cfg = load_config(args.config, args.cfg_options)
    as_given = copy.deepcopy(cfg)
    check_readable(args.checkpoint)
    name = f'{Path(args.config).stem}_pruned'
    out, config_out = Path(args.out_dir, f'{name}.pth'), Path(args.out_dir, f'{name}.py')
    prepare_model(cfg)
    if 'decode_head' not in cfg.model:
        raise InputError(f'only segmentors are pruned, and {args.config} is none (it has no model.decode_head)')
    model = MODELS.build(cfg.model)
    meta = load_weights(model, args.checkpoint, trust=args.trust) or read_meta(args.checkpoint, {})
    check_prunable(model)
    make_folder(args.out_dir, '--out-dir')
    for path in (out, config_out):
        check_output(args.checkpoint, path, args.overwrite)
    batches = training_batches(cfg, args.images, args.seed)
    torch.backends.cudnn.allow_tf32 = False  # the two forms are compared
    try:
        pruned = remove(model.to(device), args, batches)
    except InputError:
        raise
    except Exception as error:  # what does not fit together in the config comes up with the first batch
        raise told_in_one_line(error, 'on images of the training set') from error
    fine_tuning = pruned_config(as_given, model, out)
    shorten(fine_tuning, args.iterations, args.lr)
    kept: dict[str, Any] = {key: meta[key] for key in ('dataset_meta', 'CLASSES', 'PALETTE') if key in meta}
    classes = classes_of_config(cfg)
    if classes and not kept:
        kept['dataset_meta'] = classes
    facts = dict(share=pruned.share, by=args.by, images=args.images, seed=args.seed)
    state = {key: tensor.cpu() for key, tensor in model.state_dict().items()}
    write_checkpoint(dict(meta=dict(kept, cfg=fine_tuning.pretty_text, pruned=facts), state_dict=state), out)
    with replacing(config_out) as temporary:
        temporary.write_text(f'# Made by tools/prune.py of {args.config}.\n{fine_tuning.pretty_text}', encoding='utf-8')
    print(f'wrote {out} and {config_out}; next:')
    print(f'  {as_typed("test", args.config, out)}')
    print(f'  {as_typed("train", config_out, "--work-dir", Path(args.out_dir, "fine_tuned"))}')
