"""Brings `sha256` and `bytes` of every manifest in line with the files that lie here. Run after an export."""
import glob
import json
import os

from common import MODELS, save_json, sha256

if __name__ == "__main__":
    for path in sorted(glob.glob(os.path.join(MODELS, "*.json"))):
        with open(path, encoding="utf-8") as stream:
            manifest = json.load(stream)
        for entry in manifest["files"]:
            if "source" in entry:
                file = os.path.join(MODELS, entry["source"])
                entry["sha256"], entry["bytes"] = sha256(file), os.path.getsize(file)
        save_json(path, manifest)
