"""The group Ristretto255 (RFC 9496), by libsodium; its generators; sums of many multiples.

A point is its 32 canonical bytes: encodings are unique, so equal points are equal bytes.
"""

from functools import lru_cache
from hashlib import sha3_512, shake_256

import rbcl

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = bytes(32)


class NotCanonical(Exception):
    """Bytes that are not the canonical form of a point or scalar."""


def point(data: bytes) -> bytes:
    """Checks that bytes are the canonical encoding of a point."""
    if len(data) != 32 or not rbcl.crypto_core_ristretto255_is_valid_point(data):
        raise NotCanonical("not the canonical encoding of a point")
    return data


def nonzero_point(data: bytes) -> bytes:
    """Checks that bytes are the canonical encoding of a point other than the identity."""
    if data == IDENTITY:
        raise NotCanonical("the identity stands where it must not")
    return point(data)


def scalar(data: bytes) -> int:
    """Reads a scalar below the group order, the lowest byte first."""
    number = int.from_bytes(data, "little")
    if len(data) != 32 or number >= GROUP_ORDER:
        raise NotCanonical("a scalar is not below the group order")
    return number


def scalar_bytes(number: int) -> bytes:
    """The canonical bytes of a scalar."""
    return (number % GROUP_ORDER).to_bytes(32, "little")


def inverse(number: int) -> int:
    """The inverse of a scalar modulo the group order."""
    return pow(number, -1, GROUP_ORDER)


def add(p: bytes, q: bytes) -> bytes:
    return rbcl.crypto_core_ristretto255_add(p, q)


def sub(p: bytes, q: bytes) -> bytes:
    return rbcl.crypto_core_ristretto255_sub(p, q)


def mul(number: int, p: bytes) -> bytes:
    """`number·P` for any integer; libsodium itself refuses to make the identity."""
    number %= GROUP_ORDER
    if number == 0 or p == IDENTITY:
        return IDENTITY
    return rbcl.crypto_scalarmult_ristretto255(scalar_bytes(number), p)


def total(points) -> bytes:
    """The sum of points."""
    result = IDENTITY
    for p in points:
        result = add(result, p)
    return result


def weighted_sum(scalars, points) -> bytes:
    """`Σ scalar·point`."""
    return total(mul(s, p) for s, p in zip(scalars, points, strict=True))


def from_uniform(data: bytes) -> bytes:
    """The point of 64 uniform bytes (RFC 9496, section 4.3.4)."""
    return rbcl.crypto_core_ristretto255_from_hash(data)


VALUE_BASE = rbcl.crypto_scalarmult_ristretto255_base(scalar_bytes(1))
BLINDING_BASE = from_uniform(sha3_512(VALUE_BASE).digest())


@lru_cache(maxsize=None)
def generators(letter: bytes, value: int, bits: int):
    """The first `bits` generators `G` or `H` of the value with this number."""
    stream = shake_256(b"GeneratorsChain" + letter + value.to_bytes(4, "little")).digest(64 * bits)
    return [from_uniform(stream[i:i + 64]) for i in range(0, len(stream), 64)]
