"""Images that are in two splits: the same pixels, or almost the same after another compression or size."""

from collections.abc import Sequence

import numpy as np

from .read_items import Item

_ALIKE = 1.5  # root mean square difference of thumbnails, of 255 levels, below which two images are one
_ROWS = 1024


def same_images(one: Sequence[Item], other: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of items of two splits whose images have the same pixels."""
    by_digest = {item.digest: item for item in other if item.digest}
    return [(item, by_digest[item.digest]) for item in one if item.digest in by_digest]


def similar_images(one: Sequence[Item], other: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of items of two splits whose images look the same in small, and whose pixels are not the same."""
    first, second = ([item for item in items if item.thumbnail is not None] for items in (one, other))
    if not first or not second:
        return []
    columns = np.stack([item.thumbnail.reshape(-1) for item in second])  # type: ignore[union-attr]
    lengths = (columns**2).sum(1)
    pairs = []
    for start in range(0, len(first), _ROWS):
        rows = np.stack([item.thumbnail.reshape(-1) for item in first[start : start + _ROWS]])  # type: ignore[union-attr]
        squares = ((rows**2).sum(1)[:, None] + lengths - 2 * rows @ columns.T) / rows.shape[1]
        for i, j in zip(range(len(rows)), squares.argmin(1).tolist(), strict=True):
            item, nearest = first[start + i], second[j]
            if squares[i, j] < _ALIKE**2 and item.digest != nearest.digest:
                pairs.append((item, nearest))
    return pairs
