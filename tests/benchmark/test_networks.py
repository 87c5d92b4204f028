"""Counts of networks against the paper and by hand."""

import pytest
import torch
from helpers import skip_without_its_library
from mmengine.config import Config

from repvgg_seg.benchmark.networks import build_classifier, build_segmentor, count_form


@pytest.mark.slow
@pytest.mark.parametrize(
    'name, params, flops, wino_muls',
    [  # paper, Tables 4 and 5; it truncates parameters
        ('RepVGG-A0', 8.30, 1.4, 0.7),
        ('RepVGG-B1g2', 41.36, 8.8, 4.6),
        ('RepVGG-B2g4', 55.77, 11.3, 6.0),
        ('ResNet-18', 11.68, 1.8, 1.0),
        ('VGG-16', 138.35, 15.5, 6.9),
        ('RegNetX-3.2GF', 15.26, 3.2, None),  # the paper's 2.9 and 10.9 Wino MULs follow another count for groups
        ('RegNetX-12GF', 46.05, 12.1, None),
        ('EfficientNet-B0', 5.26, 0.4, None),
    ],
)
def test_counts_are_those_of_the_paper(name, params, flops, wino_muls):
    skip_without_its_library(name)
    with torch.device('meta'):
        counted = count_form(build_classifier(name), 'fused', (128, 3, 224, 224))
    assert int(counted.params / 1e4) / 100 == pytest.approx(params)
    assert round(counted.flops / 1e9, 1) == flops
    if wino_muls is not None:
        assert counted.wino_muls / 1e9 == pytest.approx(wino_muls, abs=0.06)


@pytest.mark.slow
def test_folding_the_pyramid_lowers_the_count():
    cfg = Config.fromfile('configs/pspnet_repvgg_a0_80k_512x1024.py')
    with torch.device('meta'):
        model = build_segmentor(cfg)
    fused, optimized = (count_form(model, form, (1, 3, 512, 512)) for form in ('fused', 'optimized'))
    # Four levels of 512 channels less in a 3x3 conv of 512 over 64x64 positions; what comes instead is small.
    saved = 4 * 512 * 512 * 9 * 64 * 64
    assert 0.98 * saved < fused.flops - optimized.flops < saved
