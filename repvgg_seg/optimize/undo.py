"""The state of a model before a pass, to go back to where the pass cannot be used."""

from typing import Any

from torch import Tensor, nn


class Snapshot:
    """The modules of a model with their parts, settings and tensors, as they are now.

    Tensors are not copied: a pass puts new ones in their place and does not write into them. What a pass drops is freed
    with the snapshot.

    Args:
        model: the model that is going to be rewritten in place.
    """

    def __init__(self, model: nn.Module):
        self._states = {module: _copy_of_dicts(vars(module)) for module in model.modules()}
        tensors = [*model.parameters(), *model.buffers()]
        self._data = [(tensor, tensor.data) for tensor in tensors]

    def restore(self) -> None:
        """Give every module its parts, settings and tensors back, in place."""
        for module, state in self._states.items():
            vars(module).clear()
            vars(module).update(state)
        for tensor, data in self._data:
            _set_data(tensor, data)


def _copy_of_dicts(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a module; its tables of parts, tensors and hooks are copied, since they are written into."""
    return {name: value.copy() if isinstance(value, (dict, set, list)) else value for name, value in state.items()}


def _set_data(tensor: Tensor, data: Tensor) -> None:
    tensor.data = data
