"""Aggregated range proofs: crypto, section 11."""

from itertools import accumulate, repeat
from operator import mul as times

from . import group
from .group import BLINDING_BASE, GROUP_ORDER, IDENTITY, VALUE_BASE
from .merlin import Transcript
from .sigma import Refused


class Proof:
    """The proof's bytes, taken apart: length first, then the form of every word."""

    def __init__(self, data: bytes, rounds: int):
        if len(data) != 32 * (9 + 2 * rounds):
            raise Refused(f"{len(data)} bytes, where {32 * (9 + 2 * rounds)} are needed")
        words = [data[i:i + 32] for i in range(0, len(data), 32)]
        try:
            self.t_x, self.tau, self.e = (group.scalar(word) for word in words[4:7])
            self.inner_a, self.inner_b = (group.scalar(word) for word in words[-2:])
            self.a, self.s, self.t_1, self.t_2 = (group.nonzero_point(word) for word in words[:4])
            pairs = [group.nonzero_point(word) for word in words[7:-2]]
        except group.NotCanonical as error:
            raise Refused(str(error)) from error
        self.pairs = list(zip(pairs[0::2], pairs[1::2]))


def padded(count: int, bits: int) -> int:
    """The number of values after padding."""
    size = 1 << (count - 1).bit_length() if count else 0
    if not 1 <= size * bits <= 65_536:
        raise Refused(f"a range proof over {count} values of {bits} bits")
    return size


def verify(bits: int, commitments: list[bytes], data: bytes, transcript: Transcript) -> None:
    """That every commitment holds an integer of so many bits."""
    size = padded(len(commitments), bits)
    length = size * bits
    proof = Proof(data, length.bit_length() - 1)
    commitments = commitments + [IDENTITY] * (size - len(commitments))
    y, z, x, w, rounds = _replay(bits, commitments, proof, transcript)
    if 0 in (y, *rounds):
        raise Refused("a challenge is zero")
    powers_of_y = _powers(y, length)
    delta = (z - z * z) * sum(powers_of_y) - ((1 << bits) - 1) * sum(pow(z, 3 + j, GROUP_ORDER) for j in range(size))
    second = [
        *((pow(z, 2 + j, GROUP_ORDER), v) for j, v in enumerate(commitments)),
        (x, proof.t_1), (x * x, proof.t_2), (delta - proof.t_x, VALUE_BASE), (-proof.tau, BLINDING_BASE),
    ]
    if _sum(second) != IDENTITY:
        raise Refused("equation (2) does not hold: the values are not what the commitments hold")
    first = [
        (1, proof.a), (x, proof.s), (-proof.e, BLINDING_BASE),
        (w * (proof.t_x - proof.inner_a * proof.inner_b), VALUE_BASE),
    ]
    for (left, right), u in zip(proof.pairs, rounds):
        first += [(u * u, left), (group.inverse(u * u), right)]
    first += _generator_terms(bits, size, y, z, rounds, proof)
    if _sum(first) != IDENTITY:
        raise Refused("equation (1) does not hold: the inner product is wrong")


def _replay(bits: int, commitments: list[bytes], proof: Proof, transcript: Transcript):
    """All challenges."""
    transcript.append(b"dom-sep", b"rangeproof v1")
    transcript.append_u64(b"n", bits)
    transcript.append_u64(b"m", len(commitments))
    for commitment in commitments:
        transcript.append(b"V", commitment)
    transcript.append(b"A", proof.a)
    transcript.append(b"S", proof.s)
    y, z = transcript.challenge_scalar(b"y"), transcript.challenge_scalar(b"z")
    transcript.append(b"T_1", proof.t_1)
    transcript.append(b"T_2", proof.t_2)
    x = transcript.challenge_scalar(b"x")
    transcript.append(b"t_x", group.scalar_bytes(proof.t_x))
    transcript.append(b"t_x_blinding", group.scalar_bytes(proof.tau))
    transcript.append(b"e_blinding", group.scalar_bytes(proof.e))
    w = transcript.challenge_scalar(b"w")
    transcript.append(b"dom-sep", b"ipp v1")
    transcript.append_u64(b"n", len(commitments) * bits)
    rounds = []
    for left, right in proof.pairs:
        transcript.append(b"L", left)
        transcript.append(b"R", right)
        rounds.append(transcript.challenge_scalar(b"u"))
    return y, z, x, w, rounds


def _generator_terms(bits: int, size: int, y: int, z: int, rounds: list[int], proof: Proof):
    """The terms of equation (1) over `G` and `H`."""
    s = [1]
    for u in rounds:
        low, high = group.inverse(u), u
        s = [entry * factor % GROUP_ORDER for entry in s for factor in (low, high)]
    inverse_powers_of_y = _powers(group.inverse(y), size * bits)
    for j in range(size):
        z_j = pow(z, 2 + j, GROUP_ORDER)
        pairs = zip(group.generators(b"G", j, bits), group.generators(b"H", j, bits))
        for bit, (g, h) in enumerate(pairs):
            i = j * bits + bit
            # s_i⁻¹ is s of the complement of i.
            b_s = proof.inner_b * s[-1 - i]
            yield -(z + proof.inner_a * s[i]), g
            yield z + inverse_powers_of_y[i] * (z_j * (1 << bit) - b_s), h


def _powers(base: int, count: int) -> list[int]:
    return list(accumulate(repeat(base, count - 1), lambda p, b: times(p, b) % GROUP_ORDER, initial=1))


def _sum(terms) -> bytes:
    return group.total(group.mul(number, point) for number, point in terms)
