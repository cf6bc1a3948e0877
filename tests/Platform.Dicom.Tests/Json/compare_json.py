"""Compares DICOM JSON made by the Platform with what an oracle makes of the same files.

    compare_json.py pydicom FOLDER        FOLDER/<name>.json and the path of <name> in FOLDER/<name>.path
    compare_json.py dcm2json FOLDER

Prints one line per difference, none when all is equal. What counts as equal although it is written differently:
- no Value, an empty Value list and Value [""] or [null] alone; null and "" among other values; trailing padding of text;
- numbers are compared as numbers (FL with the precision of 32 bits); text of DS and IS that is no number as text;
- empty components at the end of a person name, which dcm2json drops;
- the last bits of FD, which dcm2json rounds;
- a sequence that was sent as UN, which pydicom parses;
- Specific Character Set is ISO_IR 192 in ours, because the text is;
- private elements without a VR: the oracles have dictionaries of private elements;
- group lengths and file meta information are no part of DICOM JSON; reading stops before pixel data.
"""
import base64, json, os, struct, subprocess, sys, warnings

oracle, folder = sys.argv[1:3]
warnings.simplefilter("ignore")
NUMBERS = {"DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "UV", "SV"}
BULK = {"OB", "OW", "OL", "OD", "OF", "OV", "UN"}


def normal(vr, value):
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return {k: v.rstrip(" ^") for k, v in value.items() if v and v.rstrip(" ^")} or None
    if vr in NUMBERS:
        try:
            number = float(str(value).strip(" \0"))
            return struct.unpack("f", struct.pack("f", number))[0] if vr == "FL" and abs(number) < 3e38 else number
        except ValueError:
            return str(value).strip(" \0") or None
    return str(value).rstrip(" \0") if vr in ("LT", "ST", "UT", "UC", "PN", "UR", None) else str(value).strip(" \0") or None


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= 1e-13 * abs(b)
    return a == b


def compare(ours, theirs, where, out):
    skip = lambda t: t.endswith("0000") or t.startswith(("0002", "0000", "FFFE")) or t >= "7FE00008" or t == "00080005"
    for tag in sorted(set(ours) | set(theirs)):
        if skip(tag):
            continue
        at = f"{where}/{tag}"
        if tag not in ours or tag not in theirs:
            out.append(f"{at} only {'theirs' if tag in theirs else 'ours'}")
            continue
        a, b = ours[tag], theirs[tag]
        vr = a["vr"]
        if vr == "UN" and (int(tag[3], 16) % 2 or b["vr"] == "SQ"):
            continue
        if a["vr"] != b["vr"] and b["vr"] != "UN":
            out.append(f"{at} vr {a['vr']} {b['vr']}")
        if vr == "SQ":
            x, y = a.get("Value") or [], b.get("Value") or []
            if len(x) != len(y):
                out.append(f"{at} items {len(x)} {len(y)}")
            for i, (p, q) in enumerate(zip(x, y)):
                compare(p, q, f"{at}[{i}]", out)
        elif "InlineBinary" in a or "InlineBinary" in b:
            if b["vr"] == "UN" and vr not in BULK:
                continue
            x, y = base64.b64decode(a.get("InlineBinary", "")), base64.b64decode(b.get("InlineBinary", ""))
            if x != y:
                out.append(f"{at} {vr} binary of {len(x)} and {len(y)} bytes differs")
        else:
            x, y = [normal(vr, v) for v in a.get("Value") or []], [normal(vr, v) for v in b.get("Value") or []]
            x, y = ([] if v == [None] else v for v in (x, y))
            if len(x) != len(y) or not all(same(p, q) for p, q in zip(x, y)):
                out.append(f"{at} {vr} {x!r} {y!r}"[:300])


def by_pydicom(path):
    import pydicom
    pydicom.config.convert_wrong_length_to_UN = True
    ds = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    return ds.to_json_dict(suppress_invalid_tags=False)


def by_dcm2json(path):
    made = subprocess.run(["dcm2json", "-q", "-fc", "-ee", path], capture_output=True)
    if made.returncode != 0:
        raise RuntimeError(made.stderr.decode("utf-8", "replace").strip()[:200])
    return json.loads(made.stdout)


checked, out = 0, []
for name in sorted(os.listdir(folder)):
    if not name.endswith(".json"):
        continue
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        ours = json.load(file)
    with open(os.path.join(folder, name[:-5] + ".path"), encoding="utf-8") as file:
        path = file.read()
    try:
        theirs = by_pydicom(path) if oracle == "pydicom" else by_dcm2json(path)
    except Exception as failure:
        print(f"# {name}: {oracle} fails: {type(failure).__name__} {failure}"[:300])
        continue
    checked += 1
    found = []
    compare(ours, theirs, name[:-5], found)
    out += found
print(f"# {checked} compared")
print("\n".join(out))
