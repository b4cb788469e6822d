"""All that a peer checks of a batch without state and without a key, in order: ledger, section 8."""

from collections.abc import Callable

from . import batch, borsh, ed25519, group, statement
from .batch import (
    IDENTITY_CLASS, SHARE_CLASS, TERMS_CLASS, WHOLE, WIDE_SHARE_CLASS, WITH_RESERVES, WITHOUT_LOANS, Body, Record, Sealed,
    Section,
)
from .genesis import Consortium
from .product import Product
from .relation import SUITES, RefusedRange, RefusedSigma


class Rejected(Exception):
    """The batch is refused: the refusal's name, and what is wrong."""

    def __init__(self, name: str, why: str):
        super().__init__(f"{name}: {why}")
        self.name = name


def verify(consortium: Consortium, data: bytes, say: Callable[[str], None] = lambda _: None) -> Sealed:
    """Verifies a sealed batch, saying in plain words what was verified."""
    try:
        sealed = batch.read(data)
    except borsh.Malformed as error:
        raise Rejected("Malformed", str(error)) from error
    say(f"its {len(data)} bytes are the canonical encoding of a {sealed.header.kind} batch")
    product = _context(consortium, sealed)
    say(f"it is for consortium {consortium.name!r}, product {product.name!r}, and names the policy in force")
    _shape(consortium, product, sealed)
    parts = sum(len(loan.parts) for loan in sealed.body.loans)
    say(f"counts are as they must be: {len(sealed.body.loans)} loans with {parts} parts in all, "
        f"{len(consortium.banks)} banks, {len(product.auditors)} auditors")
    if sealed.records.root() != sealed.records_root:
        raise Rejected("Records", "the records are not those of the root")
    say("the sealed records are those of its Merkle root, all of their padded sizes")
    _signature(consortium, sealed)
    say(f"{consortium.members[sealed.header.servicer].name} signed it")
    say(f"{_points(sealed.body)} points are canonical, and no handle or key is the identity")
    _balance(sealed.body)
    if sealed.body.loans:
        say(f"the movements add up to the postings: {', '.join(sealed.body.components())}")
    _shares(product, sealed.body)
    if sealed.body.kind == "Originate":
        say(f"the shares of every loan add up to {product.share_units} units")
    _proofs(consortium, product, sealed, say)
    return sealed


def _context(consortium: Consortium, sealed: Sealed) -> Product:
    header = sealed.header
    if header.consortium != consortium.id:
        raise Rejected("Consortium", "it is for another consortium")
    if header.suite not in SUITES:
        raise Rejected("Suite", f"proof suite {header.suite} is not known")
    if header.servicer not in consortium.banks:
        raise Rejected("Member", f"servicer {header.servicer} is no bank")
    if header.product >= len(consortium.products):
        raise Rejected("Product", f"there is no product {header.product}")
    product = consortium.products[header.product]
    if header.policy != product.policy():
        raise Rejected("Policy", "it names another policy")
    return product


def _shape(consortium: Consortium, product: Product, sealed: Sealed) -> None:
    body, header, records = sealed.body, sealed.header, sealed.records
    banks, auditors = len(consortium.banks), len(product.auditors)
    bare, originate = body.kind in WITHOUT_LOANS, body.kind == "Originate"

    def demand(fact: bool, what: str) -> None:
        if not fact:
            raise Rejected("Shape", f"wrong {what}")

    demand(body.kind == header.kind, "kind")
    demand(body.kind != "Fund" or header.merged == 0, "top-ups to take up")
    demand(bare or 1 <= len(body.loans) <= 256, "number of loans")
    if not originate:
        demand(len({loan.loan for loan in body.loans}) == len(body.loans), "loans: one is there twice")
    demand(all(_parts_fit(product, body.kind, loan.parts) for loan in body.loans), "parts")
    if body.kind == "Collect":
        fits = [int.from_bytes(flags, "little") >> product.parts == 0 for flags in body.written_off]
        demand(len(fits) == len(body.loans) and all(fits), "marks of what is written off")
    demand(body.kind not in WITH_RESERVES or len(body.reserves) == banks, "number of reserves")
    movements = [movement for component in body.movements() for movement in component]
    demand(all(len(movement.handles) == auditors for movement in movements), "number of a movement's handles")
    for postings in body.postings:
        demand(len(postings) == banks, "number of postings")
        demand(all(len(posting.handles) == auditors + 1 for posting in postings), "number of a posting's handles")
    demand(len(records.envelopes) == len(consortium.members), "number of envelopes")
    shares = [banks] if bare else [len(loan.parts) for loan in body.loans]
    demand(len(records.records) == len(shares), "number of records")
    for record, count in zip(records.records, shares):
        demand(_record_shape(record, body.kind, count, auditors), "sections")


def _parts_fit(product: Product, kind: str, parts: list) -> bool:
    """Every part of the product; where whole balances move some, in ascending places."""
    if kind not in WHOLE:
        return len(parts) == product.parts
    places = [part.place for part in parts]
    return 1 <= len(places) and places == sorted(set(places)) and places[-1] < product.parts


def _record_shape(record: Record, kind: str, shares: int, auditors: int) -> bool:
    originate, class_of_share = kind == "Originate", WIDE_SHARE_CLASS if kind == "Collect" else SHARE_CLASS

    def fits(section: Section | None, class_: int, wraps: int) -> bool:
        return section is None or (section.ciphertext == class_ + 18 and section.wraps == wraps)

    return (
        len(record.shares) == shares
        and all(fits(section, class_of_share, auditors + 1) for section in record.shares)
        and (record.identity is not None) == (record.terms is not None) == originate
        and fits(record.identity, IDENTITY_CLASS, shares)
        and fits(record.terms, TERMS_CLASS, shares + auditors)
    )


def _signature(consortium: Consortium, sealed: Sealed) -> None:
    key = consortium.members[sealed.header.servicer].identity
    try:
        ed25519.verify(key, b"counterfoil/1/batch-signature", sealed.signed, sealed.signature)
    except ed25519.BadSignature as error:
        raise Rejected("Signature", str(error)) from error


def _points(body: Body) -> int:
    """Checks every point; says how many there are."""
    commitments, handles = body.loose(), []
    for amount in [a for component in (*body.movements(), *body.postings) for a in component]:
        commitments.append(amount.amount)
        handles += amount.handles
    for split in body.splits():
        commitments += [split.rest, split.slack]
    if body.kind == "Originate":
        handles += [key for loan in body.loans for part in loan.parts for key in part.owner]
    try:
        for commitment in commitments:
            group.point(commitment)
        for handle in handles:
            group.nonzero_point(handle)
    except group.NotCanonical as error:
        raise Rejected("Point", str(error)) from error
    return len(commitments) + len(handles)


def _balance(body: Body) -> None:
    if body.kind in WITHOUT_LOANS:
        return
    for component, movements, postings in zip(body.components(), body.movements(), body.postings, strict=True):
        if group.total(m.amount for m in movements) != group.total(p.amount for p in postings):
            raise Rejected("Unbalanced", f"the movements of {component} do not add up to the postings")


def _shares(product: Product, body: Body) -> None:
    units = group.mul(product.share_units, group.VALUE_BASE)
    if body.kind == "Originate":
        for loan in body.loans:
            if group.total(part.share for part in loan.parts) != units:
                raise Rejected("Shares", "the shares of a loan do not add up")


def _proofs(consortium: Consortium, product: Product, sealed: Sealed, say) -> None:
    relation = statement.relation(consortium, product, sealed)
    try:
        pieces = relation.verify(sealed.sigma, sealed.ranges)
    except RefusedSigma as error:
        raise Rejected("Sigma", str(error)) from error
    except RefusedRange as error:
        raise Rejected("Range", str(error)) from error
    shown = ["handles open what is committed"]
    if sealed.body.splits():
        shown.append("parts are their shares")
    if sealed.body.kind == "Originate":
        shown.append("the servicer's part is its own")
    say(f"the sigma proof holds: {len(relation.statement.equations)} equations ({', '.join(shown)})")
    for piece in pieces:
        bits = sorted({most.bit_length() for most in piece.layout.bounds})
        say(f"a range proof holds: {len(piece.quantities)} quantities are whole numbers from 0 to their bounds, "
            f"of {', '.join(map(str, bits))} bits")
