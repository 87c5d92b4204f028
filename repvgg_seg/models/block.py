"""The RepVGG block: branches for training, one 3x3 conv for inference (paper, sections 3.2, 3.3 and 4.2)."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ..errors import InputError
from .archs import POST_SE_RATIO, SE_RATIO
from .block_variants import BRANCHES, REPVGG, block_of_number, other_block_message
from .dilated_conv import DilatedConv2d
from .fusion_algebra import fuse_branches, fuse_conv_bn, identity_kernel, row_slices
from .reparametrised_conv import CONVS, kernel_of
from .stride_dilation_plan import LayerPlan


class SEBlock(nn.Module):
    """Squeeze-and-excitation, (N, C, H, W) -> (N, C, H, W), of any size; the official code takes square maps only.

    Args:
        channels: C.
        ratio: it reduces the channels by this factor.
    """

    def __init__(self, channels: int, ratio: int = SE_RATIO):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // ratio, 1)
        self.up = nn.Conv2d(channels // ratio, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = F.relu(self.down(F.adaptive_avg_pool2d(x, 1)), inplace=True)
        return x * self.up(gate).sigmoid()


class Branch(nn.Sequential):
    """A conv and the norm behind it, under their official names; without a norm, the conv alone."""

    conv: nn.Conv2d

    def __init__(self, conv: nn.Conv2d, bn: nn.Module | None):
        super().__init__(OrderedDict(conv=conv) if bn is None else OrderedDict(conv=conv, bn=bn))


class RepVGGBlock(nn.Module):
    """One layer of the body with its ReLU, (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)).

    Which branches it has, and where the norm sits, stands in `plan.block`. Parameters have their official names. A state
    dict in training form is fused when it is loaded into a block in deploy form; a fused state dict cannot be loaded into a
    block in training form.

    Args:
        plan: channels, stride, dilation and groups of both forms, and the kind of the block.
        norm_cfg: norm of the branches, as mmcv's `build_norm_layer` takes it; None for BN. Only BN and
            SyncBN can be fused.
        with_cp: save memory in training by computing the block again in the backward pass; '1x1': only its 1x1 branch,
            where it has one, so that one of the maps that a block keeps is not kept, at a ninth of the cost. Gradients and
            BN statistics are those of a block without it.
        deploy: build the fused form.

    Raises:
        InputError: `deploy` for a block that cannot be fused.
    """

    rbr_dense: Branch
    rbr_1x1: Branch
    rbr_identity: nn.Module | None
    rbr_reparam: nn.Conv2d
    variant: Tensor

    def __init__(
        self,
        plan: LayerPlan,
        norm_cfg: dict[str, Any] | None = None,
        with_cp: bool | str = False,
        deploy: bool = False,
    ):
        super().__init__()
        self.plan = plan
        self.norm_cfg = norm_cfg or dict(type='BN')
        self.with_cp = with_cp
        self.deploy = deploy
        self.se = SEBlock(plan.out_channels) if plan.se else nn.Identity()
        self.nonlinearity: nn.Module = nn.ReLU(inplace=True)
        self.post_se = SEBlock(plan.out_channels, POST_SE_RATIO) if plan.post_se else None
        self.post_bn: nn.Module | None = None
        self._branches: tuple[str, ...] = ()
        if deploy:
            self.check_fusible()
            self.rbr_reparam = self._conv(self._reparam_size, bias=True)
        else:
            self._build_branches()

    def _build_branches(self) -> None:
        block = self.plan.block
        self.rbr_identity = None
        for branch, name in BRANCHES.items():
            if branch in block.branches and (branch != 'identity' or self.plan.has_identity):
                setattr(self, name, self._branch(branch, branch not in block.without_bn))
                self._branches += (name,)
        if block.bn_after_addition:
            self.post_bn = self._norm()
        if block != REPVGG:  # it tells such parameters from others of the same names and shapes
            self.register_buffer('variant', torch.tensor(block.number))

    def _branch(self, branch: str, with_norm: bool) -> nn.Module:
        if branch == 'identity':
            return self._norm() if with_norm else nn.Identity()
        height, width = map(int, branch.split('x'))
        return Branch(self._conv((height, width), bias=False), self._norm() if with_norm else None)

    @property
    def _reparam_size(self) -> tuple[int, int]:
        """The size of the kernel of the fused form: 3x3 but for a shortcut."""
        return (3, 3) if '3x3' in self.plan.block.branches else (1, 1)

    def _conv(self, size: tuple[int, int], bias: bool) -> nn.Conv2d:
        plan = self.plan
        rows, columns = (plan.dilation if side == 3 else 1 for side in size)
        kind = DilatedConv2d if max(rows, columns) > 1 and not bias else nn.Conv2d
        if size == (3, 3) and plan.has_identity and not bias:
            kind = CONVS.get(plan.block.kernel, kind)
        return kind(
            plan.in_channels,
            plan.out_channels,
            size,
            stride=plan.stride,
            padding=(rows * (size[0] // 2), columns * (size[1] // 2)),
            dilation=(rows, columns),
            groups=plan.groups,
            bias=bias,
        )

    def _norm(self) -> nn.Module:
        return build_norm_layer(self.norm_cfg, self.plan.out_channels)[1]

    def _norms(self) -> list[nn.Module]:
        parts = [getattr(self, name) for name in self._branches]
        norms = [getattr(part, 'bn', None) if isinstance(part, Branch) else part for part in parts] + [self.post_bn]
        return [norm for norm in norms if norm is not None and not isinstance(norm, nn.Identity)]

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp is True:
            return self._computed_again(self._forward, x)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        out = self.nonlinearity(self.se(self.rbr_reparam(x) if self.deploy else self._sum_of_branches(x)))
        return out if self.post_se is None else self.post_se(out)

    def _sum_of_branches(self, x: Tensor) -> Tensor:
        first, *others = self._branches
        out = self._output(first, x)
        for name in others:
            if self.plan.block.relu_in_branches:
                out = out + self._output(name, x)
            else:  # in place is safe: no norm and no conv needs its output in the backward pass
                out += self._output(name, x)
        return out if self.post_bn is None else self.post_bn(out)

    def _output(self, name: str, x: Tensor) -> Tensor:
        branch = getattr(self, name)
        out = self._computed_again(branch, x) if name == 'rbr_1x1' and self.with_cp == '1x1' else branch(x)
        return F.relu(out) if self.plan.block.relu_in_branches else out

    def _computed_again(self, part: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """`part(x)`, of which autograd keeps `x` alone in training."""
        if self.training and torch.is_grad_enabled():
            return checkpoint(part, x, use_reentrant=False, context_fn=self._checkpoint_contexts)
        return part(x)

    def _checkpoint_contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), self._statistics_kept()

    @contextmanager
    def _statistics_kept(self) -> Iterator[None]:
        """Keep the BN statistics in the second forward pass of a checkpointed block, which sees the same batch again."""
        norms = [norm for norm in self._norms() if isinstance(norm, _BatchNorm)]
        before = [
            (norm, norm.momentum, counter, counter.clone())
            for norm in norms
            if (counter := norm.num_batches_tracked) is not None  # there are none without running statistics
        ]
        for norm, *_ in before:
            norm.momentum = 0.0
        try:
            yield
        finally:
            for norm, momentum, counter, batches in before:
                norm.momentum = momentum
                counter.copy_(batches)

    def get_equivalent_kernel_bias(self) -> tuple[Tensor, Tensor]:
        """The kernel (C_out, C_in / groups, 3, 3) and bias (C_out,) of the one conv that equals the branches.

        Differentiable; the block is unchanged. In deploy form, they are those of its conv.

        Raises:
            InputError: as `check_fusible`.
        """
        if self.deploy:
            return _kernel_and_bias(self.rbr_reparam)
        self.check_fusible()
        branches = [self._kernel_and_norm(getattr(self, name)) for name in self._branches]
        kernels, biases = zip(*(self._fused_rows(branches, rows) for rows in row_slices(branches[0][0])), strict=True)
        return torch.cat(kernels), torch.cat(biases)

    def _first_conv(self) -> nn.Conv2d:  # no property: torch.jit.trace asks for every one, also of the fused form
        return getattr(self, self._branches[0]).conv

    def _kernel_and_norm(self, branch: nn.Module) -> tuple[Tensor, nn.Module | None]:
        if isinstance(branch, Branch):
            return kernel_of(branch.conv), getattr(branch, 'bn', None)
        identity = identity_kernel(self.plan.out_channels, self.plan.groups, self._first_conv().weight.device)
        return identity, None if isinstance(branch, nn.Identity) else branch

    def _fused_rows(self, branches: list[tuple[Tensor, nn.Module | None]], rows: slice) -> tuple[Tensor, Tensor]:
        """Some output channels of the kernel and bias that equal the branches, given by their kernels and norms."""
        dtype = self._first_conv().weight.dtype
        parts = [_fused(kernel[rows], norm, rows) for kernel, norm in branches]
        if self.post_bn is None:
            return fuse_branches(parts, dtype)
        kernel, bias = fuse_branches(parts, torch.double)
        kernel, bias = _fused(kernel, self.post_bn, rows, bias)
        return kernel.to(dtype), bias.to(dtype)

    def check_fusible(self) -> None:
        """Raise `InputError` for a ReLU inside the branches, a norm other than BN and SyncBN, and one without statistics."""
        if self.plan.block.relu_in_branches:
            raise InputError(
                'cannot fuse a block with a ReLU in every branch: their sum is not linear, so no conv computes the same; '
                'evaluate it unfused (--no-fuse; deploy=True cannot be built), or take another block'
            )
        for norm in self._norms():
            _as_fusible(norm)

    def part_not_fusible(self) -> str:
        """What keeps the block from becoming one conv: 'ReLU inside the branches' or the class of a norm; '' for nothing."""
        if self.plan.block.relu_in_branches:
            return 'ReLU inside the branches'
        return next((type(norm).__name__ for norm in self._norms() if not _is_fusible(norm)), '')

    @torch.no_grad()
    def switch_to_deploy(self) -> None:
        """Replace the branches by the one conv that equals them, in place; does nothing in deploy form.

        The conv requires gradients if the 3x3 kernel of the branches did, so that a frozen block stays frozen.

        Raises:
            InputError: as `check_fusible`; the block is then unchanged.
        """
        if self.deploy:
            return
        fused = self.get_equivalent_kernel_bias()
        with torch.device('meta'):  # without the random numbers that a new conv draws
            conv = self._conv(self._reparam_size, bias=True).train(self.training)
        conv.weight, conv.bias = (nn.Parameter(value) for value in fused)
        conv.requires_grad_(self._first_conv().weight.requires_grad)
        self.rbr_reparam = conv
        for name in {*self._branches, 'rbr_identity', *['variant'] * (self.plan.block != REPVGG)}:
            delattr(self, name)
        self._branches, self.post_bn = (), None
        self.deploy = True

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Fuse a training form that is loaded into a deploy form; refuse the opposite, and those of another kind of block."""
        self._check_variant(state_dict.get(f'{prefix}variant'))
        if not self.deploy and f'{prefix}rbr_reparam.weight' in state_dict:
            raise InputError(
                f'the weights of {prefix[:-1] or "this block"} are fused and cannot be taken apart again: load the '
                'training checkpoint, or, to evaluate, build the backbone with deploy=True: in its dict of the config, with '
                '--cfg-options model.backbone.deploy=True, or '
                "init_model(..., cfg_options={'model.backbone.deploy': True})"
            )
        if self.deploy and any(f'{prefix}{name}.conv.weight' in state_dict for name in BRANCHES.values()):
            assigned = bool(args and args[0].get('assign_to_params_buffers'))  # the block takes the type of the file
            self._fuse_state_dict(state_dict, prefix, None if assigned else self.rbr_reparam.weight.dtype)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _check_variant(self, number: Tensor | None) -> None:
        expected = self.plan.block
        if number is not None and not number.is_meta and (values := number.flatten()[:2].tolist()) != [expected.number]:
            raise InputError(other_block_message(block_of_number(values[0]) if values else None, expected))

    def _fuse_state_dict(self, state_dict: dict[str, Tensor], prefix: str, dtype: torch.dtype | None) -> None:
        """Replace the tensors of the branches in `state_dict`, in place, by the kernel and bias that equal them.

        They are rounded to `dtype`, so that a file in half precision loses no more than it has lost; None for its own.
        """
        own = [name for name in state_dict if name.startswith(prefix)]
        names = [name for name in own if not name[len(prefix) :].startswith(('se.', 'post_se.'))]
        branches = {name[len(prefix) :]: state_dict.pop(name) for name in names}
        training_form = RepVGGBlock(replace(self.plan, se=False, post_se=False), self.norm_cfg)
        kernel = next(tensor for name, tensor in branches.items() if name.endswith('.conv.weight'))
        training_form.to(kernel.device, dtype or kernel.dtype).load_state_dict(branches)
        training_form.switch_to_deploy()
        for name, tensor in training_form.state_dict().items():
            state_dict[prefix + name] = tensor


def find_blocks(model: nn.Module) -> list[RepVGGBlock]:
    """The blocks of a model that are in training form."""
    return [module for module in model.modules() if isinstance(module, RepVGGBlock) and not module.deploy]


def switch_to_deploy(model: nn.Module) -> None:
    """Fuse every block of a model in place. Where one block cannot be fused, `InputError` is raised and none is."""
    blocks = find_blocks(model)
    for block in blocks:
        block.check_fusible()
    for block in blocks:
        block.switch_to_deploy()


def _kernel_and_bias(conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
    assert conv.bias is not None  # every fused conv has one
    return conv.weight, conv.bias


def _fused(kernel: Tensor, norm: nn.Module | None, rows: slice, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Kernel and bias, in double precision, of a conv and the norm behind it; `kernel` and `bias` hold `rows` alone."""
    if norm is None:
        return kernel.double(), torch.zeros(len(kernel), dtype=torch.double, device=kernel.device)
    bn = _as_fusible(norm)
    assert bn.running_mean is not None and bn.running_var is not None
    weight, shift = (None if each is None else each[rows] for each in (bn.weight, bn.bias))
    return fuse_conv_bn(kernel, bn.running_mean[rows], bn.running_var[rows], weight, shift, bn.eps, bias)


def _is_fusible(norm: nn.Module) -> bool:
    return isinstance(norm, _BatchNorm) and norm.running_mean is not None


def _as_fusible(norm: nn.Module) -> _BatchNorm:
    """The norm itself, typed; `InputError` where it cannot be fused."""
    if not isinstance(norm, _BatchNorm):
        raise InputError(
            f'cannot fuse {type(norm).__name__}: only BN and SyncBN become part of a conv; '
            "train with norm_cfg=dict(type='SyncBN') or 'BN', or evaluate unfused (--no-fuse)"
        )
    if norm.running_mean is None:
        raise InputError(
            f'cannot fuse a {type(norm).__name__} without running statistics: build it with track_running_stats=True'
        )
    return norm
