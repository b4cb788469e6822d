"""What a batch proves: ledger, section 6."""

from .batch import Amount, Sealed, Split
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
    if body.kind == "Originate":
        for loan in body.loans:
            builder.new_loan(loan)
        builder.relation.owner_keys(servicer, [loan.parts[0].owner for loan in body.loans])
        for reserve, posting in zip(body.reserves, body.postings[0], strict=True):
            builder.relation.roughly(ALL_OF_64_BITS, Form.of(reserve) - Form.of(posting.amount))
    elif body.kind == "Repay":
        for loan in body.loans:
            builder.repaid_loan(loan)
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

    def new_loan(self, loan) -> None:
        amounts = [Form.of(part.principal.amount) for part in loan.parts]
        total = Form.sum(amounts)
        rows = [(Form.of(part.share), self.images(part.split, a, a)) for part, a in zip(loan.parts, amounts)]
        self.relation.products([Form.of(loan.quotient), total], rows)
        self.relation.roughly(self.most_quotient, Form.of(loan.quotient))
        for part in loan.parts:
            self.relation.roughly(self.units, Form.of(part.share))
            self.split_ranges(part.split, self.units)
        for rule in self.product.rules():
            servicer = [rule.servicer * amounts[0]] if rule.servicer else []
            form = Form.sum([Form.constant(rule.constant), *servicer, rule.total * total])
            self.relation.roughly(rule.largest, form)

    def repaid_loan(self, loan) -> None:
        amount = lambda movement: Form.of(movement.amount)
        after = [Form.of(part.balance) - amount(part.principal) for part in loan.parts]
        balance, interest = Form.sum(after), Form.sum(amount(part.interest) for part in loan.parts)
        rows = []
        for part, left in zip(loan.parts, after):
            principal = self.images(part.principal_split, amount(part.principal), left)
            earned = self.images(part.interest_split, amount(part.interest), amount(part.interest))
            rows.append((Form.of(part.share), principal + earned))
        quotients = Form.of(loan.principal_quotient), Form.of(loan.interest_quotient)
        self.relation.products([quotients[0], balance, quotients[1], interest], rows)
        self.relation.roughly(self.most_quotient, quotients[0])
        self.relation.roughly(self.most_interest_quotient, quotients[1])
        self.relation.roughly(self.product.cap, balance)
        for part in loan.parts:
            self.split_ranges(part.principal_split, min(2 * self.units + 2, 255))
            self.split_ranges(part.interest_split, self.units)

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
        per_loan = {
            "Fund": ALL_OF_64_BITS,
            "Originate": self.product.cap,
            "Repay": max(self.product.cap, self.most_interest_quotient * self.units + self.units),
        }[body.kind]
        return min(ALL_OF_64_BITS, per_loan * max(1, len(body.loans)))
