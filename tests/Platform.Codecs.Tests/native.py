#!/usr/bin/python3
"""The pixels of native DICOM files as pydicom gives them.

usage: native.py OUTDIR FILE...
Writes OUTDIR/<i>.pixels for the i-th file: all frames, interleaved, little endian, samples of one bit as bytes of 0 and 1.
No file where pydicom has no pixels.
"""
import os, sys, warnings
import pydicom

warnings.simplefilter("ignore")
out, *paths = sys.argv[1:]
for i, path in enumerate(paths):
    d = pydicom.dcmread(path, force=True)
    if "PixelData" not in d or d.file_meta.get("TransferSyntaxUID", "1.2.840.10008.1.2").is_encapsulated:
        continue
    a = d.pixel_array
    open(os.path.join(out, f"{i}.pixels"), "wb").write(a.astype(a.dtype.newbyteorder("<")).tobytes())
