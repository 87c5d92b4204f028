"""Loads checkpoints of any family into models, and checks that every tensor has its place."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import InputError, listed
from ..models.block import RepVGGBlock, find_blocks, switch_to_deploy
from ..models.match_checkpoint import account_for, is_fused, network_name
from ..models.model_wrappers import checked_model, inner_model
from ..models.repvgg import RepVGG
from ..models.take_widths import take_widths
from ..weight_names import AUXILIARY, bare_names, unwrap
from .read import read_checkpoint

_NOT_FOR_INFERENCE = ('auxiliary_head.', 'data_preprocessor.', *AUXILIARY)


def load_weights(model: nn.Module, filename: str | os.PathLike[str], trust: bool = False) -> dict[str, Any]:
    """Load a checkpoint file into a model that is to be evaluated, and check every tensor.

    If the file is fused and the model is not, the model is switched to deploy form first. If the file is a pruned form of a
    segmentor or backbone, this takes its widths over first.

    Args:
        model: a segmentor, a backbone or a classifier; also in a wrapper (DDP, test-time augmentation).
        filename: as `read_checkpoint` takes it. A RepVGG may have the names of any family; any other network has to
            have those of the model.
        trust: as `read_checkpoint` takes it.

    Returns:
        What the file holds under `meta`, as the classes of the training; empty where it holds nothing.

    Raises:
        InputError: `model` is no network, or is on the device 'meta'; as `read_checkpoint`; another architecture or network; tensors that are missing, unexpected or of
            another shape; the message lists them. Heads that only training uses may be missing or left over, which
            is logged.
    """
    model = inner_model(checked_model(model, values=True))
    checkpoint = read_checkpoint(filename, trust)
    tensors = unwrap(checkpoint)
    prefix, backbone = find_backbone(model)
    if backbone is None and is_fused(tensors):
        _fuse(model, filename)
    try:
        if backbone is not None:
            take_widths(model, backbone, tensors)
        body, rest = _under_names_of(model, tensors)
        if model is backbone:
            _log('not used by the backbone', rest)
            rest = {}
        else:
            rest = _for_inference(rest, {k: v for k, v in model.state_dict().items() if not k.startswith(prefix)})
    except InputError as error:
        raise InputError(f'{filename}: {error}') from None
    if backbone is not None and is_fused(body):
        _fuse(model, filename)
    try:
        model.load_state_dict(body | rest)
    except RuntimeError as error:  # of names that only look like those of the model
        raise InputError(f'{filename}: {" ".join(str(error).split())}') from error
    meta = checkpoint.get('meta')
    return dict(meta) if isinstance(meta, Mapping) else {}


def _fuse(model: nn.Module, filename: str | os.PathLike[str]) -> None:
    """Switch a model to deploy form for a file that is fused, unless it is in this form."""
    if find_blocks(model):
        print_log(f'{filename} is fused: the model is switched to deploy form', 'current')
        switch_to_deploy(model)


def adapt_checkpoint(checkpoint: dict[str, Any], model: nn.Module) -> None:
    """Give the tensors of a checkpoint the names of a model, in place, before mmengine loads them.

    The checkpoint has to hold the whole backbone. Its heads may differ from the model's, as when a segmentor starts
    from ImageNet weights or from those of another data set; mmengine logs the differences.

    Args:
        checkpoint: as read from a file; its tensors are put under `state_dict`.
        model: a segmentor or a classifier, also in a wrapper.

    Raises:
        InputError: as `repvgg_seg.models.match_checkpoint.match`.
    """
    body, rest = _under_names_of(inner_model(model), checkpoint)
    checkpoint['state_dict'] = body | rest


def find_backbone(model: nn.Module) -> tuple[str, RepVGG | None]:
    """The prefix of the backbone's names in a model's state dict, and the RepVGG; None for another backbone."""
    for name, module in model.named_modules():
        if isinstance(module, RepVGG):
            return f'{name}.' if name else '', module
    return 'backbone.', None


def _under_names_of(model: nn.Module, checkpoint: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors of a checkpoint under the names of a model: those of the backbone, checked, and the others."""
    prefix, backbone = find_backbone(model)
    if backbone is not None:
        weights = backbone.match(checkpoint)
        return {prefix + name: tensor for name, tensor in weights.backbone.items()}, weights.rest
    expected = model.state_dict()
    state = _without_prefix(bare_names(unwrap(checkpoint)), expected)
    found, wanted = network_name(state), network_name(expected)
    if found and wanted and found != wanted:
        raise InputError(f'this checkpoint is a {found}, the config says {wanted}')
    body = {name: tensor for name, tensor in state.items() if name.startswith(prefix)}
    expected = {name: tensor for name, tensor in expected.items() if name.startswith(prefix)}
    if is_fused(expected) and not is_fused(body):  # a block fuses what it loads, and checks it
        blocks = tuple(f'{name}.' for name, module in model.named_modules() if isinstance(module, RepVGGBlock))
        account_for(*({n: t for n, t in state.items() if not n.startswith(blocks)} for state in (body, expected)))
    else:
        account_for(body, expected)
    return body, {name: tensor for name, tensor in state.items() if name not in body}


def _without_prefix(state: Mapping[str, Tensor], expected: Iterable[str]) -> dict[str, Tensor]:
    """The tensors without what stands before all names of the model in the file, such as Lightning's `model.`."""
    first = next(iter(expected), '')
    prefix = min((name.removesuffix(first) for name in state if f'.{name}'.endswith(f'.{first}')), key=len, default='')
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def _for_inference(rest: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors outside the backbone, checked; those that only training uses are filled in or left out."""
    if expected and not rest.keys() & expected.keys():
        raise InputError(
            'this checkpoint holds a backbone and none of the heads (are these ImageNet weights?): '
            'name a checkpoint that the training of this model wrote'
        )
    absent = {k: v for k, v in expected.items() if k.startswith(_NOT_FOR_INFERENCE) and k not in rest}
    extra = [name for name in rest if name.startswith(_NOT_FOR_INFERENCE) and name not in expected]
    _log('not in the checkpoint and not used in inference', absent)
    _log('not in the model and not used in inference', extra)
    found = {name: tensor for name, tensor in rest.items() if name not in extra} | absent
    account_for(found, expected)
    return found


def _log(what: str, names: Iterable[str]) -> None:
    if names:
        print_log(f'{what}: {listed(names)}', 'current')
