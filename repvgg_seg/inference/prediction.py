"""What the network says of one image."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from PIL import Image

from ..evaluation.fast_drawing import colour_map
from .pictures import overlay_picture


@dataclass
class Prediction:
    """The classes of the pixels of an image.

    Attributes:
        labels: number of the class of every pixel, (H, W), at the size of the image; uint8, or uint16 for more than 256 classes.
        classes: the names of the classes, by their numbers.
        palette: the RGB colours of the classes.
        image: the image as the network read it, (H, W, 3), uint8, BGR.
        path: of the image; None for an image in memory.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    image: np.ndarray
    path: str | None = None
    _scores: Callable[[], np.ndarray] | None = field(default=None, repr=False)

    @cached_property
    def scores(self) -> np.ndarray:
        """The probability of every class at every pixel, (classes, H, W), float32.

        It is computed where it is asked for, by another run of the network, since it takes far more memory than the labels.
        """
        assert self._scores is not None
        return self._scores()

    @cached_property
    def shares(self) -> dict[str, float]:
        """The share of the pixels that each class has, from 0 to 1, by its name."""
        counts = np.bincount(self.labels.ravel(), minlength=len(self.classes))
        return {name: float(count / self.labels.size) for name, count in zip(self.classes, counts, strict=True)}

    def colour_map(self) -> Image.Image:
        """The colour of every pixel's class, as a picture of the size of the image."""
        return Image.fromarray(colour_map(self.labels, self.palette))

    def overlay(self, opacity: float = 0.5, legend: bool = True) -> Image.Image:
        """The image under the colours of its classes.

        Args:
            opacity: of the colours, from 0 to 1.
            legend: add the names and shares of the classes below the image.
        """
        entries = self.legend_entries() if legend else ()
        return Image.fromarray(overlay_picture(self.image, self.labels, self.classes, self.palette, opacity, entries))

    def legend_entries(self) -> Sequence[tuple[int, float]]:
        """The number and share of every class that occurs, the most frequent first."""
        shares = [(number, share) for number, share in enumerate(self.shares.values()) if share]
        return sorted(shares, key=lambda entry: -entry[1])
