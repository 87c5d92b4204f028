"""Image classifiers: a backbone, global average pooling and a linear layer (paper, sections 3.4 and 4.1)."""

from collections import OrderedDict
from typing import Any

import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.dist import all_reduce_dict
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..errors import InputError, listed
from ..weight_names import AUXILIARY
from .archs import ArchSpec
from .block_variants import BlockSpec
from .match_checkpoint import account_for, take_below
from .repvgg import RepVGG


@MODELS.register_module()
class BackboneClassifier(BaseModel):
    """Any backbone, global average pooling and a linear layer, (N, C, H, W) -> logits (N, num_classes).

    Args:
        backbone: a module or its config, with the attribute `out_channels`; the last of its feature maps is classified.
        num_classes: number of classes.
        label_smoothing: the part of the target, 0 to 1, that the cross entropy spreads over all classes.
        data_preprocessor: mmengine's, a module or its config; it works between the data loader and the network.
        init_cfg: mmengine's.

    Raises:
        InputError: a number of classes or a label smoothing out of its range, or a backbone without `out_channels`.
    """

    def __init__(
        self,
        backbone: dict[str, Any] | nn.Module,
        num_classes: int = 1000,
        label_smoothing: float = 0.0,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ):
        if isinstance(data_preprocessor, dict):
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor, init_cfg)
        if not isinstance(num_classes, int) or num_classes < 1:
            raise InputError(f'num_classes must be a positive integer, got {num_classes!r}')
        if not 0 <= label_smoothing <= 1:
            raise InputError(f'label_smoothing must be from 0 to 1, got {label_smoothing!r}')
        self.backbone = MODELS.build(backbone) if isinstance(backbone, dict) else backbone
        channels = getattr(self.backbone, 'out_channels', None)
        if not channels:
            raise InputError(
                f'backbone: {type(self.backbone).__name__} does not tell the channels of its maps (out_channels); take RepVGG '
                'or RepVGGResNet'
            )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(channels[-1], num_classes)
        self.label_smoothing = label_smoothing

    def forward(
        self, inputs: Tensor, labels: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[dict[str, Tensor]]:
        """The call of mmengine's loops.

        Args:
            inputs: (N, in_channels, H, W).
            labels: (N,) class numbers; or (N, 3) after mixup: class, other class, and weight of the other. Modes
                'loss' and 'predict' need them.
            mode: 'tensor' for logits (N, num_classes); 'loss' for `dict(loss=...)`; 'predict' for a
                `dict(logits=(num_classes,), label=())` for every image.
        """
        if mode == 'tensor':
            return self._logits(self.backbone(inputs)[-1])
        assert labels is not None, f'mode {mode!r} needs labels'
        if mode == 'loss':
            return self._losses(inputs, labels)
        logits = self._logits(self.backbone(inputs)[-1])
        return [dict(logits=row, label=label) for row, label in zip(logits, labels, strict=True)]

    def _logits(self, features: Tensor) -> Tensor:
        return self.linear(self.gap(features).flatten(1))

    def _losses(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        return dict(loss=self._loss(self._logits(self.backbone(inputs)[-1]), labels))

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if labels.dim() == 1:
            return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        share = labels[:, 2]
        first, other = (
            F.cross_entropy(logits, labels[:, i].long(), reduction='none', label_smoothing=self.label_smoothing)
            for i in (0, 1)
        )
        return ((1 - share) * first + share * other).mean()

    def parse_losses(self, losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """mmengine's, except that the mean over all processes is logged: the loss of the global batch."""
        loss, log_vars = super().parse_losses(losses)
        log_vars = {name: value.detach().clone() for name, value in log_vars.items()}
        all_reduce_dict(log_vars, 'mean')
        return loss, log_vars


@MODELS.register_module()
class RepVGGClassifier(BackboneClassifier):
    """RepVGG with its linear classifier, (N, in_channels, H, W) -> logits (N, num_classes).

    Args:
        arch: as `RepVGG` takes it.
        num_classes: number of classes.
        in_channels: channels of the image.
        deploy: build the fused form.
        norm_cfg: norm of the branches, as `RepVGG` takes it.
        with_cp: save memory in training, as `RepVGG` takes it.
        init_cfg: mmengine's.
        stem_stride: as `RepVGG` takes it.
        label_smoothing: as `BackboneClassifier` takes it.
        stem_weights: as `RepVGG` takes it.
        data_preprocessor: mmengine's, a module or its config; it works between the data loader and the network.
        block: the kind of block, as `RepVGG` takes it.
        aux_loss_weight: weight of the losses of three auxiliary classifiers, behind stages 2 and 3 of the paper and in the
            middle of stage 4, which only training uses; 0 for none. By default 0.1 for L2pse, as its authors have it
            (RepVGGplus; not in the paper), and 0 for others.

    Raises:
        InputError: as `RepVGG` and `BackboneClassifier`; a negative weight.
    """

    backbone: RepVGG

    def __init__(
        self,
        arch: str | dict[str, Any] | ArchSpec,
        num_classes: int = 1000,
        in_channels: int = 3,
        deploy: bool = False,
        norm_cfg: dict[str, Any] | None = None,
        with_cp: bool | str = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        stem_stride: int = 2,
        label_smoothing: float = 0.0,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        stem_weights: str | None = None,
        block: str | dict[str, Any] | BlockSpec = 'repvgg',
        aux_loss_weight: float | None = None,
    ):
        backbone = RepVGG(
            arch,
            in_channels,
            out_indices=(3,),
            norm_cfg=norm_cfg,
            with_cp=with_cp,
            deploy=deploy,
            stem_stride=stem_stride,
            stem_weights=stem_weights,
            block=block,
        )
        super().__init__(backbone, num_classes, label_smoothing, data_preprocessor, init_cfg)
        if aux_loss_weight is None:
            aux_loss_weight = 0.1 if backbone.arch.post_se else 0.0
        if isinstance(aux_loss_weight, bool) or not isinstance(aux_loss_weight, (int, float)) or aux_loss_weight < 0:
            raise InputError(f'aux_loss_weight must be a number of 0 or more, got {aux_loss_weight!r}')
        self.aux_loss_weight = aux_loss_weight
        if aux_loss_weight and not deploy:
            half = [plan.out_channels for plan in backbone.plans if plan.stage == 3][backbone.arch.depths[3] // 2 - 1]
            for name, channels in zip(AUXILIARY, (*backbone.arch.widths[1:3], half), strict=True):
                self.add_module(name.removesuffix('.'), _auxiliary_classifier(channels, num_classes, norm_cfg))
            if not self._parts()[2]:
                raise InputError(
                    f'aux_loss_weight: an auxiliary classifier stands in the middle of stage 4 of the paper, which has '
                    f'{backbone.arch.depths[3]} layers here: give arch more, or set aux_loss_weight=0'
                )

    def drop_auxiliary(self) -> list[str]:
        """Remove the auxiliary classifiers, which evaluation does not use, in place; returns their names."""
        names = self._auxiliary_names()
        for name in names:
            delattr(self, name)
        return names

    def _auxiliary_names(self) -> list[str]:
        return [name for name in (prefix.removesuffix('.') for prefix in AUXILIARY) if hasattr(self, name)]

    def _losses(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        names = self._auxiliary_names()
        if not names:
            return super()._losses(inputs, labels)
        losses, x = {}, self.backbone.stage0(inputs)
        for name, part in zip((*names, ''), self._parts(), strict=True):
            for block in part:
                x = block(x)
            if name:
                losses[f'loss_{name}'] = self.aux_loss_weight * self._loss(getattr(self, name)(x), labels)
        return dict(loss=self._loss(self._logits(x), labels), **losses)

    def _parts(self) -> list[list[nn.Module]]:
        """The blocks behind the stem, up to each auxiliary classifier and to the end."""
        stages = [list(self.backbone.get_submodule(f'stage{i}').children()) for i in range(1, 5)]
        half = len(stages[2]) // 2
        return [stages[0], stages[1], stages[2][:half], stages[2][half:] + stages[3]]

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Take the names of any family, and check the tensors of the linear layers; the backbone checks its own."""
        weights = self.backbone.match(take_below(state_dict, prefix))
        names = self._auxiliary_names()
        own = {
            f'{part}.{name}': tensor
            for part in ('linear', *names)
            for name, tensor in self.get_submodule(part).state_dict().items()
        }
        if bool(names) != bool(weights.auxiliary):
            kept = {name: tensor for name, tensor in own.items() if name.startswith(AUXILIARY)}
            said = 'not in the checkpoint, and new' if names else 'not used by the classifier'
            print_log(f'{said}: {listed(kept or weights.auxiliary)}', 'current')
            weights.auxiliary = kept
        account_for(weights.rest, own)
        body = {f'backbone.{name}': tensor for name, tensor in weights.backbone.items()}
        state_dict.update({prefix + name: tensor for name, tensor in (body | weights.rest).items()})
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


def _auxiliary_classifier(channels: int, num_classes: int, norm_cfg: dict[str, Any] | None) -> nn.Sequential:
    """(N, channels, H, W) -> logits (N, num_classes), with the official names of its parameters."""
    conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)
    norm = build_norm_layer(norm_cfg or dict(type='BN'), channels)[1]
    down = nn.Sequential(OrderedDict(conv=conv, bn=norm, relu=nn.ReLU(inplace=True)))
    return nn.Sequential(down, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
