"""What a batch proves: ledger, section 6."""

from .batch import LEGS, Amount, Leg, Sealed, Split
from .forms import Form
from .genesis import Consortium
from .merlin import Transcript
from .product import Product
from .relation import ALL_OF_64_BITS, Relation


def relation(consortium: Consortium, product: Product, sealed: Sealed) -> Relation:
    """The relation of a batch, built in its transcript."""
    transcript = Transcript(b"counterfoil/1/batch")
    transcript.append(b"consortium", consortium.id)
    transcript.append(b"content", sealed.content)
    builder = Builder(product, Relation(sealed.header.suite, b"counterfoil batch relation", transcript))
    servicer = consortium.members[sealed.header.servicer].view_key
    auditors = [consortium.named(name).view_key for name in product.auditors]
    banks = [consortium.members[bank].view_key for bank in consortium.banks]
    body = sealed.body
    for loan in body.loans:
        builder.loan(body.kind, loan)
    if body.kind == "Originate":
        builder.relation.owner_keys(servicer, [loan.parts[0].owner for loan in body.loans])
    builder.reserves(body)
    builder.handles(body, banks, auditors)
    return builder.relation


class Builder:
    """Adds loans and handles to a relation."""

    def __init__(self, product: Product, to: Relation):
        self.product, self.relation, self.units = product, to, product.share_units
        self.most_quotient = product.cap // self.units
        self.most_interest_quotient = 2**32 - 1 if product.width == 64 else 2**16 - 1

    def images(self, split: Split, amount: Form, x: Form) -> list[Form]:
        """`whole` and `fair` of a split."""
        fair = Form.of(split.slack) + self.units * x - Form.constant(self.units - 1)
        return [amount - Form.of(split.rest), fair]

    def split_ranges(self, split: Split, most_rest: int) -> None:
        self.relation.roughly(most_rest, Form.of(split.rest))
        self.relation.exactly(2 * self.units - 2, Form.of(split.slack))

    def loan(self, kind: str, loan) -> None:
        """What is proven of a loan of the batch; of what is written off, nothing."""
        if kind == "Originate":
            self.new_loan(loan)
        elif kind in LEGS:
            self.touched_loan(LEGS[kind], loan)

    def new_loan(self, loan) -> None:
        amounts = [Form.of(part.principal.amount) for part in loan.parts]
        total = Form.sum(amounts)
        rows = [(Form.of(part.share), self.images(part.split, a, a)) for part, a in zip(loan.parts, amounts)]
        self.relation.products([Form.of(loan.quotient), total], rows)
        self.relation.roughly(self.most_quotient, Form.of(loan.quotient))
        for part in loan.parts:
            self.relation.roughly(self.units, Form.of(part.share))
            self.split_ranges(part.split, self.units)
        self.rules(amounts, total)

    def rules(self, amounts: list[Form], total: Form) -> None:
        """The product's rules over a loan's amounts."""
        for rule in self.product.rules():
            servicer = [rule.servicer * amounts[0]] if rule.servicer else []
            form = Form.sum([Form.constant(rule.constant), *servicer, rule.total * total])
            self.relation.roughly(rule.largest, form)

    def touched_loan(self, legs: tuple[Leg, ...], loan) -> None:
        amounts = [[Form.of(portion.movement.amount) for portion in part.portions] for part in loan.parts]
        after = [self.after(legs, part.balance, moved) for part, moved in zip(loan.parts, amounts)]
        split = [[left if leg.sign else a for leg, a in zip(legs, moved)] for left, moved in zip(after, amounts)]
        bases = []
        for number, quotient in enumerate(loan.quotients):
            bases += [Form.of(quotient), Form.sum(quantities[number] for quantities in split)]
        rows = []
        for part, moved, quantities in zip(loan.parts, amounts, split):
            images = [self.images(p.split, a, x) for p, a, x in zip(part.portions, moved, quantities)]
            rows.append((Form.of(part.share), [image for pair in images for image in pair]))
        self.relation.products(bases, rows)
        for leg, quotient in zip(legs, loan.quotients):
            self.relation.roughly(self.most_quotient_of(leg), Form.of(quotient))
        if any(leg.sign < 0 for leg in legs):
            self.relation.roughly(self.product.cap, Form.sum(after))
        if any(leg.sign > 0 for leg in legs):
            self.rules(after, Form.sum(after))
        for part in loan.parts:
            for leg, portion in zip(legs, part.portions):
                self.split_ranges(portion.split, min(2 * self.units + 2, 255) if leg.sign else self.units)

    @staticmethod
    def after(legs: tuple[Leg, ...], balance: bytes, moved: list[Form]) -> Form:
        """A part's balance after the event."""
        return Form.sum([Form.of(balance), *(leg.sign * a for leg, a in zip(legs, moved) if leg.sign)])

    def most_quotient_of(self, leg: Leg) -> int:
        beside_principal = leg.name in ("interest", "fee", "penalty")
        return self.most_interest_quotient if beside_principal else self.most_quotient

    def reserves(self, body) -> None:
        """No reserve falls below zero."""
        for place, reserve in enumerate(body.reserves):
            terms = [Form.of(reserve)]
            for component, postings in zip(body.components(), body.postings):
                terms.append((1 if component == "proceeds" else -1) * Form.of(postings[place].amount))
            self.relation.roughly(ALL_OF_64_BITS, Form.sum(terms))

    def handles(self, body, banks: list[bytes], auditors: list[bytes]) -> None:
        row = lambda amount: (Form.of(amount.amount), amount.handles)
        movements = [movement for component in body.movements() for movement in component]
        if auditors and movements:
            self.relation.handles(auditors, [row(movement) for movement in movements])
        for place, bank in enumerate(banks):
            mine: list[Amount] = [postings[place] for postings in body.postings]
            self.relation.handles([bank, *auditors], [row(posting) for posting in mine])
            for posting in mine:
                self.relation.roughly(self.most_posting(body), Form.of(posting.amount))

    def most_posting(self, body) -> int:
        """The most that a posting honestly is."""
        cap, units = self.product.cap, self.units
        repaid = max(cap, self.most_interest_quotient * units + units)
        per_loan = {
            "Fund": ALL_OF_64_BITS,
            "Repay": repaid,
            "Collect": repaid,
            "Recover": cap + units,
            "Release": ALL_OF_64_BITS,
        }.get(body.kind, cap)
        return min(ALL_OF_64_BITS, per_loan * max(1, len(body.loans)))
