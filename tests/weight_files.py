"""Tiny classifiers and segmentors, and what the families would have written of their weights."""

import os

from helpers import randomise_bn
from mmseg.registry import MODELS
from tiny import tiny_config

from repvgg_seg import RepVGGClassifier
from repvgg_seg.weight_names import sort_weights, to_checkpoint

TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
LIMIT = 1e-5  # of the relative error


def classifier(arch=TINY, deploy=False, **kwargs):
    return randomise_bn(RepVGGClassifier(arch, deploy=deploy, **kwargs)).eval()


def written_by(model, family):
    """What a family would have written of the weights of one of our models."""
    return to_checkpoint(sort_weights(model.state_dict()), family)


def tensors(checkpoint):
    return checkpoint.get('state_dict', checkpoint)


def segmentor(scenes, **options):
    cfg = tiny_config(scenes, 'unused', **options)
    return randomise_bn(MODELS.build(cfg.model)).eval()


def prefixed(state, prefix):
    return {prefix + name: tensor for name, tensor in state.items()}


def pretrained(path):
    return dict(type='Pretrained', checkpoint=str(path))


class Malicious:
    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)
