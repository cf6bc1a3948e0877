"""Figures of photo-object and depth-small on held-out scenes, beside what needs no network."""
import time

import numpy as np

from common import mean_interval
from depth_small import MEAN, STD, delta1
from photo_object import iou
from render import HELD_OUT, portrait, room

CASES = 150


def _milliseconds(run):
    run()
    begun = time.perf_counter()
    for _ in range(10):
        run()
    return round((time.perf_counter() - begun) / 10 * 1e3, 1)


def object_of(session, pixels):
    """uint8 [256, 256, 3] -> probability [256, 256]."""
    return session.run("image", "object", pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)[0, 0]


def depth_of(session, pixels):
    """uint8 [256, 256, 3] -> relative inverse depth [256, 256]."""
    x = (pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    return session.run("input", "depth", x.transpose(2, 0, 1)[None])[0]


def check_object(session):
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    middle = (x / 0.45) ** 2 + (y / 0.65) ** 2 < 1
    scenes = [portrait(HELD_OUT + k) for k in range(CASES)]
    scenes = [(p, m) for p, m in scenes if m.mean() > 0.005]
    ours = [iou(object_of(session, p) >= 0.5, m) for p, m in scenes]
    figures = {"iou": mean_interval(ours), "median_iou": round(float(np.median(ours)), 4),
               "an_ellipse_in_the_middle": mean_interval([iou(middle, m) for _, m in scenes]),
               "milliseconds_one_thread": _milliseconds(lambda: object_of(session, scenes[0][0]))}
    return figures, bool(np.mean(ours) >= 0.85)


def check_depth(session):
    scenes = [room(HELD_OUT + k) for k in range(CASES)]
    seen = [np.where(d > 0.025, d, 0) for _, d in scenes]  # up to 40 m
    ramp = np.repeat(np.linspace(0, 1, 256)[:, None] ** 2, 256, 1)
    ours = [delta1(depth_of(session, p), d) for (p, _), d in zip(scenes, seen)]
    figures = {"delta1": mean_interval(ours), "median_delta1": round(float(np.median(ours)), 4),
               "a_ramp_by_row": mean_interval([delta1(ramp, d) for d in seen]),
               "milliseconds_one_thread": _milliseconds(lambda: depth_of(session, scenes[0][0]))}
    return figures, bool(np.mean(ours) >= 0.85)
