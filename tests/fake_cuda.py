"""CUDA's runtime and TensorRT as far as the backends use them, on the host's memory.

What is asked of a stream happens at once, or is recorded while a graph is. ONNX Runtime runs the networks, at the
addresses that it is told.
"""

from __future__ import annotations

import ctypes
from enum import Enum
from types import SimpleNamespace

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}


class cudaError_t(Enum):
    cudaSuccess = 0
    cudaErrorNotReady = 600
    cudaErrorLaunchFailure = 719


class FakeCuda:
    """`broken`: the name of a function that fails from now on. `slow`: copies of the second stream do not arrive."""

    cudaError_t = cudaError_t
    cudaStreamNonBlocking, cudaEventDisableTiming = 1, 2
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
    cudaDeviceAttr = SimpleNamespace(cudaDevAttrComputeCapabilityMajor=75, cudaDevAttrComputeCapabilityMinor=76)

    def __init__(self, capability=(8, 9), count=1):
        self.broken, self.slow, self.launched, self.waited = "", False, 0, 0
        self.capability, self.count = capability, count
        self.held, self.recorded, self._pending = {}, None, []

    def __getattribute__(self, name):
        if name.startswith("cuda") and name == object.__getattribute__(self, "broken"):
            return lambda *arguments: (cudaError_t.cudaErrorLaunchFailure, None)
        return object.__getattribute__(self, name)

    def do(self, act):
        """At once, or in the graph that is being recorded."""
        act() if self.recorded is None else self.recorded.append(act)

    def _new(self, what):
        handle = ctypes.addressof(what) if isinstance(what, ctypes.Array) else 1000 + len(self.held)
        self.held[handle] = what
        return cudaError_t.cudaSuccess, handle

    def _free(self, handle):
        del self.held[int(handle)]
        return (cudaError_t.cudaSuccess,)

    def cudaGetDeviceCount(self):
        return cudaError_t.cudaSuccess, self.count

    def cudaGetDeviceProperties(self, device):
        return cudaError_t.cudaSuccess, SimpleNamespace(name=b"A fake GPU\0\0\0")

    def cudaDeviceGetAttribute(self, attribute, device):
        return cudaError_t.cudaSuccess, self.capability[attribute - 75]

    def cudaMalloc(self, size):
        return self._new(ctypes.create_string_buffer(b"\xff" * size, size))

    cudaMallocHost = cudaMalloc

    def cudaStreamCreateWithFlags(self, flags):
        return self._new("stream")

    def cudaEventCreateWithFlags(self, flags):
        return self._new("event")

    cudaFree = cudaFreeHost = cudaStreamDestroy = cudaEventDestroy = cudaGraphExecDestroy = _free

    def cudaMemcpyAsync(self, to, of, size, kind, stream):
        assert isinstance(to, int) and isinstance(of, int)
        inside = [len(held) for held in self.held.values() if isinstance(held, ctypes.Array)]
        assert size in inside
        self.do(lambda: ctypes.memmove(to, of, size))
        return (cudaError_t.cudaSuccess,)

    def cudaStreamSynchronize(self, stream):
        self.slow = False
        return (cudaError_t.cudaSuccess,)

    def cudaStreamWaitEvent(self, stream, event, flags):
        self.waited += 1
        return (cudaError_t.cudaSuccess,)

    def cudaEventRecord(self, event, stream):
        return (cudaError_t.cudaSuccess,)

    def cudaEventQuery(self, event):
        return (cudaError_t.cudaErrorNotReady if self.slow else cudaError_t.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream, mode):
        self.recorded = []
        return (cudaError_t.cudaSuccess,)

    def cudaStreamEndCapture(self, stream):
        graph, self.recorded = self.recorded, None
        return cudaError_t.cudaSuccess, graph

    def cudaGraphInstantiate(self, graph, flags):
        return self._new(graph)

    def cudaGraphDestroy(self, graph):
        return (cudaError_t.cudaSuccess,)

    def cudaGraphLaunch(self, instance, stream):
        self.launched += 1
        for act in self.held[instance]:
            act()
        return (cudaError_t.cudaSuccess,)


class FakeTensorrt:
    """Its engines are the graphs that they would be made of. `capturable`: whether ticks can be recorded."""

    class ILogger:
        Severity = SimpleNamespace(ERROR=1, INTERNAL_ERROR=0)

    TensorIOMode = SimpleNamespace(INPUT="in", OUTPUT="out")
    ComputeCapability = SimpleNamespace(SM89=89)
    IBuilderConfig = SimpleNamespace()
    __name__, __version__ = "fake_tensorrt", "1"

    def __init__(self, cuda, capturable=True):
        self.cuda, self.capturable, self.known, self.executed = cuda, capturable, [], 0

    def Runtime(self, log):
        return SimpleNamespace(deserialize_cuda_engine=lambda blob: FakeEngine(self, blob) if blob else None)


class FakeEngine:
    """Also its own runtime configuration and context."""

    def __init__(self, trt, blob):
        self.trt, self.addresses = trt, {}
        self.session = onnxruntime.InferenceSession(blob, providers=["CPUExecutionProvider"])
        taken, given = self.session.get_inputs(), self.session.get_outputs()
        self.inputs, self.outputs = ({value.name: value.shape for value in values} for values in (taken, given))
        self.types = {value.name: TYPES[value.type] for value in (*taken, *given)}
        self.names = [*self.inputs, *self.outputs]
        self.num_io_tensors = len(self.names)

    def get_tensor_name(self, number):
        return self.names[number]

    def get_tensor_mode(self, name):
        return "in" if name in self.inputs else "out"

    def get_tensor_shape(self, name):
        return (self.inputs | self.outputs)[name]

    def create_runtime_config(self):
        return self

    def create_runtime_cache(self):
        return SimpleNamespace(deserialize=self.trt.known.append, serialize=lambda: b"kernels")

    def set_runtime_cache(self, cache):
        return True

    def create_execution_context(self, config):
        return self

    def is_stream_capturable(self, stream):
        return self.trt.capturable

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        binding = self.session.io_binding()
        for kind, shapes in ((binding.bind_input, self.inputs), (binding.bind_output, self.outputs)):
            for name, shape in shapes.items():
                kind(name, "cpu", 0, self.types[name], shape, self.addresses[name])
        self.trt.executed += 1
        self.trt.cuda.do(lambda: self.session.run_with_iobinding(binding))
        return True
