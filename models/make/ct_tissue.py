"""Writes models/ct-tissue (slices) and models/ct-tissue-3d (volumes): tissue classes from Hounsfield units as a graph.

    python3 make/ct_tissue.py

Nothing is trained. `classify` is the definition, in numpy; `build` is the same as an ONNX graph. The two agree
in every pixel, because everything after rounding to whole units is counting: thresholds stand between the values
that a mean of a few integers can take, so that no order of summation can change a class.
"""
import os

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

from common import MODELS

AIR, LUNG, FAT, SOFT, BONE = range(5)

# Hounsfield units; the mean of up to 3 x 3 (lung: 5 x 5) integers is never one of these.
GAS_BELOW, LUNG_FROM, FAT_BELOW, BONE_FROM = -400.05, -950.03, -30.05, 199.95
CORE, SPECK, RIM, GROW, CLOSE = 9, 3, 5, 3, 5  # pixels


def _window(dims, reach, inplane_only=False):
    """The window of a filter: `reach` in the plane; across slices 3, or 1 where it stays in the plane."""
    return (reach, reach) if dims == 2 else (1 if inplane_only else 3, reach, reach)


# --- the definition -------------------------------------------------------------------------------------------

def _largest(mask, window):
    pads = [(0, 0)] * (mask.ndim - len(window)) + [(w // 2, w // 2) for w in window]
    for axis, (w, pad) in enumerate(zip([1] * (mask.ndim - len(window)) + list(window), pads)):
        if w > 1:
            wide = np.pad(mask, [pad if k == axis else (0, 0) for k in range(mask.ndim)])
            mask = sliding_window_view(wide, w, axis).any(-1)
    return mask


def _smallest(mask, window):
    return ~_largest(~mask, window)


def _mean(values, side):
    """The mean of the side x side pixels around, those of them that exist, in the plane of the slice."""
    pads = [(0, 0)] * (values.ndim - 2) + [(side // 2, side // 2)] * 2
    add = lambda a: sliding_window_view(np.pad(a, pads), (side, side), (-2, -1)).sum((-1, -2))
    return add(values) / add(np.ones_like(values))


def classify(hu):
    """hu [N, 1, (D,) H, W] in Hounsfield units -> classes uint8 of the same shape."""
    dims = hu.ndim - 2
    whole = np.clip(np.rint(hu.astype(np.float64)), -1024, 3071)
    s = _mean(whole, 3)
    gas = s < GAS_BELOW

    # The patient: what survives an opening that removes couch shells, clothes and tubes, and what it encloses.
    core_window = _window(dims, CORE, inplane_only=True)
    core = _largest(_smallest(~gas, core_window), core_window)
    counts = core.astype(np.int64)
    inside = np.ones_like(core)
    for axis in (-1, -2):
        inside &= np.cumsum(counts, axis) > 0
        inside &= np.flip(np.cumsum(np.flip(counts, axis), axis), axis) > 0
    patient = core | inside

    # Lung: neither empty air nor tissue, enclosed, thicker than the blurred rim of a bowel or a bronchus.
    band = gas & inside & (_mean(whole, 5) >= LUNG_FROM)
    lung = _largest(_smallest(band, _window(dims, RIM)), _window(dims, RIM))
    for _ in range(GROW):
        lung = _largest(lung, _window(dims, 3)) & band
    close = _window(dims, CLOSE)
    lung = _smallest(_largest(lung, close), close) & inside

    # Bone: bright, without specks; marrow closed in.
    dense = s >= BONE_FROM
    bone = _largest(_smallest(dense, _window(dims, SPECK, inplane_only=True)), _window(dims, SPECK, inplane_only=True))
    for _ in range(GROW):
        bone = _largest(bone, _window(dims, 3)) & dense
    bone = _smallest(_largest(bone, close), close)

    tissue = np.where(s < FAT_BELOW, FAT, SOFT)
    tissue = np.where(gas | ~patient, AIR, tissue)
    tissue = np.where(bone & patient & ~gas, BONE, tissue)
    return np.where(lung, LUNG, tissue).astype(np.uint8)


# --- the same as a graph --------------------------------------------------------------------------------------

class _Graph:
    def __init__(self, dims):
        self.dims, self.nodes, self.constants = dims, [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def op(self, kind, inputs, **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def number(self, value):
        name = f"value_{value}"
        return name if any(c.name == name for c in self.constants) else self.constant(name, np.float32(value))

    def below(self, x, limit):
        return self.op("Less", [x, self.number(limit)])

    def pool(self, kind, x, window, **attributes):
        pads = [w // 2 for w in window] * 2
        return self.op(kind, [x], kernel_shape=list(window), pads=pads, strides=[1] * len(window), **attributes)

    def largest(self, mask, window):
        """Dilation of a boolean mask; what lies outside the image takes no part."""
        x = self.pool("MaxPool", self.op("Cast", [mask], to=TensorProto.FLOAT), window)
        return self.op("Greater", [x, self.number(0.5)])

    def smallest(self, mask, window):
        return self.no(self.largest(self.no(mask), window))

    def no(self, mask):
        return self.op("Not", [mask])

    def both(self, *masks):
        result = masks[0]
        for mask in masks[1:]:
            result = self.op("And", [result, mask])
        return result

    def either(self, a, b):
        return self.op("Or", [a, b])


def build(dims):
    g = _Graph(dims)
    whole = g.op("Clip", [g.op("Round", ["hu"]), g.number(-1024.0), g.number(3071.0)])
    mean = lambda side: g.pool("AveragePool", whole, _window(dims, side, inplane_only=True), count_include_pad=0)
    s = mean(3)
    gas = g.below(s, GAS_BELOW)

    core_window = _window(dims, CORE, inplane_only=True)
    core = g.largest(g.smallest(g.no(gas), core_window), core_window)
    counts = g.op("Cast", [core], to=TensorProto.FLOAT)
    enclosed = []
    for axis in (dims + 1, dims):
        for reverse in (0, 1):
            total = g.op("CumSum", [counts, g.constant(f"axis_{axis}_{reverse}", np.int64(axis))], reverse=reverse)
            enclosed.append(g.op("Greater", [total, g.number(0.5)]))
    inside = g.both(*enclosed)
    patient = g.either(core, inside)

    band = g.both(gas, inside, g.no(g.below(mean(5), LUNG_FROM)))
    lung = g.largest(g.smallest(band, _window(dims, RIM)), _window(dims, RIM))
    for _ in range(GROW):
        lung = g.both(g.largest(lung, _window(dims, 3)), band)
    close = _window(dims, CLOSE)
    lung = g.both(g.smallest(g.largest(lung, close), close), inside)

    dense = g.no(g.below(s, BONE_FROM))
    speck = _window(dims, SPECK, inplane_only=True)
    bone = g.largest(g.smallest(dense, speck), speck)
    for _ in range(GROW):
        bone = g.both(g.largest(bone, _window(dims, 3)), dense)
    bone = g.smallest(g.largest(bone, close), close)

    tissue = g.op("Where", [g.below(s, FAT_BELOW), g.number(float(FAT)), g.number(float(SOFT))])
    tissue = g.op("Where", [g.either(gas, g.no(patient)), g.number(float(AIR)), tissue])
    tissue = g.op("Where", [g.both(bone, patient, g.no(gas)), g.number(float(BONE)), tissue])
    tissue = g.op("Where", [lung, g.number(float(LUNG)), tissue])
    g.nodes.append(helper.make_node("Cast", [tissue], ["tissue"], name="tissue", to=TensorProto.UINT8))

    shape = ["N", 1, "D", "H", "W"] if dims == 3 else ["N", 1, "H", "W"]
    graph = helper.make_graph(g.nodes, f"ct-tissue-{dims}d", [helper.make_tensor_value_info("hu", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("tissue", TensorProto.UINT8, shape)], g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="ct_tissue.py", ir_version=8)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    for dims, name in ((2, "ct-tissue"), (3, "ct-tissue-3d")):
        os.makedirs(os.path.join(MODELS, name), exist_ok=True)
        onnx.save(build(dims), os.path.join(MODELS, name, "model.onnx"))
