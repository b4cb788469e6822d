"""Range proofs over values of one width or of bounds of their own: crypto, section 11."""

from dataclasses import dataclass
from itertools import accumulate, repeat

from . import group
from .borsh import u64
from .forms import Form
from .group import BLINDING_BASE, GROUP_ORDER, IDENTITY, VALUE_BASE
from .merlin import Transcript
from .sigma import Refused


@dataclass(frozen=True)
class Layout:
    """Which bits belong to which value. `chain` is how many generators of one value's chain are used."""

    bounds: list[int]
    length: int
    chain: int
    uniform: bool

    @staticmethod
    def of_width(bits: int, count: int) -> "Layout":
        """Values of one width, padded to a power of two."""
        padded = power_of_two(count)
        if not 1 <= count or padded * bits > 65_536:
            raise Refused(f"a range proof over {count} values of {bits} bits")
        return Layout([(1 << bits) - 1] * padded, padded * bits, bits, True)

    @staticmethod
    def packed(bounds: list[int]) -> "Layout":
        """Values of their own bounds, one after the other."""
        return Layout(bounds, power_of_two(max(64, sum(most.bit_length() for most in bounds))), 64, False)

    def counts(self):
        """What every bit counts, and the number of its value."""
        for number, most in enumerate(self.bounds):
            last = most.bit_length() - 1
            yield from ((1 << place, number) for place in range(last))
            yield most - ((1 << last) - 1), number
        yield from repeat((0, 0), self.length - sum(most.bit_length() for most in self.bounds))

    def generators(self, letter: bytes) -> list[bytes]:
        """As many generators `G` or `H` as there are bits."""
        chains = (group.generators(letter, j, self.chain) for j in range(-(-self.length // self.chain)))
        return [point for chain in chains for point in chain][:self.length]

    def begin(self, transcript: Transcript, commitments: list[bytes]) -> None:
        """Absorbs what the proof is about."""
        if self.uniform:
            transcript.append(b"dom-sep", b"rangeproof v1")
            transcript.append_u64(b"n", self.chain)
            transcript.append_u64(b"m", len(self.bounds))
            for commitment in commitments:
                transcript.append(b"V", commitment)
        else:
            transcript.append(b"dom-sep", b"counterfoil/1/packed-ranges")
            transcript.append_u64(b"n", self.length)
            transcript.append_u64(b"m", len(self.bounds))
            transcript.append(b"bounds", b"".join(u64(most) for most in self.bounds))


def power_of_two(least: int) -> int:
    """The least power of two that is not below a number."""
    return 1 << max(0, least - 1).bit_length()


def check_length(layout: Layout, data: bytes) -> None:
    """That a proof has the length that its layout demands."""
    needed = 32 * (9 + 2 * (layout.length.bit_length() - 1))
    if len(data) != needed:
        raise Refused(f"{len(data)} bytes, where {needed} are needed")


class Proof:
    """The proof's bytes, taken apart and found to be in canonical form."""

    def __init__(self, layout: Layout, data: bytes):
        check_length(layout, data)
        words = [data[i:i + 32] for i in range(0, len(data), 32)]
        try:
            self.t_x, self.tau, self.e = (group.scalar(word) for word in words[4:7])
            self.inner_a, self.inner_b = (group.scalar(word) for word in words[-2:])
            self.a, self.s, self.t_1, self.t_2 = (group.nonzero_point(word) for word in words[:4])
            pairs = [group.nonzero_point(word) for word in words[7:-2]]
        except group.NotCanonical as error:
            raise Refused(str(error)) from error
        self.pairs = list(zip(pairs[0::2], pairs[1::2]))


@dataclass(frozen=True)
class Challenges:
    """All that is drawn."""

    y: int
    z: int
    x: int
    w: int
    rounds: list[int]


def verify(layout: Layout, commitments: list[bytes], proof: Proof, transcript: Transcript) -> None:
    """That every commitment holds an integer from 0 to its bound."""
    commitments = commitments + [IDENTITY] * (len(layout.bounds) - len(commitments))
    layout.begin(transcript, commitments)
    c = _replay(layout, proof, transcript)
    if 0 in (c.y, *c.rounds):
        raise Refused("a challenge is zero")
    if _second(layout, commitments, proof, c).point() != IDENTITY:
        raise Refused("equation (2) does not hold: the values are not what the commitments hold")
    if _first(layout, proof, c).point() != IDENTITY:
        raise Refused("equation (1) does not hold: the inner product is wrong")


def _replay(layout: Layout, proof: Proof, transcript: Transcript) -> Challenges:
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
    transcript.append_u64(b"n", layout.length)
    rounds = []
    for left, right in proof.pairs:
        transcript.append(b"L", left)
        transcript.append(b"R", right)
        rounds.append(transcript.challenge_scalar(b"u"))
    return Challenges(y, z, x, w, rounds)


def _second(layout: Layout, commitments: list[bytes], proof: Proof, c: Challenges) -> Form:
    """The left side of equation (2)."""
    powers_of_z = _powers(c.z, len(layout.bounds) + 3)
    largest = sum(power * most for power, most in zip(powers_of_z[3:], layout.bounds))
    delta = (c.z - c.z * c.z) * sum(_powers(c.y, layout.length)) - largest
    return Form([
        *zip(powers_of_z[2:], commitments), (c.x, proof.t_1), (c.x * c.x, proof.t_2),
        (delta - proof.t_x, VALUE_BASE), (-proof.tau, BLINDING_BASE),
    ])


def _first(layout: Layout, proof: Proof, c: Challenges) -> Form:
    """The left side of equation (1)."""
    terms = [
        (1, proof.a), (c.x, proof.s), (-proof.e, BLINDING_BASE),
        (c.w * (proof.t_x - proof.inner_a * proof.inner_b), VALUE_BASE),
    ]
    s = [1]
    for (left, right), u in zip(proof.pairs, c.rounds):
        inverse = group.inverse(u)
        terms += [(u * u, left), (inverse * inverse, right)]
        s = [entry * factor % GROUP_ORDER for entry in s for factor in (inverse, u)]
    powers_of_z = _powers(c.z, len(layout.bounds) + 2)
    # s_i⁻¹ is the s of the complement of i: the list from behind.
    bits = zip(layout.counts(), _powers(group.inverse(c.y), layout.length), s, reversed(s), strict=True)
    points = zip(layout.generators(b"G"), layout.generators(b"H"), strict=True)
    for ((count, value), inverse_of_y, s_i, inverse_of_s), (g, h) in zip(bits, points, strict=True):
        terms.append((-(c.z + proof.inner_a * s_i), g))
        terms.append((c.z + inverse_of_y * (powers_of_z[2 + value] * count - proof.inner_b * inverse_of_s), h))
    return Form(terms)


def _powers(base: int, count: int) -> list[int]:
    """`1, base, base², …`, so many."""
    return list(accumulate(repeat(base, count - 1), lambda power, b: power * b % GROUP_ORDER, initial=1))
