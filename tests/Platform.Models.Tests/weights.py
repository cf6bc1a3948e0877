"""Files of weights by the programs that they are for. `make FOLDER` writes some, `check FOLDER` reads ours; both tell what they hold, a line each:
file, name, element type, shape, SHA-256 of the bytes in C order."""
import collections
import hashlib
import json
import os
import pickle
import struct
import sys

import h5py
import numpy as np
import torch


def tell(file, name, array):
    array = np.asarray(array)
    print(file, name, array.dtype.name, "x".join(map(str, array.shape)) or "-", hashlib.sha256(array.tobytes(order="C")).hexdigest(), sep="\t")


def arrays():
    random = np.random.default_rng(5)
    return {
        "conv.weight": random.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "conv.bias": random.standard_normal(4).astype(np.float32),
        "norm.count": np.array(7, np.int64),
        "wide": random.standard_normal((300, 70)).astype(np.float64),
        "half": random.standard_normal((5, 6)).astype(np.float16),
        "bytes": random.integers(0, 255, 9000).astype(np.uint8),
        "mask": random.integers(0, 2, (3, 5)).astype(bool),
        "empty": np.zeros((0, 3), np.float32),
        "int32": random.integers(-9, 9, (2, 2)).astype(np.int32),
    }


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, ("touch " + self.path,)


def make(folder):
    tensors = arrays()
    for file, options in (("plain.h5", {}), ("gzip.h5", {"compression": "gzip", "chunks": True}), ("shuffle.h5", {"compression": "gzip", "shuffle": True, "chunks": True})):
        with h5py.File(os.path.join(folder, file), "w") as h5:
            for name, array in tensors.items():
                chunked = array.ndim > 0 and array.size > 0
                h5.create_dataset("layers/" + name, data=array, **(options if chunked else {}))
                tell(file, "layers/" + name, array)
            h5.attrs["note"] = "attributes are passed over"
    with h5py.File(os.path.join(folder, "many.h5"), "w") as h5:
        for i in range(700):
            h5["t%04d" % i] = np.full(3, i, np.int16)
            tell("many.h5", "t%04d" % i, np.full(3, i, np.int16))

    state = collections.OrderedDict((name, torch.from_numpy(array.copy())) for name, array in tensors.items())
    torch.save({"state_dict": state, "epoch": 3, "rate": 0.5, "note": "text", "list": [1, None, True]}, os.path.join(folder, "state.pt"))
    for name, array in tensors.items():
        tell("state.pt", "state_dict." + name, array)
    views = {"transposed": state["wide"].t(), "part": state["wide"][10:20, 5:9], "b": torch.ones(3, dtype=torch.bfloat16)}
    torch.save(views, os.path.join(folder, "views.pt"))
    tell("views.pt", "transposed", views["transposed"].numpy())
    tell("views.pt", "part", views["part"].numpy())
    module = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    torch.save(module.state_dict(), os.path.join(folder, "module.pt"))
    for name, tensor in module.state_dict().items():
        tell("module.pt", name, tensor.numpy())
    torch.save(module, os.path.join(folder, "whole-module.pt"))

    for protocol in (2, 3, 4, 5):
        file = "protocol%d.pkl" % protocol
        with open(os.path.join(folder, file), "wb") as out:
            pickle.dump({"arrays": tensors, "more": [np.asfortranarray(tensors["wide"]), 1, "x"]}, out, protocol=protocol)
        for name, array in tensors.items():
            tell(file, "arrays." + name, array)
        tell(file, "more.0", tensors["wide"])
    for protocol in (0, 2, 4):
        with open(os.path.join(folder, "evil%d.pkl" % protocol), "wb") as out:
            pickle.dump({"weights": Evil(os.path.join(folder, "ran"))}, out, protocol=protocol)
    torch.save({"weights": Evil(os.path.join(folder, "ran"))}, os.path.join(folder, "evil.pt"))


def check(folder):
    for file in sorted(os.listdir(folder)):
        path = os.path.join(folder, file)
        if file.endswith(".h5"):
            with h5py.File(path, "r") as h5:
                for name in h5:
                    tell(file, name.replace("%2F", "/").replace("%25", "%"), h5[name][()])
        elif file.endswith(".pt"):
            for name, tensor in torch.load(path).items():
                tell(file, name, tensor.numpy() if tensor.dtype != torch.bfloat16 else tensor.view(torch.int16).numpy())
        elif file.endswith(".pkl"):
            with open(path, "rb") as data:
                for name, array in pickle.load(data).items():
                    tell(file, name, array)
        elif file.endswith(".safetensors"):
            with open(path, "rb") as data:
                header = json.loads(data.read(struct.unpack("<Q", data.read(8))[0]))
                body = data.read()
            types = {"F32": np.float32, "F64": np.float64, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8, "BOOL": bool}
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                tell(file, name, np.frombuffer(body[begin:end], types[entry["dtype"]]).reshape(entry["shape"]))


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
