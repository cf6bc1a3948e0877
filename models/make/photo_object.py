"""Makes models/photo-object: `data`, `train`, `export`. Figures are recomputed by ../check.py.

    python3 make/photo_object.py data  --work W     portraits of the training and validation seeds (about 1 min)
    python3 make/photo_object.py train --work W     resumes from W/photo-object.pt (about 2 min of one core)
    python3 make/photo_object.py export --work W    models/photo-object/model.onnx
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
from render import TRAIN, VALIDATION, portrait

SIZE = 256
SEEN = 128  # what the network looks at; scenes to learn from are drawn at that size
TRAINING_SCENES, VALIDATION_SCENES = 1500, 60


class Object(PictureNet):
    """[N, 3, 256, 256] sRGB / 255 -> [N, 1, 256, 256] probability of the foreground. Looks at half of the size."""

    def __init__(self):
        super().__init__((14, 28, 48, 64, 80), side=64)

    def forward(self, image):
        small = F.avg_pool2d(image, 2) * 4 - 2
        return torch.sigmoid(F.interpolate(self.half(small), scale_factor=4.0, mode="bilinear", align_corners=False))


def tensor(pixels):
    """uint8 [N, H, W, 3] -> float32 [N, 3, H, W], 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float() / 255


def iou(a, b):
    union = int((a | b).sum())
    return 1.0 if union == 0 else int((a & b).sum()) / union


def make_data(work):
    for name, first, scenes in (("validation", VALIDATION, VALIDATION_SCENES), ("train", TRAIN, TRAINING_SCENES)):
        pictures, masks = (os.path.join(work, f"photo-object-{name}-{part}.npy") for part in ("pictures", "masks"))
        if os.path.exists(masks):
            continue
        picture = np.lib.format.open_memmap(pictures, "w+", np.uint8, (scenes, SEEN, SEEN, 3))
        mask = np.zeros((scenes, SEEN // 2, SEEN // 2), np.uint8)
        for k in range(scenes):
            picture[k], full = portrait(first + k, SEEN)
            mask[k] = full.reshape(SEEN // 2, 2, SEEN // 2, 2).mean((1, 3)) * 255
        np.save(masks, mask)


def train(work, minutes, steps, batch):
    torch.set_num_threads(1)
    torch.manual_seed(7)
    load = lambda name, part: np.load(os.path.join(work, f"photo-object-{name}-{part}.npy"), mmap_mode="r")
    pictures, masks = load("train", "pictures"), load("train", "masks")
    net = Object().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=1e-3)
    saved, step, spent = os.path.join(work, "photo-object.pt"), 0, 0.0
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
        picks = np.sort(rng.integers(0, len(pictures), batch))
        x, y = tensor(pictures[picks]), torch.from_numpy(masks[picks].astype(np.float32))[:, None] / 255
        if rng.random() < 0.5:
            x, y = x.flip(3), y.flip(3)
        x = x * float(rng.uniform(0.75, 1.25)) + torch.from_numpy(rng.normal(0, 0.05, (1, 3, 1, 1)).astype(np.float32))
        if rng.random() < 0.4:
            x = x[:, torch.from_numpy(rng.permutation(3))]
        net.train()
        with torch.cpu.amp.autocast():  # bfloat16 products, float32 weights
            z = net.half((x * 4 - 2).contiguous(memory_format=torch.channels_last))
        z = z.float()
        p = torch.sigmoid(z)
        common = (p * y).sum((1, 2, 3))
        overlap = 1 - (common + 20) / (p.sum((1, 2, 3)) + y.sum((1, 2, 3)) - common + 20)
        loss = F.binary_cross_entropy_with_logits(z, y) + 0.7 * overlap.mean()
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
        if step % 200 == 0 or step == steps:
            held, wanted = load("validation", "pictures"), load("validation", "masks")
            net.eval()
            with torch.no_grad():
                got = np.concatenate([(net.half(tensor(held[k:k + 8]) * 4 - 2)[:, 0] > 0).numpy() for k in range(0, len(held), 8)])
            print("validation", step, "IoU", np.mean([iou(g, w > 127) for g, w in zip(got, wanted)]).round(4), flush=True)


def load(work):
    net = Object()
    net.load_state_dict(torch.load(os.path.join(work, "photo-object.pt"))["net"])
    return net.eval()


def export(work):
    path = os.path.join(MODELS, "photo-object", "model.onnx")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    torch.onnx.export(load(work), torch.zeros(1, 3, SIZE, SIZE), path, opset_version=13, input_names=["image"], output_names=["object"],
                      dynamic_axes={"image": {0: "N"}, "object": {0: "N"}})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["data", "train", "export"])
    parser.add_argument("--work", required=True, help="folder for scenes and checkpoints")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so much processor time")
    parser.add_argument("--steps", type=int, default=1260)
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    if options.what == "data":
        make_data(options.work)
    elif options.what == "train":
        train(options.work, options.minutes, options.steps, options.batch)
    else:
        export(options.work)
