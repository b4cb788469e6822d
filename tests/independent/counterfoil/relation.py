"""Relations between committed quantities: crypto, section 12. A quantity is its point."""

from collections import defaultdict

from . import group, ranges
from .group import BLINDING_BASE, VALUE_BASE
from .merlin import Transcript
from .sigma import Refused, Statement


def constant(value: int) -> bytes:
    """A number, committed without blinding."""
    return group.mul(value, VALUE_BASE)


class Relation:
    """One sigma statement and the commitments of one range proof per width, built up step by step."""

    def __init__(self, name: bytes, transcript: Transcript):
        self.transcript = transcript
        self.statement = Statement(name)
        self.bases = self.statement.point(VALUE_BASE), self.statement.point(BLINDING_BASE)
        self.ranges: dict[int, list[bytes]] = defaultdict(list)

    def range(self, bits: int, quantity: bytes) -> None:
        """The quantity is an integer of so many bits."""
        self.ranges[bits].append(quantity)

    def products(self, bases: list[bytes], rows: list[tuple[bytes, list[bytes]]]) -> None:
        """Every row's images are its factor times the bases, as values."""
        weights = self._weights(b"product", rows)
        factor, blinding = self.statement.secret(), self.statement.secret()
        self._commitment(group.weighted_sum(weights, [row[0] for row in rows]), factor, blinding)
        for j, base in enumerate(bases):
            number, secret = self.statement.point(base), self.statement.secret()
            image = group.weighted_sum(weights, [row[1][j] for row in rows])
            self.statement.require(image, (factor, number), (secret, self.bases[1]))

    def handles(self, viewers: list[bytes], rows: list[tuple[bytes, list[bytes]]]) -> None:
        """Every row's handles open its commitment for the viewers."""
        weights = self._weights(b"handle", rows)
        value, blinding = self.statement.secret(), self.statement.secret()
        self._commitment(group.weighted_sum(weights, [row[0] for row in rows]), value, blinding)
        for j, viewer in enumerate(viewers):
            number = self.statement.point(viewer)
            image = group.weighted_sum(weights, [row[1][j] for row in rows])
            self.statement.require(image, (blinding, number))

    def owner_keys(self, viewer: bytes, keys: list[tuple[bytes, bytes]]) -> None:
        """Every one-time key is this viewer's."""
        weights = self._weights(b"owner", keys)
        secret, number = self.statement.secret(), self.statement.point(viewer)
        bases, points = zip(*keys)
        self.statement.require(group.weighted_sum(weights, bases), (secret, self.bases[1]))
        self.statement.require(group.weighted_sum(weights, points), (secret, number))

    def _weights(self, label: bytes, rows) -> list[int]:
        return [self.transcript.challenge_scalar(label) for _ in rows]

    def _commitment(self, image: bytes, value: int, blinding: int) -> None:
        self.statement.require(image, (value, self.bases[0]), (blinding, self.bases[1]))

    def widths(self) -> list[int]:
        """The widths that have quantities, ascending."""
        return sorted(self.ranges)

    def verify_sigma(self, proof: bytes) -> None:
        """Verifies the sigma proof."""
        self.statement.verify(self.transcript, proof)

    def verify_range(self, bits: int, proof: bytes) -> int:
        """Verifies the range proof of a width; says over how many values. In ascending order, after the sigma proof."""
        try:
            ranges.verify(bits, self.ranges[bits], proof, self.transcript)
        except Refused as error:
            raise Refused(f"{bits} bits: {error}") from error
        self.transcript.append(b"range proof", proof)
        return len(self.ranges[bits])
