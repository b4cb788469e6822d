"""Borsh, read strictly: one value has one encoding, and nothing may follow it."""

from dataclasses import fields


class Malformed(Exception):
    """Not the canonical encoding of what it should be."""


class Reader:
    """Bytes that are read once, from the front to the very end."""

    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        end = self._at + count
        if end > len(self._data):
            raise Malformed(f"cut off: {count} bytes wanted at {self._at} of {len(self._data)}")
        piece, self._at = self._data[self._at:end], end
        return piece

    def number(self, size: int) -> int:
        """An unsigned integer of so many bytes, the lowest first."""
        return int.from_bytes(self.take(size), "little")

    def many(self, read) -> list:
        """A vector: its length in four bytes, then the elements. Every element takes a byte at least."""
        count = self.number(4)
        if count > len(self._data) - self._at:
            raise Malformed(f"a vector of {count} elements in {len(self._data) - self._at} bytes")
        return [read(self) for _ in range(count)]

    def blob(self) -> bytes:
        """A vector of bytes."""
        return self.take(self.number(4))

    def text(self) -> str:
        """A string: its length in bytes, then UTF-8."""
        try:
            return self.blob().decode()
        except UnicodeDecodeError as error:
            raise Malformed("text that is not UTF-8") from error

    def choice(self, names):
        """The name of an enum's variant, from one byte."""
        number = self.number(1)
        if number >= len(names):
            raise Malformed(f"variant {number} of {len(names)}")
        return names[number]

    def option(self, read):
        """Nothing (0), or something (1)."""
        return read(self) if self.choice((False, True)) else None

    def position(self) -> int:
        """How many bytes were read."""
        return self._at

    def end(self) -> None:
        """Refuses bytes that are left."""
        if self._at != len(self._data):
            raise Malformed(f"{len(self._data) - self._at} bytes follow the end")


def u8(n: int) -> bytes:
    return n.to_bytes(1, "little")


def u16(n: int) -> bytes:
    return n.to_bytes(2, "little")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "little")


def u64(n: int) -> bytes:
    return n.to_bytes(8, "little")


def blob(data: bytes) -> bytes:
    """A vector of bytes, or a string's UTF-8."""
    return u32(len(data)) + data


def encode(value) -> bytes:
    """What a struct, a vector (a list), a fixed number of things (a tuple), a byte, or bytes as they are come to."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return u8(value)
    if isinstance(value, (list, tuple)):
        return (u32(len(value)) if isinstance(value, list) else b"") + b"".join(map(encode, value))
    return b"".join(encode(getattr(value, field.name)) for field in fields(value))
