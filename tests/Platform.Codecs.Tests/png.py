#!/usr/bin/python3
"""Pictures as Pillow reads and writes them.

usage: png.py read FILE PIXELS          writes the pixels (interleaved, 16 bit little endian), prints mode and size
       png.py write FOLDER              writes one PNG of every kind that Pillow knows beside its pixels
"""
import os, struct, sys, zlib
from PIL import Image

if sys.argv[1] == "read":
    i = Image.open(sys.argv[2])
    i.load()
    # Pillow reads 16-bit grey as 32-bit integers.
    data = struct.pack(f"<{i.width * i.height}H", *i.getdata()) if i.mode == "I" else i.tobytes()
    open(sys.argv[3], "wb").write(data)
    print(i.mode, *i.size)
    sys.exit()

folder = sys.argv[2]


def save(name, image, expected, channels, depth, **options):
    image.save(os.path.join(folder, name + ".png"), **options)
    open(os.path.join(folder, name + ".pixels"), "wb").write(expected)
    open(os.path.join(folder, name + ".txt"), "w").write(f"{image.width} {image.height} {channels} {depth}")


def noise(n, seed):
    out, x = bytearray(), seed
    for k in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((x >> 16) & 0xFF if k % 5 == 0 else (k * 3) & 0xFF)
    return bytes(out)


w, h = 37, 23
grey, rgb, rgba, la = (Image.frombytes(m, (w, h), noise(w * h * n, n)) for m, n in (("L", 1), ("RGB", 3), ("RGBA", 4), ("LA", 2)))
save("grey", grey, grey.tobytes(), 1, 8)
save("rgb", rgb, rgb.tobytes(), 3, 8)
save("rgba", rgba, rgba.tobytes(), 4, 8)
save("la", la, la.tobytes(), 2, 8)
deep = Image.frombytes("I;16", (w, h), noise(2 * w * h, 9))
save("grey16", deep, deep.tobytes(), 1, 16)
one = grey.point(lambda v: 255 * (v > 127)).convert("1")
save("one", one, one.convert("L").tobytes(), 1, 8)
for bits in (1, 2, 4, 8):
    p = rgb.quantize(1 << bits)
    save(f"palette{bits}", p, p.convert("RGB").tobytes(), 3, 8, bits=bits)
p = rgb.quantize(16)
save("clear", p, b"".join(bytes(p.convert("RGB").getpixel((x, y))) + (b"\0" if p.getpixel((x, y)) == 3 else b"\xff") for y in range(h) for x in range(w)), 4, 8, transparency=3)


# Pillow writes no interlaced PNG: Adam7 by hand, unfiltered, from the standard's table.
def adam7(image, depth):
    raw = bytearray()
    for fx, fy, sx, sy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for y in range(fy, image.height, sy):
            row = [image.getpixel((x, y)) for x in range(fx, image.width, sx)]
            if not row:
                continue
            raw.append(0)
            if depth == 8:
                raw += b"".join(bytes(v) for v in row)
            else:
                bits = "".join("1" if v else "0" for v in row)
                bits += "0" * (-len(bits) % 8)
                raw += bytes(int(bits[k:k + 8], 2) for k in range(0, len(bits), 8))
    chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", image.width, image.height, depth, 2 if depth == 8 else 0, 0, 0, 1))
            + chunk(b"IDAT", zlib.compress(bytes(raw))[:50]) + chunk(b"IDAT", zlib.compress(bytes(raw))[50:]) + chunk(b"IEND", b""))


for name, image, depth, channels in (("adam7", rgb, 8, 3), ("adam7one", one, 1, 1)):
    open(os.path.join(folder, name + ".png"), "wb").write(adam7(image, depth))
    check = Image.open(os.path.join(folder, name + ".png"))
    assert check.convert(image.mode).tobytes() == image.tobytes(), name
    open(os.path.join(folder, name + ".pixels"), "wb").write(image.tobytes() if depth == 8 else image.convert("L").tobytes())
    open(os.path.join(folder, name + ".txt"), "w").write(f"{w} {h} {channels} 8")
