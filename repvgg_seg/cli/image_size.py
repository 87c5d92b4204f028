"""The size of images as an option names it."""

from ..errors import InputError


def parsed_size(text: str, option: str, example: str) -> tuple[int, int]:
    """'512x1024' -> (512, 1024), height and width.

    Args:
        text: as it was typed.
        option: that it belongs to.
        example: of what it takes.

    Raises:
        InputError: it is no such size.
    """
    height, _, width = text.partition('x')
    if not (height.isdigit() and width.isdigit() and int(height) and int(width)):
        raise InputError(f'{option} must look like {example}, got {text!r}')
    return int(height), int(width)
