"""The labels of a rehearsed batch, as they come into the losses."""

from typing import Any

import torch
from torch import nn

from ...errors import InputError
from ..agreement.segmentor_parts import heads_of, learns_classes


def check_label_values(model: nn.Module, data_samples: Any) -> None:
    """Refuse labels that a head can neither learn nor ignore, before a loss uses them as an index.

    Raises:
        InputError: the message names the file, the values and the head.
    """
    heads = {name: head for name, head in heads_of(model).items() if learns_classes(head)}
    for sample in data_samples if isinstance(data_samples, (list, tuple)) else ():
        label = getattr(getattr(sample, 'gt_sem_seg', None), 'data', None)
        if not isinstance(label, torch.Tensor):
            continue
        values = label.unique().tolist()
        for name, head in heads.items():
            wrong = [value for value in values if not (0 <= value < head.num_classes or value == head.ignore_index)]
            if wrong:
                path = getattr(sample, 'seg_map_path', None) or getattr(sample, 'img_path', 'a label')
                raise InputError(
                    f'rehearsal, step "labels": {path}, after its pipeline and padding, holds the values {wrong}; {name} knows '
                    f'the classes 0 to {head.num_classes - 1} and ignores {head.ignore_index} (num_classes, ignore_index)'
                )
