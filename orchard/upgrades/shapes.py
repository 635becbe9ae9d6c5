"""Records in the shape of today, with what else somebody has noted in them."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

_encoder = msgspec.json.Encoder()


def keep_unknown(shape: type[msgspec.Struct], before: bytes, after: bytes) -> bytes:
    """The JSON of a record as it was encoded anew, with the fields that its shape has not.

    Where nothing is unknown, it is the same, byte by byte.
    """
    old, new = msgspec.json.decode(before), msgspec.json.decode(after)
    whole = _merged(inspect.type_info(shape), old, new)
    return after if whole == new else _encoder.encode(whole)


def _merged(shape: inspect.Type, old: Any, new: Any) -> Any:
    if isinstance(shape, inspect.UnionType):
        return _merged(_inner(shape), old, new)
    if isinstance(shape, inspect.StructType) and isinstance(old, dict) and isinstance(new, dict):
        known = {field.encode_name: field.type for field in shape.fields}
        kept = {name: value for name, value in old.items() if name not in known}
        return {**kept, **{
            name: _merged(known[name], old.get(name), value) if name in known else value
            for name, value in new.items()
        }}  # fmt: skip
    items = _items(shape)
    if items and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [_merged(items, *pair) for pair in zip(old, new, strict=True)]
    return new


def _inner(shape: inspect.UnionType) -> inspect.Type:
    """What an optional value is when it is there."""
    said = [each for each in shape.types if isinstance(each, inspect.StructType) or _items(each)]
    return said[0] if said else inspect.AnyType()


def _items(shape: inspect.Type) -> inspect.Type | None:
    return shape.item_type if isinstance(shape, inspect.VarTupleType | inspect.ListType) else None
