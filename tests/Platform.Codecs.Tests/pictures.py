#!/usr/bin/python3
"""Picture files of many kinds, each beside its pixels as Pillow sees them.

usage: pictures.py gif FOLDER      NAME.gif, NAME.pixels (RGB or RGBA), NAME.txt (width height channels)
       pictures.py jpeg FOLDER     NAME.jpg, NAME.pixels (L or RGB), NAME.txt
       pictures.py rgb FILE PIXELS one file's pixels as RGB
"""
import os, struct, sys
from PIL import Image

kind, folder = sys.argv[1:3]
if kind == "rgb":
    open(sys.argv[3], "wb").write(Image.open(folder).convert("RGB").tobytes())
    sys.exit()


def noise(n, seed):
    out, x = bytearray(), seed
    for k in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        out.append((x >> 16) & 0xFF if k % 5 == 0 else (k * 3) & 0xFF)
    return bytes(out)


def smooth(w, h):
    return Image.merge("RGB", [Image.frombytes("L", (w, h), bytes((x * a + y * b) * 255 // (w * a + h * b) for y in range(h) for x in range(w))) for a, b in ((1, 2), (3, 1), (1, 0))])


def keep(name, extension, data, channels):
    path = os.path.join(folder, f"{name}.{extension}")
    open(path, "wb").write(data)
    image = Image.open(path)
    image = image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    pixels = bytearray(image.tobytes())
    if channels == 4:  # what is clear has no colour
        for k in range(0, len(pixels), 4):
            if pixels[k + 3] == 0:
                pixels[k:k + 4] = b"\0\0\0\0"
    open(os.path.join(folder, name + ".pixels"), "wb").write(pixels)
    open(os.path.join(folder, name + ".txt"), "w").write(f"{image.width} {image.height} {channels}")


def saved(image, **options):
    path = os.path.join(folder, "x.tmp")
    image.save(path, **options)
    data = open(path, "rb").read()
    os.remove(path)
    return data


if kind == "gif":
    rgb = Image.frombytes("RGB", (61, 43), noise(61 * 43 * 3, 3))
    for colours in (2, 4, 16, 200, 256):
        p = rgb.quantize(colours)
        keep(f"p{colours}", "gif", saved(p, format="GIF", interlace=0), 3)
        keep(f"interlaced{colours}", "gif", saved(p, format="GIF", interlace=1), 3)
    keep("clear", "gif", saved(rgb.quantize(16), format="GIF", transparency=3, interlace=1), 4)
    keep("large", "gif", saved(smooth(500, 400).quantize(256), format="GIF"), 3)
    keep("animated", "gif", saved(rgb.quantize(32), format="GIF", save_all=True, append_images=[rgb.rotate(90).quantize(32)], loop=0, comment=b"a comment"), 3)
    for h in (1, 2, 3, 5, 9):
        keep(f"rows{h}", "gif", saved(rgb.crop((0, 0, 7, h)).quantize(8), format="GIF", interlace=1), 3)

    # By hand what Pillow does not write: a local palette and a picture that is smaller than its screen.
    def lzw(indices, bits):
        clear, out, buffer, n, size = 1 << bits, bytearray(), 0, 0, bits + 1

        def put(code):
            nonlocal buffer, n
            buffer |= code << n
            n += size
            while n >= 8:
                out.append(buffer & 255)
                buffer >>= 8
                n -= 8
        for k, i in enumerate(indices):
            if k % (clear - 2) == 0:
                put(clear)
            put(i)
        put(clear + 1)
        if n:
            out.append(buffer & 255)
        data = bytes([bits])
        for k in range(0, len(out), 100):
            data += bytes([len(out[k:k + 100])]) + bytes(out[k:k + 100])
        return data + b"\0"

    palette = bytes(range(0, 192, 4))  # 16 colours
    other = bytes(255 - v for v in palette)
    indices = [(x * y) % 16 for y in range(9) for x in range(11)]
    screen = lambda flags: b"GIF89a" + struct.pack("<HHBBB", 20, 15, flags, 0, 0)
    picture = lambda flags: b"," + struct.pack("<HHHHB", 5, 3, 11, 9, flags)
    both = screen(0x83) + palette + picture(0x83) + other + lzw(indices, 4) + b";"
    open(os.path.join(folder, "local.gif"), "wb").write(both)
    expected = bytearray(20 * 15 * 4)
    for y in range(9):
        for x in range(11):
            i = indices[y * 11 + x]
            at = 4 * ((y + 3) * 20 + x + 5)
            expected[at:at + 4] = other[3 * i:3 * i + 3] + b"\xff"
    open(os.path.join(folder, "local.pixels"), "wb").write(expected)
    open(os.path.join(folder, "local.txt"), "w").write("20 15 4")
    # Pillow agrees about what is inside.
    assert Image.open(os.path.join(folder, "local.gif")).convert("RGB").crop((5, 3, 16, 12)).tobytes() == b"".join(other[3 * i:3 * i + 3] for i in indices)
else:
    rgb = smooth(67, 45)
    grey = rgb.convert("L")
    for name, image, channels, options in (
        ("grey", grey, 1, {}),
        ("444", rgb, 3, dict(subsampling=0)),
        ("422", rgb, 3, dict(subsampling=1)),
        ("420", rgb, 3, dict(subsampling=2)),
        ("411", rgb, 3, dict(subsampling="4:1:1")),
        ("progressive", rgb, 3, dict(progressive=True, subsampling=2)),
        ("progressivegrey", grey, 1, dict(progressive=True)),
        ("optimised", rgb, 3, dict(optimize=True)),
        ("adobergb", rgb, 3, dict(icc_profile=b"x" * 70000)),
        ("one", rgb.crop((0, 0, 1, 1)), 3, {}),
        ("thin", rgb.crop((0, 0, 2, 45)), 3, dict(subsampling=2)),
        ("cmyk", rgb.convert("CMYK"), 3, {}),
        ("cmykprogressive", rgb.convert("CMYK"), 3, dict(progressive=True)),
        ("exif", rgb, 3, dict(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0")),
        ("comment", rgb, 3, dict(comment=b"hello")),
    ):
        keep(name, "jpg", saved(image, format="JPEG", quality=92, **options), channels)
    # Restart intervals by cjpeg, where there is one.
    ppm = os.path.join(folder, "x.ppm")
    rgb.save(ppm)
    for name, flags in (("restart", "-restart 1"), ("restartblocks", "-restart 3B -sample 2x2"), ("progressiverestart", "-progressive -restart 1B"), ("rgb", "-rgb")):
        out = os.path.join(folder, "x.jpg")
        if os.system(f"cjpeg {flags} -outfile {out} {ppm} 2>/dev/null") == 0:
            keep(name, "jpg", open(out, "rb").read(), 3)
            os.remove(out)
    os.remove(ppm)
