"""Turns MiDaS's published weights (.pt) into an ONNX model with its manifest.

    python3 models/convert_midas.py MiDaS_small model-small-70d6b9c8.pt --source MiDaS --out converted [--runtime libonnxruntime.so.1]

NAME is DPT_Large, DPT_Hybrid, MiDaS or MiDaS_small, in any case. --source is a checkout of MiDaS at its version 3
or 2.1 (the folder with hubconf.py, which describes the networks): its code is run, so take it from where you trust.
The weights are read as tensors only; a file that holds anything else is refused. Writes OUT/NAME/model.onnx and
OUT/NAME.json, the contract that InferenceApi runs. DPT_* need the package timm; MiDaS and MiDaS_small fetch the
description of their backbone through torch.hub once.
"""
import argparse
import hashlib
import json
import os
import sys

# name -> side of the square input, mean, standard deviation (of values 0 to 1)
CONTRACTS = {
    "DPT_Large": (384, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    "DPT_Hybrid": (384, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
    "MiDaS": (384, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "MiDaS_small": (256, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
}


class Refused(Exception):
    pass


def network(name, source, weights):
    import pickle
    import torch
    if not os.path.isfile(os.path.join(source, "hubconf.py")):
        raise Refused(f"{source} has no hubconf.py. Get MiDaS's sources (for example `git clone https://github.com/isl-org/MiDaS`) and give their folder with --source.")
    if not os.path.isfile(weights):
        raise Refused(f"{weights} is not there. `platform models download {name}` fetches it.")
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, AttributeError) as error:
        raise Refused(f"{weights} holds no plain weights: {error}") from error
    if isinstance(state, dict) and isinstance(state.get("model"), dict) and "optimizer" in state:
        state = state["model"]
    try:
        net = torch.hub.load(source, name, source="local", pretrained=False)
    except ModuleNotFoundError as error:
        raise Refused(f"The sources need the Python package {error.name}.") from error
    except OSError as error:
        raise Refused(f"The sources could not fetch the description of the backbone: {error}") from error
    except RuntimeError as error:
        raise Refused(f"The sources do not describe {name}: {error}") from error
    try:
        net.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise Refused(f"{weights} are not the weights of {name}: {str(error).splitlines()[0]}") from error
    return net.eval()


def convert(name, weights, source, out, runtime=None):
    """Writes the model and its manifest; returns the path of the model."""
    import torch
    known = {k.lower(): k for k in CONTRACTS}
    if name.lower() not in known:
        raise Refused(f"{name} is none of {', '.join(CONTRACTS)}.")
    name = known[name.lower()]
    side, mean, std = CONTRACTS[name]
    net = network(name, source, weights)
    generator = torch.Generator().manual_seed(1)
    example = torch.rand(1, 3, side, side, generator=generator) * 4 - 2
    with torch.no_grad():
        wanted = net(example)
    if tuple(wanted.shape) != (1, side, side):
        raise Refused(f"The network answers {list(wanted.shape)} where MiDaS's contract is [1, {side}, {side}].")
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    path, half = os.path.join(folder, "model.onnx"), os.path.join(folder, "model.onnx.part")
    torch.onnx.export(net, example, half, opset_version=13, input_names=["input"], output_names=["depth"])
    if runtime:
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "make"))
        from runtime import Session
        got = torch.from_numpy(Session(runtime, half).run("input", "depth", example.numpy()))
        error = float((got - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))
        if not error < 1e-3:
            os.remove(half)
            raise Refused(f"ONNX Runtime's answer differs from torch's by {error:.1e} of the largest value.")
    os.replace(half, path)
    with open(path, "rb") as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    with open(os.path.join(out, name + ".json"), "w", encoding="utf-8", newline="\n") as stream:
        json.dump({
            "schema": 1, "name": name, "title": f"{name} (converted)", "version": "1.0.0", "task": "depth", "licence": "MIT",
            "description": "Relative inverse depth by MiDaS, converted from its published weights.",
            "files": [{"path": "model.onnx", "source": f"{name}/model.onnx", "sha256": digest, "bytes": os.path.getsize(path)}],
            "runs": "model.onnx",
            "inputs": [{"name": "input", "element": "float32", "shape": [1, 3, side, side], "layout": "NCHW", "unit": "rgb",
                        "preprocessing": {"resize": {"mode": "stretch", "filter": "bicubic"}, "range": {"from": [0, 255], "to": [0, 1]}, "mean": mean, "std": std}}],
            "outputs": [{"name": "depth", "element": "float32", "shape": [1, side, side], "layout": "NHW", "unit": "inverse-depth"}],
        }, stream, indent=2)
        stream.write("\n")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME", help=", ".join(CONTRACTS))
    parser.add_argument("weights", help="the published .pt")
    parser.add_argument("--source", required=True, help="folder of MiDaS's sources, with hubconf.py")
    parser.add_argument("--out", required=True, help="folder for the model and its manifest")
    parser.add_argument("--runtime", help="libonnxruntime.so.1: compare its answer with torch's before keeping the model")
    options = parser.parse_args()
    try:
        print(convert(options.name, options.weights, options.source, options.out, options.runtime))
    except Refused as refused:
        print(f"convert_midas: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
