"""Writes numpyFiles.json: files as NumPy writes them, with the values they hold. Run it with NumPy 2: python3 numpyFiles.py"""

import base64
import io
import json
import pathlib

import numpy as np

text = lambda b: base64.b64encode(b).decode()


def npy(x, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, x, version)
    return text(out.getvalue())


def values(x):
    if x.dtype.kind == "c":
        return [[float(v.real), float(v.imag)] for v in x.ravel()]
    return [str(v) if x.dtype.kind in "iu" else float(v) for v in x.ravel()]


def case(x, version=None):
    return {"bytes": npy(x, version), "dtype": x.dtype.name, "shape": list(x.shape), "values": values(x)}


cases = []
base = np.array([[0, 1, 2], [3, 100, 127]])
for dtype in ["bool", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]:
    for order in "<>":
        x = (base * (1 + 0.5j) if dtype[0] == "c" else base * 0.25 if dtype[0] == "f" else base).astype(np.dtype(dtype).newbyteorder(order))
        cases.append(case(x))
        cases.append(case(np.asfortranarray(x)))
cases.append(case(np.float32(2.5).reshape(())))
cases.append(case(np.zeros((0, 3), "f4")))
cases.append(case(np.arange(24, dtype="i4").reshape(2, 3, 4).transpose(2, 1, 0)))
for version in [(1, 0), (2, 0), (3, 0)]:
    cases.append(case(base.astype("i2"), version))

archives = []
for save in [np.savez, np.savez_compressed]:
    out = io.BytesIO()
    save(out, w=np.arange(6, dtype="f4").reshape(2, 3), b=np.array([1, -1], "i4"), zeros=np.zeros(3000, "u1"))
    archives.append(text(out.getvalue()))

refused = {
    "objects": npy(np.array([1, "a", None], object)),
    "records": npy(np.zeros(2, [("a", "f4"), ("b", "i4")])),
    "strings": npy(np.array(["ab", "c"])),
    "longdouble": npy(np.zeros(2, np.longdouble)),
}
file = pathlib.Path(__file__).with_name("numpyFiles.json")
file.write_text(json.dumps({"numpy": np.__version__, "cases": cases, "archives": archives, "refused": refused}, indent=1) + "\n")
