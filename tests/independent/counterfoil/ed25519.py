"""Ed25519 (RFC 8032), verified as strictly as the ledger does; and X25519 (RFC 7748), enough to know a bad key.

Strict: one signature has one key and one form. Libraries differ in what they let through, so here it stands in full.
"""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


class BadKey(Exception):
    """Not a canonical point of large order."""


class BadSignature(Exception):
    """Not this key's signature over this message."""


def public_key(data: bytes) -> bytes:
    """Checks a key: a canonical point that is not of small order."""
    if _small_order(_decode(data, BadKey)):
        raise BadKey("the key is of small order")
    return data


def verify(key: bytes, label: bytes, message: bytes, signature: bytes) -> None:
    """Verifies a signature over `length of label ‖ label ‖ message`."""
    a, r = _decode(key, BadKey), _decode(signature[:32], BadSignature)
    s = int.from_bytes(signature[32:], "little")
    if s >= ORDER or _small_order(a) or _small_order(r):
        raise BadSignature("the signature is not in canonical form")
    message = bytes([len(label)]) + label + message
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    negative_a = (-a[0] % P, a[1], a[2], -a[3] % P)
    if _encode(_add(_mul(s, BASE), _mul(k, negative_a))) != signature[:32]:
        raise BadSignature("the signature was not made by this key for this message")


def _decode(data: bytes, error):
    """RFC 8032, section 5.1.3, for canonical encodings only. Coordinates are extended: X, Y, Z, T."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(data) != 32 or y >= P:
        raise error("not a canonical point")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        raise error("not a canonical point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def _encode(point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _add(p, q):
    """RFC 8032, section 5.1.4; complete, so it doubles as well."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _mul(number: int, point):
    result = IDENTITY
    for bit in bin(number)[2:]:
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    return result


def _small_order(point) -> bool:
    return _encode(_mul(8, point)) == _encode(IDENTITY)


BASE = _decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"), BadKey)


def x25519(secret: bytes, public: bytes) -> bytes:
    """X25519 (RFC 7748, section 5): the Montgomery ladder."""
    number = int.from_bytes(secret, "little")
    number = (number & ~7 & ((1 << 254) - 1)) | 1 << 254
    u = int.from_bytes(public, "little") & ((1 << 255) - 1)
    x1, x2, z2, x3, z3 = u, 1, 0, u, 1
    for t in range(254, -1, -1):
        bit = number >> t & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a, b * b, d * a, c * b
        e = aa - bb
        x3, z3 = pow(da + cb, 2, P), x1 * pow(da - cb, 2, P) % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")
