"""What the model makers share: smooth random fields, blurs, intervals, export and figures.

Everything is a function of its seed. Fields and blurs are plain numpy, so that a phantom does not depend on the
version of an imaging library.
"""
import functools
import hashlib
import json
import os
import re

import numpy as np

MODELS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@functools.lru_cache(maxsize=256)
def _spline(size, knots):
    """[size, knots + 3] uniform cubic B-spline basis."""
    t = np.linspace(0, knots, size, endpoint=False)
    i = np.floor(t).astype(int)
    f = t - i
    weights = np.stack([(1 - f) ** 3, 3 * f**3 - 6 * f**2 + 4, -3 * f**3 + 3 * f**2 + 3 * f + 1, f**3], 1) / 6
    basis = np.zeros((size, knots + 3), np.float32)
    for k in range(4):
        basis[np.arange(size), i + k] = weights[:, k]
    return basis


def smooth(rng, size, knots):
    """A smooth random field [size, size] float32 of mean 0 and deviation about 1, with `knots` bumps per side."""
    basis = _spline(size, knots)
    return (basis @ rng.standard_normal((knots + 3, knots + 3)).astype(np.float32) @ basis.T) * np.float32(2.1)


def blur(image, sigma):
    """Gaussian blur by `sigma` pixels, with the border repeated."""
    radius = max(1, int(np.ceil(2.6 * sigma)))
    taps = np.exp(-np.arange(-radius, radius + 1, dtype=np.float64) ** 2 / (2 * sigma**2))
    taps = (taps / taps.sum()).astype(np.float32)
    image = image.astype(np.float32)
    for axis in (0, 1):
        size = image.shape[axis]
        wide = np.pad(image, [(radius, radius) if k == axis else (0, 0) for k in (0, 1)], "edge")
        image = taps[radius] * image
        for k in range(radius):
            near, far = (wide[k:k + size], wide[2 * radius - k:2 * radius - k + size]) if axis == 0 else \
                        (wide[:, k:k + size], wide[:, 2 * radius - k:2 * radius - k + size])
            image += taps[k] * (near + far)
    return image


def mean_interval(values, draws=2000, seed=1):
    """The mean and its 95 % bootstrap interval over cases."""
    values = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": round(float(values.mean()), 4), "ci95": [round(float(low), 4), round(float(high), 4)],
            "worst": round(float(values.min()), 4), "cases": len(values)}


def dice(a, b):
    """Dice of two boolean masks; 1 where both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 1.0 if total == 0 else 2.0 * int((a & b).sum()) / total


def sha256(path):
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def save_json(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        # Short lists on one line: shapes, labels, intervals.
        text = json.dumps(value, indent=2)
        stream.write(re.sub(r"[\[{]\n[^\[\]{}]{0,140}[\]}]", lambda m: re.sub(r"\s*\n\s*", " ", m[0]), text) + "\n")
