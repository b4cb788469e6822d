"""What a batch of proof suite 1 proves: ledger, section 6."""

from . import group
from .batch import Sealed, Split
from .genesis import Consortium
from .merlin import Transcript
from .product import Product
from .relation import Relation, constant

WIDTHS = (8, 16, 32, 64)


def least_width(most: int) -> int:
    """The least width that holds a number."""
    return next(width for width in WIDTHS if most < 1 << width)


def relation(consortium: Consortium, product: Product, sealed: Sealed) -> Relation:
    """The relation of a batch, built in its transcript."""
    transcript = Transcript(b"counterfoil/1/batch")
    transcript.append(b"consortium", consortium.id)
    transcript.append(b"content", sealed.content)
    builder = Builder(product, Relation(b"counterfoil batch relation", transcript))
    servicer = consortium.members[sealed.header.servicer].view_key
    auditors = [consortium.named(name).view_key for name in product.auditors]
    banks = [consortium.members[bank].view_key for bank in consortium.banks]
    body = sealed.body
    if body.kind == "Originate":
        for loan in body.loans:
            builder.new_loan(loan)
        builder.relation.owner_keys(servicer, [loan.parts[0].owner for loan in body.loans])
        for reserve, posting in zip(body.reserves, body.postings[0], strict=True):
            builder.relation.range(64, group.sub(reserve, posting.amount))
    elif body.kind == "Repay":
        for loan in body.loans:
            builder.repaid_loan(loan)
    builder.handles(body, banks, auditors)
    return builder.relation


class Builder:
    """Adds loans and handles to a relation."""

    def __init__(self, product: Product, to: Relation):
        self.product, self.relation, self.units = product, to, product.share_units
        self.quotient_width = least_width(product.cap // self.units)

    def images(self, split: Split, amount: bytes, x: bytes) -> list[bytes]:
        """`whole` and `fair` of a split."""
        fair = group.sub(group.add(split.slack, group.mul(self.units, x)), constant(self.units - 1))
        return [group.sub(amount, split.rest), fair]

    def split_ranges(self, split: Split) -> None:
        self.relation.range(8, split.rest)
        self.relation.range(8, split.slack)
        self.relation.range(8, group.sub(constant(2 * self.units - 2), split.slack))

    def new_loan(self, loan) -> None:
        amounts = [part.principal.amount for part in loan.parts]
        total = group.total(amounts)
        rows = [(part.share, self.images(part.split, a, a)) for part, a in zip(loan.parts, amounts)]
        self.relation.products([loan.quotient, total], rows)
        self.relation.range(self.quotient_width, loan.quotient)
        for part in loan.parts:
            self.relation.range(8, part.share)
            self.split_ranges(part.split)
        for rule in self.product.rules():
            form = group.weighted_sum(
                [rule.constant, rule.servicer, rule.total], [group.VALUE_BASE, amounts[0], total]
            )
            self.relation.range(rule.bits, form)

    def repaid_loan(self, loan) -> None:
        after = [group.sub(part.balance, part.principal.amount) for part in loan.parts]
        balance, interest = group.total(after), group.total(part.interest.amount for part in loan.parts)
        rows = []
        for part, left in zip(loan.parts, after):
            principal = self.images(part.principal_split, part.principal.amount, left)
            earned = self.images(part.interest_split, part.interest.amount, part.interest.amount)
            rows.append((part.share, principal + earned))
        self.relation.products([loan.principal_quotient, balance, loan.interest_quotient, interest], rows)
        self.relation.range(self.quotient_width, loan.principal_quotient)
        self.relation.range(32 if self.product.width == 64 else 16, loan.interest_quotient)
        self.relation.range(least_width(self.product.cap), balance)
        for part in loan.parts:
            self.split_ranges(part.principal_split)
            self.split_ranges(part.interest_split)

    def handles(self, body, banks: list[bytes], auditors: list[bytes]) -> None:
        movements = [movement for component in body.movements() for movement in component]
        if auditors and movements:
            self.relation.handles(auditors, [(m.amount, m.handles) for m in movements])
        for place, bank in enumerate(banks):
            mine = [postings[place] for postings in body.postings]
            self.relation.handles([bank, *auditors], [(p.amount, p.handles) for p in mine])
            for posting in mine:
                self.relation.range(64, posting.amount)
