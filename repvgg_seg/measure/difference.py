"""How far two results are apart."""

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
