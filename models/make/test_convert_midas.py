"""python3 -m unittest discover -s models/make: the conversion on a small network that follows MiDaS's contract."""
import json
import os
import pickle
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
HUBCONF = '''
import torch

class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.down = torch.nn.Conv2d(3, 4, 3, stride=4, padding=1)
        self.out = torch.nn.Conv2d(4, 1, 1)

    def forward(self, x):
        x = torch.nn.functional.interpolate(torch.relu(self.down(x)), scale_factor=4.0, mode="bilinear", align_corners=True)
        return torch.relu(self.out(x)).squeeze(1)

def MiDaS_small(pretrained=True):
    return Small()
'''


class Bomb:
    def __reduce__(self):
        return os.mkdir, (os.path.join(tempfile.gettempdir(), "convert-midas-was-executed"),)


class ConvertMidas(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.source = self.path("source")
        os.mkdir(self.source)
        with open(os.path.join(self.source, "hubconf.py"), "w", encoding="utf-8") as stream:
            stream.write(HUBCONF)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def weights(self, change=None):
        import torch
        scope = {}
        exec(HUBCONF, scope)
        torch.manual_seed(3)
        state = scope["Small"]().state_dict()
        torch.save(change(state) if change else state, self.path("weights.pt"))
        return self.path("weights.pt")

    def convert(self, *arguments):
        return subprocess.run([sys.executable, os.path.join(HERE, "..", "convert_midas.py"), *arguments], capture_output=True, text=True, timeout=120)

    def test_weights_of_the_contract_become_a_model_and_a_manifest(self):
        done = self.convert("midas_SMALL", self.weights(), "--source", self.source, "--out", self.path("out"))
        self.assertEqual(0, done.returncode, done.stderr)
        import onnx
        graph = onnx.load(self.path("out/MiDaS_small/model.onnx")).graph
        shape = lambda value: [d.dim_value for d in value.type.tensor_type.shape.dim]
        self.assertEqual([1, 3, 256, 256], shape(graph.input[0]))
        self.assertEqual([1, 256, 256], shape(graph.output[0]))
        with open(self.path("out/MiDaS_small.json"), encoding="utf-8") as stream:
            manifest = json.load(stream)
        self.assertEqual(os.path.getsize(self.path("out/MiDaS_small/model.onnx")), manifest["files"][0]["bytes"])

    def test_weights_with_an_optimizer_beside_them_are_found(self):
        done = self.convert("MiDaS_small", self.weights(lambda state: {"optimizer": {}, "model": dict(state)}), "--source", self.source, "--out", self.path("out"))
        self.assertEqual(0, done.returncode, done.stderr)

    def test_what_it_cannot_do_is_said_and_leaves_nothing(self):
        weights = self.weights()
        with open(self.path("code.pt"), "wb") as stream:
            pickle.dump({"a": Bomb()}, stream)
        for arguments, said in (
                (("MiDaS_small", weights, "--source", self.folder.name), "no hubconf.py"),
                (("MiDaS_small", self.path("absent.pt"), "--source", self.source), "is not there"),
                (("MiDaS_huge", weights, "--source", self.source), "is none of"),
                (("DPT_Large", weights, "--source", self.source), "do not describe"),
                (("MiDaS_small", self.path("code.pt"), "--source", self.source), "no plain weights"),
                (("MiDaS_small", self.weights(lambda state: {"other": state["out.bias"]}), "--source", self.source), "not the weights")):
            done = self.convert(*arguments, "--out", self.path("out"))
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
        self.assertFalse(os.path.exists(self.path("out")))
        self.assertFalse(os.path.exists(os.path.join(tempfile.gettempdir(), "convert-midas-was-executed")))


if __name__ == "__main__":
    unittest.main()
