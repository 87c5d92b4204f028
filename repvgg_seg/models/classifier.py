"""RepVGG as an ImageNet classifier (paper, sections 3.4 and 4.1)."""

from typing import Any

import torch.nn.functional as F
from mmengine.dist import all_reduce_dict
from mmengine.model import BaseModel
from mmseg.registry import MODELS
from torch import Tensor, nn

from ..errors import InputError
from .archs import ArchSpec
from .match_checkpoint import account_for, take_below
from .repvgg import RepVGG


@MODELS.register_module()
class RepVGGClassifier(BaseModel):
    """Backbone, global average pooling and a linear layer, (N, in_channels, H, W) -> logits (N, num_classes).

    Args:
        arch: as `RepVGG` takes it.
        num_classes: number of classes.
        in_channels: channels of the image.
        deploy: build the fused form.
        norm_cfg: norm of the branches, as `RepVGG` takes it.
        with_cp: save memory in training, as `RepVGG` takes it.
        init_cfg: mmengine's.
        stem_stride: as `RepVGG` takes it.
        label_smoothing: the part of the target, 0 to 1, that the cross entropy spreads over all classes.
        stem_weights: as `RepVGG` takes it.
        data_preprocessor: mmengine's, a module or its config; it works between the data loader and the network.

    Raises:
        InputError: as `RepVGG`; a number of classes or a label smoothing out of its range.
    """

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
    ):
        if isinstance(data_preprocessor, dict):
            data_preprocessor = MODELS.build(data_preprocessor)
        super().__init__(data_preprocessor, init_cfg)
        if not isinstance(num_classes, int) or num_classes < 1:
            raise InputError(f'num_classes must be a positive integer, got {num_classes!r}')
        if not 0 <= label_smoothing <= 1:
            raise InputError(f'label_smoothing must be from 0 to 1, got {label_smoothing!r}')
        self.backbone = RepVGG(
            arch,
            in_channels,
            out_indices=(3,),
            norm_cfg=norm_cfg,
            with_cp=with_cp,
            deploy=deploy,
            stem_stride=stem_stride,
            stem_weights=stem_weights,
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(self.backbone.out_channels[0], num_classes)
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
        (features,) = self.backbone(inputs)
        logits = self.linear(self.gap(features).flatten(1))
        if mode == 'tensor':
            return logits
        assert labels is not None, f'mode {mode!r} needs labels'
        if mode == 'loss':
            return dict(loss=self._loss(logits, labels))
        return [dict(logits=row, label=label) for row, label in zip(logits, labels, strict=True)]

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

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Take the names of any family, and check the tensors of the linear layer; the backbone checks its own."""
        weights = self.backbone.match(take_below(state_dict, prefix))
        account_for(weights.rest, {f'linear.{name}': tensor for name, tensor in self.linear.state_dict().items()})
        body = {f'backbone.{name}': tensor for name, tensor in weights.backbone.items()}
        state_dict.update({prefix + name: tensor for name, tensor in (body | weights.rest).items()})
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
