"""Kinds of arguments, written down by hand."""

from collections.abc import Mapping, Sequence
from inspect import Parameter
from typing import Any, Literal, Optional

import pytest
from torch import nn

from repvgg_seg.training.config.argument_kinds import default_of, kinds_of_argument

NONE = type(None)


def unresolved(unknown: 'NotDefined' = None):  # noqa: F821
    pass


class Base:
    def __init__(self, width: int, names: Optional[list[str]] = None, **kwargs):  # noqa: UP045
        pass


class Derived(Base):
    def __init__(
        self,
        text: str = 'a',
        rate: float | None = 0.5,
        size: 'tuple[int, int]' = (1, 1),
        mode: Literal['a', 1] = 'a',
        module: nn.Module | dict | None = None,
        anything: Any = None,
        items: Sequence[int] = (),
        table: Mapping[str, int] | None = None,
        plain=True,
        loss_scale: str = 'dynamic',
        implicit: int = None,
        **kwargs,
    ):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    'name, kinds',
    [
        ('text', {str}), ('rate', {float, NONE}), ('size', {tuple}), ('mode', {str, int}), ('module', None), ('anything', None),
        ('items', {list, tuple}), ('table', {dict, NONE}), ('plain', None), ('width', {int}),
        ('names', {list, NONE}), ('nowhere', None), ('loss_scale', {str, float, dict}), ('implicit', {int, NONE}),
    ],
)  # fmt: skip
def test_what_an_annotation_says(name, kinds):
    assert kinds_of_argument(Derived, name) == kinds
    assert kinds_of_argument(unresolved, 'unknown') is None


def test_default_values():
    assert default_of(Derived, 'plain') is True and default_of(Derived, 'rate') == 0.5
    assert default_of(Derived, 'width') is Parameter.empty and default_of(Derived, 'nowhere') is Parameter.empty
