#!/usr/bin/python3
"""Picture files with orientations, profiles and transparency, each beside its pixels as people see them (Pillow, LittleCMS).

usage: pictures.py FOLDER      NAME.jpg or .png or .gif, NAME.pixels (L or RGB), NAME.txt (width height channels orientation)
"""
import io, os, sys
from PIL import Image, ImageCms, ImageOps

folder = sys.argv[1]
w, h = 48, 32
rgb = Image.merge("RGB", [Image.frombytes("L", (w, h), bytes((x * a + y * b) % 256 for y in range(h) for x in range(w))) for a, b in ((5, 1), (1, 7), (3, 3))])


def keep(name, data, seen, orientation=1):
    open(os.path.join(folder, name), "wb").write(data)
    stem = os.path.join(folder, name.rsplit(".", 1)[0])
    open(stem + ".pixels", "wb").write(seen.tobytes())
    open(stem + ".txt", "w").write(f"{seen.width} {seen.height} {len(seen.getbands())} {orientation}")


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


for orientation in range(1, 9):
    for order in "MI":
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010F] = "a camera"
        blob = exif.tobytes()
        if order == "I":  # the same, little endian, by hand
            blob = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation]) + b"\0\0\0" + b"\0\0\0\0"
        data = saved(rgb, "PNG", exif=blob)
        keep(f"turned{order}{orientation}.png", data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))), orientation)
    data = saved(rgb, "JPEG", quality=95, subsampling=0, exif=blob)
    keep(f"turnedjpeg{orientation}.jpg", data, ImageOps.exif_transpose(Image.open(io.BytesIO(data))), orientation)

white = Image.new("RGB", (w, h), "white")
alpha = Image.frombytes("L", (w, h), bytes((x * 9 + y * 2) % 256 for y in range(h) for x in range(w)))
rgba = rgb.copy()
rgba.putalpha(alpha)
keep("alpha.png", saved(rgba, "PNG"), Image.alpha_composite(Image.new("RGBA", (w, h), "white"), rgba).convert("RGB"))
p = rgb.quantize(16)
clear = saved(p, "GIF", transparency=3)
i = Image.open(io.BytesIO(clear)).convert("RGBA")
keep("clear.gif", clear, Image.alpha_composite(Image.new("RGBA", (w, h), "white"), i).convert("RGB"))
deep = Image.frombytes("I;16", (w, h), bytes(v for y in range(h) for x in range(w) for v in ((x * 37) % 256, (x * 5 + y) % 256)))
raw = deep.tobytes()
grey = Image.frombytes("L", (w, h), bytes((int.from_bytes(raw[k:k + 2], "little") * 255 + 32767) // 65535 for k in range(0, len(raw), 2)))
keep("deep.png", saved(deep, "PNG"), grey)

# Profiles: what LittleCMS makes of wide colours; the matrix and curves of Display P3 and a gamma of 1.8.
def profile(curve, primaries, space=b"RGB "):
    fixed = lambda *values: b"".join(int(round(v * 65536)).to_bytes(4, "big", signed=True) for v in values)
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    if space == b"RGB ":
        for name, xyz in zip("rgb", primaries):
            tags[name.encode() + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*xyz)
            tags[name.encode() + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    tags[b"desc"] = b"desc\0\0\0\0\0\0\0\5test\0" + b"\0" * 78
    tags[b"cprt"] = b"text\0\0\0\0none\0"
    body, table, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += name + at.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body += data
        at += len(data)
    head = at.to_bytes(4, "big") + b"\0\0\0\0\x02\x10\0\0mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1, 0.8249) + b"\0" * 48
    return head + len(tags).to_bytes(4, "big") + table + body


wide = ((0.515121, 0.241196, -0.001053), (0.291977, 0.692245, 0.041885), (0.157104, 0.066574, 0.784073))      # Display P3 in D50
gamma = lambda g: b"curv\0\0\0\0\0\0\0\1" + int(round(g * 256)).to_bytes(2, "big")
points = b"curv\0\0\0\0" + (64).to_bytes(4, "big") + b"".join(int(65535 * (i / 63) ** 2.2).to_bytes(2, "big") for i in range(64))
srgb = ImageCms.createProfile("sRGB")
para = b"para\0\0\0\0\0\3\0\0" + b"".join(int(round(v * 65536)).to_bytes(4, "big") for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
for name, icc in (("gamma", profile(gamma(1.8), wide)), ("points", profile(points, wide)), ("para", profile(para, wide))):
    seen = ImageCms.profileToProfile(rgb, ImageCms.ImageCmsProfile(io.BytesIO(icc)), srgb, renderingIntent=1)
    keep(f"profile{name}.png", saved(rgb, "PNG", icc_profile=icc), seen)
    jpeg = saved(rgb, "JPEG", quality=95, subsampling=0, icc_profile=icc)
    keep(f"profilejpeg{name}.jpg", jpeg, ImageCms.profileToProfile(Image.open(io.BytesIO(jpeg)), ImageCms.ImageCmsProfile(io.BytesIO(icc)), srgb, renderingIntent=1))
same = ImageCms.ImageCmsProfile(srgb).tobytes()
keep("profilesame.png", saved(rgb, "PNG", icc_profile=same), rgb)
keep("profilebroken.png", saved(rgb, "PNG", icc_profile=b"not a profile" * 20), rgb)
