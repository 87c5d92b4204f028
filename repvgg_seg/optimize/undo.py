"""The state of a model before a pass, to go back to where the pass cannot be used."""

from typing import Any

from torch import Tensor, nn

# Of parts, tensors and hooks, and settings: they are written into.
_TABLES = (dict, set, list)


class Snapshot:
    """The modules of a model with their parts, settings and tensors, as they are now.

    Tensors are not copied: a pass puts new ones in their place and does not write into them. What a pass drops is freed
    with the snapshot.

    Args:
        model: the model that is going to be rewritten in place.
    """

    def __init__(self, model: nn.Module):
        self._states = {module: dict(vars(module)) for module in model.modules()}
        tables = [value for state in self._states.values() for value in state.values() if isinstance(value, _TABLES)]
        self._tables = [(table, table.copy()) for table in tables]
        tensors = [*model.parameters(), *model.buffers()]
        self._data = [(tensor, tensor.data) for tensor in tensors]

    def restore(self) -> None:
        """Give every module its parts, settings and tensors back, in place."""
        for module, state in self._states.items():
            vars(module).clear()
            vars(module).update(state)
        for table, content in self._tables:  # the tables stay the same objects, for the handles of hooks
            _fill(table, content)
        for tensor, data in self._data:
            _set_data(tensor, data)


def _fill(table: Any, content: Any) -> None:
    table.clear()
    if isinstance(table, list):
        table.extend(content)
    else:
        table.update(content)


def _set_data(tensor: Tensor, data: Tensor) -> None:
    tensor.data = data
