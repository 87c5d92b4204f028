"""The last step of the classifiers' pipelines."""

import numpy as np
import torch

from repvgg_seg.data import PackClassificationInputs


def test_packing():
    image = np.zeros((4, 6, 3), np.uint8)
    image[1, 2] = 10, 20, 30  # blue, green, red
    packed = PackClassificationInputs().transform(dict(img=image, label=7))
    assert packed['inputs'].shape == (3, 4, 6) and packed['inputs'].dtype == torch.uint8 and packed['labels'] == 7
    assert packed['inputs'][:, 1, 2].tolist() == [30, 20, 10]
