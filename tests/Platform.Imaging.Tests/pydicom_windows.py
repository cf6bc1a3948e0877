#!/usr/bin/python3
"""What pydicom makes of every 12-bit value under a window: one grey from 0 to 1 per line.

usage: pydicom_windows.py CENTER WIDTH FUNCTION SLOPE INTERCEPT
"""
import sys
import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixel_data_handlers.util import apply_modality_lut, apply_voi_lut

center, width, function, slope, intercept = sys.argv[1:]
d = Dataset()
d.PhotometricInterpretation = "MONOCHROME2"
d.BitsStored, d.BitsAllocated, d.PixelRepresentation = 12, 16, 0
d.WindowCenter, d.WindowWidth, d.VOILUTFunction = center, width, function
d.RescaleSlope, d.RescaleIntercept = slope, intercept
y_min, y_max = float(intercept), 4095 * float(slope) + float(intercept)  # pydicom's range of the output
grey = apply_voi_lut(apply_modality_lut(np.arange(4096, dtype="uint16"), d), d)
for value in (grey - y_min) / (y_max - y_min):
    print(repr(float(value)))
