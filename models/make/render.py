"""A small ray caster: textured, lit and shadowed rooms, grounds and objects with their depth and masks.

A primitive is a unit shape (ball, cube, cylinder, plane) under a linear map; y is up, the camera looks along +z.
`room(seed, size)` is what depth-small learns from, `portrait(seed, size)` what photo-object learns from.

Seeds: training 0 .. 999,999; validation 1,000,000 ..; held out 2,000,000 ... The splits share no seed.
"""
import dataclasses
import io

import numpy as np
from PIL import Image

from common import blur, smooth

TRAIN, VALIDATION, HELD_OUT = 0, 1_000_000, 2_000_000
FAR = 1e4


@dataclasses.dataclass
class Part:
    kind: str            # "ball", "cube", "tube", "plane"
    to_local: np.ndarray  # [3, 3], world to unit shape
    centre: np.ndarray   # [3]
    texture: object      # points [n, 3] of the unit shape or the world -> colours [n, 3]
    world_texture: bool = False
    shine: float = 0.0
    group: int = 0       # 0 background, others objects


def turn(yaw=0.0, pitch=0.0, roll=0.0):
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    return (np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
            @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]))


def part(kind, centre, half, texture, rotation=None, **more):
    rotation = np.eye(3) if rotation is None else rotation
    to_local = np.diag(1 / np.asarray(half, float)) @ rotation.T
    return Part(kind, to_local.astype(np.float32), np.asarray(centre, np.float32), texture, **more)


def plane(point, normal, texture, **more):
    """The half space's border through `point`; seen from where `normal` points."""
    normal = np.asarray(normal, float) / np.linalg.norm(normal)
    side = np.cross(normal, [0.3, 0.9, 0.2])
    side /= np.linalg.norm(side)
    return Part("plane", np.stack([side, normal, np.cross(side, normal)]).astype(np.float32), np.asarray(point, np.float32), texture, world_texture=True, **more)


def _meet(p, o, d):
    """Distances t along o + t d to the part's surface; FAR where it is missed. o and d are [3, n] or [3, 1]."""
    o, d = p.to_local @ (o - p.centre[:, None]), p.to_local @ d
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if p.kind == "plane":
            t = -o[1] / d[1]
            return np.where(t > 1e-3, t, FAR)
        if p.kind == "cube":
            inverse = 1 / d
            middle, half = -o * inverse, np.abs(inverse)
            near, far = middle - half, middle + half
            near, far = np.maximum(np.maximum(near[0], near[1]), near[2]), np.minimum(np.minimum(far[0], far[1]), far[2])
            return np.where((near < far) & (near > 1e-3), near, FAR)
        a, b, c = d[0] * d[0] + d[2] * d[2], o[0] * d[0] + o[2] * d[2], o[0] * o[0] + o[2] * o[2] - 1
        if p.kind == "ball":
            a, b, c = a + d[1] * d[1], b + o[1] * d[1], c + o[1] * o[1]
        root = b * b - a * c
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        hit = (root > 0) & (t > 1e-3)
        if p.kind == "ball":
            return np.where(hit, t, FAR)
        side = np.where(hit & (np.abs(o[1] + t * d[1]) < 1), t, FAR)
        cap = (np.where(d[1] > 0, np.float32(-1), np.float32(1)) - o[1]) / d[1]
        within = (o[0] + cap * d[0]) ** 2 + (o[2] + cap * d[2]) ** 2 < 1
        return np.minimum(side, np.where(within & (cap > 1e-3), cap, FAR))


def _normal(p, local):
    if p.kind == "plane":
        n = np.zeros_like(local)
        n[:, 1] = 1
    elif p.kind == "ball":
        n = local
    elif p.kind == "cube":
        n = np.where(np.abs(local) >= np.abs(local).max(-1, keepdims=True) - 1e-6, np.sign(local), 0)
    else:
        cap = np.abs(local[:, 1:2]) > 0.999
        n = np.where(cap, local * [0, 1, 0], local * [1, 0, 1])
    n = n @ p.to_local
    return n / np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)


def cast(parts, size, camera, view, fov, light, ambient, sky, shadows=True):
    """Colours [size, size, 3] linear, depth along the optical axis [size, size] (FAR where nothing is), group [size, size]."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(axis, -axis)
    reach = np.tan(fov / 2)
    rays = np.stack([x * reach, y * reach, np.ones_like(x)], -1).reshape(-1, 3)
    d = (rays @ view.T).astype(np.float32)
    across = np.ascontiguousarray(d.T)
    camera = np.asarray(camera, np.float32)
    depth, which = np.full(len(d), FAR, np.float32), np.full(len(d), -1)
    for k, p in enumerate(parts):
        t = _meet(p, camera[:, None], across)
        nearer = t < depth
        depth[nearer], which[nearer] = t[nearer], k
    colour = np.asarray(sky(d), np.float32)
    group = np.zeros(len(d), np.uint8)
    light = np.asarray(light, np.float32)
    light = light / np.linalg.norm(light)
    for k, p in enumerate(parts):
        hit = np.flatnonzero(which == k)
        if not len(hit):
            continue
        points = camera + depth[hit, None] * d[hit]
        local = (points - p.centre) @ p.to_local.T
        n = _normal(p, local)
        facing = d[hit] / np.linalg.norm(d[hit], axis=-1, keepdims=True)
        n = np.where((n * facing).sum(-1, keepdims=True) > 0, -n, n)
        lit = np.clip(n @ light, 0, 1)
        if shadows:
            start = np.ascontiguousarray((points + 2e-3 * n).T, np.float32)
            dark = np.zeros(len(hit), bool)
            for q in parts:
                if q.kind != "plane" and q is not p:
                    dark |= _meet(q, start, light[:, None]) < FAR
            lit = np.where(dark, lit * 0.12, lit)
        base = p.texture(points if p.world_texture else local)
        shade = base * (ambient + (1 - ambient) * lit[:, None])
        if p.shine:
            mirrored = 2 * (n @ light)[:, None] * n - light
            shade = shade + p.shine * np.clip(-(mirrored * facing).sum(-1), 0, 1)[:, None] ** 24
        colour[hit], group[hit] = shade, p.group
    return colour.reshape(size, size, 3), depth.reshape(size, size), group.reshape(size, size)


# --- surfaces -------------------------------------------------------------------------------------------------

def any_colour(rng):
    grey = rng.uniform(0.05, 0.95)
    return np.clip(grey + rng.choice([0.04, 0.25]) * rng.standard_normal(3), 0.02, 1)


def any_texture(rng, scale=1.0, plain=0.3):
    """A function of points: plain, stripes, checks, bricks, spots or marble, with a little grain on all."""
    a, b = any_colour(rng), any_colour(rng)
    if rng.random() < 0.5:
        b = np.clip(a + rng.uniform(-0.3, 0.3), 0.02, 1)
    kind = rng.choice(["plain", "stripes", "checks", "bricks", "spots", "marble"], p=[plain] + [(1 - plain) / 5] * 5)
    frequency = np.exp(rng.uniform(np.log(0.7), np.log(7))) / scale
    turned = turn(*rng.uniform(0, 3, 3)) if rng.random() < 0.4 else np.eye(3)
    waves = rng.standard_normal((5, 3)) * 2.5 / scale
    phases, grain = rng.uniform(0, 6.3, 5), rng.uniform(0, 0.1)
    offset = rng.uniform(0, 1, 3)

    def colours(points):
        q = points @ turned.T * frequency + offset
        noise = np.sin(points @ waves.T + phases + 2 * np.sin(points[:, [1, 2, 0, 1, 2]] * 3 / scale))
        if kind == "plain":
            mix = np.zeros(len(points))
        elif kind == "stripes":
            mix = (np.floor(q[:, 0] + 0.11 * q[:, 1]) % 2)
        elif kind == "checks":
            mix = np.floor(q + 1e-4).sum(-1) % 2
        elif kind == "bricks":
            row = np.floor(q[:, 1] * 2)
            mix = ((q[:, 0] + q[:, 2] + 0.5 * (row % 2)) % 1 < 0.08) | ((q[:, 1] * 2) % 1 < 0.14)
        elif kind == "spots":
            mix = (((q % 1) - 0.5) ** 2).sum(-1) < 0.12
        else:
            mix = 0.5 + 0.5 * np.sin(2 * q[:, 0] + 1.5 * noise.sum(-1))
        return (a + (b - a) * np.asarray(mix, float)[:, None]) * (1 + grain * noise[:, :3].sum(-1, keepdims=True))

    return colours


def any_sky(rng):
    low, high = np.clip(rng.uniform(0.3, 1, 3) * [0.95, 1, 1.05], 0, 1), rng.uniform(0.2, 0.9, 3) * [0.8, 0.9, 1]
    return lambda d: low + (high - low) * np.clip(d[:, 1:2] * 1.6, 0, 1)


def photograph(rng, linear):
    """Exposure, tone, vignette, blur, noise and often JPEG: linear colours -> uint8 [size, size, 3]."""
    size = linear.shape[0]
    image = linear / max(np.quantile(linear, 0.97), 1e-3) * rng.uniform(0.6, 1.15) * (1 + 0.1 * rng.standard_normal(3))
    axis = np.linspace(-1, 1, size)
    image = image * (1 - rng.uniform(0, 0.3) * (axis[:, None] ** 2 + axis**2) / 2)[..., None]
    image = np.clip(image, 0, 1) ** rng.uniform(0.45, 0.8)
    soft = rng.uniform(0.3, 1.0) * size / 256
    image = np.stack([blur(image[..., k], soft) for k in range(3)], -1)
    image = image + np.exp(rng.uniform(np.log(0.003), np.log(0.05))) * rng.standard_normal(image.shape)
    if rng.random() < 0.12:
        image = np.repeat(image.mean(-1, keepdims=True), 3, -1)
    pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG", quality=int(rng.integers(35, 95)))
        pixels = np.asarray(Image.open(stream))
    return pixels


# --- scenes ---------------------------------------------------------------------------------------------------

def _furniture(rng, parts, x, z, group=0, height=None):
    """Something that stands on the floor (y = 0) at x, z."""
    kind = rng.choice(["cube", "tube", "ball"], p=[0.5, 0.25, 0.25])
    texture = any_texture(rng, 0.7)
    half = rng.uniform(0.12, 0.6, 3)
    half[1] = rng.uniform(0.1, 0.9) if height is None else height
    if kind == "ball":
        half[:] = half[0]
    parts.append(part(kind, (x, half[1], z), half, texture, turn(rng.uniform(0, 3.14)), shine=rng.choice([0, 0.3]), group=group))
    if kind == "cube" and rng.random() < 0.4:
        r = rng.uniform(0.08, 0.25)
        parts.append(part(rng.choice(["ball", "cube"]), (x, 2 * half[1] + r, z), (r, r, r), any_texture(rng, 0.4), turn(rng.uniform(0, 3.14)), group=group))


def room(seed, size=256):
    """A room or an open ground with things in it: uint8 colours [size, size, 3] and inverse depth [size, size] in 1/m, 0 is sky."""
    rng = np.random.default_rng(seed)
    eye = rng.uniform(0.7, 2.0)
    view = turn(rng.normal(0, 0.12), np.radians(rng.uniform(-4, 24)), rng.normal(0, 0.03))
    fov = np.radians(rng.uniform(48, 72))
    parts = [plane((0, 0, 0), (0, 1, 0), any_texture(rng, 0.8, 0.2))]
    indoors = rng.random() < 0.65
    back = rng.uniform(3.2, 9) if indoors else rng.uniform(9, 22)
    wall = any_texture(rng, 1.0, 0.4)
    if indoors or rng.random() < 0.6:
        parts.append(plane((0, 0, back), (rng.normal(0, 0.25), 0, -1), wall))
    if indoors:
        for side in (-1, 1):
            if rng.random() < 0.85:
                parts.append(plane((side * rng.uniform(1.2, 4.0), 0, 0), (-side, 0, rng.normal(0, 0.08)), wall if rng.random() < 0.6 else any_texture(rng, 1.0, 0.4)))
        if rng.random() < 0.85:
            parts.append(plane((0, max(rng.uniform(2.2, 3.6), eye + 0.5), 0), (0, -1, 0), any_texture(rng, 1.0, 0.6)))
    for _ in range(rng.integers(2, 9)):
        z = np.exp(rng.uniform(np.log(1.5), np.log(min(back, 10))))
        _furniture(rng, parts, rng.uniform(-0.65, 0.65) * z * np.tan(fov / 2) * 1.5, z)
    if rng.random() < 0.3:  # something that hangs
        z, r = rng.uniform(1.5, 5), rng.uniform(0.1, 0.4)
        parts.append(part("ball", (rng.uniform(-0.5, 0.5) * z, eye + rng.uniform(-0.4, 0.5), z), (r, r, r), any_texture(rng, 0.5)))
    light = (rng.normal(0, 0.7), rng.uniform(0.5, 1.5), rng.uniform(-1.2, 0.4))
    colour, depth, _ = cast(parts, size, (0, eye, 0), view, fov, light, rng.uniform(0.25, 0.6), any_sky(rng))
    depth = np.where(depth > 40, FAR, depth)
    if rng.random() < 0.3:  # haze
        clear = np.exp(-np.minimum(depth, 60) / rng.uniform(8, 40))[..., None]
        colour = colour * clear + rng.uniform(0.4, 0.8) * (1 - clear)
    return photograph(rng, colour), np.where(depth < FAR, 1 / depth, 0).astype(np.float32)


def _assembly(rng, kind):
    """The parts of one thing about the origin, some 1 to 2 m tall, standing on y = 0; colours go together."""
    parts, skin = [], any_texture(rng, 0.6, 0.35)
    coats = [skin, skin, any_texture(rng, 0.5, 0.5)]

    def add(shape, centre, half, rotation=None, coat=None):
        parts.append(part(shape, centre, np.maximum(half, 0.02), coats[rng.integers(3)] if coat is None else coat, rotation, shine=rng.choice([0, 0.25]), group=1))

    u = rng.uniform
    if kind == "animal":
        length, thick, legs = u(0.45, 0.8), u(0.25, 0.42), u(0.2, 0.6)
        add("ball", (0, legs + thick * 0.8, 0), (length, thick, thick), turn(0, 0, u(-0.2, 0.2)), skin)
        for x in (-0.6, 0.6):
            for z in (-0.5, 0.5):
                add("tube", (x * length, legs / 2, z * thick), (u(0.05, 0.12), legs / 2 + 0.08, u(0.05, 0.12)), coat=skin)
        r = u(0.2, 0.36)
        hx, hy = -length * u(0.8, 1.1), legs + thick + u(0.05, 0.45)
        add("ball", (hx, hy, u(-0.15, 0)), (r, r * u(0.8, 1.1), r), coat=skin)
        add("ball", ((hx - length * 0.5) / 2, (hy + legs + thick) / 2, 0), (r * 0.9, r, r * 0.8), coat=skin)
        for side in (-1, 1):
            add("ball", (hx + 0.05, hy + r * 0.95, side * r * 0.55), (0.05, r * u(0.3, 0.7), 0.08), coat=coats[2])
        add("ball", (hx - r * 0.8, hy - 0.1 * r, 0), (r * 0.5, r * 0.4, r * 0.4), coat=coats[2])
        if rng.random() < 0.7:
            add("ball", (length * 1.2, legs + thick * u(0.8, 1.6), 0), (u(0.2, 0.4), 0.06, 0.06), turn(0, 0, u(-1, 1)), skin)
    elif kind == "person":
        w, h = u(0.3, 0.5), u(0.5, 0.9)
        hips = u(0, 0.9)
        cloth = coats[2]
        add("ball", (0, hips + h * 0.5, 0), (w, h * 0.62, w * 0.6), coat=cloth)
        add("ball", (0, hips + h * 0.95, 0), (w * 1.1, w * 0.5, w * 0.5), coat=cloth)
        head = u(0.17, 0.26)
        add("ball", (u(-0.05, 0.05), hips + h + 0.2 + head, 0), (head, head * 1.25, head), coat=skin)
        add("tube", (0, hips + h + 0.12, 0), (head * 0.5, 0.15, head * 0.5), coat=skin)
        if rng.random() < 0.6:
            add("ball", (0, hips + h + 0.28 + head * 1.5, 0.03), (head * 1.06, head * 0.8, head * 1.02))
        for side in (-1, 1):
            add("ball", (side * w * 1.15, hips + h * 0.5, u(-0.2, 0.1)), (0.11, h * 0.5, 0.11), turn(0, 0, side * u(-0.1, 0.7)), cloth)
            if hips > 0.15:
                add("tube", (side * w * 0.45, hips / 2, 0), (0.14, hips / 2 + 0.1, 0.14))
    elif kind == "vessel":
        r, h = u(0.3, 0.5), u(0.2, 0.6)
        if rng.random() < 0.6:
            add("tube", (0, 0.03, 0), (r * u(1.2, 1.9), 0.03, r * u(1.2, 1.9)), coat=skin)
        add(rng.choice(["tube", "ball"]), (0, h + 0.03, 0), (r, h, r), coat=skin)
        if rng.random() < 0.6:
            add("tube", (0, 2 * h + 0.03, 0), (r * 0.86, 0.02, r * 0.86), coat=coats[2])
        for k in range(5):
            a = -1.3 + k * 0.65
            add("ball", (r + 0.16 * np.cos(a), h + h * 0.5 * np.sin(a), 0), (0.06, h * 0.2 + 0.04, 0.05), coat=skin)
        if rng.random() < 0.3:
            add("tube", (0, 2 * h + 0.25, 0), (r * 0.3, 0.3, r * 0.3))
    elif kind == "tower":
        y, r = 0.0, u(0.12, 0.4)
        for _ in range(rng.integers(2, 5)):
            h = u(0.15, 0.6)
            add(rng.choice(["tube", "cube"]), (0, y + h, 0), (r, h, r))
            y, r = y + 2 * h, r * u(0.5, 1.05)
        add("ball", (0, y, 0), (r, u(0.1, 0.6), r))
        for side in (-1, 1):
            if rng.random() < 0.5:
                add("cube", (side * 0.35, u(0.1, 0.5), 0), (u(0.05, 0.2), u(0.1, 0.4), 0.05))
    else:
        for _ in range(rng.integers(1, 6)):
            add(rng.choice(["ball", "cube", "tube"]), (u(-0.4, 0.4), u(0.2, 1.1), u(-0.3, 0.3)), u(0.12, 0.5, 3), turn(*u(0, 3, 3)))
    spin = turn(rng.uniform(0, 6.28))
    for p in parts:
        p.to_local, p.centre = (p.to_local @ spin.T).astype(np.float32), (spin @ p.centre).astype(np.float32)
    return parts


def portrait(seed, size=256):
    """One thing, or two together, before a background: uint8 colours [size, size, 3] and its mask [size, size] bool."""
    rng = np.random.default_rng(seed)
    things = []
    for k in range(1 + (rng.random() < 0.2)):
        kind = rng.choice(["animal", "person", "vessel", "tower", "pieces"])
        beside = np.float32([k * rng.choice([-1, 1]) * rng.uniform(0.4, 1.0), 0, k * 0.2])
        for p in _assembly(rng, kind):
            p.centre = p.centre + beside
            things.append(p)
    top = max(p.centre[1] for p in things) + 0.35
    fov = np.radians(rng.uniform(30, 60))
    away = top / (2 * np.tan(fov / 2)) / rng.uniform(0.45, 1.05)
    tilt = np.radians(rng.uniform(-3, 32))
    middle = np.array([rng.normal(0, 0.18) * top, top * rng.uniform(0.38, 0.55), 0])
    view = turn(0, tilt, rng.normal(0, 0.05))
    eye = middle - view @ np.array([0, 0, away])
    eye[1] = max(eye[1], 0.15)
    background = [plane((0, -0.001, 0), (0, 1, 0), any_texture(rng, rng.choice([0.4, 1.2]), 0.3))]
    back = rng.uniform(1.0, 9)
    if rng.random() < 0.7:
        background.append(plane((0, 0, back), (rng.normal(0, 0.25), 0, -1), any_texture(rng, rng.choice([0.5, 1.5]), 0.3)))
    for _ in range(rng.integers(0, 6)):
        z = back * rng.uniform(0.6, 1.0) + 0.8
        _furniture(rng, background, rng.uniform(-1, 1) * (z + away) * np.tan(fov / 2), z, height=rng.uniform(0.1, 1.2))
    light = (rng.normal(0, 0.8), rng.uniform(0.4, 1.6), rng.uniform(-1.6, 0.2))
    colour, _, group = cast(background + things, size, eye, view, fov, light, rng.uniform(0.25, 0.65), any_sky(rng))
    mask = group == 1
    if rng.random() < 0.25:  # a background of smooth or crowded fields in place of the scene's
        field = np.stack([smooth(rng, size, int(rng.choice([2, 6, 24]))) for _ in range(3)], -1)
        colour = np.where(mask[..., None], colour, np.clip(any_colour(rng) + rng.uniform(0.02, 0.3) * (field @ rng.uniform(0, 1, (3, 3))), 0, 1))
    if rng.random() < 0.5:  # depth of field
        sigma = rng.uniform(0.5, 3.5) * size / 256
        far = np.where(mask[..., None], 0, colour)
        weight = blur(~mask, sigma) + 1e-3
        far = np.stack([blur(far[..., k], sigma) / weight for k in range(3)], -1)
        edge = blur(mask, 0.5 * size / 256)[..., None]
        colour = colour * edge + far * (1 - edge)
    return photograph(rng, colour), mask
