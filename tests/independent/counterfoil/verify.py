"""All that a peer checks of a batch without state and without a key, in order: ledger, section 8."""

from collections.abc import Callable

from . import batch, borsh, ed25519, group, statement
from .batch import IDENTITY_CLASS, SHARE_CLASS, TERMS_CLASS, Body, Record, Sealed, Section
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
    say(f"counts are as they must be: {len(sealed.body.loans)} loans of {product.parts} parts, "
        f"{len(consortium.banks)} banks, {len(product.auditors)} auditors")
    if sealed.records.root() != sealed.records_root:
        raise Rejected("Records", "the records are not those of the root")
    say("the sealed records are those of its Merkle root, all of their padded sizes")
    _signature(consortium, sealed)
    say(f"{consortium.members[sealed.header.servicer].name} signed it")
    say(f"{_points(sealed.body)} points are canonical, and no handle or key is the identity")
    _balance(sealed.body)
    say("the movements add up to the postings, component by component")
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
    fund, originate = body.kind == "Fund", body.kind == "Originate"

    def demand(fact: bool, what: str) -> None:
        if not fact:
            raise Rejected("Shape", f"wrong {what}")

    demand(body.kind == header.kind, "kind")
    demand(not fund or header.merged == 0, "top-ups to take up")
    demand(fund or 1 <= len(body.loans) <= 256, "number of loans")
    if body.kind == "Repay":
        demand(len({loan.loan for loan in body.loans}) == len(body.loans), "loans: one is there twice")
    demand(all(len(loan.parts) == product.parts for loan in body.loans), "number of parts")
    demand(not originate or len(body.reserves) == banks, "number of reserves")
    movements = [movement for component in body.movements() for movement in component]
    demand(all(len(movement.handles) == auditors for movement in movements), "number of a movement's handles")
    for postings in body.postings:
        demand(len(postings) == banks, "number of postings")
        demand(all(len(posting.handles) == auditors + 1 for posting in postings), "number of a posting's handles")
    demand(len(records.envelopes) == len(consortium.members), "number of envelopes")
    demand(len(records.records) == (1 if fund else len(body.loans)), "number of records")
    shares = banks if fund else product.parts
    for record in records.records:
        demand(_record_shape(record, originate, shares, auditors), "sections")


def _record_shape(record: Record, originate: bool, shares: int, auditors: int) -> bool:
    def fits(section: Section | None, class_: int, wraps: int) -> bool:
        return section is None or (section.ciphertext == class_ + 18 and section.wraps == wraps)

    return (
        len(record.shares) == shares
        and all(fits(section, SHARE_CLASS, auditors + 1) for section in record.shares)
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
    commitments, handles = list(body.reserves), []
    for amount in [a for component in body.movements() + body.postings for a in component]:
        commitments.append(amount.amount)
        handles += amount.handles
    for loan in body.loans:
        if body.kind == "Originate":
            commitments.append(loan.quotient)
            for part in loan.parts:
                commitments += [part.share, part.split.rest, part.split.slack]
                handles += part.owner
        else:
            commitments += [loan.principal_quotient, loan.interest_quotient]
            for part in loan.parts:
                commitments += [part.balance, part.share]
                for split in (part.principal_split, part.interest_split):
                    commitments += [split.rest, split.slack]
    try:
        for commitment in commitments:
            group.point(commitment)
        for handle in handles:
            group.nonzero_point(handle)
    except group.NotCanonical as error:
        raise Rejected("Point", str(error)) from error
    return len(commitments) + len(handles)


def _balance(body: Body) -> None:
    if body.kind == "Fund":
        return
    for movements, postings in zip(body.movements(), body.postings, strict=True):
        if group.total(m.amount for m in movements) != group.total(p.amount for p in postings):
            raise Rejected("Unbalanced", "the movements do not add up to the postings")


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
    say(f"the sigma proof holds: {len(relation.statement.equations)} equations (handles open what is committed, "
        "parts are their shares, the servicer's part is its own)")
    for piece in pieces:
        bits = sorted({most.bit_length() for most in piece.layout.bounds})
        say(f"a range proof holds: {len(piece.quantities)} quantities are whole numbers from 0 to their bounds, "
            f"of {', '.join(map(str, bits))} bits")
