"""The batch as it travels: ledger, sections 3 to 5. Points are bytes here; whether they are points is checked later."""

from dataclasses import dataclass, field

from . import blake3, borsh, merkle
from .borsh import Malformed, Reader

VERSION = 1
MAX_BYTES = 2 << 20
KINDS = ("Fund", "Originate", "Repay", "Draw", "Reschedule", "WriteOff", "Recover", "Release", "Collect", "Reclassify")
BUCKETS = ("current", "to 30", "to 60", "to 90", "to 180", "beyond")
WHOLE = ("WriteOff", "Reclassify")
WITHOUT_LOANS = ("Fund", "Release")
WITH_RESERVES = ("Originate", "Draw", "Recover", "Release")
SHARE_CLASS, WIDE_SHARE_CLASS, IDENTITY_CLASS, TERMS_CLASS = 144, 208, 96, 192


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
class NewLoan:
    """A new loan."""

    quotient: bytes
    parts: list[NewPart]

    @staticmethod
    def read(r: Reader) -> "NewLoan":
        return NewLoan(point(r), r.many(NewPart.read))


@dataclass(frozen=True)
class Leg:
    """One of the amounts that an event has, and its sign in what is left of the balance: 0 where it leaves that alone."""

    name: str
    sign: int


LEGS = {
    "Repay": (Leg("principal", -1), Leg("interest", 0)),
    "Draw": (Leg("principal", 1),),
    "Reschedule": (Leg("principal", 1),),
    "Recover": (Leg("proceeds", 0), Leg("costs", 0)),
    "Collect": (Leg("principal", -1), Leg("interest", 0), Leg("fee", 0), Leg("penalty", 0)),
}


@dataclass(frozen=True)
class Portion:
    """A part of a leg's total."""

    movement: Amount
    split: Split

    @staticmethod
    def read(r: Reader) -> "Portion":
        return Portion(Amount.read(r), Split.read(r))


@dataclass(frozen=True)
class TouchedPart:
    """One bank's part of an event of a loan: a portion per leg."""

    balance: bytes
    share: bytes
    portions: tuple[Portion, ...]


@dataclass(frozen=True)
class TouchedLoan:
    """An event of a loan that exists: a quotient per leg."""

    loan: bytes
    quotients: tuple[bytes, ...]
    parts: list[TouchedPart]

    @staticmethod
    def reader(legs: tuple[Leg, ...]):
        """What reads such a loan: the legs are those of the batch's kind."""
        def part(r: Reader) -> TouchedPart:
            return TouchedPart(point(r), point(r), tuple(Portion.read(r) for _ in legs))

        return lambda r: TouchedLoan(r.take(32), tuple(point(r) for _ in legs), r.many(part))


@dataclass(frozen=True)
class WrittenPart:
    """A part whose whole balance moves: its place in the loan, and its balance."""

    place: int
    balance: Amount

    @staticmethod
    def read(r: Reader) -> "WrittenPart":
        return WrittenPart(r.number(1), Amount.read(r))


@dataclass(frozen=True)
class WrittenLoan:
    """A loan of which whole balances move."""

    loan: bytes
    parts: list[WrittenPart]

    @staticmethod
    def read(r: Reader) -> "WrittenLoan":
        return WrittenLoan(r.take(32), r.many(WrittenPart.read))


@dataclass(frozen=True)
class Body:
    """What a batch says. `postings` are lists per component: the legs' in their order, else the principal's alone; in `Collect`
    what is recovered comes last. `written_off` are its two bytes per loan; `buckets` those between which loans move."""

    kind: str
    postings: tuple[list[Amount], ...]
    loans: list = field(default_factory=list)
    reserves: list[bytes] = field(default_factory=list)
    written_off: list[bytes] = field(default_factory=list)
    buckets: tuple[str, ...] = ()

    @staticmethod
    def read(r: Reader) -> "Body":
        kind, loans = r.choice(KINDS), []
        legs = LEGS.get(kind, (Leg("principal", 0),))
        written_off = r.many(lambda r: r.take(2)) if kind == "Collect" else []
        buckets = (r.choice(BUCKETS), r.choice(BUCKETS)) if kind == "Reclassify" else ()
        reserves = r.many(point) if kind in WITH_RESERVES else []
        if kind not in WITHOUT_LOANS:
            whole = WrittenLoan.read if kind in WHOLE else TouchedLoan.reader(legs)
            loans = r.many(NewLoan.read if kind == "Originate" else whole)
        lists = len(legs) + (kind == "Collect")
        return Body(kind, tuple(r.many(Amount.read) for _ in range(lists)), loans, reserves, written_off, buckets)

    def encode(self) -> bytes:
        """The body's bytes."""
        reserves = borsh.encode(self.reserves) if self.kind in WITH_RESERVES else b""
        loans = b"" if self.kind in WITHOUT_LOANS else borsh.encode(self.loans)
        written_off = borsh.encode(self.written_off) if self.kind == "Collect" else b""
        written_off += b"".join(borsh.u8(BUCKETS.index(bucket)) for bucket in self.buckets)
        return borsh.u8(KINDS.index(self.kind)) + written_off + reserves + loans + borsh.encode(self.postings)

    def components(self) -> list[str]:
        """The name of every list of postings."""
        names = [leg.name for leg in LEGS.get(self.kind, ())] or ["principal"]
        return names + ["recovered"] if self.kind == "Collect" else names

    def movements(self) -> list[list[Amount]]:
        """The movements per component, in order of loans and parts."""
        parts = [part for loan in self.loans for part in loan.parts]
        if self.kind == "Originate":
            return [[part.principal for part in parts]]
        if self.kind in LEGS:
            found = [[part.portions[leg].movement for part in parts] for leg in range(len(LEGS[self.kind]))]
            return self._recovered_apart(found) if self.kind == "Collect" else found
        return [[part.balance for part in parts]]

    def _recovered_apart(self, movements: list[list[Amount]]) -> list[list[Amount]]:
        """Principal of parts that are written off stands in a list of its own, the last."""
        places = [(record, place) for record, loan in enumerate(self.loans) for place in range(len(loan.parts))]
        kept, recovered = [], []
        for (record, place), movement in zip(places, movements[0], strict=True):
            flags = int.from_bytes(self.written_off[record], "little")
            (recovered if flags >> place & 1 else kept).append(movement)
        return [kept, *movements[1:], recovered]

    def splits(self) -> list[Split]:
        """What shows that parts are fair shares."""
        parts = [part for loan in self.loans for part in loan.parts]
        if self.kind == "Originate":
            return [part.split for part in parts]
        return [portion.split for part in parts for portion in part.portions] if self.kind in LEGS else []

    def loose(self) -> list[bytes]:
        """The commitments that belong to no movement, posting or split: reserves, quotients, shares, balances."""
        found = list(self.reserves)
        for loan in self.loans:
            if self.kind == "Originate":
                found += [loan.quotient, *(part.share for part in loan.parts)]
            elif self.kind in LEGS:
                found += [*loan.quotients, *(c for part in loan.parts for c in (part.balance, part.share))]
        return found


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

    def encode(self) -> bytes:
        """The record's bytes."""
        option = lambda section: b"\0" if section is None else b"\1" + section.encoding
        shares = borsh.encode([section.encoding for section in self.shares])
        return shares + option(self.identity) + option(self.terms)


@dataclass(frozen=True)
class Records:
    """What the batch commits to by a root."""

    envelopes: list[bytes]
    records: list[Record]

    @staticmethod
    def read(r: Reader) -> "Records":
        return Records(r.many(lambda r: r.take(80)), r.many(Record.read))

    def encode(self) -> bytes:
        """The records' bytes."""
        return borsh.encode(self.envelopes) + borsh.encode([record.encode() for record in self.records])

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
