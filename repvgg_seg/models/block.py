"""The RepVGG block: three branches for training, one 3x3 conv for inference (paper, sections 3.2 and 3.3)."""

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
from .archs import SE_RATIO
from .fusion_algebra import fuse_branches, fuse_conv_bn, identity_kernel, row_slices
from .stride_dilation_plan import LayerPlan


class SEBlock(nn.Module):
    """Squeeze-and-excitation, (N, C, H, W) -> (N, C, H, W), of any size; the official code takes square maps only."""

    def __init__(self, channels: int):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // SE_RATIO, 1)
        self.up = nn.Conv2d(channels // SE_RATIO, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate = F.relu(self.down(F.adaptive_avg_pool2d(x, 1)), inplace=True)
        return x * self.up(gate).sigmoid()


class Branch(nn.Sequential):
    """A conv and its norm, under their official names."""

    conv: nn.Conv2d
    bn: nn.Module

    def __init__(self, conv: nn.Conv2d, bn: nn.Module):
        super().__init__(OrderedDict(conv=conv, bn=bn))


class RepVGGBlock(nn.Module):
    """One layer of the body with its ReLU, (N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride)).

    Parameters have their official names. A state dict in training form is fused when it is loaded into a block in
    deploy form; a fused state dict cannot be loaded into a block in training form.

    Args:
        plan: channels, stride, dilation and groups of both forms.
        norm_cfg: norm of the branches, as mmcv's `build_norm_layer` takes it; None for BN. Only BN and
            SyncBN can be fused.
        with_cp: save memory in training by computing the block again in the backward pass; '1x1': only its 1x1 branch,
            so that one of the three maps that a block keeps is not kept, at a ninth of the cost. Gradients and BN
            statistics are those of a block without it.
        deploy: build the fused form.
    """

    rbr_dense: Branch
    rbr_1x1: Branch
    rbr_identity: nn.Module | None
    rbr_reparam: nn.Conv2d

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
        self.nonlinearity = nn.ReLU(inplace=True)
        if deploy:
            self.rbr_reparam = self._conv(3, bias=True)
        else:
            self.rbr_dense = Branch(self._conv(3, bias=False), self._norm())
            self.rbr_1x1 = Branch(self._conv(1, bias=False), self._norm())
            self.rbr_identity = self._norm() if plan.has_identity else None

    def _conv(self, kernel_size: int, bias: bool) -> nn.Conv2d:
        plan = self.plan
        dilation = plan.dilation if kernel_size == 3 else 1
        return nn.Conv2d(
            plan.in_channels,
            plan.out_channels,
            kernel_size,
            stride=plan.stride,
            padding=dilation * (kernel_size // 2),
            dilation=dilation,
            groups=plan.groups,
            bias=bias,
        )

    def _norm(self) -> nn.Module:
        return build_norm_layer(self.norm_cfg, self.plan.out_channels)[1]

    def _norms(self) -> list[nn.Module]:
        norms = [] if self.deploy else [self.rbr_dense.bn, self.rbr_1x1.bn, self.rbr_identity]
        return [norm for norm in norms if norm is not None]

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp is True:
            return self._computed_again(self._forward, x)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        if self.deploy:
            out = self.rbr_reparam(x)
        else:
            out = self.rbr_dense(x)
            # In place is safe: no norm needs its output in the backward pass.
            out += self._computed_again(self.rbr_1x1, x) if self.with_cp == '1x1' else self.rbr_1x1(x)
            if self.rbr_identity is not None:
                out += self.rbr_identity(x)
        return self.nonlinearity(self.se(out))

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
        kernel = self.rbr_dense.conv.weight
        branches = [(branch.conv.weight, branch.bn) for branch in (self.rbr_dense, self.rbr_1x1)]
        if self.rbr_identity is not None:
            identity = identity_kernel(self.plan.out_channels, self.plan.groups, kernel.device)
            branches.append((identity, self.rbr_identity))
        parts = [
            fuse_branches([_fused(*branch, rows) for branch in branches], kernel.dtype) for rows in row_slices(kernel)
        ]
        kernels, biases = zip(*parts, strict=True)
        return torch.cat(kernels), torch.cat(biases)

    def check_fusible(self) -> None:
        """Raise `InputError` for a norm other than BN and SyncBN, and for one without running statistics."""
        for norm in self._norms():
            _as_fusible(norm)

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
            conv = self._conv(3, bias=True).train(self.training)
        conv.weight, conv.bias = (nn.Parameter(value) for value in fused)
        conv.requires_grad_(self.rbr_dense.conv.weight.requires_grad)
        self.rbr_reparam = conv
        del self.rbr_dense, self.rbr_1x1, self.rbr_identity
        self.deploy = True

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Fuse a training form that is loaded into a deploy form; refuse the opposite."""
        if not self.deploy and f'{prefix}rbr_reparam.weight' in state_dict:
            raise InputError(
                f'the weights of {prefix[:-1] or "this block"} are fused and cannot be taken apart again: load the '
                'training checkpoint, or, to evaluate, build the backbone with deploy=True: in its dict of the config, with '
                '--cfg-options model.backbone.deploy=True, or '
                "init_model(..., cfg_options={'model.backbone.deploy': True})"
            )
        if self.deploy and f'{prefix}rbr_dense.conv.weight' in state_dict:
            assigned = bool(args and args[0].get('assign_to_params_buffers'))  # the block takes the type of the file
            self._fuse_state_dict(state_dict, prefix, None if assigned else self.rbr_reparam.weight.dtype)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _fuse_state_dict(self, state_dict: dict[str, Tensor], prefix: str, dtype: torch.dtype | None) -> None:
        """Replace the tensors of the branches in `state_dict`, in place, by the kernel and bias that equal them.

        They are rounded to `dtype`, so that a file in half precision loses no more than it has lost; None for its own.
        """
        names = [name for name in state_dict if name.startswith(f'{prefix}rbr_')]
        branches = {name[len(prefix) :]: state_dict.pop(name) for name in names}
        training_form = RepVGGBlock(replace(self.plan, se=False), self.norm_cfg)
        kernel = branches['rbr_dense.conv.weight']
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


def _fused(kernel: Tensor, norm: nn.Module, rows: slice) -> tuple[Tensor, Tensor]:
    bn = _as_fusible(norm)
    assert bn.running_mean is not None and bn.running_var is not None
    return fuse_conv_bn(kernel, bn.running_mean, bn.running_var, bn.weight, bn.bias, bn.eps, rows=rows)


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
