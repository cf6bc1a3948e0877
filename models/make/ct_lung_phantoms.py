"""Axial CT phantoms of the trunk with what misleads a threshold: consolidation, effusion, bowel gas, airways, couch.

`phantom(seed, size)` returns Hounsfield units and the lung mask. A phantom is a function of its seed and size alone.

Seeds: training 0 .. 999,999; validation 1,000,000 ..; held out 2,000,000 ... The splits share no seed.
"""
import dataclasses

import numpy as np

from common import blur, smooth

TRAIN, VALIDATION, HELD_OUT = 0, 1_000_000, 2_000_000


@dataclasses.dataclass
class Phantom:
    hu: np.ndarray             # [size, size] float32, Hounsfield units
    lung: np.ndarray           # [size, size] bool: parenchyma, its vessels, consolidation and nodules; no airways
    consolidation: np.ndarray  # [size, size] bool
    gas: np.ndarray            # [size, size] bool: gas of stomach and bowel


class _Canvas:
    """Millimetre coordinates, warped so that no ellipse stays one."""

    def __init__(self, rng, size):
        self.rng, self.size = rng, size
        self.fov = rng.uniform(310, 480)
        axis = (np.arange(size, dtype=np.float32) + 0.5) / size * self.fov - self.fov / 2
        x, y = np.meshgrid(axis, axis)
        self.raw_x, self.raw_y = x, y
        angle = rng.normal(0, 0.06)
        x, y = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        self.x = x - rng.normal(0, 10) + rng.uniform(2, 9) * smooth(rng, size, 5)
        self.y = y - rng.normal(0, 12) + rng.uniform(2, 9) * smooth(rng, size, 5)

    def ellipse(self, cx, cy, a, b, angle=0.0, power=2.0):
        """< 1 inside; `power` 2 is an ellipse, more is boxier."""
        dx, dy = self.x - np.float32(cx), self.y - np.float32(cy)
        if angle:
            c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
            dx, dy = dx * c + dy * s, dy * c - dx * s
        if power == 2.0:
            return np.sqrt((dx / a) ** 2 + (dy / b) ** 2)
        return (np.abs(dx / a) ** power + np.abs(dy / b) ** power) ** (1 / power)

    def texture(self, knots):
        return smooth(self.rng, self.size, max(2, min(knots, self.size // 2)))


def _box(canvas, cx, cy, radius):
    """The pixels around a point of the warped plane, for shapes too small to be worth the whole image."""
    near = (np.abs(canvas.x - cx) < radius) & (np.abs(canvas.y - cy) < radius)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _stroke(hu, mask, canvas, x0, y0, x1, y1, width, value):
    """A tapering segment (vessel, bronchus, fissure) drawn where `mask` allows."""
    length = max(np.hypot(x1 - x0, y1 - y0), 1e-3)
    px = canvas.fov / canvas.size
    margin = length / 2 + width + 12
    window = _box(canvas, (x0 + x1) / 2, (y0 + y1) / 2, margin)
    if window is None:
        return
    dx, dy = canvas.x[window] - x0, canvas.y[window] - y0
    t = np.clip((dx * (x1 - x0) + dy * (y1 - y0)) / length**2, 0, 1)
    d = np.hypot(dx - t * (x1 - x0), dy - t * (y1 - y0))
    cover = np.clip((width * (1 - 0.6 * t) - d) / px + 0.5, 0, 1) * mask[window]
    hu[window] += cover * (value - hu[window])


def phantom(seed, size=256, mix="any"):
    """`mix`: "any" is the training mixture, "hard" always has lungs with consolidation and bowel gas beside them."""
    rng = np.random.default_rng(seed)
    c = _Canvas(rng, size)
    hard = mix == "hard"
    # Level of the slice: 0 apex .. 1 lung bases; above 1 abdomen, without lungs.
    level = rng.uniform(0.5, 0.95) if hard else rng.choice([rng.uniform(0, 0.55), rng.uniform(0.45, 1.0), rng.uniform(0.75, 1.0), 2.0], p=[0.34, 0.26, 0.25, 0.15])
    hu = np.full((size, size), -1000, np.float32)
    nothing = np.zeros((size, size), bool)

    _couch(rng, c, hu)

    # Trunk: skin, fat, muscle.
    a, b = rng.uniform(135, 205), rng.uniform(92, 140)
    a, b = min(a, c.fov * 0.49), min(b, a * 0.85)
    power = rng.uniform(2.0, 2.8)
    trunk = c.ellipse(0, 0, a, b, power=power)
    inside = trunk < 1
    if level < 0.75 and rng.random() < 0.45:
        for side in (-1, 1):
            inside |= c.ellipse(side * a * rng.uniform(0.4, 0.55), -b * rng.uniform(0.75, 1.0), rng.uniform(35, 65), rng.uniform(25, 55)) < 1
    if rng.random() < 0.3:
        for side in (-1, 1):
            cx, cy, r = side * (a + rng.uniform(15, 40)), rng.uniform(-30, 50), rng.uniform(28, 48)
            arm = c.ellipse(cx, cy, r, r * rng.uniform(0.8, 1.2))
            hu[arm < 1] = rng.uniform(-115, -85)
            hu[arm < rng.uniform(0.65, 0.85)] = rng.uniform(35, 65)
            hu[arm < rng.uniform(0.22, 0.3)] = rng.uniform(500, 1100)
            hu[arm < 0.14] = rng.uniform(-60, 200)
    fat = rng.uniform(-118, -82)
    muscle = rng.uniform(35, 65)
    hu[inside] = fat
    fat_mm = rng.choice([rng.uniform(4, 14), rng.uniform(10, 38)])
    shell = c.ellipse(0, -rng.uniform(-2, 5), a - fat_mm, b - fat_mm * rng.uniform(0.5, 1.0), power=power)
    hu[(shell < 1) & inside] = muscle + 8 * c.texture(40)[(shell < 1) & inside]
    hu[inside & (shell < 1) & (c.texture(18) > 1.4)] = fat  # fat between the muscles
    skin = inside & ~(blur(inside, 1.6 * size / 256) > 0.93)
    hu[skin] = np.maximum(hu[skin], rng.uniform(-60, 30))

    # Chest (or belly) cavity.
    wall = rng.uniform(12, 30)
    ca, cb = a - fat_mm - wall, b - fat_mm * 0.8 - wall * rng.uniform(0.7, 1.0)
    shrink = 1.0 if level > 0.3 else 0.62 + 1.2 * level
    ca, cb = max(ca * shrink, 50), max(cb * (0.6 + 0.4 * shrink), 42)
    cy0 = rng.uniform(-4, 8)
    cavity = c.ellipse(0, cy0, ca, cb, power=rng.uniform(2.0, 2.6))

    lung, consolidation, gas = nothing, nothing.copy(), nothing.copy()
    soft = rng.uniform(30, 60)
    if level <= 1:
        lung, consolidation, gas = _chest(rng, c, hu, cavity, ca, cb, cy0, level, soft, hard)
    else:
        hu[cavity < 1] = np.where(c.texture(9) > rng.uniform(-0.3, 1.0), fat, soft)[cavity < 1]
        for _ in range(rng.integers(1, 4)):
            organ = c.ellipse(rng.uniform(-0.7, 0.7) * ca, cy0 + rng.uniform(-0.5, 0.6) * cb, rng.uniform(20, 75), rng.uniform(18, 50), rng.uniform(0, 3)) < 1
            hu[organ & (cavity < 1)] = rng.uniform(20, 160)
        for _ in range(rng.integers(1, 9)):
            _bowel(rng, c, hu, gas, rng.uniform(-0.75, 0.75) * ca, cy0 + rng.uniform(-0.8, 0.4) * cb, cavity < 1)
    _bones(rng, c, hu, ca, cb, cy0, level)
    lung = lung & (hu < 250)
    return Phantom(_scan(rng, c, hu), lung, consolidation & lung, gas)


def _couch(rng, c, hu):
    size = c.size
    x, y = c.raw_x, c.raw_y
    if rng.random() < 0.85:
        depth, bend = rng.uniform(85, 170), rng.uniform(-2.5e-4, 2.4e-3)
        surface = depth - bend * x**2
        thickness = rng.uniform(2, 7)
        value = rng.choice([rng.uniform(-700, -200), rng.uniform(-200, 900)])
        below = y - surface
        span = np.abs(x) < rng.uniform(170, 300)
        hu[(below > 0) & (below < 60) & span] = rng.uniform(-1000, -820)  # foam
        hu[(np.abs(below) < thickness) & span] = value
        if rng.random() < 0.6:
            hu[(np.abs(below - rng.uniform(15, 60)) < thickness * 0.7) & span] = value
    for _ in range(rng.integers(0, 4)):  # blanket, clothes, tubes
        line = y - rng.uniform(-150, 150) - rng.uniform(-0.5, 0.5) * x - 14 * smooth(rng, size, 7)
        hu[np.abs(line) < rng.uniform(0.5, 2.0)] = rng.uniform(-950, -500)


def _chest(rng, c, hu, cavity, ca, cb, cy0, level, soft, hard):
    size = c.size
    inside = cavity < 1
    hu[inside] = soft + 5 * c.texture(30)[inside]
    # Mediastinum: a band about the middle, wider below, with warped sides.
    half = ca * rng.uniform(0.13, 0.26) + 6 * c.texture(5)
    waist = np.abs((c.y - cy0) / cb)
    shift = rng.normal(4, 6)
    middle = np.abs(c.x - shift) < half * (0.55 + 0.75 * waist**2)
    lung = inside & ~middle
    spine_y = cy0 + cb * rng.uniform(0.72, 0.95)
    lung &= c.ellipse(0, spine_y, rng.uniform(22, 34), rng.uniform(20, 34)) > 1
    if level > 0.42:  # heart
        scale = rng.uniform(0.8, 1.25)
        heart = c.ellipse(rng.uniform(12, 40), cy0 - cb * rng.uniform(0.1, 0.4), 48 * scale, 38 * scale, rng.uniform(0.2, 0.9))
        lung &= heart > 1
        contrast = soft + rng.choice([0, rng.uniform(0, 220)])
        hu[(heart < 0.88) & inside] = contrast + 5 * c.texture(20)[(heart < 0.88) & inside]
        if rng.random() < 0.5:
            hu[(heart > 0.9) & (heart < 1.0) & inside] = rng.uniform(-110, -60)
    # The middle: vessels, fat, airways.
    fatty = middle & inside & (c.texture(14) > rng.uniform(-0.2, 1.2))
    hu[fatty] = rng.uniform(-115, -70)
    for _ in range(rng.integers(2, 6)):
        vessel = c.ellipse(shift + rng.normal(0, 0.16) * ca, cy0 + rng.uniform(-0.6, 0.5) * cb, rng.uniform(6, 18), rng.uniform(6, 18)) < 1
        hu[vessel & inside & ~lung] = soft + rng.choice([0, rng.uniform(0, 300)])
    aorta = c.ellipse(rng.uniform(12, 26), spine_y - rng.uniform(12, 30), *rng.uniform(10, 16, 2))
    lung &= aorta > 1
    hu[(aorta < 1) & inside] = soft + rng.choice([0, rng.uniform(0, 250)])

    # Domes of the diaphragm: liver on the image's left, spleen and stomach on its right, from the middle outward.
    gas = np.zeros((size, size), bool)
    bowels = []
    if level > 0.6:
        deep = (level - 0.6) / 0.4
        for side, hu_organ in ((-1, rng.uniform(45, 130)), (1, rng.uniform(35, 110))):
            if rng.random() < (0.95 if hard else 0.8):
                r = rng.uniform(0.25, 0.5) + 0.42 * deep
                ox, oy = side * ca * rng.uniform(0.32, 0.55), cy0 + cb * rng.uniform(-0.35, 0.15)
                dome = (c.ellipse(ox, oy, ca * r * rng.uniform(0.7, 1.1), cb * r * rng.uniform(0.9, 1.4)) < 1) & inside
                lung &= ~dome
                hu[dome] = hu_organ + 6 * c.texture(30)[dome]
                if rng.random() < 0.5:
                    hu[dome & (c.texture(10) > 0.8)] = rng.uniform(-110, -70)
                if side == 1 or rng.random() < 0.35:
                    for _ in range(rng.integers(1, 4)):
                        bowels.append((ox + rng.normal(0, 0.13) * ca, oy + rng.normal(-0.12, 0.2) * cb, dome))
        if not bowels and hard:
            dome = (c.ellipse(ca * 0.45, cy0 - cb * 0.1, ca * 0.34, cb * 0.5) < 1) & inside
            lung &= ~dome
            hu[dome] = soft
            bowels.append((ca * 0.45, cy0 - cb * 0.15, dome))

    # Parenchyma.
    base = rng.uniform(-890, -720)
    air = base + rng.uniform(0, 70) * (c.y - cy0) / cb + rng.uniform(5, 35) * c.texture(6) + rng.uniform(5, 30) * c.texture(45)
    if rng.random() < 0.3:
        air = np.where(c.texture(rng.integers(10, 40)) > rng.uniform(0.5, 1.5), rng.uniform(-980, -930), air)  # emphysema
    hu[lung] = air[lung]
    hila = [(shift - ca * 0.24, cy0 + rng.uniform(-12, 14)), (shift + ca * 0.26, cy0 + rng.uniform(-12, 14))]
    for _ in range(rng.integers(25, 110)):  # vessels, from the hila outward
        hx, hy = hila[rng.integers(2)]
        side = np.sign(hx - shift)
        reach, turn = rng.uniform(0.1, 1.0), rng.normal(0, 0.9)
        x0, y0 = hx + side * ca * 0.6 * reach * np.cos(turn), hy + cb * 0.85 * reach * np.sin(turn)
        run = rng.choice([0.5, rng.uniform(4, 40)])
        bend = turn + rng.normal(0, 0.5)
        _stroke(hu, lung, c, x0, y0, x0 + side * run * np.cos(bend), y0 + run * np.sin(bend), rng.uniform(0.5, 1.2 + 3.6 * (1 - reach)), soft + rng.uniform(-30, 120))
    for _ in range(rng.integers(0, 3)):  # fissures
        side = rng.choice([-1, 1])
        _stroke(hu, lung, c, side * ca * 0.3, cy0 + rng.uniform(-0.4, 0.5) * cb, side * ca * 0.98, cy0 + rng.uniform(-0.5, 0.5) * cb, rng.uniform(0.4, 0.9), -500)

    consolidation = np.zeros((size, size), bool)
    if hard or rng.random() < 0.55:
        for _ in range(rng.integers(1, 4)):
            _consolidate(rng, c, hu, lung, consolidation, ca, cb, cy0, hard)
    if rng.random() < 0.35:  # ground glass
        field = c.texture(rng.integers(4, 14))
        glass = lung & (field > rng.uniform(0.3, 1.3))
        hu[glass] = np.maximum(hu[glass], 0.5 * hu[glass] + 0.5 * rng.uniform(-500, -150))
    for _ in range(rng.integers(0, 4) if rng.random() < 0.3 else 0):
        r = rng.uniform(2.5, 16)
        nodule = (c.ellipse(rng.choice([-1, 1]) * rng.uniform(0.3, 0.9) * ca, cy0 + rng.uniform(-0.7, 0.7) * cb, r, r * rng.uniform(0.7, 1.3), rng.uniform(0, 3)) < 1) & lung
        hu[nodule] = rng.uniform(-20, 80)

    if rng.random() < 0.15:  # effusion: water in the lowest part, level or following the wall; no lung
        side = rng.choice([-1, 1])
        top = cy0 + cb * rng.uniform(0.35, 0.8)
        curve = rng.uniform(-0.004, 0.004) * (c.x - side * ca * 0.5) ** 2
        pool = (c.y + curve > top) & (c.x * side > 0) & inside & (lung | (cavity > 0.9))
        hu[pool] = rng.uniform(0, 22)
        lung &= ~pool
        consolidation &= ~pool

    for cx, cy, allowed in bowels:
        _bowel(rng, c, hu, gas, cx, cy, allowed)

    # Airways and gas of the gullet are no lung.
    if level < 0.5:
        trachea = [(shift + rng.normal(0, 4), cy0 - rng.uniform(-0.05, 0.25) * cb, rng.uniform(6.5, 12))] if level < 0.38 else \
                  [(shift + side * rng.uniform(13, 24), cy0 + rng.uniform(-8, 10), rng.uniform(4.5, 8)) for side in (-1, 1)]
        for cx, cy, r in trachea:
            tube = c.ellipse(cx, cy, r, r * rng.uniform(0.75, 1.3), rng.uniform(0, 3))
            hu[(tube < 1 + 2.2 / r)] = soft
            hu[tube < 1] = rng.uniform(-1000, -960)
            lung &= tube > 1 + 2.2 / r
    if rng.random() < 0.25:
        gullet = c.ellipse(shift + rng.normal(2, 4), spine_y - rng.uniform(26, 44), rng.uniform(2, 6), rng.uniform(2, 5)) < 1
        hu[gullet & ~lung] = rng.uniform(-950, -600)
    for _ in range(rng.integers(0, 5)):  # bronchi within the lung stay lung
        hx, hy = hila[rng.integers(2)]
        cx, cy, r = hx + rng.normal(0, 14), hy + rng.normal(0, 14), rng.uniform(1.2, 3.4)
        tube = c.ellipse(cx, cy, r, r * rng.uniform(0.8, 1.5), rng.uniform(0, 3))
        hu[(tube < 1 + 1.4 / r) & lung] = rng.uniform(-250, 30)
        hu[(tube < 1) & lung] = -970
    return lung, consolidation, gas


def _consolidate(rng, c, hu, lung, consolidation, ca, cb, cy0, hard):
    side = rng.choice([-1, 1])
    kind = rng.random()
    field = c.texture(rng.integers(6, 16)) * 0.22
    if kind < 0.45:  # at the back, as most do
        region = (c.y - cy0) / cb + field > rng.uniform(0.3, 0.75)
    elif kind < 0.9:  # a lobe or a patch
        r = rng.uniform(12, 42) if not hard else rng.uniform(16, 45)
        region = c.ellipse(side * rng.uniform(0.35, 0.95) * ca, cy0 + rng.uniform(-0.6, 0.8) * cb, r, r * rng.uniform(0.6, 1.4), rng.uniform(0, 3)) + field < 1
    else:  # many patches
        region = field > rng.uniform(0.15, 0.3)
    region = region & lung & (c.x * side > 0)
    value = rng.uniform(-60, 70)
    weight = np.clip(blur(region, rng.uniform(0.6, 3.0) * c.size / 256) * 1.6, 0, 1) * (lung & (c.x * side > 0))
    density = value + rng.uniform(3, 40) * c.texture(40)
    hu[:] = hu + weight * (np.minimum(density, 110) - hu)
    if rng.random() < 0.6:  # air bronchograms
        rows, columns = np.nonzero(region)
        for _ in range(rng.integers(1, 9) if len(rows) else 0):
            k = rng.integers(len(rows))
            x0, y0 = c.x[rows[k], columns[k]], c.y[rows[k], columns[k]]
            turn, run = rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 22)
            _stroke(hu, region, c, x0, y0, x0 + run * np.cos(turn), y0 + run * np.sin(turn), rng.uniform(0.7, 2.2), rng.uniform(-900, -400))
    consolidation |= weight > 0.5


def _bowel(rng, c, hu, gas, cx, cy, allowed):
    a, b, angle = rng.uniform(7, 42), rng.uniform(6, 28), rng.uniform(0, 3.14)
    shape = c.ellipse(cx, cy, a, b, angle) + 0.12 * c.texture(12)
    wall = rng.uniform(1.5, 4) / min(a, b)
    hu[(shape < 1 + wall) & allowed] = rng.uniform(20, 90)
    lumen = (shape < 1) & allowed
    kind = rng.random()
    if kind < 0.55:  # gas, often over fluid
        level = cy + rng.uniform(-0.4, 1.3) * b
        hu[lumen] = rng.choice([rng.uniform(0, 40), rng.uniform(100, 400)], p=[0.85, 0.15])
        lumen = lumen & (c.y < level)
        hu[lumen] = rng.uniform(-1000, -930)
    else:  # gas mixed with contents, the look of lung
        mottle = rng.uniform(-850, -350) + rng.uniform(40, 260) * c.texture(rng.integers(20, 60))
        hu[lumen] = np.clip(mottle, -1000, 120)[lumen]
    gas |= lumen


def _bones(rng, c, hu, ca, cb, cy0, level):
    density = rng.uniform(0.7, 1.25)

    def bone(cx, cy, a, b, angle=0.0, marrow=0.7):
        window = _box(c, cx, cy, max(a, b) * 1.5 + 2)
        if window is None:
            return
        dx, dy = c.x[window] - cx, c.y[window] - cy
        cs, sn = np.cos(angle), np.sin(angle)
        d = np.hypot((dx * cs + dy * sn) / a, (dy * cs - dx * sn) / b)
        part = hu[window]
        part[d < 1] = rng.uniform(450, 1100) * density
        part[d < marrow] = rng.uniform(80, 350) * density

    spine_y = cy0 + cb * rng.uniform(0.85, 1.05)
    bone(0, spine_y, rng.uniform(16, 25), rng.uniform(13, 20), 0, 0.88)
    bone(0, spine_y + 32, rng.uniform(3, 7), rng.uniform(10, 20))
    for side in (-1, 1):
        bone(side * rng.uniform(14, 30), spine_y + rng.uniform(12, 24), rng.uniform(8, 24), rng.uniform(4, 8), side * rng.uniform(0.1, 0.6))
    if level <= 1:
        if rng.random() < 0.8:
            bone(rng.normal(0, 3), cy0 - cb - rng.uniform(4, 12), rng.uniform(10, 28), rng.uniform(4, 8))
        phase = rng.uniform(0, 1)
        for k in range(rng.integers(6, 15)):
            turn = (k + phase) * 2.399
            cx, cy = (ca + rng.uniform(4, 9)) * np.cos(turn), cy0 + (cb + rng.uniform(4, 9)) * np.sin(turn)
            bone(cx, cy, rng.uniform(5, 20), rng.uniform(3, 5.5), np.arctan2(cb * np.cos(turn), -ca * np.sin(turn)), 0.6)
        if level < 0.5 and rng.random() < 0.8:
            for side in (-1, 1):
                bone(side * (ca + rng.uniform(16, 40)), cy0 + rng.uniform(0, 0.8) * cb, rng.uniform(4, 8), rng.uniform(15, 40), side * rng.uniform(-0.2, 0.8), 0.5)


def _scan(rng, c, hu):
    """Kernel, noise, streaks and the edge of the reconstruction. Units as at a 256 px matrix."""
    size, unit = c.size, c.size / 256
    image = blur(hu, rng.uniform(0.35, 0.9) * unit)
    if rng.random() < 0.5:  # sharp kernel
        image = image + rng.uniform(0.2, 1.0) * (image - blur(image, 0.9 * unit))
    sigma = np.exp(rng.uniform(np.log(4), np.log(70)))
    noise = rng.standard_normal((size, size)).astype(np.float32)
    grain = rng.uniform(0.0, 0.9) * unit
    if grain > 0.25:
        noise = blur(noise, grain)
        noise /= noise.std()
    attenuation = np.sqrt(blur(np.clip(hu + 1000, 0, 2000) / 1000, 14 * unit) + 0.1)
    image += sigma * noise * attenuation
    if rng.random() < 0.2:  # photon starvation: streaks from side to side
        rows = rng.standard_normal((size, 1)).astype(np.float32)
        image += rng.uniform(5, 40) * (rows @ np.ones((1, size), np.float32)) * attenuation * 0.5
    image += rng.normal(0, 6)
    if rng.random() < 0.5:
        outside = np.hypot(c.raw_x, c.raw_y) > c.fov * 0.5
        image[outside] = rng.choice([-1024, -1000, -2048])
    return np.clip(image, -2048, 3071).astype(np.float32)
