"""Read the tensors of a PyTorch checkpoint without PyTorch and without running anything it says.

A ``.pth`` file is a program for a stack machine. :func:`read_checkpoint` reads its opcodes as data and knows exactly
three things: tensors, storages and ordered dictionaries. Anything else is refused, so no file can call anything.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from tillmesh.kernel.errors import Invalid

Tensors = dict[str, "np.ndarray[Any, np.dtype[Any]]"]
DTYPES: Final = {"FloatStorage": np.float32, "LongStorage": np.int64}
MARK: Final = object()
FILE_BYTES_MAX: Final = 256 << 20


@dataclass(frozen=True)
class Tensor:
    """A tensor whose numbers stand elsewhere in the file."""

    storage: tuple[Any, ...]
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]  # in numbers: what was transposed before it was saved is stored as it was


@dataclass(frozen=True)
class Name:
    """Something the file wants to call; only some are known."""

    text: str


def read_checkpoint(path: Path) -> Tensors:
    """Give the tensors of a checkpoint by name, in the old format or the zipped one."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise Invalid(f"{path} is larger than {FILE_BYTES_MAX} bytes")
    if zipfile.is_zipfile(path):
        return _read_zip(path)
    with path.open("rb") as file:
        for _ in range(3):  # a magic number, the version, the machine
            _interpret(file)
        tensors = _interpret(file)
        keys = _interpret(file)
        storages = {key: _read_storage(file) for key in keys}
    return {name: _tensor(found, storages[str(found.storage[2])]) for name, found in _named(tensors)}


def _read_zip(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        (index,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        top = index.rpartition("/")[0]
        tensors = _interpret(BytesIO(archive.read(index)))
        return {name: _tensor(found, archive.read(f"{top}/data/{found.storage[2]}")) for name, found in _named(tensors)}


def _named(tensors: Any) -> list[tuple[str, Tensor]]:
    if not isinstance(tensors, dict):
        raise Invalid("the checkpoint holds no dictionary of tensors")
    return [(str(name), found) for name, found in tensors.items() if isinstance(found, Tensor)]


def _tensor(found: Tensor, raw: bytes) -> Any:
    kind = DTYPES[found.storage[1].text.rpartition(".")[2]]
    flat = np.frombuffer(raw, kind)
    last = found.offset + sum((size - 1) * stride for size, stride in zip(found.size, found.strides, strict=True))
    if not 0 <= found.offset <= last < len(flat) or min(found.strides, default=0) < 0:
        raise Invalid("a tensor of the checkpoint reaches beyond its numbers")
    steps = [stride * flat.itemsize for stride in found.strides]
    return np.lib.stride_tricks.as_strided(flat[found.offset :], found.size, steps).copy()


def _read_storage(file: IO[bytes]) -> bytes:
    (count,) = struct.unpack("<q", file.read(8))
    # The width of a number is not said here; checkpoints of networks hold floats, and counters of one number.
    return file.read(count * (8 if count == 1 else 4))


def _interpret(file: IO[bytes]) -> Any:
    """Run the stack machine over data only."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(file):
        match opcode.name:
            case "PROTO" | "FRAME" | "BUILD":
                if opcode.name == "BUILD":
                    stack.pop()  # attributes of the dictionary: a version number
            case "STOP":
                return stack.pop()
            case "MARK":
                stack.append(MARK)
            case "BINPUT" | "LONG_BINPUT":
                memo[int(str(argument))] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[int(str(argument))])
            case "GLOBAL":
                stack.append(Name(str(argument).replace(" ", ".")))
            case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_TUPLE":
                stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[opcode.name]())
            case "NEWTRUE" | "NEWFALSE" | "NONE":
                stack.append({"NEWTRUE": True, "NEWFALSE": False, "NONE": None}[opcode.name])
            case "BINUNICODE" | "SHORT_BINUNICODE" | "BININT" | "BININT1" | "BININT2" | "LONG1" | "SHORT_BINSTRING":
                stack.append(argument)
            case _:
                _combine(opcode.name, stack)
    raise Invalid("the checkpoint ends in the middle")


def _combine(opcode: str, stack: list[Any]) -> None:
    """Do what takes things from the stack and puts one back."""
    match opcode:
        case "TUPLE1" | "TUPLE2" | "TUPLE3":
            count = int(opcode[-1])
            stack[-count:] = [tuple(stack[-count:])]
        case "TUPLE":
            stack.append(tuple(_to_mark(stack)))
        case "APPENDS":
            items = _to_mark(stack)
            stack[-1].extend(items)
        case "APPEND":
            item = stack.pop()
            stack[-1].append(item)
        case "SETITEMS":
            items = _to_mark(stack)
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        case "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        case "BINPERSID":
            pass  # the tuple that names a storage stays what it is
        case "REDUCE":
            arguments, name = stack.pop(), stack.pop()
            stack.append(_call(name, arguments))
        case _:
            raise Invalid(f"the checkpoint wants to do {opcode}", hint="Take one that holds tensors alone.")


def _to_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    return items[::-1]


def _call(name: Any, arguments: tuple[Any, ...]) -> Any:
    match name:
        case Name("torch._utils._rebuild_tensor_v2"):
            storage, offset, size, strides, *_ = arguments
            return Tensor(storage, offset, size, strides)
        case Name("collections.OrderedDict"):
            return {}
        case _:
            raise Invalid(f"the checkpoint wants to call {name}", hint="Take one that holds tensors alone.")
