"""Attestations and decrees: ledger, sections 10 and 11."""

from dataclasses import dataclass

from . import blake3, borsh, ed25519, opening
from .genesis import Consortium
from .relation import SUITES
from .verify import Rejected

KINDS = ("settlement", "incoming", "reserve", "loans", "income")
MOST_BYTES = 2 << 20


@dataclass(frozen=True, order=True)
class Account:
    """A control account with its balance, a commitment."""

    product: int
    servicer: int
    kind: int
    balance: bytes

    @staticmethod
    def read(reader: borsh.Reader) -> "Account":
        product, servicer = reader.number(2), reader.number(2)
        return Account(product, servicer, reader.choice(range(len(KINDS))), reader.take(32))

    def name(self) -> tuple[int, int, int]:
        """What names it."""
        return self.product, self.servicer, self.kind

    def encode(self) -> bytes:
        """Its bytes."""
        return borsh.u16(self.product) + borsh.u16(self.servicer) + borsh.u8(self.kind) + self.balance


@dataclass(frozen=True)
class Attestation:
    """What a bank signed about its control accounts."""

    consortium: bytes
    bank: int
    epoch: int
    accounts: list[Account]
    envelopes: list[bytes]
    sections: list[tuple[bytes, list[bytes]]]
    content: bytes
    signature: bytes

    def id(self) -> bytes:
        """The id."""
        return blake3.derive_key("counterfoil/1 attestation id", self.content)

    def accounts_hash(self) -> bytes:
        """What the state keeps of the accounts."""
        accounts = borsh.u32(len(self.accounts)) + b"".join(account.encode() for account in self.accounts)
        return blake3.derive_key("counterfoil/1 control accounts", borsh.u16(self.bank) + accounts)

    def products(self) -> list[int]:
        """The products of the accounts, ascending."""
        return sorted({account.product for account in self.accounts})

    def of(self, product: int) -> list[Account]:
        """The accounts of a product."""
        return [account for account in self.accounts if account.product == product]

    def open(self, consortium: Consortium, auditor: int, seed: bytes) -> dict:
        """What an auditor reads with its envelope key's seed: by account the value and blinding, or nothing."""
        place = self.consortium + borsh.u16(self.bank) + borsh.u64(self.epoch)
        envelope = self.envelopes[_auditors(consortium, self.products()).index(auditor)]
        info = b"counterfoil/1/envelope"
        viewer = opening.open_envelope(seed, info, place + borsh.u16(auditor), envelope)
        opened = {}
        for product, (ciphertext, wraps) in zip(self.products(), self.sections):
            ids = _auditors_of(consortium, product)
            if auditor in ids:
                section = borsh.blob(ciphertext) + borsh.u32(len(wraps)) + b"".join(wraps)
                context = place + borsh.u16(product) + self.accounts_hash()
                text = borsh.Reader(opening.open_section(viewer, ids.index(auditor), context, section))
                openings = text.many(lambda r: r.option(lambda r: (r.take(32), r.take(32))))
                text.end()
                opened.update(zip(self.of(product), openings, strict=True))
        return opened


def body(tag: int, transaction: bytes) -> bytes:
    """The body of a transaction of this tag."""
    if transaction[:2] != bytes([1, tag]) or len(transaction) > MOST_BYTES:
        raise Rejected("Malformed", "another version or kind of transaction, or too long")
    return transaction[2:]


def attestation(consortium: Consortium, transaction: bytes) -> Attestation:
    """Checks all of an attestation that needs no state."""
    try:
        it = _read_attestation(body(1, transaction))
    except borsh.Malformed as error:
        raise Rejected("Malformed", str(error)) from error
    if it.consortium != consortium.id:
        raise Rejected("Consortium", "it is for another")
    if it.bank not in consortium.banks:
        raise Rejected("Member", f"member {it.bank} is no bank")
    if any(account.product >= len(consortium.products) for account in it.accounts):
        raise Rejected("Product", "an account of a product that is none")
    _shape(consortium, it)
    _signed(consortium, it.bank, b"counterfoil/1/attestation", it.content, it.signature)
    return it


def _read_attestation(data: bytes) -> Attestation:
    reader = borsh.Reader(data)
    consortium, bank, epoch = reader.take(32), reader.number(2), reader.number(8)
    accounts = reader.many(Account.read)
    envelopes = reader.many(lambda r: r.take(80))
    sections = reader.many(lambda r: (r.blob(), r.many(lambda r: r.take(48))))
    content = data[:reader.position()]
    signature = reader.take(64)
    reader.end()
    return Attestation(consortium, bank, epoch, accounts, envelopes, sections, content, signature)


def _shape(consortium: Consortium, it: Attestation) -> None:
    names = [account.name() for account in it.accounts]
    if not 1 <= len(names) <= 1024 * len(KINDS) or any(a >= b for a, b in zip(names, names[1:])):
        raise Rejected("Shape", "no accounts, too many, or not in order")
    products = it.products()
    if len(it.envelopes) != len(_auditors(consortium, products)) or len(it.sections) != len(products):
        raise Rejected("Shape", "not an envelope per auditor and a section per product")
    for product, (ciphertext, wraps) in zip(products, it.sections):
        length = 65 * len(it.of(product)) + 4
        if length > 65_535 or len(ciphertext) != length + 18 or len(wraps) != len(_auditors_of(consortium, product)):
            raise Rejected("Shape", f"the section of product {product}")


def _auditors_of(consortium: Consortium, product: int) -> list[int]:
    names = [member.name for member in consortium.members]
    return [names.index(name) for name in consortium.products[product].auditors]


def _auditors(consortium: Consortium, products: list[int]) -> list[int]:
    return sorted({auditor for product in products for auditor in _auditors_of(consortium, product)})


def _signed(consortium: Consortium, bank: int, label: bytes, message: bytes, signature: bytes) -> None:
    try:
        ed25519.verify(consortium.members[bank].identity, label, message, signature)
    except (ed25519.BadKey, ed25519.BadSignature) as error:
        raise Rejected("Signature", str(error)) from error


@dataclass(frozen=True)
class Decree:
    """A retirement that was voted for."""

    suite: int
    start: int
    retirement: bytes

    def id(self) -> bytes:
        """The id."""
        return blake3.derive_key("counterfoil/1 decree id", self.retirement)


def decree(consortium: Consortium, transaction: bytes) -> Decree:
    """Counts the votes of a decree."""
    data = body(2, transaction)
    try:
        reader = borsh.Reader(data)
        named, suite, start = reader.take(32), reader.number(1), reader.number(8)
        retirement = data[:reader.position()]
        votes = reader.many(lambda r: (r.number(2), r.take(64)))
        reader.end()
    except borsh.Malformed as error:
        raise Rejected("Malformed", str(error)) from error
    if named != consortium.id:
        raise Rejected("Consortium", "it is for another")
    if suite not in SUITES:
        raise Rejected("Suite", f"{suite} is none")
    if len(votes) > 64 or any(a[0] >= b[0] for a, b in zip(votes, votes[1:])):
        raise Rejected("Votes", "too many, doubled, or out of order")
    for bank, vote in votes:
        if bank not in consortium.banks:
            raise Rejected("Votes", f"member {bank} is no bank")
        _signed(consortium, bank, b"counterfoil/1/decree", retirement, vote)
    if 3 * len(votes) <= 2 * len(consortium.banks):
        raise Rejected("TooFew", f"{len(votes)} votes of {len(consortium.banks)} banks")
    return Decree(suite, start, retirement)
