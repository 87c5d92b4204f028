"""Which arguments a class takes, its `**kwargs` followed to the classes that it inherits from."""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any


@dataclass(frozen=True)
class Arguments:
    """What a class or a function can be called with.

    Attributes:
        owners: every known argument, with the class whose `__init__` declares it (the function itself for a function).
        required: those without a default value.
        positional: the positional ones of the first `__init__` alone, in order.
        takes_others: whether it may take further arguments that cannot be known.
    """

    owners: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    takes_others: bool = False


UNKNOWN = Arguments(takes_others=True)


@functools.cache
def arguments_of(target: Callable) -> Arguments:
    """The arguments of a class or another callable; `UNKNOWN` where its constructor cannot be read."""
    if not inspect.isclass(target):
        try:
            return _declared(target, inspect.signature(target).parameters.values())
        except (TypeError, ValueError):  # written in C
            return UNKNOWN
    if _builds_in_its_own_way(target):
        return UNKNOWN
    return _of_init(iter(inspect.getmro(target)))


def _builds_in_its_own_way(cls: type) -> bool:
    """Whether calling the class does more than `object.__new__` and `__init__`."""
    metaclass = next(base for base in inspect.getmro(type(cls)) if '__call__' in vars(base))
    return metaclass is not type or cls.__new__ is not object.__new__


def _of_init(bases: Iterator[type]) -> Arguments:
    """The arguments of the first `__init__` among the bases, and of the next where it hands its `**kwargs` on."""
    cls = next(base for base in bases if '__init__' in vars(base))
    if cls is object:
        return Arguments()
    init = vars(cls)['__init__']
    if not isinstance(init, FunctionType) or hasattr(init, '__wrapped__'):  # a decorator may rename arguments
        return UNKNOWN
    own = _declared(cls, list(inspect.signature(init).parameters.values())[1:])
    if not own.takes_others:
        return own
    call = _call_of_super(init, cls.__name__)
    if call is None:
        return own
    base = _of_init(bases)
    by_position = [value for value in call.args if not isinstance(value, ast.Starred)]
    if len(by_position) > len(base.positional):
        return own
    filled = {*base.positional[: len(by_position)], *(keyword.arg for keyword in call.keywords)}
    may_fill_all = sum(keyword.arg is None for keyword in call.keywords) > 1  # another dict than `**kwargs`
    required = () if may_fill_all else base.required
    return Arguments(
        owners={name: owner for name, owner in base.owners.items() if name not in filled} | own.owners,
        required=(*own.required, *(name for name in required if name not in filled and name not in own.owners)),
        positional=own.positional,
        takes_others=base.takes_others,
    )


def _declared(owner: Any, parameters: Any) -> Arguments:
    """What a signature itself declares."""
    names = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.POSITIONAL_ONLY)]
    return Arguments(
        owners={p.name: owner for p in names},
        required=tuple(p.name for p in names if p.default is p.empty),
        positional=tuple(p.name for p in names if p.kind is p.POSITIONAL_OR_KEYWORD),
        takes_others=any(p.kind in (p.VAR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters),
    )


def _call_of_super(init: FunctionType, class_name: str) -> ast.Call | None:
    """The call `super().__init__(..., **kwargs)` of a constructor; None where its `**kwargs` go anywhere else too."""
    try:
        function = ast.parse(textwrap.dedent(inspect.getsource(init))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(function, ast.FunctionDef) or function.args.kwarg is None:
        return None
    kwargs, varargs = function.args.kwarg.arg, function.args.vararg
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == kwargs]
    for statement in function.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not (isinstance(call, ast.Call) and _is_init_of_super(call.func, class_name)):
            continue
        passed_on = [keyword.value for keyword in call.keywords if keyword.arg is None]
        starred = [value.value for value in call.args if isinstance(value, ast.Starred)]
        own_varargs = all(isinstance(value, ast.Name) and varargs and value.id == varargs.arg for value in starred)
        return call if len(uses) == 1 and uses[0] in passed_on and own_varargs else None
    return None


def _is_init_of_super(function: ast.expr, class_name: str) -> bool:
    """Whether an expression is `super().__init__`, or `super(Class, self).__init__` of the class itself."""
    if not (
        isinstance(function, ast.Attribute) and function.attr == '__init__' and isinstance(function.value, ast.Call)
    ):
        return False
    call = function.value
    names = [argument.id for argument in call.args if isinstance(argument, ast.Name)]
    return isinstance(call.func, ast.Name) and call.func.id == 'super' and names[:1] in ([], [class_name])
