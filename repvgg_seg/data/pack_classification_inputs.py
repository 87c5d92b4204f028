"""The last step of the classifiers' pipelines: from an image array to the tensor that the network takes."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackClassificationInputs(BaseTransform):
    """Turn `img` (H, W, 3) BGR and `label` into `dict(inputs=(3, H, W) uint8 tensor, RGB, labels=label)`.

    An `img_path` is kept, for messages about an image.
    """

    def transform(self, results: dict) -> dict:
        """`img` (H, W, 3) uint8 to `inputs` (3, H, W), and `label` to `labels`."""
        image = np.ascontiguousarray(results['img'][..., ::-1].transpose(2, 0, 1))
        path = {'img_path': results['img_path']} if 'img_path' in results else {}
        return dict(inputs=torch.from_numpy(image), labels=results['label'], **path)
