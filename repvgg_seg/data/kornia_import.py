"""The import of kornia, which the augmentations of the classifiers need, with a check of its version."""

from types import ModuleType

from mmengine.utils import digit_version

from ..errors import InputError

_OLDEST = '0.9'  # before 0.9, AutoAugment blended the steps of a sub-policy in, instead of applying a step or not


def import_kornia() -> ModuleType:
    """Import kornia at the first use, because the import takes a second or two, and return the module.

    Raises:
        InputError: kornia is not installed, or is older than 0.9.
    """
    try:
        import kornia
    except ImportError:
        found = 'none'
    else:
        if digit_version(kornia.__version__) >= digit_version(_OLDEST):
            return kornia
        found = kornia.__version__
    raise InputError(
        f'auto_augment and mixup need kornia {_OLDEST} or newer (and so Python 3.11), found {found}: '
        f'pip install "kornia>={_OLDEST}"'
    )
