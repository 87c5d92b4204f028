"""One street scene composed: its cross-section, what stands along it and what moves on it, under some light."""

import math
from collections import namedtuple

import numpy as np

from .canvas import Camera, Canvas, Light, Pose, Street, develop, tint
from .street import (
    Building,
    GroundStrip,
    RoadPlan,
    draw_facade_bay,
    draw_fence,
    draw_gable,
    draw_ground,
    draw_hedge,
    draw_lamp,
    draw_pole,
    draw_sign,
    draw_sky,
    draw_skyline,
    draw_traffic_light,
    draw_tree,
    draw_wall,
)
from .traffic import (
    Figure,
    draw_bin,
    draw_bonnet,
    draw_bus,
    draw_car,
    draw_person,
    draw_rider,
    draw_tram,
    draw_truck,
    draw_two_wheeler,
)

FAR = 95.0  # metres; nothing stands farther away but the skyline

WALLS = ((92, 110, 160), (150, 185, 205), (165, 172, 176), (110, 150, 190), (205, 212, 215), (90, 95, 100),
         (160, 150, 130), (120, 160, 175), (75, 85, 120))  # fmt: skip
ROOFS = ((60, 65, 110), (75, 75, 80), (60, 60, 62), (70, 90, 130))
PAINTS = ((45, 45, 45), (200, 200, 200), (150, 150, 152), (95, 98, 100), (120, 60, 40), (45, 40, 150),
          (160, 185, 200), (80, 100, 60), (70, 90, 130), (225, 225, 222))  # fmt: skip
CLOTHES = (*PAINTS, (140, 110, 70), (60, 130, 190), (90, 60, 110))
SKINS = ((150, 180, 225), (120, 150, 200), (70, 95, 140), (50, 65, 95))
LEAVES = ((50, 105, 80), (45, 90, 62), (60, 115, 105), (45, 120, 150), (70, 95, 70))
CAR_SHAPES = (  # length, height, cabin rear, cabin front, lean of the windscreen, in metres
    (4.5, 1.45, -1.6, 1.15, 0.8),
    (3.9, 1.5, -1.85, 1.0, 0.7),
    (4.7, 1.48, -2.2, 1.1, 0.8),
    (4.5, 1.75, -2.1, 1.2, 0.6),
    (4.9, 2.0, -2.4, 1.7, 0.5),
)

Thing = namedtuple('Thing', 'depth paint')
Thing.__doc__ = 'Something to draw: its depth in metres (far things come first) and a call that takes the canvas.'


def pick(rng, options):
    """One of the options, each as likely."""
    return options[int(rng.integers(len(options)))]


class Scene:
    """A scene being composed: its street and light, the things on it and the shadows they cast."""

    def __init__(self, rng):
        self.rng = rng
        self.light = sample_light(rng)
        self.lanes = int(rng.integers(2, 5))  # driving lanes in all
        self.lane = rng.uniform(3.0, 3.6)
        self.parking = {side: rng.random() < 0.5 for side in (-1, 1)}
        self.half_road = {side: self.lanes * self.lane / 2 + 2.2 * self.parking[side] for side in (-1, 1)}
        self.verge = {side: rng.uniform(0.8, 2.2) if rng.random() < 0.4 else 0.0 for side in (-1, 1)}
        self.pavement = {side: rng.uniform(2.0, 4.5) for side in (-1, 1)}
        own_lane = int(rng.integers((self.lanes + 1) // 2, self.lanes))  # traffic keeps to the right
        self.street = Street(-self.lane_centre(own_lane), rng.uniform(-0.16, 0.16), rng.uniform(-0.0022, 0.0022))
        self.own_lane = own_lane
        start = rng.uniform(14, 45)
        self.crossing = (start, start + rng.uniform(7, 11)) if rng.random() < 0.45 else None
        self.tram_street = rng.random() < 0.3
        self.things, self.shadows = [], []

    def lane_centre(self, lane):
        """Metres across of a lane counted from the left."""
        return (lane + 0.5 - self.lanes / 2) * self.lane

    def kerb(self, side):
        return side * self.half_road[side]

    def frontage(self, side):
        """Metres across where the pavement ends and buildings begin."""
        return side * (self.half_road[side] + self.verge[side] + self.pavement[side])

    def in_crossing(self, z0, z1, margin=1.0):
        """Whether the stretch z0 to z1 reaches into the cross street."""
        return self.crossing is not None and z1 > self.crossing[0] - margin and z0 < self.crossing[1] + margin

    def pose(self, across, z, heading=0.0):
        """Pose at a place of the street; heading is relative to the street's own direction there."""
        turn = math.atan(self.street.slope + 2 * self.street.curve * z)
        return Pose(self.street.x(across, z), z, heading + turn)

    def add(self, depth, function, *arguments):
        """Keeps ``function(canvas, *arguments)`` to be called when its depth comes."""
        self.things.append(Thing(depth, lambda canvas: function(canvas, *arguments)))

    def add_shadowed(self, pose, half, length, height, function, *arguments):
        """Adds a thing with a footprint of 2 * half by length metres that casts a shadow."""
        corners = [(a, 0.0, along) for a in (-half, half) for along in (-length / 2, length / 2)]
        footprint = pose.world(corners)[:, (0, 2)]
        self.shadows.append(self.light.shadow_of(footprint, height))
        self.add(float(footprint[:, 1].min()), function, pose, *arguments)


def sample_light(rng):
    """Weather and time of day: clear, hazy, overcast or a low warm sun."""
    weather = pick(rng, ('clear', 'clear', 'hazy', 'overcast', 'evening'))
    azimuth = rng.uniform(-math.pi, math.pi)
    elevation = math.radians(rng.uniform(12, 22) if weather == 'evening' else rng.uniform(28, 60))
    level = math.cos(elevation)
    sun = (level * math.sin(azimuth), math.sin(elevation), level * math.cos(azimuth))
    ambient, direct, zenith, haze, distance, clouds = {
        'clear': (0.6, 0.62, (205, 150, 90), (225, 208, 190), 420, -0.1),
        'hazy': (0.68, 0.38, (210, 190, 165), (215, 212, 206), 150, 0.15),
        'overcast': (0.88, 0.08, (190, 186, 182), (208, 206, 204), 230, 0.5),
        'evening': (0.62, 0.6, (180, 140, 105), (160, 195, 235), 260, 0.1),
    }[weather]
    return Light(sun, ambient, direct, tint(rng, zenith), tint(rng, haze, 8), distance, clouds)


def plan_ground(scene):
    """Cross-section and markings of the road."""
    rng = scene.rng
    grey = rng.uniform(88, 128)
    asphalt = tint(rng, (grey, grey, grey), 6)
    slab = tint(rng, (grey + 16, grey + 20, grey + 22), 16)  # close to the asphalt: colour alone cannot tell
    joints = pick(rng, (0.0, 0.5, 0.8, 1.2))
    grass = tint(rng, pick(rng, ((50, 95, 90), (60, 105, 80), (75, 115, 125))), 10)
    stone = tuple(c + 22 for c in slab)
    open_land = {side: rng.random() < 0.6 for side in (-1, 1)}
    beyond = {side: ('terrain', grass, 14) if open_land[side] else ('sidewalk', slab, 9) for side in (-1, 1)}
    strips = []

    def strip(edge, name, colour, grain, joint=0.0):
        strips.append(GroundStrip(edge, name, colour, grain, joint))

    strip(scene.frontage(-1), *beyond[-1])
    strip(scene.kerb(-1) - scene.verge[-1] - 0.16, 'sidewalk', slab, 8, joints)
    strip(scene.kerb(-1) - 0.16, 'terrain', grass, 16)
    strip(scene.kerb(-1), 'sidewalk', stone, 5)
    strip(scene.kerb(1), 'road', asphalt, 7)
    strip(scene.kerb(1) + 0.16, 'sidewalk', stone, 5)
    strip(scene.kerb(1) + scene.verge[1] + 0.16, 'terrain', grass, 16)
    strip(scene.frontage(1), 'sidewalk', slab, 8, joints)
    strip(1e9, *beyond[1])
    dashed = tuple((k - scene.lanes / 2) * scene.lane for k in range(1, scene.lanes))
    solid = [side * scene.lanes * scene.lane / 2 for side in (-1, 1) if scene.parking[side]]
    tracks = [scene.lane_centre(lane) for lane in (scene.own_lane - 1, scene.own_lane)] if scene.tram_street else []
    rails = tuple(track + gauge for track in tracks for gauge in (-0.72, 0.72))
    return RoadPlan(tuple(strips), dashed, tuple(solid), scene.crossing, rails, rng.uniform(-0.9, -0.3))


def add_frontage(scene, side):
    """What lines the street behind the pavement, stretch by stretch, out to FAR."""
    rng = scene.rng
    z = rng.uniform(0.5, 4.0)
    built_up = rng.uniform(0.3, 0.9)
    while z < FAR:
        length = rng.uniform(9, 24)
        if scene.crossing is not None and scene.crossing[0] < z + length and z < scene.crossing[1] + 3:
            length = scene.crossing[0] - 3 - z
            if length < 4:
                z = scene.crossing[1] + 3.01
                continue
        if rng.random() < built_up:
            add_building(scene, side, z, z + length, rng.uniform(0, 0.8))
            z += length + (rng.uniform(2, 6) if rng.random() < 0.25 else 0)
        else:
            add_open_plot(scene, side, z, z + length)
            z += length


def bays(z0, z1, width):
    """Stretches (start, end) of about ``width`` metres from z0 to z1, wider when far away."""
    count = max(1, round((z1 - z0) / (width * (1 + z0 / 60))))
    return [(z0 + (z1 - z0) * k / count, z0 + (z1 - z0) * (k + 1) / count) for k in range(count)]


def add_building(scene, side, z0, z1, setback):
    """One building from z0 to z1, ``setback`` metres behind the pavement."""
    rng, street = scene.rng, scene.street
    wall = tint(rng, pick(rng, WALLS), 16)
    base = tint(rng, pick(rng, WALLS), 20) if rng.random() < 0.5 else tuple(c * 0.8 for c in wall)
    roof_height = rng.uniform(1.5, 4.0) if rng.random() < 0.6 else 0.0
    across = scene.frontage(side) + side * setback
    building = Building(
        side, across, int(rng.integers(2, 7)), wall, base, tint(rng, (88, 74, 62), 25), tint(rng, pick(rng, ROOFS)),
        roof_height, rng.uniform(0.35, 0.75), rng.random() < 0.4,
    )  # fmt: skip
    for start, end in bays(z0, z1, rng.uniform(2.6, 4.0)):
        scene.add(end, draw_facade_bay, street, building, start, end, rng)
    scene.add(z0, draw_gable, street, building, z0, rng.uniform(9, 14))
    footprint = np.array([(street.x(across + extra, z), z) for extra in (0, side * 10) for z in (z0, z1)])
    scene.shadows.append(scene.light.shadow_of(footprint, building.height))


def add_open_plot(scene, side, z0, z1):
    """A garden, park or yard: a wall, fence or hedge along the pavement with trees behind."""
    rng, street = scene.rng, scene.street
    across = scene.frontage(side) + side * 0.2
    border = pick(rng, ('wall', 'wall', 'fence', 'fence', 'hedge', 'none'))
    leaves = tint(rng, pick(rng, LEAVES))
    if rng.random() < 0.5:
        add_building(scene, side, z0 + 1, z1 - 1, rng.uniform(6, 11))
    for _ in range(int(rng.integers(1, 5))):
        x, z = across + side * rng.uniform(2.0, 7), rng.uniform(z0, z1)
        height = rng.uniform(4, 10)
        scene.add_shadowed(Pose(street.x(x, z), z), 1.5, 3.0, height, draw_tree, height, tint(rng, leaves), rng)
    height = rng.uniform(1.0, 2.4)
    colour = tint(rng, pick(rng, WALLS), 18)
    for start, end in bays(z0, z1, 2.2):
        if border == 'wall':
            scene.add(end, draw_wall, street, side, across, start, end, height, colour)
        elif border == 'fence':
            scene.add(end, draw_fence, street, side, across, start, end, min(height, 1.8), colour)
        elif border == 'hedge':
            scene.add(end, draw_hedge, street, across, start, end, min(height, 1.7), leaves, rng)


def add_furniture(scene, side):
    """Trees, lamps, signs, signals and bins between the kerb and the pavement."""
    rng = scene.rng
    edge = scene.kerb(side) + side * (0.5 + scene.verge[side] / 2)
    leaves = tint(rng, pick(rng, LEAVES))
    tree_share = rng.uniform(0, 0.75)
    metal = tint(rng, pick(rng, ((95, 98, 96), (140, 142, 142), (60, 75, 60))))
    z = rng.uniform(5, 12)
    while z < FAR * 0.85:
        if not scene.in_crossing(z, z):
            pose = scene.pose(edge, z)
            kind = rng.random()
            if kind < tree_share:
                height = rng.uniform(4.5, 9)
                scene.add_shadowed(pose, 1.3, 2.6, height, draw_tree, height, tint(rng, leaves), rng)
            elif kind < tree_share + 0.12:
                scene.add_shadowed(pose, 0.1, 0.2, 7.5, draw_lamp, side, metal)
            elif kind < tree_share + 0.32:
                shape = pick(rng, ('disc', 'triangle', 'board', 'board'))
                face = pick(rng, ((40, 35, 190), (150, 80, 30), (40, 190, 230), (60, 110, 40)))
                scene.add_shadowed(pose, 0.1, 0.2, 2.8, draw_sign, shape, tint(rng, face), rng)
            elif kind < tree_share + 0.37:
                scene.add_shadowed(pose, 0.3, 0.6, 1.0, draw_bin, tint(rng, pick(rng, PAINTS)))
            elif kind < tree_share + 0.45:
                scene.add_shadowed(pose, 0.1, 0.2, 5.0, draw_pole, rng.uniform(3, 7), 0.07, metal)
        z += rng.uniform(3.5, 9)
    if scene.crossing is not None or rng.random() < 0.2:
        z = (scene.crossing or (rng.uniform(12, 40),))[0] - 1.5
        pose = scene.pose(scene.kerb(side) + side * 0.6, z)
        scene.add_shadowed(pose, 0.1, 0.2, 3.4, draw_traffic_light, side, int(rng.integers(3)), rng)


def add_parked(scene, side):
    """Parked cars, sometimes a motorcycle or bicycles, along one kerb."""
    rng = scene.rng
    across = scene.kerb(side) - side * 1.1
    z = rng.uniform(5.5, 11)
    density = rng.uniform(0.2, 0.85)
    while z < FAR * 0.7:
        if not scene.in_crossing(z - 2.5, z + 2.5, 5) and rng.random() < density:
            heading = (0.0 if side > 0 else math.pi) + rng.uniform(-0.04, 0.04)
            if rng.random() < 0.88:
                add_car(scene, scene.pose(across, z, heading))
            else:
                pose = scene.pose(across, z, rng.uniform(0.9, 2.2))
                paint = pick(rng, PAINTS)
                scene.add_shadowed(pose, 0.2, 2.0, 1.0, draw_two_wheeler, paint, 'motorcycle')
        z += rng.uniform(5.2, 7)


def add_car(scene, pose):
    """One car of a random make and colour."""
    shape = pick(scene.rng, CAR_SHAPES)
    colour = tint(scene.rng, pick(scene.rng, PAINTS))
    scene.add_shadowed(pose, 0.9, shape[0], shape[1], draw_car, colour, shape)


def add_traffic(scene):
    """Vehicles in every lane, the crossing ones seen from their side."""
    rng = scene.rng
    busy = rng.uniform(15, 50)  # metres between vehicles
    tram_lane = scene.own_lane - 1 if scene.tram_street else None
    for lane in range(scene.lanes):
        towards_us = lane < scene.lanes / 2
        heading = math.pi if towards_us else 0.0
        z = rng.uniform(11, 28) if lane == scene.own_lane else rng.uniform(8, 26)
        if lane == tram_lane:
            cars = int(rng.integers(2, 4))
            middle = rng.uniform(9, 24) + cars * 5.3
            pose = scene.pose(scene.lane_centre(lane), middle, heading)
            colour = tint(rng, pick(rng, PAINTS), 20)
            scene.add_shadowed(pose, 1.26, 10.5 * cars, 3.4, draw_tram, colour, cars)
            z = middle + cars * 5.3 + 12
        while z < FAR * 0.8:
            if not scene.in_crossing(z - 4, z + 4):
                add_vehicle(scene, scene.pose(scene.lane_centre(lane) + rng.uniform(-0.3, 0.3), z, heading))
            z += 9 + rng.exponential(busy)
    if scene.crossing is not None and rng.random() < 0.6:
        middle = (scene.crossing[0] + scene.crossing[1]) / 2
        x = rng.uniform(-8, 8)
        add_vehicle(scene, Pose(x, middle, pick(rng, (-1, 1)) * math.pi / 2))


def add_vehicle(scene, pose):
    """A vehicle in traffic: mostly a car, else a lorry, bus, motorcyclist or cyclist."""
    rng = scene.rng
    kind = rng.random()
    colour = tint(rng, pick(rng, PAINTS), 18)
    if kind < 0.68:
        add_car(scene, pose)
    elif kind < 0.76 and pose.z > 12:
        load = tint(rng, pick(rng, PAINTS), 20)
        scene.add_shadowed(pose, 1.22, 7.5, 3.4, draw_truck, colour, load)
    elif kind < 0.87 and pose.z > 14:
        scene.add_shadowed(pose, 1.26, 11.0, 3.1, draw_bus, colour)
    else:
        machine = 'motorcycle' if kind > 0.92 else 'bicycle'
        near_kerb = Pose(pose.x + 0.8 * math.cos(pose.heading), pose.z, pose.heading)
        arguments = (sample_figure(rng), colour, machine)
        scene.add_shadowed(near_kerb, 0.25, 1.7, 1.7, draw_rider, *arguments)


def sample_figure(rng):
    """Height and colours of a person."""
    coat, trousers = tint(rng, pick(rng, CLOTHES)), tint(rng, pick(rng, CLOTHES[:9]))
    hair = tint(rng, pick(rng, ((30, 35, 40), (50, 80, 110), (140, 145, 150))), 10)
    return Figure(rng.uniform(1.5, 1.92), coat, trousers, pick(rng, SKINS), hair)


def add_people(scene):
    """Pedestrians on the pavements and the zebra, cyclists crossing, bicycles leaning about."""
    rng = scene.rng
    for side in (-1, 1):
        inner = scene.half_road[side] + scene.verge[side] + 0.4
        for _ in range(int(rng.integers(1, 9))):
            across, z = side * rng.uniform(inner, inner + scene.pavement[side] - 0.7), 6 + rng.exponential(16)
            scene.add_shadowed(
                scene.pose(across, z),
                0.22,
                0.3,
                1.7,
                draw_person,
                sample_figure(rng),
                rng.uniform(0, 0.7),
            )
        for _ in range(int(rng.integers(0, 3))):
            pose = scene.pose(side * (inner + 0.1), 7 + rng.exponential(12), rng.uniform(0.5, 2.6))
            scene.add_shadowed(pose, 0.1, 1.7, 0.9, draw_two_wheeler, tint(rng, pick(rng, CLOTHES)), 'bicycle')
    if scene.crossing is not None:
        z = scene.crossing[0] - 2.5
        for _ in range(int(rng.integers(0, 4))):
            x = scene.street.x(rng.uniform(scene.kerb(-1), scene.kerb(1)), z)
            scene.add_shadowed(Pose(x, z), 0.22, 0.3, 1.7, draw_person, sample_figure(rng), rng.uniform(0.3, 0.9))
    if rng.random() < 0.35:
        z = rng.uniform(9, 22)
        pose = Pose(rng.uniform(-5, 5), z, pick(rng, (-1, 1)) * rng.uniform(1.2, 1.9))
        machine = pick(rng, ('bicycle', 'bicycle', 'motorcycle'))
        arguments = (sample_figure(rng), tint(rng, pick(rng, CLOTHES)), machine)
        scene.add_shadowed(pose, 0.25, 1.7, 1.7, draw_rider, *arguments)


def draw_scene(rng, height, width):
    """One street scene: image (height, width, 3) uint8 BGR and raw label ids (height, width) uint8.

    ``rng`` is a ``numpy.random.Generator``.  The same generator state composes the same scene at every
    size; only the sensor noise is drawn per pixel.
    """
    scene = Scene(rng)
    camera = Camera(rng.uniform(0.7, 0.95), rng.uniform(0.4, 0.5), rng.uniform(1.2, 1.65))
    plan = plan_ground(scene)
    for side in (-1, 1):
        add_frontage(scene, side)
        add_furniture(scene, side)
        if scene.parking[side]:
            add_parked(scene, side)
    add_traffic(scene)
    add_people(scene)
    bonnet = rng.uniform(0.04, 0.1) if rng.random() < 0.4 else 0.0
    bonnet_colour = tint(rng, pick(rng, PAINTS))

    canvas = Canvas(height, width, camera, scene.light)
    draw_sky(canvas, rng)
    draw_skyline(canvas, rng)
    draw_ground(canvas, scene.street, plan, scene.shadows, rng)
    for thing in sorted(scene.things, key=lambda thing: -thing.depth):
        thing.paint(canvas)
    if bonnet:
        draw_bonnet(canvas, bonnet_colour, bonnet)
    return develop(canvas, rng), canvas.label
