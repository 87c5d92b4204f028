"""Checkpoints from anywhere -> models of this package, with nothing missing unsaid."""

from collections.abc import Iterable, Mapping

from mmengine.logging import print_log
from mmengine.model import BaseTTAModel
from torch import Tensor, nn

from ..errors import InputError, listed
from ..models.block import switch_to_deploy, unwrap_model
from ..models.repvgg import RepVGG
from ..models.state import account_for, is_fused, network_name
from ..weight_names import unwrap
from .read import read_checkpoint

_NOT_FOR_INFERENCE = ('auxiliary_head.', 'data_preprocessor.')


def load_weights(model: nn.Module, filename: str, trust: bool = False) -> None:
    """Load a checkpoint file into a model that is to be evaluated; every tensor is accounted for.

    Where the file is fused and the model is not, the blocks of the model are switched to deploy form first.

    Args:
        model: a segmentor, a backbone or a classifier; also in a wrapper (DDP, test-time augmentation).
        filename: as `read_checkpoint` takes it. A RepVGG in any family of names; other models in their own names.
        trust: as `read_checkpoint` takes it.

    Raises:
        InputError: as `read_checkpoint`; another architecture or network; tensors that are missing, unexpected or of
            another shape, which it lists. Heads that serve training only may be missing or left over: that is logged.
    """
    checkpoint = read_checkpoint(filename, trust)
    model = _inside(model)
    prefix, backbone = find_backbone(model)
    try:
        body, rest = _under_names_of(model, checkpoint)
        if model is backbone:
            _log('not used by the backbone', rest)
            rest = {}
        else:
            rest = _for_inference(rest, {k: v for k, v in model.state_dict().items() if not k.startswith(prefix)})
    except InputError as error:
        raise InputError(f'{filename}: {error}') from None
    if backbone is not None and is_fused(body) and not is_fused(backbone.state_dict()):
        print_log(f'{filename} is fused: the model is switched to deploy form', 'current')
        switch_to_deploy(model)
    model.load_state_dict(body | rest)


def adapt_checkpoint(checkpoint: dict, model: nn.Module) -> None:
    """Give the tensors of a checkpoint the names of a model, in place, before mmengine loads them.

    The whole backbone has to be there. Heads may differ, as they do where a segmentor starts from ImageNet weights or
    from another data set's; mmengine logs those that do.

    Args:
        checkpoint: as read from a file; the tensors come to stand under `state_dict`.
        model: a segmentor or a classifier, also in a wrapper.

    Raises:
        InputError: as `repvgg_seg.models.state.match`.
    """
    body, rest = _under_names_of(_inside(model), checkpoint)
    checkpoint['state_dict'] = body | rest


def find_backbone(model: nn.Module) -> 'tuple[str, RepVGG | None]':
    """The RepVGG in a model, None where there is none, after what stands before a backbone's names in the state dict."""
    for name, module in model.named_modules():
        if isinstance(module, RepVGG):
            return f'{name}.' if name else '', module
    return 'backbone.', None


def _inside(model: nn.Module) -> nn.Module:
    model = unwrap_model(model)
    return unwrap_model(model.module) if isinstance(model, BaseTTAModel) else model


def _under_names_of(model: nn.Module, checkpoint: Mapping) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors of a checkpoint under the names of a model: the backbone's, accounted for, and the rest."""
    prefix, backbone = find_backbone(model)
    if backbone is not None:
        weights = backbone.match(checkpoint)
        return {prefix + name: tensor for name, tensor in weights.backbone.items()}, weights.rest
    state, expected = {k.removeprefix('module.'): v for k, v in unwrap(checkpoint).items()}, model.state_dict()
    came, wanted = network_name(state), network_name(expected)
    if came and wanted and came != wanted:
        raise InputError(f'this checkpoint is a {came}, the config says {wanted}')
    body = {name: tensor for name, tensor in state.items() if name.startswith(prefix)}
    account_for(body, {name: tensor for name, tensor in expected.items() if name.startswith(prefix)})
    return body, {name: tensor for name, tensor in state.items() if name not in body}


def _for_inference(rest: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is beside the backbone, accounted for; what only training uses is filled in or left out."""
    if expected and not rest.keys() & expected.keys():
        raise InputError(
            'this checkpoint holds a backbone and none of the heads (is it one of ImageNet weights?): '
            'name the checkpoint that the training of this model wrote'
        )
    absent = {k: v for k, v in expected.items() if k.startswith(_NOT_FOR_INFERENCE) and k not in rest}
    extra = [name for name in rest if name.startswith(_NOT_FOR_INFERENCE) and name not in expected]
    _log('not in the checkpoint, nor used in inference', absent)
    _log('not in the model, nor used in inference', extra)
    found = {name: tensor for name, tensor in rest.items() if name not in extra} | absent
    account_for(found, expected)
    return found


def _log(what: str, names: Iterable[str]) -> None:
    if names:
        print_log(f'{what}: {listed(names)}', 'current')
