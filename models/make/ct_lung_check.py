"""Figures of ct-lung: held-out phantoms, the plain threshold beside it, and a real series by threshold and fill."""
import glob
import os
import time

import numpy as np

from common import blur, dice, mean_interval
from ct_lung_phantoms import HELD_OUT, phantom

CASES = 100


def threshold(hu):
    """The plain threshold: gas (below -400 HU) that does not reach the border of the image."""
    from scipy import ndimage
    labels, _ = ndimage.label(hu < -400)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return (labels > 0) & ~np.isin(labels, border)


def threshold_and_fill(volume, ml_per_voxel):
    """A careful mask of air-filled lungs [D, H, W]: enclosed gas in pieces of at least 50 ml, airways out, vessels filled in."""
    from scipy import ndimage
    soft = np.stack([blur(s, 0.7) for s in volume])
    gas = soft < -420
    for k, s in enumerate(gas):
        labels, _ = ndimage.label(s)
        border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        gas[k] &= ~np.isin(labels, border)
    airway = ndimage.binary_opening(np.stack([blur(s, 1.2) for s in volume]) < -955, np.ones((1, 5, 5)))
    gas &= ~ndimage.binary_dilation(airway, np.ones((1, 5, 5)))
    labels, _ = ndimage.label(ndimage.binary_opening(gas, np.ones((1, 3, 3))))
    sizes = np.bincount(labels.ravel())
    keep = np.flatnonzero(sizes * ml_per_voxel >= 50)
    lungs = np.isin(labels, keep[keep > 0])
    disc = np.hypot(*np.mgrid[-9:10, -9:10]) <= 9
    out = np.zeros_like(lungs)
    for k, s in enumerate(lungs):
        # Each lung by itself, so that the closing builds no bridge across the middle.
        parts, count = ndimage.label(s)
        for p in range(1, count + 1):
            one = parts == p
            if one.sum() > 40:
                out[k] |= ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(one, 12), disc)[12:-12, 12:-12])
    return out & ~ndimage.binary_dilation(airway, np.ones((1, 5, 5)))


def read_series(folder):
    """Slices of one axial CT series [D, H, W] in Hounsfield units, in order, and the voxel's volume in ml."""
    import pydicom
    slices = [pydicom.dcmread(p) for p in glob.glob(os.path.join(folder, "*.dcm"))]
    slices.sort(key=lambda s: float(s.ImagePositionPatient[2]))
    step = abs(float(slices[1].ImagePositionPatient[2]) - float(slices[0].ImagePositionPatient[2]))
    row, column = (float(v) for v in slices[0].PixelSpacing)
    return np.stack([s.pixel_array * float(s.RescaleSlope) + float(s.RescaleIntercept) for s in slices]).astype(np.float32), row * column * step / 1000


def segment(session, hu):
    return session.run("hu", "lung", hu[None, None])[0, 0] >= 0.5


def check(session, real):
    ours, plain, mixed, together = [], [], [], [0, 0]
    for k in range(CASES):
        p = phantom(HELD_OUT + k, 512, "hard")
        found = segment(session, p.hu)
        ours.append(dice(found, p.lung))
        together[0] += 2 * int((found & p.lung).sum())
        together[1] += int(found.sum()) + int(p.lung.sum())
        plain.append(dice(threshold(p.hu), p.lung))
        p = phantom(HELD_OUT + 100_000 + k, 512, "any")
        mixed.append(dice(segment(session, p.hu), p.lung) if p.lung.sum() > 200 else float(segment(session, p.hu).sum() < 200))
    x = np.full((512, 512), -1000, np.float32)
    segment(session, x)
    begun = time.perf_counter()
    for _ in range(5):
        segment(session, x)
    figures = {"dice_consolidation_and_bowel_gas": mean_interval(ours), "dice_of_all_their_pixels_together": round(together[0] / together[1], 4),
               "median_dice": round(float(np.median(ours)), 4), "plain_threshold_on_the_same": mean_interval(plain),
               "dice_training_mixture": mean_interval(mixed), "milliseconds_one_thread_512x512": round((time.perf_counter() - begun) / 5 * 1e3, 1)}
    good = np.mean(ours) >= 0.95 and np.mean(ours) > np.mean(plain)
    if real:
        volume, ml = read_series(real)
        reference = threshold_and_fill(volume, ml)
        answers = np.stack([segment(session, s) for s in volume])
        figures["real_series"] = {"slices": len(volume), "dice_with_threshold_and_fill": round(dice(answers, reference), 4),
                                  "slices_dice": mean_interval([dice(a, b) for a, b in zip(answers, reference)]),
                                  "millilitres": [round(float(m.sum() * ml)) for m in (answers, reference)]}
        good = good and figures["real_series"]["dice_with_threshold_and_fill"] >= 0.9
    return figures, bool(good)
