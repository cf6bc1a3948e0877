"""Makes models/depth-small: `data`, `train`, `export`. Figures are recomputed by ../check.py.

    python3 make/depth_small.py data  --work W     rooms of the training and validation seeds (about 6 min)
    python3 make/depth_small.py train --work W     resumes from W/depth-small.pt (about 6 min of one core)
    python3 make/depth_small.py export --work W    models/depth-small/model.onnx
"""
import argparse
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import MODELS
from networks import PictureNet
from render import TRAIN, VALIDATION, room

SIZE = 256
TRAINING_SCENES, VALIDATION_SCENES, LAYOUT_SCENES = 3000, 120, 6000
LAYOUT = TRAIN + 100_000  # training scenes drawn at a quarter of the size, many of them, for how rooms lie
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # MiDaS's normalisation


class Depth(PictureNet):
    """[N, 3, 256, 256] normalised colours -> [N, 256, 256] relative inverse depth, from 0, larger is nearer. Looks at half of the size."""

    def __init__(self):
        super().__init__((14, 32, 56, 88, 128), side=64)

    def forward(self, input):
        return F.relu(F.interpolate(self.half(F.avg_pool2d(input, 2)), scale_factor=4.0, mode="bilinear", align_corners=False)).squeeze(1)


def normalise(pixels):
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W] as MiDaS's small networks want it."""
    x = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 255
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def aligned(predicted, inverse):
    """The prediction under the scale and shift that fit the known inverse depth best (least squares where it is > 0)."""
    known = inverse > 0
    p, d = predicted[known], inverse[known]
    dp, dd = p - p.mean(), d - d.mean()
    scale = (dp * dd).mean() / ((dp * dp).mean() + 1e-9)
    return scale * dp + d.mean(), d


def delta1(predicted, inverse):
    """Share of the pixels whose depth is right within a factor of 1.25, after MiDaS's alignment; depth at most that of the scene's farthest point."""
    fitted, known = aligned(predicted.astype(np.float64), inverse.astype(np.float64))
    fitted = np.maximum(fitted, known.min())
    return float((np.maximum(fitted / known, known / fitted) < 1.25).mean())


def make_data(work):
    for name, first, scenes, size in (("validation", VALIDATION, VALIDATION_SCENES, SIZE), ("layout", LAYOUT, LAYOUT_SCENES, SIZE // 4), ("train", TRAIN, TRAINING_SCENES, SIZE)):
        pictures, depths = (os.path.join(work, f"depth-small-{name}-{part}.npy") for part in ("pictures", "inverse"))
        if os.path.exists(depths):
            continue
        picture = np.lib.format.open_memmap(pictures, "w+", np.uint8, (scenes, size, size, 3))
        inverse = np.zeros((scenes, size // 2, size // 2), np.float16)
        for k in range(scenes):
            picture[k], full = room(first + k, size)
            inverse[k] = full.reshape(size // 2, 2, size // 2, 2).mean((1, 3))
        np.save(depths, inverse)


def halved(x, inverse):
    """Pictures and their inverse depth at half the size; depth of what is sky in part is unknown."""
    known = F.avg_pool2d((inverse > 0.02).float()[:, None], 2)[:, 0] == 1
    return F.avg_pool2d(x, 2), F.avg_pool2d(inverse[:, None], 2)[:, 0] * known


def loss_of(z, inverse):
    """Scale and shift free: errors of inverse depth, of its logarithm, and of its steps.

    The free scale and shift are pulled to a deviation of 1 about 2. They are matched by mean and deviation, not by
    least squares, which would be as content with the depth turned inside out.
    """
    total = 0.0
    for p, d in zip(z[:, 0], inverse):
        known = d > 0.02
        target, got = d[known], p[known]
        deviation, low = target.std() + 0.02, target.min()
        scale = deviation / (got.std() + 0.1)
        fitted = (got - got.mean()) * scale + target.mean()
        relative = (fitted - target).abs().mean() / deviation
        direct = (got - 2 - (target - target.mean()) / deviation).abs().mean()
        ratio = (torch.log(torch.maximum(fitted, 0.3 * low)) - torch.log(target)).abs().mean()
        sky = F.relu((p[~known] - got.min())).mean() if bool((~known).any()) else 0.0
        steps = 0.0
        for shift in (1, 2, 4):
            a, b = p[:, shift:] - p[:, :-shift], (d[:, shift:] - d[:, :-shift]) / deviation
            c, e = p[shift:] - p[:-shift], (d[shift:] - d[:-shift]) / deviation
            steps = steps + (a - b).abs().mean() + (c - e).abs().mean()
        total = total + direct + 0.5 * relative + ratio + 0.3 * steps + 0.1 * sky
    return total / len(inverse)


def train(work, minutes, steps, batch):
    torch.set_num_threads(1)
    torch.manual_seed(7)
    load = lambda name, part: np.load(os.path.join(work, f"depth-small-{name}-{part}.npy"), mmap_mode="r")
    scenes = {name: (load(name, "pictures"), load(name, "inverse")) for name in ("layout", "train")}
    net = Depth().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    saved, step, spent = os.path.join(work, "depth-small.pt"), 0, 0.0
    if os.path.exists(saved):
        state = torch.load(saved)
        net.load_state_dict(state["net"]), optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    begun = time.process_time()
    while step < steps and time.process_time() - begun < minutes * 60:
        rate = 3e-3 * min(1, (step + 1) / 50) * (0.5 * (1 + np.cos(np.pi * step / steps))) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate
        rng = np.random.default_rng((11, step))  # the batch of a step is a function of the step
        layout = step < 500  # first how rooms lie, at half of what it looks at in the end, where much is seen for little work
        pictures, inverses = scenes["layout" if layout else "train"]
        picks = np.sort(rng.integers(0, len(pictures), batch * 3 if layout else batch))
        x, d = normalise(pictures[picks]), torch.from_numpy(inverses[picks].astype(np.float32))
        if not layout:
            x, d = halved(x, d)
        if rng.random() < 0.5:
            x, d = x.flip(3), d.flip(2)
        x = x * float(rng.uniform(0.8, 1.2)) + torch.from_numpy(rng.normal(0, 0.15, (1, 3, 1, 1)).astype(np.float32))
        if rng.random() < 0.3:
            x = x[:, torch.from_numpy(rng.permutation(3))]
        net.train()
        with torch.cpu.amp.autocast():  # bfloat16 products, float32 weights
            z = net.half(x.contiguous(memory_format=torch.channels_last))
        loss = loss_of(z.float(), d)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 20 == 0:
            print(step, round(float(loss), 4), f"{spent + time.process_time() - begun:.0f} s", flush=True)
        if step % 100 == 0 or step == steps:
            torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "spent": spent + time.process_time() - begun}, saved + ".new")
            os.replace(saved + ".new", saved)
        if step % 300 == 0 or step == steps:
            held, wanted = load("validation", "pictures"), load("validation", "inverse")
            net.eval()
            with torch.no_grad():
                scores = []
                for k in range(0, len(held), 8):
                    x, d = halved(normalise(held[k:k + 8]), torch.from_numpy(wanted[k:k + 8].astype(np.float32)))
                    scores += [delta1(g, w) for g, w in zip(net.half(x)[:, 0].numpy(), d.numpy())]
            print("validation", step, "delta1", np.mean(scores).round(4), flush=True)


def load(work):
    net = Depth()
    net.load_state_dict(torch.load(os.path.join(work, "depth-small.pt"))["net"])
    return net.eval()


def export(work):
    path = os.path.join(MODELS, "depth-small", "model.onnx")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(load(work), torch.zeros(1, 3, SIZE, SIZE), path, opset_version=13, input_names=["input"], output_names=["depth"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["data", "train", "export"])
    parser.add_argument("--work", required=True, help="folder for scenes and checkpoints")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so much processor time")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    if options.what == "data":
        make_data(options.work)
    elif options.what == "train":
        train(options.work, options.minutes, options.steps, options.batch)
    else:
        export(options.work)
