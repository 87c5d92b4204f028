"""The accuracy that is logged in training, for heads of one logit."""

from functools import partial
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ...models.model_wrappers import unwrap_model


@HOOKS.register_module()
class OneLogitAccuracyHook(Hook):
    """Log `acc_seg` of a head of one logit as the share of pixels on the right side of its threshold, in percent.

    mmseg takes the largest channel, which of one channel is always the first: it logs the share of background.
    """

    priority = 'HIGHEST'  # before the hook that takes the values to log from the outputs

    def __init__(self) -> None:
        self._accuracies: dict[str, float] = {}
        self._handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        for prefix, head in _heads(unwrap_model(runner.model)):
            if head.out_channels == 1:
                losses = head.loss_decode
                first = losses[0] if isinstance(losses, nn.ModuleList) else losses
                self._handles.append(
                    first.register_forward_pre_hook(partial(self._note, prefix, head), with_kwargs=True)
                )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: dict | None = None
    ) -> None:
        for name, accuracy in self._accuracies.items():
            if outputs is not None and name in outputs:
                outputs[name] = accuracy

    def after_train(self, runner: Runner) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _note(self, prefix: str, head: BaseDecodeHead, loss: nn.Module, args: tuple[Tensor, ...], kwargs: dict) -> None:
        """Hook before the first loss of a head, which is given logits (N, 1, H, W) and labels (N, H, W)."""
        logits, labels = args[:2]
        ignored = kwargs.get('ignore_index')
        counted = torch.ones_like(labels, dtype=torch.bool) if ignored is None else labels.ne(ignored)
        right = (logits.detach().float().sigmoid().squeeze(1) > head.threshold).eq(labels.eq(1))
        number = counted.sum().clamp_min(1)
        self._accuracies[f'{prefix}.acc_seg'] = float(100 * (right & counted).sum() / number)


def _heads(model: nn.Module) -> list[tuple[str, BaseDecodeHead]]:
    """The heads of a segmentor, with the names that mmseg logs their values under."""
    found = []
    for prefix, attribute in (('decode', 'decode_head'), ('aux', 'auxiliary_head')):
        head = getattr(model, attribute, None)
        heads = list(enumerate(head)) if isinstance(head, nn.ModuleList) else [('', head)]
        found += [(f'{prefix}_{i}' if i != '' else prefix, part) for i, part in heads]
    return [(prefix, head) for prefix, head in found if isinstance(head, BaseDecodeHead)]
