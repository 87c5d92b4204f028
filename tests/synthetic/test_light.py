"""Shadows and shades, by hand."""

import math

import numpy as np
import pytest

from repvgg_seg.synthetic.light import LONGEST_SHADOW, Light


def light(elevation, haze_distance=1e9):
    """A sun straight ahead."""
    sun = (0.0, math.sin(math.radians(elevation)), math.cos(math.radians(elevation)))
    return Light(sun, 0.5, 0.5, (0, 0, 0), (200, 200, 200), haze_distance, 0.0)


def test_a_shadow_falls_away_from_the_sun():
    """At 45 degrees it is as long as the object is tall."""
    assert light(45).shadow_of(np.array([(1.0, 10.0)]), 2.0) == pytest.approx(np.array([(1, 10), (1, 8)]))


def test_a_low_sun_does_not_make_endless_shadows():
    shadow = light(1).shadow_of(np.array([(0.0, 50.0)]), 10.0)
    assert 50 - shadow[1, 1] == pytest.approx(LONGEST_SHADOW, rel=1e-3)


def test_surfaces_that_face_the_sun_are_brighter():
    sun = light(45)
    assert sun.shade((100, 100, 100), 0, sun.sun) == pytest.approx((100, 100, 100))
    assert sun.shade((100, 100, 100), 0, (0.0, 0.0, -1.0)) == pytest.approx((50, 50, 50))


def test_haze_covers_half_of_the_colour_at_its_distance():
    hazy = light(45, haze_distance=100)
    assert hazy.shade((100, 100, 100), 100, hazy.sun) == pytest.approx((150, 150, 150))
