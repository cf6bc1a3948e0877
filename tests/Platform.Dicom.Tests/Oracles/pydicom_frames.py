"""The SHA-1 of every frame of DICOM files as pydicom finds them, native pixels in little endian: one JSON document per line and file.

usage: pydicom_frames.py FILE...
"""
import hashlib
import json
import sys
import warnings

import numpy
import pydicom
from pydicom.encaps import generate_pixel_data_frame

warnings.simplefilter("ignore")


def frames_of(dataset, keyword):
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    if dataset[keyword].is_undefined_length:
        return [bytes(frame) for frame in generate_pixel_data_frame(dataset.PixelData, count)]
    stored = dataset[keyword].value
    bits = dataset.Rows * dataset.Columns * dataset.BitsAllocated * dataset.SamplesPerPixel
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        bits = bits * 2 // 3
    if not dataset.is_little_endian and dataset[keyword].VR == "OW":
        unit = {16: 2, 32: 4}.get(dataset.BitsAllocated, 2)
        stored = numpy.frombuffer(stored[: len(stored) // unit * unit], ">u%d" % unit).astype("<u%d" % unit).tobytes()
    if bits % 8 == 0:
        return [stored[i * bits // 8 : (i + 1) * bits // 8] for i in range(count)]
    unpacked = numpy.unpackbits(numpy.frombuffer(stored, "u1"), bitorder="little")
    return [numpy.packbits(unpacked[i * bits : (i + 1) * bits], bitorder="little").tobytes() for i in range(count)]


for name in sys.argv[1:]:
    dataset = pydicom.dcmread(name, force=True)
    keyword = next((k for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if k in dataset), None)
    frames = frames_of(dataset, keyword) if keyword else []
    print(json.dumps({"file": name, "frames": [hashlib.sha1(frame).hexdigest() for frame in frames]}))
