"""The batch as it travels: ledger, sections 3 to 5. Points are bytes here; whether they are points is checked later."""

from dataclasses import dataclass, field

from . import blake3, borsh, merkle
from .borsh import Malformed, Reader

VERSION = 1
MAX_BYTES = 2 << 20
KINDS = ("Fund", "Originate", "Repay")
SHARE_CLASS, IDENTITY_CLASS, TERMS_CLASS = 144, 96, 192


@dataclass(frozen=True)
class Header:
    """What stands at the head of a batch."""

    version: int
    suite: int
    consortium: bytes
    servicer: int
    product: int
    policy: bytes
    kind: str
    sequence: int
    previous: bytes
    merged: int
    value_date: int
    booking_date: int

    @staticmethod
    def read(r: Reader) -> "Header":
        return Header(
            r.number(1), r.number(1), r.take(32), r.number(2), r.number(2), r.take(32), r.choice(KINDS),
            r.number(8), r.take(32), r.number(8), r.number(4), r.number(4),
        )


@dataclass(frozen=True)
class Amount:
    """A movement or a posting: a commitment with its handles."""

    amount: bytes
    handles: list[bytes]

    @staticmethod
    def read(r: Reader) -> "Amount":
        return Amount(point(r), r.many(point))


@dataclass(frozen=True)
class Split:
    """What shows that a part is the fair share of a total."""

    rest: bytes
    slack: bytes

    @staticmethod
    def read(r: Reader) -> "Split":
        return Split(point(r), point(r))


@dataclass(frozen=True)
class NewPart:
    """One bank's part of a new loan."""

    owner: tuple[bytes, bytes]
    share: bytes
    principal: Amount
    split: Split

    @staticmethod
    def read(r: Reader) -> "NewPart":
        return NewPart((point(r), point(r)), point(r), Amount.read(r), Split.read(r))


@dataclass(frozen=True)
class RepaidPart:
    """One bank's part of a repayment."""

    balance: bytes
    share: bytes
    principal: Amount
    principal_split: Split
    interest: Amount
    interest_split: Split

    @staticmethod
    def read(r: Reader) -> "RepaidPart":
        return RepaidPart(point(r), point(r), Amount.read(r), Split.read(r), Amount.read(r), Split.read(r))


@dataclass(frozen=True)
class NewLoan:
    """A new loan."""

    quotient: bytes
    parts: list[NewPart]

    @staticmethod
    def read(r: Reader) -> "NewLoan":
        return NewLoan(point(r), r.many(NewPart.read))


@dataclass(frozen=True)
class RepaidLoan:
    """A repayment of a loan."""

    loan: bytes
    principal_quotient: bytes
    interest_quotient: bytes
    parts: list[RepaidPart]

    @staticmethod
    def read(r: Reader) -> "RepaidLoan":
        return RepaidLoan(r.take(32), point(r), point(r), r.many(RepaidPart.read))


@dataclass(frozen=True)
class Body:
    """What a batch says. `postings` are lists per component: principal, then (in `Repay`) interest."""

    kind: str
    postings: list[list[Amount]]
    loans: list = field(default_factory=list)
    reserves: list[bytes] = field(default_factory=list)

    @staticmethod
    def read(r: Reader) -> "Body":
        kind, postings = r.choice(KINDS), lambda: r.many(Amount.read)
        if kind == "Fund":
            return Body(kind, [postings()])
        if kind == "Originate":
            reserves, loans = r.many(point), r.many(NewLoan.read)
            return Body(kind, [postings()], loans, reserves)
        loans = r.many(RepaidLoan.read)
        return Body(kind, [postings(), postings()], loans)

    def movements(self) -> list[list[Amount]]:
        """The movements per component, in order of loans and parts."""
        parts = [part for loan in self.loans for part in loan.parts]
        if self.kind == "Repay":
            return [[part.principal for part in parts], [part.interest for part in parts]]
        return [[part.principal for part in parts]]


@dataclass(frozen=True)
class Section:
    """The lengths of a sealed section."""

    ciphertext: int
    wraps: int
    encoding: bytes

    @staticmethod
    def read(r: Reader) -> "Section":
        ciphertext, wraps = r.blob(), r.many(lambda r: r.take(48))
        encoding = borsh.blob(ciphertext) + borsh.u32(len(wraps)) + b"".join(wraps)
        return Section(len(ciphertext), len(wraps), encoding)


@dataclass(frozen=True)
class Record:
    """The sealed sections of one loan's event."""

    shares: list[Section]
    identity: Section | None
    terms: Section | None

    @staticmethod
    def read(r: Reader) -> "Record":
        return Record(r.many(Section.read), r.option(Section.read), r.option(Section.read))


@dataclass(frozen=True)
class Records:
    """What the batch commits to by a root."""

    envelopes: list[bytes]
    records: list[Record]

    @staticmethod
    def read(r: Reader) -> "Records":
        return Records(r.many(lambda r: r.take(80)), r.many(Record.read))

    def root(self) -> bytes:
        """The Merkle root over all envelopes and sections."""
        sections = [s for r in self.records for s in (*r.shares, r.identity, r.terms) if s is not None]
        return merkle.root([*self.envelopes, *(section.encoding for section in sections)])


@dataclass(frozen=True)
class Sealed:
    """A batch with its records, and the bytes that are hashed and signed."""

    header: Header
    body: Body
    records_root: bytes
    sigma: bytes
    ranges: list[bytes]
    signature: bytes
    records: Records
    content: bytes
    signed: bytes

    def id(self) -> bytes:
        """The batch's id: that of its content."""
        return blake3.derive_key("counterfoil/1 batch id", self.content)


def read(data: bytes) -> Sealed:
    """Reads the canonical bytes of a sealed batch, in full."""
    if len(data) > MAX_BYTES or data[:1] != bytes([VERSION]):
        raise Malformed("longer than a batch may be, or of another version")
    r = Reader(data)
    header, body, records_root = Header.read(r), Body.read(r), r.take(32)
    content = data[:r.position()]
    sigma, ranges = r.blob(), r.many(Reader.blob)
    signed = data[:r.position()]
    signature, records = r.take(64), Records.read(r)
    r.end()
    return Sealed(header, body, records_root, sigma, ranges, signature, records, content, signed)


def point(r: Reader) -> bytes:
    """32 bytes that claim to be a point."""
    return r.take(32)
