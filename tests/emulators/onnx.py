"""Writes a tiny ONNX file with the inputs and outputs of a face recogniser: 1 x 3 x 112 x 112 in, a vector out (mean colours of 8 x 8 fields).

It recognises nobody; it shows that loading, digest check, alignment and the three bands work. The protobuf is written by hand.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["tiny_recogniser"]


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        part, value = value & 0x7F, value >> 7
        out.append(part | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _attribute(name: str, *, ints: tuple[int, ...] = (), one: int | None = None) -> bytes:
    kind = 7 if ints else 2
    body = _bytes(1, name) + b"".join(_number(8, value) for value in ints) + (b"" if one is None else _number(3, one)) + _number(20, kind)
    return _bytes(5, body)


def _node(kind: str, come: str, go: str, *attributes: bytes) -> bytes:
    return _bytes(1, _bytes(1, come) + _bytes(2, go) + _bytes(3, kind) + _bytes(4, kind) + b"".join(attributes))


def _value(field: int, name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, size)) for size in shape)
    tensor = _number(1, 1) + _bytes(2, dims)
    return _bytes(field, _bytes(1, name) + _bytes(2, _bytes(1, tensor)))


def tiny_recogniser(path: Path) -> Path:
    """Writes the file and returns its path."""
    graph = (
        _node("AveragePool", "data", "pooled", _attribute("kernel_shape", ints=(14, 14)), _attribute("strides", ints=(14, 14)))
        + _node("Flatten", "pooled", "fc1", _attribute("axis", one=1))
        + _bytes(2, "tiny")
        + _value(11, "data", (1, 3, 112, 112))
        + _value(12, "fc1", (1, 192))
    )
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _number(2, 11)))
    return path
