"""Dumps every data element of DICOM files as pydicom sees it: one JSON document per line and file.

usage: pydicom_elements.py FILE...

{"file": path, "elements": [[path, vr, length, sha1 of the bytes as stored, [values]], ...]} or {"file": path, "error": text}
where path is "GGGGEEEE" or "GGGGEEEE[item]GGGGEEEE", and values are texts, or numbers as texts, or null where bytes say it all. The digest is null for a sequence, "" where unknown.
"""
import hashlib
import json
import sys
import warnings

import pydicom
from pydicom.dataelem import RawDataElement

warnings.simplefilter("ignore")
pydicom.config.replace_un_with_known_vr = False
pydicom.config.convert_wrong_length_to_UN = True

NUMBERS = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"}
TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "SH", "ST", "TM", "UC", "UI", "UR", "UT", "PN"}


def values_of(element):
    value = element.value
    if element.VR not in NUMBERS and element.VR not in TEXTS:
        return None
    if value is None or (isinstance(value, (str, bytes)) and not value):
        return []
    values = list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    if element.VR in NUMBERS:
        return [repr(v) for v in values]
    if element.VR in ("DS", "IS"):
        return [getattr(v, "original_string", str(v)) for v in values]
    return [str(v) for v in values]


def walk(dataset, path, out):
    for tag in sorted(dataset.keys()):
        raw = dataset.get_item(tag)
        stored = raw.value if isinstance(raw, RawDataElement) else None
        raw_vr = raw.VR
        element = dataset[tag]
        key = "%s%08X" % (path, int(tag))
        if element.VR == "SQ":
            out.append([key, "SQ", len(element.value), None, None])
            for i, item in enumerate(element.value):
                walk(item, "%s[%d]" % (key, i), out)
            continue
        if stored is None:
            # Converted while reading, such as the character set; bytes stayed what they were, others are compared by value.
            stored = element.value if isinstance(element.value, bytes) else None
        digest = "" if stored is None else hashlib.sha1(stored).hexdigest()
        try:
            values = values_of(element)
        except Exception:
            values = None
        out.append([key, raw_vr, len(stored or b""), digest, values])


for name in sys.argv[1:]:
    try:
        dataset = pydicom.dcmread(name, force=True)
        elements = []
        walk(dataset, "", elements)
        print(json.dumps({"file": name, "elements": elements}))
    except Exception as error:
        print(json.dumps({"file": name, "error": repr(error)}))
