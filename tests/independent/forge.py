#!/usr/bin/env python3
"""Forges stored batches and stores the forgeries that are missing: what is changed, and the refusal that is due.

    python forge.py GENESIS.json BATCH.json...

Beside each batch BATCH.json it writes BATCH.refused.json, unless it is there: a vector is made once and kept for ever. Each
section of a batch is changed. Where the signature would be the first to notice, the forger is the servicer itself and signs
again: the seeds of the stored genesis are known. A forgery is stored as pieces `[from, to, new bytes]` of the batch's bytes.
What needs the present state, such as a balance that is not the present one, is not among them: the ledger's own tests are for that.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha512
from pathlib import Path

from counterfoil import batch, blake3, borsh, ed25519, genesis, group, statement
from counterfoil.batch import KINDS, LEGS, WHOLE, WITH_RESERVES, WITHOUT_LOANS, Amount, Body, Records, Sealed
from counterfoil.genesis import Consortium

LABEL = b"counterfoil/1/batch-signature"
NO_POINT = bytes([1]) + bytes(31)
KIND, MERGED, BODY = 70, 111, 127


def sign(seed: bytes, message: bytes) -> bytes:
    """RFC 8032, section 5.1.6, under the label of batches."""
    wide = sha512(seed).digest()
    secret = int.from_bytes(wide[:32], "little") & ((1 << 254) - 8) | 1 << 254
    key = ed25519._encode(ed25519._mul(secret, ed25519.BASE))
    message = bytes([len(LABEL)]) + LABEL + message
    nonce = int.from_bytes(sha512(wide[32:] + message).digest(), "little") % ed25519.ORDER
    r = ed25519._encode(ed25519._mul(nonce, ed25519.BASE))
    challenge = int.from_bytes(sha512(r + key + message).digest(), "little")
    return r + ((nonce + challenge * secret) % ed25519.ORDER).to_bytes(32, "little")


class Forger:
    """Changes a stored batch."""

    def __init__(self, consortium: Consortium, data: bytes, seed: bytes):
        self.consortium, self.data, self.seed = consortium, data, seed
        self.sealed: Sealed = batch.read(data)
        self.signed = self.sealed.signed
        assert self.rebuilt(self.sealed.body) == self.data and self.recorded(self.sealed.records) == self.data

    def flipped(self, at: int) -> bytes:
        """One bit flipped."""
        return self.data[:at] + bytes([self.data[at] ^ 1]) + self.data[at + 1:]

    def resigned(self, signed: bytes) -> bytes:
        """Other content or proofs, signed again."""
        return signed + sign(self.seed, signed) + self.data[len(self.signed) + 64:]

    def replaced(self, old: bytes, new: bytes) -> bytes:
        """Some bytes replaced by others wherever they stand, and signed again."""
        assert self.signed.count(old) >= 1
        return self.resigned(self.signed.replace(old, new))

    def rebuilt(self, body: Body) -> bytes:
        """Another body, whatever its shape, under its own kind, and signed again."""
        return self.embodied(KINDS.index(body.kind), body.encode())

    def embodied(self, kind: int, body: bytes) -> bytes:
        """A header of this kind over the bytes of a body, and signed again."""
        rest = self.signed[len(self.sealed.content) - 32:]
        return self.resigned(self.signed[:KIND] + bytes([kind]) + self.signed[KIND + 1:BODY] + body + rest)

    def recorded(self, records: Records) -> bytes:
        """Other records; they are not signed, and their root is looked at after their shape."""
        return self.data[:len(self.signed) + 64] + records.encode()

    def due(self, data: bytes) -> str:
        """What notices first that proofs were made for another statement: numbers and sizes before equations."""
        needed, there = (self._sizes(sealed) for sealed in (batch.read(data), self.sealed))
        if len(needed[1]) != len(there[1]):
            return "Range"
        return "Sigma" if needed[0] != there[0] or needed[1] == there[1] else "Range"

    def _sizes(self, sealed: Sealed) -> tuple[int, list[int]]:
        """How many words the sigma proof has, and how many bits each range proof."""
        relation = statement.relation(self.consortium, self.consortium.products[sealed.header.product], sealed)
        words = len(relation.statement.equations) + relation.statement.secrets
        return words, [piece.layout.length for piece in relation.pieces()]

    def raised(self, commitment: bytes) -> bytes:
        """One more in a commitment, and signed again."""
        return self.replaced(commitment, group.add(commitment, group.VALUE_BASE))

    def swapped(self, one: bytes, other: bytes) -> bytes:
        """Two values in each other's place, and signed again."""
        mark = bytes([0xFF] * 32)
        swapped = self.signed.replace(one, mark).replace(other, one).replace(mark, other)
        return self.resigned(swapped)


Attack = tuple[str, str, bytes]


def attacks(f: Forger) -> Iterator[Attack]:
    """What is done, the refusal that is due, the bytes."""
    yield from on_bytes(f)
    yield from on_proofs(f)
    yield from on_postings(f)
    yield from on_records(f)
    if f.sealed.body.loans:
        yield from on_loans(f)
        yield from on_parts(f)
    if f.sealed.body.reserves:
        yield from on_reserves(f)
    if f.sealed.body.kind == "Collect":
        yield from on_written_off(f)
    if f.sealed.body.kind in RENAMED:
        yield from on_kind(f)


def on_bytes(f: Forger) -> Iterator[Attack]:
    """The batch as a string of bytes, and its header."""
    data, sealed = f.data, f.sealed
    records = len(f.signed) + 64
    other_kind = bytes([(data[KIND] + 1) % len(KINDS)])
    yield "cut off", "Malformed", data[:-1]
    yield "a byte too many", "Malformed", data + b"\0"
    yield "another version", "Malformed", b"\2" + data[1:]
    yield "a vector of 2^32 - 1 envelopes", "Malformed", data[:records] + b"\xff" * 4 + data[records + 4:]
    yield "a kind that is none", "Malformed", data[:KIND] + b"\xff" + data[KIND + 1:]
    yield "another consortium", "Consortium", f.flipped(2)
    yield "a suite that is none", "Suite", data[:1] + b"\x7f" + data[2:]
    yield "a regulator as servicer", "Member", data[:34] + b"\3\0" + data[36:]
    yield "a product that is none", "Product", data[:36] + b"\x09\0" + data[38:]
    yield "another policy", "Policy", f.flipped(38)
    yield "the header of another kind", "Shape", data[:KIND] + other_kind + data[KIND + 1:]
    if sealed.body.kind == "Fund":
        yield "a top-up that takes up top-ups", "Shape", f.flipped(MERGED)
    yield "an envelope changed", "Records", f.flipped(records + 10)
    yield "the last section changed", "Records", f.flipped(len(data) - 60)
    yield "another sequence number", "Signature", f.flipped(71)
    yield "another date", "Signature", f.flipped(119)
    yield "the sigma proof changed", "Signature", f.flipped(data.index(sealed.sigma))
    yield "a range proof changed", "Signature", f.flipped(data.index(sealed.ranges[-1]))
    yield "the signature changed", "Signature", f.flipped(len(f.signed) + 40)
    yield "another sequence number, signed", "Sigma", f.resigned(f.flipped(71)[:len(f.signed)])


def on_proofs(f: Forger) -> Iterator[Attack]:
    """The proofs, signed again."""
    sigma, proof, word = f.sealed.sigma, f.sealed.ranges[-1], bytes([0xFF] * 32)
    other_suite = f.resigned(f.signed[:1] + bytes([3 - f.sealed.header.suite]) + f.signed[2:])
    yield "a response that is another", "Sigma", f.replaced(sigma[-32:], bumped(sigma[-32:]))
    yield "a response that is not reduced", "Sigma", f.replaced(sigma[-32:], word)
    yield "a sigma proof too short", "Sigma", f.resigned(without_last_word(f))
    yield "a range's scalar that is not reduced", "Range", f.replaced(proof[-32:], word)
    yield "a range's point that is the identity", "Range", f.replaced(proof[:32], bytes(32))
    yield "a range's last scalar changed", "Range", f.replaced(proof[-32:], bumped(proof[-32:]))
    yield "a range proof left out", "Range", f.resigned(without_last_range(f))
    yield "a range proof too short", "Range", f.resigned(f.signed.replace(length(proof) + proof, cut(proof)))
    yield "a false equation, and a range proof of a wrong form", "Range", f.resigned(doubly_wrong(f))
    malformed = f.resigned(doubly_malformed(f))
    yield "a sigma proof's point that is none, and a range proof too short", "Range", malformed
    yield "the other suite, signed", f.due(other_suite), other_suite


def on_postings(f: Forger) -> Iterator[Attack]:
    """What is posted to the banks, component by component."""
    body = f.sealed.body
    first, second, *others = body.postings[0]
    swapped = replace(body, postings=([second, first, *others], *body.postings[1:]))
    yield "a posting changed", "Signature", f.flipped(f.data.index(first.amount))
    yield "a posting that is no point", "Point", f.replaced(first.amount, NO_POINT)
    yield "a handle that is the identity", "Point", f.replaced(first.handles[0], bytes(32))
    yield "two banks' handles swapped", "Sigma", f.swapped(first.handles[0], second.handles[0])
    yield "two banks' postings swapped", "Sigma", f.rebuilt(swapped)
    if len(body.postings) > 1:
        yield "the components' postings in each other's place", "Unbalanced", f.rebuilt(replace(body, postings=body.postings[::-1]))
    for number, (name, postings) in enumerate(zip(body.components(), body.postings, strict=True)):
        def posted(changed: list[Amount]) -> bytes:
            lists = list(body.postings)
            lists[number] = changed
            return f.rebuilt(replace(body, postings=tuple(lists)))

        last = postings[-1]
        without_handle = replace(last, handles=last.handles[:-1])
        due = "Sigma" if body.kind in WITHOUT_LOANS else "Unbalanced"
        yield f"one more in a posting of {name}", due, posted([more(postings[0]), *postings[1:]])
        yield f"a posting of {name} left out", "Shape", posted(postings[:-1])
        yield f"a posting of {name} too many", "Shape", posted([*postings, last])
        yield f"a posting of {name} without its last handle", "Shape", posted([*postings[:-1], without_handle])


def on_records(f: Forger) -> Iterator[Attack]:
    """The number and form of records and sections."""
    records = f.sealed.records
    first, *others = records.records

    def recorded(*changed: batch.Record) -> bytes:
        return f.recorded(replace(records, records=list(changed)))

    yield "a record left out", "Shape", recorded(*others)
    yield "a record too many", "Shape", recorded(first, first, *others)
    yield "a section left out", "Shape", recorded(replace(first, shares=first.shares[:-1]), *others)
    yield "a section too many", "Shape", recorded(replace(first, shares=[*first.shares, first.shares[0]]), *others)
    if f.sealed.body.kind == "Originate":
        yield "a loan without terms", "Shape", recorded(replace(first, terms=None), *others)
    else:
        yield "an identity that is not due", "Shape", recorded(replace(first, identity=first.shares[0]), *others)


def on_loans(f: Forger) -> Iterator[Attack]:
    """How many loans and parts there are, and in which order."""
    body = f.sealed.body
    first, *others = body.loans
    part = first.parts[-1]

    def parts(*changed) -> bytes:
        return f.rebuilt(replace(body, loans=[replace(first, parts=list(changed)), *others]))

    yield "no loans", "Shape", f.rebuilt(replace(body, loans=[]))
    if others:
        yield "a loan left out", "Shape", f.rebuilt(replace(body, loans=others))
    if others and body.kind != "Originate":
        second = replace(others[0], loan=first.loan)
        yield "a loan named twice", "Shape", f.rebuilt(replace(body, loans=[first, second, *others[1:]]))
    yield "a part left out", "Shape", parts(*first.parts[:-1])
    yield "a part twice", "Shape", parts(*first.parts, part)
    if body.kind in WHOLE:
        beyond = replace(part, place=f.consortium.products[f.sealed.header.product].parts)
        yield "a place that the loan has not", "Shape", parts(*first.parts[:-1], beyond)
        if len(first.parts) > 1:
            yield "parts in descending order", "Shape", parts(*reversed(first.parts))
    if body.kind in LEGS:
        for what, change in (("too few", lambda legs: legs[:-1]), ("too many", lambda legs: (*legs, legs[0]))):
            loans = [with_legs(loan, change) for loan in body.loans]
            yield f"a leg {what}", "Malformed", f.rebuilt(replace(body, loans=loans))


def on_parts(f: Forger) -> Iterator[Attack]:
    """What is committed to of a loan, one by one."""
    body = f.sealed.body
    loan, split = body.loans[0], next(iter(body.splits()), None)
    part, posting = loan.parts[-1], body.postings[0][0]
    for movements, postings, name in zip(body.movements(), body.postings, body.components(), strict=True):
        if not movements:
            continue
        moved = movements[0]
        both = f.signed.replace(moved.amount, more(moved).amount).replace(postings[0].amount, more(postings[0]).amount)
        yield f"one more in a movement of {name}", "Unbalanced", f.raised(moved.amount)
        yield f"one more in a movement and a posting of {name}", "Sigma", f.resigned(both)
        if moved.handles:
            at_end, without = borsh.encode(moved), borsh.encode(replace(moved, handles=moved.handles[:-1]))
            yield f"a movement of {name} without its last handle", "Shape", f.replaced(at_end, without)
            yield f"a bank's handle on a movement of {name}", "Sigma", f.swapped(moved.handles[0], posting.handles[0])
    if split:
        yield "another rest", "Sigma", f.raised(split.rest)
        yield "another slack", "Sigma", f.raised(split.slack)
    if body.kind == "Originate":
        yield "another quotient", "Sigma", f.raised(loan.quotient)
        yield "one more share", "Shares", f.raised(part.share)
        yield "an owner key with its halves swapped", "Sigma", f.swapped(*part.owner)
    if body.kind in LEGS:
        yield from ((f"another quotient of {leg.name}", "Sigma", f.raised(quotient))
                    for leg, quotient in zip(LEGS[body.kind], loan.quotients))
        yield "one more share", "Sigma", f.raised(part.share)
        higher = replace(part, balance=group.add(part.balance, group.VALUE_BASE))
        changed = replace(loan, parts=[*loan.parts[:-1], higher])
        yield "a higher balance", "Sigma", f.rebuilt(replace(body, loans=[changed, *body.loans[1:]]))


def on_reserves(f: Forger) -> Iterator[Attack]:
    """What the batch says of the reserves that it starts from."""
    body = f.sealed.body
    yield "a higher reserve", "Sigma", f.raised(body.reserves[0])
    yield "a reserve that is no point", "Point", f.rebuilt(replace(body, reserves=[NO_POINT, *body.reserves[1:]]))
    yield "no reserves", "Shape", f.rebuilt(replace(body, reserves=[]))
    yield "a reserve left out", "Shape", f.rebuilt(replace(body, reserves=body.reserves[:-1]))
    yield "a reserve too many", "Shape", f.rebuilt(replace(body, reserves=[*body.reserves, body.reserves[0]]))


def on_written_off(f: Forger) -> Iterator[Attack]:
    """Which parts a collection says are written off."""
    body, parts = f.sealed.body, f.consortium.products[f.sealed.header.product].parts
    first, *others = body.written_off

    def marked(*changed: bytes) -> bytes:
        return f.rebuilt(replace(body, written_off=list(changed)))

    def bit(place: int) -> bytes:
        return (int.from_bytes(first, "little") ^ 1 << place).to_bytes(2, "little")

    yield "another part marked", "Unbalanced", marked(bit(0), *others)
    yield "a mark beyond the parts", "Shape", marked(bit(parts), *others)
    yield "a loan without marks", "Shape", marked(*others)
    yield "marks of a loan that is none", "Shape", marked(first, first, *others)


# Kinds of bodies that differ in their reserves alone.
RENAMED = {
    "Draw": "Reschedule", "Reschedule": "Draw", "Repay": "Recover", "Recover": "Repay", "Fund": "Release",
    "Release": "Fund",
}


def on_kind(f: Forger) -> Iterator[Attack]:
    """The same amounts, called something else."""
    body, kind = f.sealed.body, RENAMED[f.sealed.body.kind]
    reserves = [posting.amount for posting in body.postings[0]] if kind in WITH_RESERVES else []
    data = f.embodied(KINDS.index(kind), replace(body, kind=kind, reserves=reserves).encode())
    if kind == "Fund":
        data = f.resigned(data[:MERGED] + bytes(8) + data[MERGED + 8:-len(f.data) + len(f.signed)])
    yield f"called a {kind}", f.due(data), data


def more(amount: Amount) -> Amount:
    """One more in a movement or a posting."""
    return replace(amount, amount=group.add(amount.amount, group.VALUE_BASE))


def with_legs(loan: batch.TouchedLoan, change) -> batch.TouchedLoan:
    """A loan whose every list of legs is changed."""
    parts = [replace(part, portions=change(part.portions)) for part in loan.parts]
    return replace(loan, quotients=change(loan.quotients), parts=parts)


def length(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little")


def bumped(word: bytes) -> bytes:
    """A scalar and one."""
    return group.scalar_bytes(group.scalar(word) + 1)


def cut(data: bytes) -> bytes:
    """A vector of bytes without its last word."""
    return length(data[:-32]) + data[:-32]


def doubly_wrong(f: Forger) -> bytes:
    """A response that is another, and a range's scalar that is not reduced: the form is looked at first."""
    response, scalar = f.sealed.sigma[-32:], f.sealed.ranges[-1][-32:]
    return f.signed.replace(response, bumped(response)).replace(scalar, bytes([0xFF] * 32))


def doubly_malformed(f: Forger) -> bytes:
    """A point that is none, and a range proof without its last word: all lengths are looked at first."""
    sigma, proof = f.sealed.sigma, f.sealed.ranges[-1]
    signed = f.signed.replace(sigma, NO_POINT + sigma[32:])
    return signed.replace(length(proof) + proof, cut(proof))


def without_last_word(f: Forger) -> bytes:
    sigma = f.sealed.sigma
    return f.signed.replace(length(sigma) + sigma, cut(sigma))


def without_last_range(f: Forger) -> bytes:
    ranges = f.sealed.ranges
    kept = f.signed[:len(f.signed) - len(ranges[-1]) - 4]
    count_at = len(f.sealed.content) + 4 + len(f.sealed.sigma)
    return kept[:count_at] + (len(ranges) - 1).to_bytes(4, "little") + kept[count_at + 4:]


def difference(old: bytes, new: bytes, start: int) -> list:
    """The one piece in which two byte strings differ."""
    front = next((i for i, (x, y) in enumerate(zip(old, new)) if x != y), min(len(old), len(new)))
    most = min(len(old), len(new)) - front
    back = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    return [[start + front, start + len(old) - back, new[front:len(new) - back].hex()]] if old != new else []


def pieces(old: bytes, new: bytes, cut: int) -> list:
    """Where two byte strings differ: in one piece, or before the signature and from it on."""
    tail = len(new) - (len(old) - cut)
    halves = difference(old[:cut], new[:tail], 0) + difference(old[cut:], new[tail:], cut)
    return min([difference(old, new, 0), halves], key=lambda found: sum(len(text) for *_, text in found))


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    founded = json.loads(Path(arguments[0]).read_text())
    consortium = genesis.found(bytes.fromhex(founded["genesis"]))
    seed = blake3.keyed_hash(bytes.fromhex(founded["seeds"][0]), b"\0")
    for path in map(Path, arguments[1:]):
        target = path.with_suffix(".refused.json")
        if target.exists():
            continue
        forger = Forger(consortium, bytes.fromhex(json.loads(path.read_text())["sealed"]), seed)
        forgeries = [
            {"what": what, "refusal": due, "pieces": pieces(forger.data, data, len(forger.signed))}
            for what, due, data in attacks(forger)
        ]
        what = f"forgeries of {path.name}: pieces of its bytes from, to, and what stands there instead; the refusal due"
        lines = ",\n".join("    " + json.dumps(forgery) for forgery in forgeries)
        target.write_text(f'{{\n  "what": {json.dumps(what)},\n  "forgeries": [\n{lines}\n  ]\n}}\n')
        print(f"made {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
