#!/usr/bin/python3
"""Frames of a compressed DICOM file beside the pixels that DCMTK, OpenJPEG for JPEG 2000, or zlib decodes from them.

usage: oracle.py FILE OUTDIR
Writes OUTDIR/description.json, OUTDIR/<i>.encoded and OUTDIR/<i>.pixels (interleaved, little endian), i from 0.
Exit code 3: neither decodes this file.
"""
import json, os, subprocess, sys, warnings, zlib
import numpy, pydicom
from pydicom.encaps import generate_pixel_data_frame

warnings.simplefilter("ignore")
path, out = sys.argv[1:]
os.makedirs(out, exist_ok=True)
d = pydicom.dcmread(path, force=True)
syntax = d.file_meta.TransferSyntaxUID
frames = int(d.get("NumberOfFrames", 1) or 1)
encoded_frames = list(generate_pixel_data_frame(d.PixelData, frames))
jpeg2000 = syntax.startswith("1.2.840.10008.1.2.4.9") or syntax.startswith("1.2.840.10008.1.2.4.20")


def opj(i, encoded):
    """One frame by opj_decompress: planes of 8 or 16 bits, here interleaved in containers of the data set."""
    source, target = os.path.join(out, f"{i}.j2k"), os.path.join(out, f"{i}.rawl")
    open(source, "wb").write(encoded)
    if subprocess.run(["opj_decompress", "-i", source, "-o", target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        sys.exit(3)
    planes = open(target, "rb").read()
    n, pixels = d.SamplesPerPixel, d.Rows * d.Columns
    size = len(planes) // (n * pixels)
    depth = encoded[encoded.index(b"\xff\x51") + 40]
    samples = numpy.frombuffer(planes, f"<{'i' if depth > 127 else 'u'}{size}").reshape(n, pixels).T
    return samples.astype(f"<{'i' if depth > 127 else 'u'}{d.BitsAllocated // 8}").tobytes()


def finish(decoded):
    json.dump({
        "Syntax": str(syntax), "Frames": frames, "Rows": d.Rows, "Columns": d.Columns, "SamplesPerPixel": d.SamplesPerPixel,
        "BitsAllocated": d.BitsAllocated, "BitsStored": d.BitsStored, "IsSigned": bool(d.PixelRepresentation),
        "Photometric": d.PhotometricInterpretation, "DecodedPhotometric": decoded,
    }, open(os.path.join(out, "description.json"), "w"))
    sys.exit(0)


if syntax == "1.2.840.10008.1.2.8.1":   # Python's zlib
    for i, encoded in enumerate(encoded_frames):
        open(os.path.join(out, f"{i}.encoded"), "wb").write(encoded)
        open(os.path.join(out, f"{i}.pixels"), "wb").write(zlib.decompressobj(-15).decompress(encoded))
    finish(d.PhotometricInterpretation)

if jpeg2000:
    for i, encoded in enumerate(encoded_frames):
        open(os.path.join(out, f"{i}.encoded"), "wb").write(encoded)
        open(os.path.join(out, f"{i}.pixels"), "wb").write(opj(i, encoded))
    finish("RGB" if d.SamplesPerPixel == 3 else d.PhotometricInterpretation)

# A JFIF stream is YCbCr, whatever the data set claims: let DCMTK go by the stream (+cg). Else by the data set (+cp).
colour = "+cg" if b"JFIF" in encoded_frames[0][:16] else "+cp"
tool = {"1.2.840.10008.1.2.5": "dcmdrle", "1.2.840.10008.1.2.4.80": "dcmdjpls", "1.2.840.10008.1.2.4.81": "dcmdjpls"}.get(syntax, "dcmdjpeg")
raw = os.path.join(out, "raw.dcm")
def decode(*command):
    return subprocess.run([*command, path, raw], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


# DCMTK refuses JPEG-LS of fewer than 8 bits; GDCM stands in.
if not decode(tool, *(["+ua", colour] if tool == "dcmdjpeg" else [])) and not (tool == "dcmdjpls" and decode("gdcmconv", "-w")):
    sys.exit(3)
r = pydicom.dcmread(raw)
bits = r.Rows * r.Columns * r.SamplesPerPixel * r.BitsAllocated
pixels = r.PixelData
for i, encoded in enumerate(encoded_frames):
    open(os.path.join(out, f"{i}.encoded"), "wb").write(encoded)
    if bits % 8:
        sys.exit(3)
    frame = pixels[i * bits // 8:(i + 1) * bits // 8]
    if r.SamplesPerPixel > 1 and r.get("PlanarConfiguration", 0) == 1:
        n, size = r.SamplesPerPixel, r.BitsAllocated // 8
        plane = len(frame) // n
        frame = b"".join(frame[s * plane + p:s * plane + p + size] for p in range(0, plane, size) for s in range(n))
    open(os.path.join(out, f"{i}.pixels"), "wb").write(frame)
finish(r.PhotometricInterpretation)
