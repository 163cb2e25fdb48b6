"""What a till and its worker say to each other: length-prefixed msgpack through two pipes, one answer per question."""

from __future__ import annotations

import struct
from typing import Any, Final

import msgspec

from tillmesh.kernel.limits import INFERENCE_FRAME_BYTES_MAX

HEADER: Final = struct.Struct(">I")


class Load(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Verify and load what lies in this folder; it takes the place of the model of that name once it works."""

    name: str
    folder: str
    version: int
    trusted: dict[str, tuple[str, ...]]
    state: bytes
    within_ms: int = 0  # the known answer of a model that is new here has to come in this time; 0: it may take longer


class Tell(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Hand a model what the till knows; not answered."""

    name: str
    state: bytes


class Run(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Answer these inputs."""

    name: str
    inputs: list[bytes]


class Loaded(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """The model runs, or why it does not."""

    name: str
    version: int
    refused: str = ""  # one word for counters; empty: it runs
    detail: str = ""
    ms: float = 0.0
    memory_bytes: int = 0


class Answered(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """What a model said to each input of a batch; ``failed`` when it said nothing to any."""

    outputs: list[Any]
    wrong: list[str]  # beside each output: why there is none (one word), or empty
    failed: str = ""
    ms: float = 0.0
    memory_bytes: int = 0
    cpu_ms: float = 0.0  # of it, the processor's: what it took whatever else the machine had to do


ToWorker = Load | Tell | Run
FromWorker = Loaded | Answered
_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def frame(message: ToWorker | FromWorker) -> bytes:
    """Give a message as it goes through the pipe."""
    body = _encoder.encode(message)
    assert len(body) <= INFERENCE_FRAME_BYTES_MAX, "inputs are bounded where they come in"
    return HEADER.pack(len(body)) + body


def size_of(header: bytes) -> int:
    """Give the length of the body that follows; raises ``ValueError`` over the limit."""
    (size,) = HEADER.unpack(header)
    if size > INFERENCE_FRAME_BYTES_MAX:
        raise ValueError(f"a frame of {size} bytes; the limit is {INFERENCE_FRAME_BYTES_MAX}")
    return int(size)


def to_worker(body: bytes) -> ToWorker:
    """Read a message to the worker."""
    message: ToWorker = _to_worker.decode(body)
    return message


def from_worker(body: bytes) -> FromWorker:
    """Read a message from the worker; raises ``msgspec.DecodeError``, a ``ValueError``."""
    message: FromWorker = _from_worker.decode(body)
    return message
