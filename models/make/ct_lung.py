"""Makes models/ct-lung: `data`, `train`, `export`. Figures are recomputed by ../check.py.

    python3 make/ct_lung.py data  --work W     phantoms of the training and validation seeds (about 5 min)
    python3 make/ct_lung.py train --work W     resumes from W/ct-lung.pt (about 12 min of one core)
    python3 make/ct_lung.py export --work W    models/ct-lung/model.onnx
"""
import argparse
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from common import MODELS, dice
from ct_lung_phantoms import TRAIN, VALIDATION, phantom

SIZE = 256
TRAINING_CASES, VALIDATION_CASES = 5000, 160


def conv(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Lung(nn.Module):
    """[N, 1, H, W] Hounsfield units, H and W multiples of 64 -> [N, 1, H, W] probability of lung.

    Works at half the input's resolution (one sample per 2 x 2 pixels): the trunk at a quarter, the last
    decision at a half, smoothed up.
    """

    def __init__(self, widths=(8, 14, 24, 40, 56, 64)):
        super().__init__()
        w = widths
        self.stem = conv(3, w[0])
        self.down = nn.ModuleList([nn.Sequential(conv(w[k], w[k + 1], 2), conv(w[k + 1], w[k + 1])) for k in range(5)])
        self.up = nn.ModuleList([nn.Sequential(conv(w[k + 1] + w[k], w[k]), conv(w[k], w[k]) if k > 1 else nn.Identity()) for k in range(5)])
        self.head = nn.Conv2d(w[0], 1, 1)

    @staticmethod
    def window(hu):
        """Three views of the Hounsfield units in about -1 .. 1: the whole range, lung, soft tissue."""
        return torch.cat([(torch.clamp(hu, -1024, 1024) + 100) / 700, (torch.clamp(hu, -1000, -400) + 700) / 300, (torch.clamp(hu, -160, 240) - 40) / 200], 1)

    def logits(self, half):
        x = self.stem(self.window(half))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        for k in range(4, -1, -1):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.up[k](torch.cat([x, kept[k]], 1))
        return self.head(x)

    def forward(self, hu):
        half = F.avg_pool2d(torch.clamp(hu, -1024, 3071), 2)
        return torch.sigmoid(F.interpolate(self.logits(half), scale_factor=2.0, mode="bilinear", align_corners=False))


def make_data(work):
    for name, first, cases in (("validation", VALIDATION, VALIDATION_CASES), ("train", TRAIN, TRAINING_CASES)):
        path = os.path.join(work, f"ct-lung-{name}.npz")
        if os.path.exists(path):
            continue
        hu = np.zeros((cases, SIZE, SIZE), np.int16)
        lung = np.zeros((cases, SIZE, SIZE), np.uint8)
        for k in range(cases):
            p = phantom(first + k, SIZE, "hard" if k % 3 == 2 else "any")
            hu[k], lung[k] = np.round(p.hu), p.lung
        np.savez(path, hu=hu, lung=lung)


def train(work, minutes, main, finish, batch):
    steps = main + finish
    torch.set_num_threads(1)
    torch.manual_seed(7)
    data, held = np.load(os.path.join(work, "ct-lung-train.npz")), np.load(os.path.join(work, "ct-lung-validation.npz"))
    hu, lung = data["hu"], data["lung"]
    net = Lung().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    saved, step, spent = os.path.join(work, "ct-lung.pt"), 0, 0.0
    if os.path.exists(saved):
        state = torch.load(saved)
        net.load_state_dict(state["net"]), optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    begun = time.process_time()
    while step < steps and time.process_time() - begun < minutes * 60:
        finishing = step >= main
        share = (step - main) / (steps - main) if finishing else step / main
        rate = (1.2e-3 if finishing else 3e-3) * min(1, (step + 1) / 50) * 0.5 * (1 + np.cos(np.pi * share)) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate
        rng = np.random.default_rng((11, step))  # the batch of a step is a function of the step
        coarse = step < 0.5 * main  # first the layout, at half the size, a third of the work
        picks = rng.integers(0, len(hu), batch * 3 if coarse else batch)
        if finishing and step % 2:
            picks = picks // 3 * 3 + 2  # those with consolidation and bowel gas
            picks = picks[picks < len(hu)]
        x = torch.from_numpy(hu[picks].astype(np.float32))[:, None]
        y = torch.from_numpy(lung[picks].astype(np.float32))[:, None]
        if coarse:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        if rng.random() < 0.5:
            x, y = x.flip(3), y.flip(3)
        if rng.random() < 0.1:
            x, y = x.flip(2), y.flip(2)
        x = x * float(rng.uniform(0.97, 1.03)) + float(rng.normal(0, 12)) + torch.from_numpy(rng.normal(0, rng.uniform(0, 25), x.shape).astype(np.float32))
        net.train()
        with torch.cpu.amp.autocast():  # bfloat16 products, float32 weights
            z = net.logits(x.contiguous(memory_format=torch.channels_last))
        z = z.float()
        p = torch.sigmoid(z)
        overlap = 1 - (2 * (p * y).sum((1, 2, 3)) + 50) / (p.sum((1, 2, 3)) + y.sum((1, 2, 3)) + 50)
        loss = F.binary_cross_entropy_with_logits(z, y) + 0.5 * overlap.mean()
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
            net.eval()
            with torch.no_grad():
                scores = []
                for k in range(0, len(held["hu"]), 8):
                    z = net.logits(torch.from_numpy(held["hu"][k:k + 8].astype(np.float32))[:, None])
                    scores += [dice(a, b > 0) for a, b in zip((z[:, 0] > 0).numpy(), held["lung"][k:k + 8])]
            with_lung = [s for s, m in zip(scores, held["lung"]) if m.sum() > 50]
            print("validation", step, "Dice", np.mean(with_lung).round(4), "hard", np.mean(scores[2::3]).round(4), flush=True)


def load(work):
    net = Lung()
    net.load_state_dict(torch.load(os.path.join(work, "ct-lung.pt"))["net"])
    return net.eval()


def export(work):
    path = os.path.join(MODELS, "ct-lung", "model.onnx")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(load(work), torch.zeros(1, 1, 512, 512), path, opset_version=13, input_names=["hu"], output_names=["lung"],
                      dynamic_axes={"hu": {0: "N", 2: "H", 3: "W"}, "lung": {0: "N", 2: "H", 3: "W"}})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["data", "train", "export"])
    parser.add_argument("--work", required=True, help="folder for phantoms and checkpoints")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so much processor time")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--finish", type=int, default=600, help="steps after those, half of them on the hard phantoms alone")
    parser.add_argument("--batch", type=int, default=6)
    options = parser.parse_args()
    if options.what == "data":
        make_data(options.work)
    elif options.what == "train":
        train(options.work, options.minutes, options.steps, options.finish, options.batch)
    else:
        export(options.work)
