"""Envelopes and sections, opened with known keys: crypto, section 13. Checking a batch needs none of it.

Sources: RFC 9180 (HPKE), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305).
"""

import hmac
from struct import pack, unpack

from . import blake3, borsh
from .ed25519 import x25519

KEM = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"
BASE_POINT = b"\x09" + bytes(31)


class Unreadable(Exception):
    """Not for this key or context, or changed."""


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """One block of HKDF-Expand: no more than 32 bytes are ever wanted."""
    message = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01"
    return hmac.digest(key, message, "sha256")[:length]


def key_pair(seed: bytes) -> tuple[bytes, bytes]:
    """Secret and public envelope key of a seed (RFC 9180, section 7.1.3)."""
    secret = _expand(KEM, _extract(KEM, b"", b"dkp_prk", seed), b"sk", b"", 32)
    return secret, x25519(secret, BASE_POINT)


def open_envelope(seed: bytes, info: bytes, context: bytes, envelope: bytes) -> bytes:
    """The key in an envelope."""
    secret, public = key_pair(seed)
    encapsulated, ciphertext = envelope[:32], envelope[32:]
    shared = x25519(secret, encapsulated)
    shared = _expand(
        KEM, _extract(KEM, b"", b"eae_prk", shared), b"shared_secret", encapsulated + public, 32
    )
    schedule = b"\0" + _extract(SUITE, b"", b"psk_id_hash", b"") + _extract(SUITE, b"", b"info_hash", info)
    prk = _extract(SUITE, shared, b"secret", b"")
    key, nonce = _expand(SUITE, prk, b"key", schedule, 32), _expand(SUITE, prk, b"base_nonce", schedule, 12)
    return decrypt(key, nonce, context, ciphertext)


def open_section(viewer: bytes, place: int, context: bytes, section: bytes) -> bytes:
    """The text of a section, with the key of the viewer whose wrap stands at a place."""
    reader = borsh.Reader(section)
    ciphertext, wraps = reader.blob(), reader.many(lambda r: r.take(48))
    reader.end()
    wrapping = blake3.derive_key("counterfoil/1 section key wrap", viewer)
    wrapping = blake3.keyed_hash(wrapping, borsh.u32(place) + context)
    padded = decrypt(decrypt(wrapping, bytes(12), context, wraps[place]), bytes(12), context, ciphertext)
    length = int.from_bytes(padded[:2], "little")
    if length > len(padded) - 2:
        raise Unreadable("a length beyond the section")
    return padded[2:2 + length]


def decrypt(key: bytes, nonce: bytes, associated: bytes, sealed: bytes) -> bytes:
    """ChaCha20-Poly1305."""
    ciphertext, tag = sealed[:-16], sealed[-16:]
    padding = lambda data: bytes(-len(data) % 16)
    message = associated + padding(associated) + ciphertext + padding(ciphertext)
    message += pack("<QQ", len(associated), len(ciphertext))
    if len(sealed) < 16 or not hmac.compare_digest(_poly1305(_chacha20(key, nonce, 0)[:32], message), tag):
        raise Unreadable("not for this key or context, or changed")
    stream = b"".join(_chacha20(key, nonce, i) for i in range(1, len(ciphertext) // 64 + 2))
    return bytes(a ^ b for a, b in zip(ciphertext, stream))


def _poly1305(key: bytes, message: bytes) -> bytes:
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def _chacha20(key: bytes, nonce: bytes, counter: int) -> bytes:
    start = list(unpack("<16I", b"expand 32-byte k" + key + pack("<I", counter) + nonce))
    state = list(start)
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
        ):
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                state[x] = (state[x] + state[y]) & 0xFFFFFFFF
                mixed = state[z] ^ state[x]
                state[z] = (mixed << turn & 0xFFFFFFFF) | mixed >> (32 - turn)
    return pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(start, state)))
