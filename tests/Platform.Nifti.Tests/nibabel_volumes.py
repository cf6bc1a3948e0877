"""What nibabel reads from NIfTI files: one JSON object a line. Usage: nibabel_volumes.py FILE ..."""
import json
import sys
import warnings

import nibabel
import numpy as np

warnings.filterwarnings("ignore")


def values_of(image):
    """The numbers whose range counts: magnitudes of complex ones, components of colours without alpha."""
    stored = np.asanyarray(image.dataobj.get_unscaled())
    if stored.dtype.fields:
        return np.stack([stored[name] for name in "RGB"]).ravel().astype(float)
    slope, inter = image.dataobj.slope, image.dataobj.inter
    if np.iscomplexobj(stored):
        return np.abs(stored.astype(np.complex128).ravel() * slope + inter)
    return stored.astype(np.float64).ravel() * slope + inter


for path in sys.argv[1:]:
    image = nibabel.load(path)
    header = image.header
    values = values_of(image)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [2, 98], interpolation="lower") if len(finite) else (0, 0)
    affine = header.get_best_affine()
    qform = header.get_qform(coded=True)[0]
    print(json.dumps({
        "file": path,
        "version": 2 if header["sizeof_hdr"] == 540 else 1,
        "bigEndian": header.endianness == ">",
        "type": int(header["datatype"]),
        "sizes": [int(n) for n in header["dim"][1:header["dim"][0] + 1]],
        "offset": int(header["vox_offset"]),
        "affine": [float(n) for n in affine[:3].ravel()],
        "qform": None if qform is None else [float(n) for n in qform[:3].ravel()],
        "axes": "".join(nibabel.aff2axcodes(affine)),
        "zooms": [float(n) for n in header.get_zooms()],
        "units": list(header.get_xyzt_units()),
        "slope": float(image.dataobj.slope),
        "inter": float(image.dataobj.inter),
        "min": float(finite.min()) if len(finite) else 0,
        "max": float(finite.max()) if len(finite) else 0,
        "low": float(low),
        "high": float(high),
        "count": int(len(finite)),
        "notFinite": int(len(values) - len(finite)),
    }))
