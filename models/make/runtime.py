"""Runs a model by ONNX Runtime's C library, for checks: float32 in, float32 or uint8 out, no Python package needed.

The library is `libonnxruntime.so.1` as the build of the platform fetches it; its path is given by the caller.
The table's slots are those of ONNX Runtime's C API, whose order is append-only.
"""
import ctypes as c

import numpy as np

_ELEMENTS = {1: np.float32, 2: np.uint8}


class Session:
    def __init__(self, library, model, threads=1):
        base = c.CDLL(library).OrtGetApiBase
        base.restype = c.POINTER(c.c_void_p)
        get = c.CFUNCTYPE(c.c_void_p, c.c_uint32)(base()[0])
        self._table = c.cast(get(14), c.POINTER(c.c_void_p))
        self._env, options, self._session, self._memory = c.c_void_p(), c.c_void_p(), c.c_void_p(), c.c_void_p()
        self._call(3, c.c_int(3), c.c_char_p(b"check"), c.byref(self._env))                                     # CreateEnv
        self._call(10, c.byref(options))                                                                       # CreateSessionOptions
        self._call(24, options, c.c_int(threads))                                                              # SetIntraOpNumThreads
        self._call(7, self._env, c.c_char_p(model.encode()), options, c.byref(self._session))                  # CreateSession
        self._call(69, c.c_int(1), c.c_int(0), c.byref(self._memory))                                          # CreateCpuMemoryInfo

    def _call(self, slot, *arguments):
        status = c.CFUNCTYPE(c.c_void_p)(self._table[slot])(*arguments)
        if status:
            raise RuntimeError(c.CFUNCTYPE(c.c_char_p, c.c_void_p)(self._table[2])(status).decode())

    def run(self, input_name, output_name, value):
        value = np.ascontiguousarray(value, np.float32)
        shape = (c.c_int64 * value.ndim)(*value.shape)
        tensor, result, facts = c.c_void_p(), c.c_void_p(), c.c_void_p()
        self._call(49, self._memory, value.ctypes.data_as(c.c_void_p), c.c_size_t(value.nbytes), c.cast(shape, c.c_void_p), c.c_size_t(value.ndim), c.c_int(1), c.byref(tensor))
        names_in, names_out = (c.c_char_p * 1)(input_name.encode()), (c.c_char_p * 1)(output_name.encode())
        self._call(9, self._session, None, c.byref(names_in), c.byref(tensor), c.c_size_t(1), c.byref(names_out), c.c_size_t(1), c.byref(result))
        element, rank, data = c.c_int(), c.c_size_t(), c.c_void_p()
        self._call(65, result, c.byref(facts))
        self._call(60, facts, c.byref(element))
        self._call(61, facts, c.byref(rank))
        sizes = (c.c_int64 * rank.value)()
        self._call(62, facts, c.byref(sizes), c.c_size_t(rank.value))
        self._call(51, result, c.byref(data))
        kind = np.dtype(_ELEMENTS[element.value])
        count = int(np.prod(list(sizes)))
        copy = np.frombuffer(c.string_at(data.value, count * kind.itemsize), kind).reshape(list(sizes)).copy()
        c.CFUNCTYPE(None, c.c_void_p)(self._table[99])(facts)
        for used in (tensor, result):
            c.CFUNCTYPE(None, c.c_void_p)(self._table[96])(used)
        return copy
