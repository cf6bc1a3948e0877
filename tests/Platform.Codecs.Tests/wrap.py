#!/usr/bin/python3
"""Puts one encoded frame into a DICOM file and has an independent tool decode it.

usage: wrap.py STREAM TRANSFER_SYNTAX ROWS COLUMNS SAMPLES ALLOCATED STORED SIGNED TOOL PIXELS
Writes to PIXELS what TOOL (dcmdjpls, gdcmconv -w) decodes, interleaved, little endian.
"""
import os, subprocess, sys, tempfile
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import generate_uid

stream, syntax, rows, columns, samples, allocated, stored, signed, tool, pixels = sys.argv[1:]
d = Dataset()
d.file_meta = FileMetaDataset()
d.file_meta.TransferSyntaxUID = syntax
d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID = generate_uid()
d.StudyInstanceUID, d.SeriesInstanceUID, d.Modality, d.PatientID = generate_uid(), generate_uid(), "OT", "X"
d.Rows, d.Columns, d.SamplesPerPixel = int(rows), int(columns), int(samples)
d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = int(allocated), int(stored), int(stored) - 1, int(signed)
d.PhotometricInterpretation = "RGB" if d.SamplesPerPixel == 3 else "MONOCHROME2"
if d.SamplesPerPixel == 3:
    d.PlanarConfiguration = 0
d.PixelData = encapsulate([open(stream, "rb").read()])
d["PixelData"].is_undefined_length = True
d.is_little_endian, d.is_implicit_VR = True, False
with tempfile.TemporaryDirectory() as folder:
    wrapped, raw = os.path.join(folder, "wrapped.dcm"), os.path.join(folder, "raw.dcm")
    d.save_as(wrapped, write_like_original=False)
    done = subprocess.run([*tool.split(), wrapped, raw], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr or done.stdout or "the tool failed")
    r = pydicom.dcmread(raw)
    data = r.PixelData
    if r.SamplesPerPixel > 1 and r.PlanarConfiguration == 1:
        plane, size = len(data) // 3, r.BitsAllocated // 8
        data = b"".join(data[s * plane + p:s * plane + p + size] for p in range(0, plane, size) for s in range(3))
    open(pixels, "wb").write(data)
