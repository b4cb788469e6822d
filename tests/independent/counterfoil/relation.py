"""Relations between committed quantities, and the two suites that prove their ranges: crypto, section 12."""

from dataclasses import dataclass

from . import sigma
from .borsh import u64
from .forms import Form
from .group import BLINDING_BASE, GROUP_ORDER, VALUE_BASE
from .merlin import Transcript
from .ranges import Layout, Proof, check_length, power_of_two, verify
from .sigma import Refused, Statement

WIDTHS = (8, 16, 32, 64)
SUITES = (1, 2)
ALL_OF_64_BITS = 2**64 - 1


class RefusedSigma(Refused):
    """The sigma proof."""


class RefusedRange(Refused):
    """A range proof, or their number."""


@dataclass
class Piece:
    """A range proof that is needed: its layout and the quantities that it covers."""

    layout: Layout
    quantities: list[Form]


class Relation:
    """One sigma statement and a list of ranges `(bound, quantity)`, built up step by step."""

    def __init__(self, suite: int, name: bytes, transcript: Transcript):
        self.suite, self.transcript, self.statement = suite, transcript, Statement(name)
        self.bases = [self.statement.point(Form.of(base)) for base in (VALUE_BASE, BLINDING_BASE)]
        self.ranges: list[tuple[int, Form]] = []

    def roughly(self, most: int, quantity: Form) -> None:
        """The quantity is an integer from 0 to `most`, or to something larger that is proven more cheaply."""
        self._under(max(1, most) if self.suite == 2 else _width_for(most), quantity)

    def exactly(self, most: int, quantity: Form) -> None:
        """The quantity is an integer from 0 to `most`."""
        if self.suite == 2 and most > 0:
            self._under(most, quantity)
            return
        width = _width_for(most)
        self._under(width, quantity)
        if most < width:
            self._under(width, Form.constant(most) - quantity)

    def _under(self, most: int, quantity: Form) -> None:
        self.statement.elements.name(quantity)
        self.ranges.append((most, quantity))

    def products(self, bases: list[Form], rows: list[tuple[Form, list[Form]]]) -> None:
        """Every row's images are its factor times the bases, as values."""
        weights, mu = self._weights(b"product", rows), self.transcript.challenge_scalar(b"bases")
        powers = [pow(mu, j, GROUP_ORDER) for j in range(len(bases))]
        factor, blinding, rest = (self.statement.secret() for _ in range(3))
        self._commitment(Form.sum([row[0] for row in rows], weights), factor, blinding)
        base = self.statement.point(Form.sum(bases, powers))
        image = Form.sum([Form.sum(images, powers) for _, images in rows], weights)
        self.statement.require(image, (factor, base), (rest, self.bases[1]))

    def handles(self, viewers: list[bytes], rows: list[tuple[Form, list[bytes]]]) -> None:
        """Every row's handles open its commitment for the viewers."""
        weights = self._weights(b"handle", rows)
        value, blinding = self.statement.secret(), self.statement.secret()
        self._commitment(Form.sum([row[0] for row in rows], weights), value, blinding)
        for j, viewer in enumerate(viewers):
            number = self.statement.point(Form.of(viewer))
            self.statement.require(_combined(weights, [row[1][j] for row in rows]), (blinding, number))

    def owner_keys(self, viewer: bytes, keys: list[tuple[bytes, bytes]]) -> None:
        """Every one-time key is this viewer's."""
        weights = self._weights(b"owner", keys)
        secret, number = self.statement.secret(), self.statement.point(Form.of(viewer))
        self.statement.require(_combined(weights, [key[0] for key in keys]), (secret, self.bases[1]))
        self.statement.require(_combined(weights, [key[1] for key in keys]), (secret, number))

    def _weights(self, label: bytes, rows) -> list[int]:
        return [self.transcript.challenge_scalar(label) for _ in rows]

    def _commitment(self, image: Form, value: int, blinding: int) -> None:
        self.statement.require(image, (value, self.bases[0]), (blinding, self.bases[1]))

    def pieces(self) -> list[Piece]:
        """The range proofs that are needed."""
        return self._by_width() if self.suite == 1 else self._packed()

    def _by_width(self) -> list[Piece]:
        pieces = []
        for width in WIDTHS:
            if quantities := [quantity for most, quantity in self.ranges if most == (1 << width) - 1]:
                pieces.append(Piece(Layout.of_width(width, len(quantities)), quantities))
        return pieces

    def _packed(self) -> list[Piece]:
        pieces, waiting = [], list(self.ranges)
        while waiting:
            room = _room(sum(most.bit_length() for most, _ in waiting))
            count, used = 0, 0
            while count < len(waiting) and used + waiting[count][0].bit_length() <= room:
                used += waiting[count][0].bit_length()
                count += 1
            taken, waiting = waiting[:count], waiting[count:]
            pieces.append(Piece(Layout.packed([most for most, _ in taken]), [quantity for _, quantity in taken]))
        return pieces

    def verify(self, sigma_proof: bytes, range_proofs: list[bytes]) -> list[Piece]:
        """Verifies all proofs: their forms, then their equations. Says what the range proofs cover."""
        try:
            pieces = self.pieces()
        except Refused as error:
            raise RefusedRange(str(error)) from error
        if len(pieces) != len(range_proofs):
            raise RefusedRange(f"{len(range_proofs)} range proofs, where {len(pieces)} are needed")
        sigma_read = _renamed(RefusedSigma, "", self.statement.read, sigma_proof)
        for i, (piece, data) in enumerate(zip(pieces, range_proofs)):
            _renamed(RefusedRange, f"number {i}: ", check_length, piece.layout, data)
        _renamed(RefusedSigma, "", sigma_read.decode)
        ranges_read = [
            _renamed(RefusedRange, f"number {i}: ", Proof, piece.layout, data)
            for i, (piece, data) in enumerate(zip(pieces, range_proofs))
        ]
        _renamed(RefusedSigma, "", self.statement.verify, self.transcript, sigma_read)
        if self.suite == 2:
            self._absorb_ranges()
        for i, (piece, proof, data) in enumerate(zip(pieces, ranges_read, range_proofs)):
            transcript = self.transcript
            if self.suite == 2:
                transcript = transcript.copy()
                transcript.append_u64(b"piece", i)
            commitments = [quantity.point() for quantity in piece.quantities]
            _renamed(RefusedRange, f"number {i}: ", verify, piece.layout, commitments, proof, transcript)
            if self.suite == 1:
                transcript.append(b"range proof", data)
        return pieces

    def _absorb_ranges(self) -> None:
        self.transcript.append_u64(b"ranges", len(self.ranges))
        encode = self.statement.elements.encode
        self.transcript.append(b"quantities", b"".join(u64(most) + encode(quantity) for most, quantity in self.ranges))


def _width_for(most: int) -> int:
    """The largest number of the least width that holds `most`."""
    return next((1 << width) - 1 for width in WIDTHS if most < 1 << width)


def _room(left: int) -> int:
    """The bits for which the next piece has room."""
    padded = min(max(power_of_two(left), 64), 8192)
    return padded if padded - left <= max(512, padded // 4) else padded // 2


def _combined(weights: list[int], points: list[bytes]) -> Form:
    return Form.sum([Form.of(point) for point in points], weights)


def _renamed(error, prefix: str, check, *arguments):
    """Runs a check; what it refuses is refused as something more particular."""
    try:
        return check(*arguments)
    except sigma.Refused as refused:
        raise error(prefix + str(refused)) from refused
