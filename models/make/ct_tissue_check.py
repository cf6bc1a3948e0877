"""Figures of ct-tissue: the graph against its definition, and the classes against bodies whose tissue is known."""
import time

import numpy as np

import ct_tissue
from common import blur, dice, mean_interval, smooth
from ct_lung_phantoms import HELD_OUT, phantom

NAMES = ("air", "lung", "fat", "soft", "bone")


def body(seed, size=256):
    """A trunk of nested layers with its true classes. The one-pixel rim about each border is left out (255)."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.arange(size) - size / 2, np.arange(size) - size / 2, indexing="ij")
    x, y = x + 5 * smooth(rng, size, 4), y + 5 * smooth(rng, size, 4)
    ellipse = lambda cx, cy, a, b: ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
    a, b = rng.uniform(85, 115), rng.uniform(62, 85)
    truth = np.zeros((size, size), np.uint8)
    truth[ellipse(0, 0, a, b)] = ct_tissue.FAT
    truth[ellipse(0, 0, a - 12, b - 12)] = ct_tissue.SOFT
    for side in (-1, 1):
        truth[ellipse(side * a * 0.42, -2, a * 0.3, b * 0.55)] = ct_tissue.LUNG
        truth[ellipse(side * a * 0.42, b * 0.7, 11, 5)] = ct_tissue.BONE
    truth[ellipse(0, b * 0.55, 15, 13)] = ct_tissue.BONE
    truth[ellipse(0, -b * 0.3, 8, 7)] = ct_tissue.AIR  # the windpipe
    values = np.array([-1000, rng.uniform(-880, -750), rng.uniform(-115, -85), rng.uniform(20, 70), rng.uniform(450, 900)], np.float32)
    hu = blur(values[truth], 0.6) + rng.uniform(8, 40) * rng.standard_normal((size, size)).astype(np.float32)
    border = np.zeros_like(truth, bool)
    for axis in (0, 1):
        step = np.diff(truth.astype(np.int16), axis=axis) != 0
        for shift in (0, 1):
            border |= np.pad(step, [(shift, 1 - shift) if k == axis else (0, 0) for k in (0, 1)])
    return hu, np.where(border, 255, truth)


def inputs(dims):
    rng = np.random.default_rng(5)
    for k in range(12):
        hu = phantom(HELD_OUT + k, 256, "hard" if k % 2 else "any").hu
        yield np.stack([hu, hu[::-1] + 3, hu + rng.normal(0, 30, hu.shape), hu[:, ::-1]])[None, None].astype(np.float32) if dims == 3 else hu[None, None]
    for shape in ((1, 1), (7, 9), (65, 47), (130, 33)):
        yield rng.uniform(-1100, 1200, (2, 1, 5, *shape) if dims == 3 else (3, 1, *shape)).astype(np.float32)


def check(dims, session):
    pixels = wrong = 0
    for hu in inputs(dims):
        got, wanted = session.run("hu", "tissue", hu), ct_tissue.classify(hu)
        pixels, wrong = pixels + wanted.size, wrong + int((got != wanted).sum())
    scores = {name: [] for name in NAMES}
    for k in range(40):
        hu, truth = body(9_000_000 + k)
        x = np.repeat(hu[None], 5, 0)[None, None] if dims == 3 else hu[None, None]
        got = session.run("hu", "tissue", x)
        got = got[0, 0, 2] if dims == 3 else got[0, 0]
        known = truth != 255
        for value, name in enumerate(NAMES):
            scores[name].append(dice((got == value) & known, truth == value))
    lungs = []
    if dims == 2:
        for k in range(60):
            p = phantom(HELD_OUT + 1000 + k, 512, "hard")
            lungs.append(dice(session.run("hu", "tissue", p.hu[None, None])[0, 0] == ct_tissue.LUNG, p.lung))
    x = np.zeros((1, 1, 16, 512, 512) if dims == 3 else (1, 1, 512, 512), np.float32)
    session.run("hu", "tissue", x)
    begun = time.perf_counter()
    for _ in range(3):
        session.run("hu", "tissue", x)
    figures = {"graph_against_definition": {"pixels": pixels, "different": wrong},
               "dice_on_bodies_of_known_tissue": {name: mean_interval(values) for name, values in scores.items()},
               "milliseconds_one_thread_512x512" + ("x16" if dims == 3 else ""): round((time.perf_counter() - begun) / 3 * 1e3, 1)}
    if lungs:
        figures["lung_dice_on_phantoms_with_consolidation_and_bowel_gas"] = mean_interval(lungs)
    good = wrong == 0 and all(np.mean(values) >= 0.97 for values in scores.values())
    return figures, good
