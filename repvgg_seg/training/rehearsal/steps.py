"""Which step of a rehearsal failed, and in which part of the model."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from ...errors import InputError
from ...models.model_wrappers import inner_model
from ..agreement.channels import channel_mismatch
from ..agreement.segmentor_parts import heads_of, losses_of
from ..one_line_error import told_in_one_line

_METHODS = dict(forward='forward pass', loss='loss', predict='prediction')  # of a head, with their names in messages


class Notes:
    """What is known about a forward pass when it fails.

    Attributes:
        part: the innermost part that raised; '' where none did.
        features: channels of the feature maps that the heads got.
        giver: 'backbone' or 'neck', which gave them.
    """

    def __init__(self) -> None:
        self.part = ''
        self.features: list[int] = []
        self.giver = 'backbone'


@contextmanager
def step(name: str, notes: Notes | None = None, model: nn.Module | None = None) -> Iterator[None]:
    """Tell whatever is raised inside in one line, with the name of the step.

    Raises:
        InputError: as it is raised inside, or in place of any other exception.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # cityscapesscripts prints its errors and exits
        what_to_do = _printed() if isinstance(error, SystemExit) else ''
        if notes is not None:
            name = notes.part or name
            what_to_do = _mismatch(notes, model) or what_to_do
        raise told_in_one_line(error, f'rehearsal, step "{name}"', what_to_do) from error


def _printed() -> str:
    """The last line that was printed during a rehearsal, which keeps it from the screen."""
    printed = sys.stdout.getvalue().split('\n') if isinstance(sys.stdout, io.StringIO) else []
    return next((line.strip() for line in reversed(printed) if line.strip()), '')


def _mismatch(notes: Notes, model: nn.Module | None) -> str:
    """A difference between the channels of the feature maps and those of the head that failed."""
    if model is None or not notes.features:
        return ''
    for name, head in heads_of(model).items():
        if notes.part.endswith(name):
            return channel_mismatch(name, head, notes.features, notes.giver)
    return ''


@contextmanager
def noted(model: nn.Module) -> Iterator[Notes]:
    """Note, while a model runs, the channels of its features and the part that raises.

    Heads are called by their methods and not as modules, so that torch's hooks do not see them: the methods of this instance
    are replaced, and put back afterwards.
    """
    notes = Notes()
    replaced: list[tuple[nn.Module, str, Any]] = []

    def replace(module: nn.Module, method: str, what: str, gives: str = '') -> None:
        if not callable(getattr(module, method, None)):
            return
        replaced.append((module, method, vars(module).get(method)))
        vars(module)[method] = _noting(notes, getattr(module, method), what, gives)

    model = inner_model(model)
    for name in ('data_preprocessor', 'backbone', 'neck'):
        part = getattr(model, name, None)
        if isinstance(part, nn.Module):
            replace(part, 'forward', name, name)
    for name, head in heads_of(model).items():
        for method, what in _METHODS.items():
            replace(head, method, f'{what} of {name}')
        for place, loss in losses_of(head).items():
            replace(loss, 'forward', f'{type(loss).__name__} ({place}) of {name}')
    try:
        yield notes
    finally:
        for module, method, before in reversed(replaced):
            if before is None:
                del vars(module)[method]
            else:
                vars(module)[method] = before


def _noting(notes: Notes, method: Callable, what: str, gives: str) -> Callable:
    def noting(*args: Any, **kwargs: Any) -> Any:
        try:
            out = method(*args, **kwargs)
        except Exception:
            notes.part = notes.part or what
            raise
        if gives in ('backbone', 'neck') and isinstance(out, (list, tuple)):
            notes.giver, notes.features = gives, [feature.shape[1] for feature in out if hasattr(feature, 'shape')]
        return out

    return noting
