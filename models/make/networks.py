"""The network that photo-object and depth-small share: an encoder with a view of the whole, a decoder up to half size."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv(i, o, stride=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class PictureNet(nn.Module):
    """[N, 3, 2 side, 2 side] normalised colours; `half` gives [N, 1, side, side]. Each pixel is told where it lies in the picture.

    Training begins on smaller pictures, which any multiple of 32 allows.
    """

    def __init__(self, widths, side=128):
        super().__init__()
        w = widths
        row, column = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
        self.register_buffer("where", torch.stack([row, column])[None])
        self.stem = nn.Conv2d(3, w[0] - 2, 5, 2, 2)
        self.first = nn.Sequential(nn.BatchNorm2d(w[0]), nn.ReLU(inplace=True))
        self.down = nn.ModuleList([nn.Sequential(conv(w[k], w[k + 1], 2), conv(w[k + 1], w[k + 1]), conv(w[k + 1], w[k + 1]) if k > 1 else nn.Identity()) for k in range(4)])
        self.whole = nn.Sequential(nn.Linear(w[4], w[4]), nn.ReLU(inplace=True))
        self.up = nn.ModuleList([conv(w[k + 1] + w[k], w[k]) for k in range(4)])
        self.head = nn.Conv2d(w[0], 1, 3, padding=1)

    def half(self, x):
        x = self.stem(x)
        where = self.where if x.shape[2:] == self.where.shape[2:] else F.interpolate(self.where, x.shape[2:], mode="area")
        x = self.first(torch.cat([x, where.expand(x.shape[0], -1, -1, -1)], 1))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        x = x + self.whole(x.mean((2, 3)))[:, :, None, None]
        for k in range(3, -1, -1):
            x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
            x = self.up[k](torch.cat([x, kept[k]], 1))
        return self.head(x)
