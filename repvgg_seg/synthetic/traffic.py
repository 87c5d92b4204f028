"""What moves through a street, drawn: cars, trucks, buses, trams, two-wheelers, people."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .canvas import ARCH, CHROME, GLASS, LABEL_ID, TYRE, Pose, disc, draw_limb, patches


def draw_box(canvas, pose, size, colour, name, taper=(0.0, 0.0, 0.0), details=None):
    """A box of ``size`` = (half width, bottom, top, rear, front) metres, seen faces only.

    ``taper`` is how far sides, rear and front lean in at the top; ``details`` maps a face to
    (rectangle, colour) pairs painted on it, u from rear to front (sides) or left to right.
    """
    half, bottom, top, rear, front = size
    upper = (half - taper[0], rear + taper[1], front - taper[2])
    seen_across, seen_along = pose.camera_position()
    cos, sin = pose.axes

    def panel(low, high):
        (a0, l0), (a1, l1) = low
        (b0, m0), (b1, m1) = high
        return pose.world(((a0, bottom, l0), (a1, bottom, l1), (b1, top, m1), (b0, top, m0)))

    faces = []
    for sign, edge, at, visible in ((-1, rear, 1, seen_along < rear), (1, front, 2, seen_along > front)):
        if visible:
            quad = panel(((-half, edge), (half, edge)), ((-upper[0], upper[at]), (upper[0], upper[at])))
            faces.append(('rear' if sign < 0 else 'front', quad, (sign * sin, 0.0, sign * cos)))
    for sign in (-1, 1):
        if sign * seen_across > half:
            quad = panel(
                ((sign * half, rear), (sign * half, front)),
                ((sign * upper[0], upper[1]), (sign * upper[0], upper[2])),
            )
            faces.append(('side', quad, (sign * cos, 0.0, -sign * sin)))
    if canvas.camera.height > top:
        corners = ((-upper[0], upper[1]), (upper[0], upper[1]), (upper[0], upper[2]), (-upper[0], upper[2]))
        faces.append(('top', pose.world([(a, top, along) for a, along in corners]), (0.0, 1.0, 0.0)))
    for face, quad, normal in faces:
        canvas.fill(quad, colour, name, normal)
        for rectangle, paint in (details or {}).get(face, ()):
            canvas.fill(patches(quad, [rectangle])[0], paint, None, normal)


def draw_wheels(canvas, pose, half, radius, places, name):
    """Wheels at ``places`` along the side that the camera sees."""
    seen_across, _ = pose.camera_position()
    if abs(seen_across) < half:
        return
    cos, sin = pose.axes
    across = math.copysign(half, seen_across)
    for along in places:
        centre = pose.world((across, radius, along))
        canvas.fill(disc(centre, radius, (sin, cos)), TYRE, name)
        canvas.fill(disc(centre, radius * 0.55, (sin, cos)), (120, 120, 120))


def draw_car(canvas, pose, colour, shape):
    """A car; ``shape`` = (length, height, cabin rear, cabin front, lean of windscreen) metres."""
    length, height, cabin_rear, cabin_front, lean = shape
    end, half = length / 2, 0.88
    draw_box(canvas, pose, (half - 0.06, 0.03, 0.4, -end + 0.25, end - 0.25), TYRE, 'car')
    dark, red = tuple(c * 0.45 for c in colour), (30, 25, 190)
    rear = [((0.02, 0.98, 0, 0.25), dark), ((0.02, 0.2, 0.55, 0.9), red), ((0.8, 0.98, 0.55, 0.9), red)]
    rear.append(((0.36, 0.64, 0.35, 0.55), (215, 220, 220)))
    lamp = (235, 240, 240)
    front = [
        ((0.15, 0.85, 0.05, 0.45), dark),
        ((0.03, 0.22, 0.55, 0.85), lamp),
        ((0.78, 0.97, 0.55, 0.85), lamp),
    ]
    side = [((0, 1, 0, 0.12), dark), ((0.5, 0.505, 0.1, 1), dark), ((0.28, 0.285, 0.1, 1), dark)]
    body = (half, 0.22, 0.6 * height + 0.05, -end, end)
    draw_box(canvas, pose, body, colour, 'car', (0.05, 0.08, 0.12), {'rear': rear, 'front': front, 'side': side})
    draw_wheels(canvas, pose, half, 0.32, (-end * 0.62, end * 0.64), 'car')
    windows = [((0.05, 0.48, 0.12, 0.86), GLASS), ((0.52, 0.93, 0.12, 0.86), GLASS)]
    screen = [((0.06, 0.94, 0.1, 0.88), GLASS)]
    cabin = (half - 0.08, 0.6 * height + 0.03, height, cabin_rear, cabin_front)
    draw_box(
        canvas,
        pose,
        cabin,
        colour,
        'car',
        (0.16, 0.3, lean),
        {'rear': screen, 'front': screen, 'side': windows},
    )


def draw_truck(canvas, pose, colour, load):
    """A lorry: driver's cab ahead of a box body."""
    draw_box(canvas, pose, (1.05, 0.05, 0.9, -3.6, 3.4), (40, 40, 42), 'truck')
    lights = [((0.02, 0.12, 0.0, 0.06), (30, 25, 190)), ((0.88, 0.98, 0.0, 0.06), (30, 25, 190))]
    doors = [((0.495, 0.505, 0.05, 0.95), tuple(c * 0.5 for c in load)), *lights]
    stripe = [((0.1, 0.7, 0.45, 0.7), colour)]
    body = ((1.22, 0.85, 3.4, -3.8, 1.7), load, 'truck', (0, 0, 0), {'rear': doors, 'side': stripe})
    screen = [
        ((0.08, 0.92, 0.5, 0.9), GLASS),
        ((0.05, 0.2, 0.08, 0.2), CHROME),
        ((0.8, 0.95, 0.08, 0.2), CHROME),
    ]
    screen.append(((0.25, 0.75, 0.12, 0.4), (50, 50, 50)))
    cab = (
        (1.15, 0.5, 2.7, 1.8, 3.7),
        colour,
        'truck',
        (0.08, 0, 0.25),
        {'front': screen, 'side': [((0.3, 0.85, 0.5, 0.9), GLASS)]},
    )
    towards = pose.camera_position()[1] > 0
    for part in (body, cab) if towards else (cab, body):
        draw_box(canvas, pose, *part)
    draw_wheels(canvas, pose, 1.2, 0.48, (-2.6, 2.5), 'truck')


def draw_bus(canvas, pose, colour, name='bus', length=11.0, height=3.1, panes=8):
    """A bus or, with name 'train', a tram car: rows of windows, doors, destination board."""
    end = length / 2
    trim = tuple(c * 0.55 for c in colour)
    wide = 0.9 / panes
    side = [((0.04 + k * wide, 0.04 + (k + 0.86) * wide, 0.45, 0.82), GLASS) for k in range(panes)]
    side += [
        ((0.05 + 2 * k * wide, 0.05 + (2 * k + 0.7) * wide, 0.06, 0.82), (60, 55, 50)) for k in (1, panes // 2 - 1)
    ]
    side += [((0, 1, 0.0, 0.12), trim), ((0, 1, 0.36, 0.4), trim)]
    lamps = [((0.05, 0.17, 0.14, 0.2), (225, 230, 230)), ((0.83, 0.95, 0.14, 0.2), (225, 230, 230))]
    front = [
        ((0.06, 0.94, 0.36, 0.82), GLASS),
        ((0.2, 0.8, 0.86, 0.95), (20, 120, 160)),
        ((0, 1, 0, 0.1), trim),
        *lamps,
    ]
    tail = [((0.04, 0.12, 0.15, 0.3), (30, 25, 190)), ((0.88, 0.96, 0.15, 0.3), (30, 25, 190))]
    rear = [((0.1, 0.9, 0.5, 0.85), GLASS), ((0.2, 0.8, 0.12, 0.35), trim), *tail]
    draw_box(canvas, pose, (1.1, 0.04, 0.45, -end + 0.4, end - 0.4), TYRE, name)
    faces = {'front': front, 'rear': rear, 'side': side}
    draw_box(canvas, pose, (1.26, 0.3, height, -end, end), colour, name, (0.08, 0.04, 0.15), faces)
    if name == 'bus':
        draw_wheels(canvas, pose, 1.26, 0.48, (-end * 0.55, end * 0.6), name)


def draw_tram(canvas, pose, colour, cars):
    """A tram of several cars in line, far cars first."""
    length = 10.5
    order = sorted(range(cars), key=lambda k: -float(pose.world((0, 0, (k - (cars - 1) / 2) * length))[2]))
    for k in order:
        x, _, z = pose.world((0, 0, (k - (cars - 1) / 2) * length))
        draw_bus(canvas, Pose(float(x), float(z), pose.heading), colour, 'train', length - 0.3, 3.4, 6)


def draw_two_wheeler(canvas, pose, colour, name):
    """A bicycle or motorcycle; both wheels are drawn as solid discs, as the data set labels them."""
    heavy = name == 'motorcycle'
    radius, thick = (0.32, 0.09) if heavy else (0.34, 0.035)
    base = 0.68 if heavy else 0.54
    cos, sin = pose.axes
    for along in (-base, base):
        sides = [disc(pose.world((side * thick, radius, along)), radius, (sin, cos)) for side in (-1, 1)]
        canvas.hull(np.concatenate(sides), TYRE, name)
        canvas.fill(disc(pose.world((0, radius, along)), radius * 0.72, (sin, cos)), (125, 128, 130))

    def tube(start, end, size, paint):
        draw_limb(canvas, pose.world((0, *start)), pose.world((0, *end)), size, paint, name)

    if heavy:
        tube((0.5, -0.35), (0.45, 0.3), 0.2, (60, 60, 62))
        tube((0.82, -0.7), (0.78, 0.0), 0.1, (30, 30, 30))
        tube((0.85, 0.0), (0.8, 0.4), 0.16, colour)
    tube((radius, base), (1.0, base * 0.75), 0.05 if heavy else 0.03, CHROME if heavy else colour)
    handle = [pose.world((side * 0.3, 1.04, base * 0.7)) for side in (-1, 1)]
    draw_limb(canvas, *handle, 0.045, (40, 40, 40), name)
    if not heavy:
        for start, end in (
            ((radius, -base), (0.85, -0.2)),
            ((0.3, 0), (0.85, -0.2)),
            ((0.3, 0), (0.85, base * 0.75)),
        ):
            tube(start, end, 0.03, colour)
        tube((0.82, -0.2), (0.82, base * 0.78), 0.03, colour)
        tube((0.92, -0.32), (0.92, -0.1), 0.05, (35, 35, 40))


@dataclass(frozen=True)
class Figure:
    """Looks of a person: height in metres and colours."""

    height: float
    coat: tuple
    trousers: tuple
    skin: tuple
    hair: tuple


def draw_head(canvas, x, y, z, figure, name):
    canvas.fill(disc((x, y, z), 0.125), figure.hair, name)
    canvas.fill(disc((x + 0.015, y - 0.03, z - 0.02), 0.1), figure.skin, name)


def draw_person(canvas, pose, figure, stride):
    """A pedestrian; ``stride`` in [0, 1] opens legs and arms."""
    k = figure.height / 1.75
    x, z = pose.x, pose.z
    for side in (-1, 1):
        foot = x + side * (0.09 + 0.22 * stride) * k
        draw_limb(canvas, (foot, 0.06, z), (x + side * 0.09 * k, 0.85 * k, z), 0.085 * k, figure.trousers, 'person')
    for side in (-1, 1):
        hand = (x + side * (0.27 + 0.18 * stride) * k, 0.85 * k, z)
        draw_limb(
            canvas,
            hand,
            (x + side * 0.2 * k, 1.38 * k, z),
            0.06 * k,
            tuple(c * 0.85 for c in figure.coat),
            'person',
        )
    trunk = [
        disc((x + side * 0.12 * k, y * k, z), 0.1 * k) for side, y in ((-1, 0.85), (1, 0.85), (-1, 1.38), (1, 1.38))
    ]
    canvas.hull(np.concatenate(trunk), figure.coat, 'person')
    draw_head(canvas, x, figure.height - 0.12, z, figure, 'person')


def draw_rider(canvas, pose, figure, colour, name):
    """Someone riding a 'bicycle' or 'motorcycle'; the person is a rider, the machine keeps its class."""
    draw_two_wheeler(canvas, pose, colour, name)
    for side in (-1, 1):
        hip, knee = pose.world((side * 0.12, 0.95, -0.2)), pose.world((side * 0.16, 0.7, 0.18))
        draw_limb(canvas, hip, knee, 0.085, figure.trousers, 'rider')
        draw_limb(canvas, knee, pose.world((side * 0.14, 0.3, 0.02)), 0.07, figure.trousers, 'rider')
    hips, chest = pose.world((0, 1.0, -0.2)), pose.world((0, 1.45, 0.08))
    trunk = [
        disc(pose.world((side * 0.14, y, along)), 0.13) for side in (-1, 1) for y, along in ((1.0, -0.2), (1.42, 0.05))
    ]
    canvas.hull(np.concatenate(trunk), figure.coat, 'rider')
    for side in (-1, 1):
        draw_limb(
            canvas,
            pose.world((side * 0.22, 1.4, 0.06)),
            pose.world((side * 0.28, 1.05, 0.36)),
            0.06,
            figure.coat,
            'rider',
        )
    draw_head(canvas, float(chest[0]), 1.72, float(hips[2]) - 0.05, figure, 'rider')


def draw_bin(canvas, pose, colour):
    """A litter bin: street clutter that Cityscapes leaves unlabelled."""
    draw_box(canvas, pose, (0.3, 0.0, 1.05, -0.3, 0.3), colour, 'unlabeled', (-0.05, -0.05, -0.05))


def draw_bonnet(canvas, colour, rise):
    """The bonnet of the camera's own car along the bottom edge, ``rise`` image heights high."""
    height, width = canvas.label.shape
    across = ARCH[:, 0] * 0.62 + 0.5
    for shrink, gain in ((1.0, 0.7), (0.6, 1.0)):
        up = 1 - rise * shrink * ARCH[:, 1]
        outline = np.rint(np.stack((across * width, up * height), -1)).astype(np.int32)
        cv2.fillConvexPoly(canvas.image, outline, tuple(c * gain for c in colour))
        cv2.fillConvexPoly(canvas.label, outline, LABEL_ID['ego vehicle'])
