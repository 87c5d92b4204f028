"""The cross-section of a street and the split of stretches, by hand."""

import pytest

from repvgg_seg.synthetic.street import LEFT, RIGHT, Street, split_stretch

STREET = Street(
    lanes=2,
    lane_width=3.0,
    parking={LEFT: False, RIGHT: True},
    verge={LEFT: 0.0, RIGHT: 1.0},
    pavement={LEFT: 2.0, RIGHT: 4.0},
    own_lane=1,
    slope=0.1,
    curve=0.0,
    crossing=(20.0, 30.0),
    has_tram=False,
)


def test_kerbs_and_frontages():
    assert (STREET.kerb(LEFT), STREET.frontage(LEFT)) == pytest.approx((-3.0, -5.0))
    assert (STREET.kerb(RIGHT), STREET.frontage(RIGHT)) == pytest.approx((5.2, 10.2))


def test_the_camera_is_in_the_middle_of_its_lane():
    assert STREET.x(STREET.lane_centre(1), 0) == 0
    assert STREET.x(STREET.lane_centre(1), 10) == pytest.approx(1.0)  # the street bears to the right
    assert STREET.x(STREET.lane_centre(0), 0) == -3.0


def test_the_cross_street_and_its_margin():
    assert STREET.in_crossing(15, 19.5) and STREET.in_crossing(30.5, 40)
    assert not STREET.in_crossing(15, 18.5) and not STREET.in_crossing(31.5, 40)


def test_a_far_stretch_is_split_into_fewer_parts():
    assert split_stretch(0, 12, 3) == [(0, 3), (3, 6), (6, 9), (9, 12)]
    assert split_stretch(60, 72, 3) == [(60, 66), (66, 72)]
    assert split_stretch(0, 1, 3) == [(0, 1)]
