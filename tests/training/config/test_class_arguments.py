"""Arguments of classes, written down by hand."""

import functools

import pytest
import torch

from repvgg_seg.training.config.class_arguments import UNKNOWN, arguments_of


class Base:
    def __init__(self, width, depth=3, *, classes):
        pass


class PassesOn(Base):
    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)


class FillsIn(Base):
    """`width` by position and `classes` by name: giving them again would fail."""

    def __init__(self, scale=1, *args, **kwargs):
        super().__init__(8, *args, classes=2, **kwargs)


class Deep(PassesOn):
    """No constructor of its own."""


class Renames(Base):
    def __init__(self, **kwargs):
        kwargs.setdefault('width', 1)
        super().__init__(**kwargs)


class Stores(Base):
    def __init__(self, size, **kwargs):
        super().__init__(size, classes=1)
        self.extra = kwargs


class Sometimes(Base):
    def __init__(self, size, **kwargs):
        if size:
            super().__init__(**kwargs)


class OldStyle(Base):
    def __init__(self, **kwargs):
        super(OldStyle, self).__init__(**kwargs)  # noqa: UP008


class SkipsOne(OldStyle):
    def __init__(self, **kwargs):
        super(OldStyle, self).__init__(**kwargs)


class Mixin:
    def __init__(self, speed=1, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Mixed(Mixin, Base):
    pass


class Empty:
    pass


class Decorated:
    @functools.wraps(Base.__init__)
    def __init__(self, *args, **kwargs):
        pass


class OfMetaclass(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(1, classes=2)


class Instances(Base, metaclass=OfMetaclass):
    pass


class New(Base):
    def __new__(cls, anything):
        return super().__new__(cls)


def function(a, b=1):
    pass


@pytest.mark.parametrize(
    'target, names, required',
    [
        (Base, {'width', 'depth', 'classes'}, {'width', 'classes'}),
        (PassesOn, {'scale', 'width', 'depth', 'classes'}, {'scale', 'width', 'classes'}),
        (Deep, {'scale', 'width', 'depth', 'classes'}, {'scale', 'width', 'classes'}),
        (FillsIn, {'scale', 'depth'}, set()),
        (OldStyle, {'width', 'depth', 'classes'}, {'width', 'classes'}),
        (Mixed, {'speed', 'width', 'depth', 'classes'}, {'width', 'classes'}),
        (Empty, set(), set()),
        (function, {'a', 'b'}, {'a'}),
        (functools.partial(function, b=2), {'a', 'b'}, {'a'}),
    ],
)
def test_all_that_a_class_takes(target, names, required):
    found = arguments_of(target)
    assert set(found.owners) == names and set(found.required) == required
    assert not found.takes_others


@pytest.mark.parametrize('target', [Renames, Stores, Sometimes, SkipsOne])
def test_kwargs_that_go_elsewhere_may_hold_anything(target):
    assert arguments_of(target).takes_others


@pytest.mark.parametrize('target', [Decorated, Instances, New, torch.Tensor])
def test_what_cannot_be_read_is_not_judged(target):
    assert arguments_of(target) == UNKNOWN


def test_an_argument_belongs_to_the_class_that_declares_it():
    owners = arguments_of(Deep).owners
    assert owners['scale'] is PassesOn and owners['depth'] is Base
