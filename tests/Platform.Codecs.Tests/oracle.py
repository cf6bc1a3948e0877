#!/usr/bin/python3
"""Frames of a compressed DICOM file beside the pixels that DCMTK decodes from them.

usage: oracle.py FILE OUTDIR
Writes OUTDIR/description.json, OUTDIR/<i>.encoded and OUTDIR/<i>.pixels (interleaved, little endian), i from 0.
Exit code 3: DCMTK does not decode this file.
"""
import json, os, subprocess, sys, warnings
import pydicom
from pydicom.encaps import generate_pixel_data_frame

warnings.simplefilter("ignore")
path, out = sys.argv[1:]
os.makedirs(out, exist_ok=True)
d = pydicom.dcmread(path, force=True)
syntax = d.file_meta.TransferSyntaxUID
frames = int(d.get("NumberOfFrames", 1) or 1)
encoded_frames = list(generate_pixel_data_frame(d.PixelData, frames))
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
json.dump({
    "Syntax": str(syntax), "Frames": frames, "Rows": d.Rows, "Columns": d.Columns, "SamplesPerPixel": d.SamplesPerPixel,
    "BitsAllocated": d.BitsAllocated, "BitsStored": d.BitsStored, "IsSigned": bool(d.PixelRepresentation),
    "Photometric": d.PhotometricInterpretation, "DecodedPhotometric": r.PhotometricInterpretation,
}, open(os.path.join(out, "description.json"), "w"))
