"""`Segmentor`: a trained network, called with images of any kind."""

import logging
import os
from collections.abc import Iterable, Sequence
from typing import Any, overload

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmseg.structures import SegDataSample
from PIL import Image
from torch import Tensor

from ..errors import InputError
from ..export.engine import is_engine_file
from ..measure.out_of_memory import is_out_of_memory
from ..models import reparameterize_model
from ..models.block import find_blocks
from ..models.image_channels import image_channels
from ..optimize import optimize_for_inference
from ..optimize.options import checked_memory
from .image_pipeline import ImagePipeline, Item
from .image_values import ChannelOrder, drawable, image_values, is_animated, is_batch
from .network import chosen_device, load_network
from .prediction import Prediction
from .tiles import SMALLEST_TILE, TileSizes, tiles_of

ImageLike = str | os.PathLike[str] | np.ndarray | Image.Image | Tensor
FORMS = ('fused', 'optimized', 'training')
_MIB = 2**20


class TooLargeError(InputError):
    """There is no memory for an image."""


class Segmentor:
    """A trained segmentor that predicts images.

    Args:
        config: path or name of a config, or one that was read; None for the one in the checkpoint.
        checkpoint: path of a checkpoint, in training or fused form, or of a file of tools/export.py, which computes on the
            CPU in the form that it has. Without config and checkpoint, the network is the one that
            comes with the package, for street scenes.
        device: 'cpu', 'cuda', 'cuda:1' or torch's own; the GPU where there is one by default.
        form: 'fused'; 'optimized', which is rewritten for inference and pays for many images, since the first call of a kind
            on a machine measures for up to a minute; or 'training', as the checkpoint is.
        memory: as `optimize_for_inference` takes it. A number of MiB also limits what an image may take on a CPU: one that takes
            more is computed in tiles.
        cfg_options: settings that are put over the config, by their dotted keys.
        trust: read a checkpoint that runs code when read.

    Attributes:
        classes: the names of the classes, by their numbers in a label map.
        palette: their RGB colours.
        form: as given.
        device: where the network computes.
        images_in_tiles: how many images did not fit in memory as a whole.

    Raises:
        InputError: config and checkpoint cannot be used; see `load_network`.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | Config | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str | torch.device | None = None,
        form: str = 'fused',
        memory: str | int = 'free',
        cfg_options: dict[str, Any] | None = None,
        trust: bool = False,
    ) -> None:
        if form not in FORMS:
            raise InputError(f'form must be one of {", ".join(FORMS)}, got {form!r}')
        memory = checked_memory(memory)
        is_exported = is_engine_file(checkpoint)
        if is_exported and form != 'fused':
            raise InputError(f'{checkpoint} has the form that it was exported in, got form={form!r}: leave it out')
        if is_exported and device is not None and chosen_device(device).type != 'cpu':
            raise InputError(f'{checkpoint} computes on the CPU, got device {device!r}: leave it out')
        self.device = chosen_device('cpu' if is_exported else device)
        network = load_network(config, checkpoint, cfg_options, trust)
        self.classes, self.palette = network.classes, network.palette
        self.config, self.checkpoint = network.config, network.checkpoint
        self.form = network.model.engine.name if is_exported else form
        model = network.model.to(self.device)
        self.channels = image_channels(model)
        self.pipeline = ImagePipeline(network.cfg, self.channels)
        if form == 'fused' and find_blocks(model):
            model = reparameterize_model(model, inplace=True)
        elif form == 'optimized':
            model = optimize_for_inference(model, memory=memory, inplace=True)
        self.model = model.eval()
        most = memory * _MIB if isinstance(memory, int) else None
        self.images_in_tiles = 0
        self._number = np.uint8 if len(self.classes) <= 256 else np.uint16
        self._tile_sizes = TileSizes(self._labels_of_tensor, most)
        self._side_of: dict[tuple[int, int], int] = {}  # of the tiles, by the size of images that were too large

    @overload
    def predict(  # type: ignore[overload-overlap]  # a path, an array and a tensor are iterables, too
        self, images: ImageLike, channel_order: ChannelOrder | None = None
    ) -> Prediction: ...

    @overload
    def predict(
        self, images: Iterable[ImageLike], channel_order: ChannelOrder | None = None, batch_size: int = 1
    ) -> list[Prediction]: ...

    def predict(
        self, images: Any, channel_order: ChannelOrder | None = None, batch_size: int = 1
    ) -> Prediction | list[Prediction]:
        """Predict an image, or several.

        Args:
            images: a path, an array (H, W, C), a PIL image or a tensor (C, H, W), as `image_values` takes them; or any iterable
                of them, or an array or a tensor of one dimension more.
            channel_order: 'bgr' or 'rgb' for arrays and tensors; by default BGR for arrays and RGB for tensors.
            batch_size: how many images of one size the network computes at a time.

        Returns:
            A prediction, or a list of them in the order of the images.

        Raises:
            InputError: an image cannot be read or predicted; of several, its number is named.
        """
        if isinstance(images, (str, os.PathLike, Image.Image)) or (
            isinstance(images, (np.ndarray, Tensor)) and not is_batch(images)
        ):
            return self.predict_items([self.read(images, channel_order)])[0]
        if not isinstance(images, Iterable):
            self.read(images, channel_order)  # which says what an image is
        if not isinstance(batch_size, int) or batch_size < 1:
            raise InputError(f'batch_size must be a positive whole number, got {batch_size!r}')
        predictions: list[Prediction] = []
        batch: list[tuple[Item, np.ndarray, str | None]] = []
        for number, image in enumerate(images):
            try:
                read = self.read(image, channel_order)
                if batch and (len(batch) == batch_size or not same_size(batch[0][0], read[0])):
                    predictions += self.predict_items(batch)
                    batch = []
            except InputError as error:
                raise InputError(f'image {number}: {error}') from error
            batch.append(read)
        return predictions + (self.predict_items(batch) if batch else [])

    def read(self, image: Any, channel_order: ChannelOrder | None = None) -> tuple[Item, np.ndarray, str | None]:
        """What the network takes for an image, the image to draw on, (H, W, 3) BGR, and its path.

        Raises:
            InputError: it cannot be read.
        """
        if isinstance(image, (str, os.PathLike)):
            path = os.fspath(image)
            if os.path.isdir(path):
                raise InputError(f'{path} is a folder: give the paths of its images')
            try:
                item, loaded = self.pipeline.from_file(path)
            except MemoryError:
                raise TooLargeError(f'{path} does not fit in memory') from None
            if is_animated(path):
                print_log(f'{path} is an animation: its first picture is predicted', 'current')
            return item, drawable(loaded), path
        values = image_values(image, channel_order, self.channels)
        return self.pipeline.from_array(values, 'an image in memory'), drawable(values), None

    def predict_items(self, batch: Sequence[tuple[Item, np.ndarray, str | None]]) -> list[Prediction]:
        """The predictions of images of one size, as `read` gives them.

        Raises:
            InputError: they do not fit in memory, or the network cannot compute images of this size.
        """
        predictions = []
        for labels, (item, image, path) in zip(self._labels([item for item, _, _ in batch]), batch, strict=True):

            def scores(item: Item = item) -> np.ndarray:
                return self._scores(item)

            predictions.append(Prediction(labels, self.classes, self.palette, image, path, scores))
        return predictions

    def _labels(self, items: Sequence[Item]) -> list[np.ndarray]:
        """Class numbers (H, W) of a batch; of images that are too large for the memory as a whole, in tiles."""
        size = tuple(items[0]['inputs'].shape[-2:])
        if size not in self._side_of and self.device.type == 'cpu':
            side = self._tile_sizes.side_for(items[0]['inputs'])
            if side is not None:
                self._say_in_tiles(size, side)
        if size not in self._side_of:
            try:
                return [self._numbers(sample) for sample in self._run(items)]
            except TooLargeError:  # as a GPU says it, or a system with a limit for the process
                if len(items) == 1:
                    self._say_in_tiles(size, max(size) // 2)
        if len(items) > 1:
            return [labels for item in items for labels in self._labels([item])]
        while True:
            try:
                return [self._labels_in_tiles(items[0], self._side_of[size])]
            except TooLargeError:
                if self._side_of[size] // 2 < SMALLEST_TILE:
                    raise
                self._say_in_tiles(size, self._side_of[size] // 2)

    def _say_in_tiles(self, size: tuple[int, ...], side: int) -> None:
        """Compute images of a size in tiles from now on."""
        height, width = size
        self._side_of[height, width] = side
        print_log(
            f'an image of {height}x{width} (height x width) does not fit in memory as a whole: it is computed in tiles of '
            f'{side}x{side}, which differs slightly',
            'current',
            logging.WARNING,
        )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _labels_in_tiles(self, item: Item, side: int) -> np.ndarray:
        inputs = item['inputs']
        height, width = inputs.shape[-2:]
        labels = np.zeros((height, width), self._number)
        for place, part, own in tiles_of(height, width, side):
            labels[part] = self._labels_of_tensor(inputs[(slice(None), *place)].contiguous())[own]
        self.images_in_tiles += 1
        size = tuple(item['data_samples'].ori_shape)
        return labels if labels.shape == size else cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)

    def _labels_of_tensor(self, inputs: Tensor) -> np.ndarray:
        """Class numbers (H, W) of an image (C, H, W), as it comes out of the pipeline."""
        size = tuple(inputs.shape[-2:])
        sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
        return self._numbers(self._run([dict(inputs=inputs, data_samples=sample)])[0])

    def _numbers(self, sample: SegDataSample) -> np.ndarray:
        return sample.pred_sem_seg.data[0].to('cpu').numpy().astype(self._number)

    def _run(self, items: Sequence[Item]) -> Sequence[Any]:
        """mmseg's data samples of a batch, with `pred_sem_seg` and `seg_logits`."""
        samples = [item['data_samples'].clone() for item in items]
        height, width = items[0]['inputs'].shape[-2:]
        size = f'{len(items)} images of {height}x{width}' if len(items) > 1 else f'an image of {height}x{width}'
        try:
            with torch.inference_mode():
                return self.model.test_step(dict(inputs=[item['inputs'] for item in items], data_samples=samples))
        except InputError:
            raise
        except Exception as error:  # a network may raise anything for an image that is too small for it
            said = f'{type(error).__name__}: {" ".join(str(error).split())[:200]}'
            if not is_out_of_memory(error):
                raise InputError(f'the network cannot compute {size} (height x width): {said}') from error
        # Outside of the handler, which holds the tensors of the failed call.
        raise TooLargeError(f'{size} (height x width) does not fit in memory')

    def _scores(self, item: Item) -> np.ndarray:
        logits = self._run([item])[0].seg_logits.data.float()
        if len(logits) == 1:  # of which mmseg has taken the sigmoid already
            return torch.cat([1 - logits, logits]).cpu().numpy()
        return logits.softmax(dim=0).cpu().numpy()


def same_size(one: Item, other: Item) -> bool:
    """Whether two images can be computed in one batch."""
    return one['inputs'].shape == other['inputs'].shape
