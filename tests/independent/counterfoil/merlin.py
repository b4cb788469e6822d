"""Merlin transcripts over STROBE-128 over Keccak-f[1600].

Sources: merlin.cool (transcript operations), STROBE 1.0.2 sections 6 and 7, FIPS 202 section 3.
"""

from copy import deepcopy
from struct import pack, unpack

from .group import GROUP_ORDER

RATE = 166
FLAG_I, FLAG_A, FLAG_C, FLAG_T, FLAG_M, FLAG_K = (1 << i for i in range(6))


class Transcript:
    """What prover and verifier have said so far; challenges depend on all of it."""

    def __init__(self, label: bytes):
        self._strobe = Strobe(b"Merlin v1.0")
        self.append(b"dom-sep", label)

    def copy(self) -> "Transcript":
        """Another that has heard the same."""
        return deepcopy(self)

    def append(self, label: bytes, message: bytes) -> None:
        """Absorbs a message."""
        self._strobe.meta_ad(label, more=False)
        self._strobe.meta_ad(pack("<I", len(message)), more=True)
        self._strobe.ad(message)

    def append_u64(self, label: bytes, number: int) -> None:
        """Absorbs a number as eight bytes, the lowest first."""
        self.append(label, pack("<Q", number))

    def challenge(self, label: bytes, length: int) -> bytes:
        """Draws bytes."""
        self._strobe.meta_ad(label, more=False)
        self._strobe.meta_ad(pack("<I", length), more=True)
        return self._strobe.prf(length)

    def challenge_scalar(self, label: bytes) -> int:
        """Draws a scalar: 64 bytes as a number, the lowest first, modulo the group order."""
        return int.from_bytes(self.challenge(label, 64), "little") % GROUP_ORDER


class Strobe:
    """The three operations of STROBE-128 that Merlin uses."""

    def __init__(self, protocol: bytes):
        self._state = bytearray(200)
        self._state[:18] = bytes([1, RATE + 2, 1, 0, 1, 96]) + b"STROBEv1.0.2"
        self._permute()
        self._position = self._begin = 0
        self._flags = 0
        self.meta_ad(protocol, more=False)

    def meta_ad(self, data: bytes, more: bool) -> None:
        self._begin_operation(FLAG_M | FLAG_A, more)
        self._absorb(data)

    def ad(self, data: bytes) -> None:
        self._begin_operation(FLAG_A, more=False)
        self._absorb(data)

    def prf(self, length: int) -> bytes:
        self._begin_operation(FLAG_I | FLAG_A | FLAG_C, more=False)
        return self._squeeze(length)

    def _begin_operation(self, flags: int, more: bool) -> None:
        if more:
            assert flags == self._flags, "an operation is continued as it was begun"
            return
        header = bytes([self._begin, flags])
        self._begin, self._flags = self._position + 1, flags
        self._absorb(header)
        if flags & (FLAG_C | FLAG_K) and self._position != 0:
            self._run()

    def _absorb(self, data: bytes) -> None:
        for byte in data:
            self._state[self._position] ^= byte
            self._advance()

    def _squeeze(self, length: int) -> bytes:
        out = bytearray()
        for _ in range(length):
            out.append(self._state[self._position])
            self._state[self._position] = 0
            self._advance()
        return bytes(out)

    def _advance(self) -> None:
        self._position += 1
        if self._position == RATE:
            self._run()

    def _run(self) -> None:
        self._state[self._position] ^= self._begin
        self._state[self._position + 1] ^= 0x04
        self._state[RATE + 1] ^= 0x80
        self._permute()
        self._position = self._begin = 0

    def _permute(self) -> None:
        self._state[:] = pack("<25Q", *keccak_f1600(unpack("<25Q", self._state)))


MASK = (1 << 64) - 1


def _round_constants():
    """FIPS 202, algorithms 5 and 6: the bits of a linear feedback shift register, at positions 2^j - 1."""
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            constant |= (register & 1) << ((1 << j) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


def _lane_moves():
    """FIPS 202, algorithms 2 and 3: where each lane goes, and by how much it is rotated."""
    moves, (x, y) = [(0, 0, 0)], (1, 0)
    for t in range(24):
        source, (x, y) = x + 5 * y, (y, (2 * x + 3 * y) % 5)
        moves.append((source, x + 5 * y, (t + 1) * (t + 2) // 2 % 64))
    return moves


ROUND_CONSTANTS, LANE_MOVES = _round_constants(), _lane_moves()


def keccak_f1600(lanes):
    """The permutation, over 25 lanes of 64 bits; lane (x, y) is number x + 5·y."""
    a = list(lanes)
    for constant in ROUND_CONSTANTS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ (c[(x + 1) % 5] << 1 & MASK | c[(x + 1) % 5] >> 63) for x in range(5)]
        b = [0] * 25
        for source, target, turn in LANE_MOVES:
            lane = a[source] ^ d[source % 5]
            b[target] = (lane << turn & MASK) | lane >> (64 - turn)
        for y in range(0, 25, 5):
            row = b[y:y + 5]
            for x in range(5):
                a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        a[0] ^= constant
    return a
