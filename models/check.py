"""Recomputes the quality figures of the models that ship, on the held-out seeds, from the files that ship.

    python3 models/check.py --runtime path/to/libonnxruntime.so.1 [--write] [--real folder] [name ...]

Fails (exit status 1) where a figure is below what the card promises or a file is not what its manifest says.
--write keeps the figures in models/<name>/results.json. --real compares ct-lung with a threshold-and-fill mask
on a folder of CT slices.
"""
import argparse
import datetime
import glob
import json
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "make"))

from common import save_json, sha256  # noqa: E402
from runtime import Session  # noqa: E402


def _ct_tissue(session, options):
    import ct_tissue_check
    return ct_tissue_check.check(2, session)


def _ct_tissue_3d(session, options):
    import ct_tissue_check
    return ct_tissue_check.check(3, session)


def _ct_lung(session, options):
    import ct_lung_check
    return ct_lung_check.check(session, options.real)


def _photo_object(session, options):
    import pictures_check
    return pictures_check.check_object(session)


def _depth_small(session, options):
    import pictures_check
    return pictures_check.check_depth(session)


CHECKS = {"ct-tissue": _ct_tissue, "ct-tissue-3d": _ct_tissue_3d, "ct-lung": _ct_lung, "photo-object": _photo_object, "depth-small": _depth_small}


def files_match(name):
    with open(os.path.join(HERE, name + ".json"), encoding="utf-8") as stream:
        manifest = json.load(stream)
    return all(sha256(os.path.join(HERE, f["source"])) == f["sha256"] and os.path.getsize(os.path.join(HERE, f["source"])) == f["bytes"]
               for f in manifest["files"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--runtime", required=True, help="libonnxruntime.so.1; the platform's build copies it beside the programs that run models")
    parser.add_argument("--real", help="a folder of axial CT slices of the chest (DICOM, uncompressed)")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    failed = []
    for name in options.names or CHECKS:
        session = Session(options.runtime, os.path.join(HERE, name, "model.onnx"))
        figures, good = CHECKS[name](session, options)
        good = good and files_match(name)
        print(name, "ok" if good else "BELOW ITS THRESHOLDS", json.dumps(figures, indent=1))
        if not good:
            failed.append(name)
        if options.write:
            save_json(os.path.join(HERE, name, "results.json"), {
                "model": name, "date": datetime.date.today().isoformat(), "python": platform.python_version(),
                "sha256": sha256(os.path.join(HERE, name, "model.onnx")), "meets_its_thresholds": good, "figures": figures})
    total = sum(os.path.getsize(p) for p in glob.glob(os.path.join(HERE, "**", "*"), recursive=True) if os.path.isfile(p) and "__pycache__" not in p)
    print(f"models/ holds {total / 1e6:.2f} MB")
    if total > 10e6:
        failed.append("models/ is larger than 10 MB")
    if failed:
        print("failed:", ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
