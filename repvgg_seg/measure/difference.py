"""How far two results are apart."""

import math
from collections.abc import Iterable

from torch import Tensor


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The largest absolute difference over the largest absolute expected value, no unit.

    Args:
        found: tensor of any shape.
        expected: tensor of the same shape.

    Returns:
        0.0 for equal tensors, also where both are zero; inf where only `expected` is zero; NaN where a value is NaN or
        both are infinite, so that `not error <= limit` refuses these too.
    """
    difference = (found - expected).abs().max()
    return (difference / expected.abs().max()).item() if difference else 0.0


def largest_relative_error(found: Iterable[Tensor], expected: Iterable[Tensor]) -> float:
    """The largest `relative_error` of several tensors, such as the feature maps of a network; NaN where one is NaN.

    Args:
        found: tensors.
        expected: as many, each of the same shape.
    """
    errors = [relative_error(a, b) for a, b in zip(found, expected, strict=True)]
    return math.nan if any(map(math.isnan, errors)) else max(errors)  # max() alone loses a NaN that is not the first
