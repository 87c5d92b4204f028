"""Checkpoints from anywhere -> models of this package, with nothing missing unsaid."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from mmengine.logging import print_log
from mmengine.model import BaseTTAModel
from torch import Tensor, nn

from ..errors import InputError, listed
from .arch import ARCHS, ArchSpec
from .block import switch_to_deploy, unwrap_model
from .checkpoint_file import read_checkpoint
from .families import Weights, sort_out, unwrap

_COUNTER = 'num_batches_tracked'  # of BN; older files lack it, and nothing here reads it
_NOT_FOR_INFERENCE = ('auxiliary_head.', 'data_preprocessor.')
_RESNET_DEPTHS = {(2, 2, 2, 2): 18, (3, 4, 6, 3): 50, (3, 4, 23, 3): 101, (3, 8, 36, 3): 152}


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
        InputError: as `backbone_weights`.
    """
    body, rest = _under_names_of(_inside(model), checkpoint)
    checkpoint['state_dict'] = body | rest


def backbone_weights(checkpoint: Mapping, backbone: nn.Module) -> Weights:
    """The tensors of a checkpoint of any family, sorted out; those of the backbone are all there and fit.

    Args:
        checkpoint: a state dict, or what wraps one.
        backbone: the `RepVGG` that they are meant for. The checkpoint may have the other form.

    Raises:
        InputError: no RepVGG in it, one of another architecture, or tensors of the backbone missing, unexpected or of
            another shape; lists them.
    """
    weights = sort_out(checkpoint)
    wanted = arch_name(backbone.arch)
    if weights is None:
        raise InputError(_no_repvgg(unwrap(checkpoint), wanted))
    recognised = recognise_arch(weights.backbone)
    if recognised is not None and recognised != backbone.arch:
        raise InputError(f'this checkpoint is a {arch_name(recognised)}, the config says {wanted}')
    expected = backbone.expected_state(fused=is_fused(weights.backbone))
    account_for(weights.backbone, expected)
    weights.backbone = {name: tensor for name, tensor in weights.backbone.items() if name in expected}
    return weights


def account_for(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise `InputError` unless both have the same names (but for BN's batch counters) and shapes."""
    missing = [name for name in expected if name not in found and not name.endswith(_COUNTER)]
    unexpected = [name for name in found if name not in expected and not name.endswith(_COUNTER)]
    reshaped = [
        f'{name} {tuple(found[name].shape)} in place of {tuple(tensor.shape)}'
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    kinds = (('missing', missing), ('unexpected', unexpected), ('of another shape', reshaped))
    faults = '; '.join(f'{len(names)} {kind}: {listed(names)}' for kind, names in kinds if names)
    if faults:
        raise InputError(f'the checkpoint does not fit the model: {faults}; use the config that it was made with')


def is_fused(state_dict: Mapping[str, Tensor]) -> bool:
    """Whether the blocks in a state dict, at any depth of names, are in deploy form."""
    return any('rbr_reparam.' in name for name in state_dict)


def recognise_arch(state_dict: Mapping[str, Tensor]) -> 'ArchSpec | None':
    """The architecture that the shapes tell, None where they are not all there.

    Args:
        state_dict: a backbone's, in training or deploy form, under our names.
    """
    kernels = {}
    for name, tensor in state_dict.items():
        match = re.fullmatch(r'stage(\d)(?:\.(\d+))?\.(?:rbr_dense\.conv|rbr_reparam)\.weight', name)
        if match:
            kernels[int(match[1]), int(match[2] or 0)] = tensor
    depths = tuple(sum(stage == i for stage, _ in kernels) for i in range(5))
    if 0 in depths or set(kernels) != {(stage, i) for stage in range(5) for i in range(depths[stage])}:
        return None
    _, second, third, *_ = (kernels[place] for place in sorted(kernels))  # the third is the first with groups
    try:
        return ArchSpec(
            depths,
            a=kernels[1, 0].shape[0] / 64,
            b=kernels[4, 0].shape[0] / 512,
            groups=second.shape[0] // third.shape[1],
            se=any('.se.' in name for name in state_dict),
        )
    except InputError:
        return None


def arch_name(spec: ArchSpec) -> str:
    """The published name of an architecture, or its facts, as in `RepVGG(1,2,2,5,1; a=0.25, b=0.25, groups=2)`."""
    for name, known in ARCHS.items():
        if known == spec:
            return f'RepVGG-{name}'
    facts = f'{",".join(map(str, spec.depths))}; a={spec.a:g}, b={spec.b:g}'
    return f'RepVGG({facts}{f", groups={spec.groups}" if spec.groups > 1 else ""}{", se" if spec.se else ""})'


def find_backbone(model: nn.Module) -> 'tuple[str, nn.Module | None]':
    """The RepVGG in a model, None where there is none, after what stands before a backbone's names in the state dict."""
    for name, module in model.named_modules():
        if isinstance(getattr(module, 'arch', None), ArchSpec):
            return f'{name}.' if name else '', module
    return 'backbone.', None


def _inside(model: nn.Module) -> nn.Module:
    model = unwrap_model(model)
    return unwrap_model(model.module) if isinstance(model, BaseTTAModel) else model


def _under_names_of(model: nn.Module, checkpoint: Mapping) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors of a checkpoint under the names of a model: the backbone's, accounted for, and the rest."""
    prefix, backbone = find_backbone(model)
    if backbone is not None:
        weights = backbone_weights(checkpoint, backbone)
        return {prefix + name: tensor for name, tensor in weights.backbone.items()}, weights.rest
    state, expected = {k.removeprefix('module.'): v for k, v in unwrap(checkpoint).items()}, model.state_dict()
    came, wanted = _network(state), _network(expected)
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


def _network(state_dict: Mapping[str, Tensor]) -> 'str | None':
    """What network the names and shapes tell; None for one that is not known here."""
    weights = sort_out(state_dict)
    if weights is not None:
        arch = recognise_arch(weights.backbone)
        return arch_name(arch) if arch else 'RepVGG'
    first_convs = (re.search(r'(?:^|\.)layer([1-4])\.\d+\.conv1\.weight$', name) for name in state_dict)
    blocks = Counter(match[1] for match in first_convs if match)
    depth = _RESNET_DEPTHS.get(tuple(blocks[i] for i in '1234'))
    if depth == 50 and not any(re.search(r'layer1\.0\.conv3\.', name) for name in state_dict):
        depth = 34  # the same number of blocks, of two convs each
    return f'ResNet-{depth}' if depth else None


def _no_repvgg(tensors: Mapping[str, Tensor], wanted: str) -> str:
    network = _network(tensors)
    if network:
        return f'this checkpoint is a {network}, the config says {wanted}'
    return (
        f'no RepVGG weights in this checkpoint: wanted stage0.rbr_dense.conv.weight and so on (or the names of timm or '
        f'mmpretrain) for {wanted}, found {listed(tensors) or "nothing"}'
    )
