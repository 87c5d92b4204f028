"""The axes of an object in the world, by hand."""

import math

import pytest

from repvgg_seg.synthetic.pose import Pose


def test_an_object_that_faces_to_the_right():
    """What is ahead of it lies to the right, and what is to its right lies towards the camera."""
    pose = Pose(2, 10, math.pi / 2)
    assert pose.world((0, 0.5, 1)) == pytest.approx([3, 0.5, 10])
    assert pose.world((1, 0.5, 0)) == pytest.approx([2, 0.5, 9])


def test_where_the_camera_is():
    assert Pose(0, 10, 0).camera_position() == pytest.approx((0, -10))
    assert Pose(0, 10, math.pi).camera_position() == pytest.approx((0, 10))
    assert Pose(3, 10, 0).camera_position() == pytest.approx((-3, -10))
