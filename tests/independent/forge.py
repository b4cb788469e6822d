#!/usr/bin/env python3
"""Forges stored batches and stores the forgeries that are missing: what is changed, and the refusal that is due.

    python forge.py GENESIS.json BATCH.json...

Beside each batch BATCH.json it writes BATCH.refused.json, unless it is there: a vector is made once and kept for ever. Each
section of a batch is changed. Where the signature would be the first to notice, the forger is the servicer itself and signs
again: the seeds of the stored genesis are known. A forgery is stored as pieces `[from, to, new bytes]` of the batch's bytes.
"""

import json
import sys
from hashlib import sha512
from pathlib import Path

from counterfoil import batch, blake3, ed25519, group
from counterfoil.batch import Sealed

LABEL = b"counterfoil/1/batch-signature"
NO_POINT = bytes([1]) + bytes(31)


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

    def __init__(self, data: bytes, seed: bytes):
        self.data, self.seed = data, seed
        self.sealed: Sealed = batch.read(data)
        self.signed = self.sealed.signed

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

    def raised(self, commitment: bytes) -> bytes:
        """One more in a commitment, and signed again."""
        return self.replaced(commitment, group.add(commitment, group.VALUE_BASE))

    def swapped(self, one: bytes, other: bytes) -> bytes:
        """Two values in each other's place, and signed again."""
        mark = bytes([0xFF] * 32)
        swapped = self.signed.replace(one, mark).replace(other, one).replace(mark, other)
        return self.resigned(swapped)


def attacks(f: Forger) -> list[tuple[str, str, bytes]]:
    """What is done, the refusal that is due, the bytes."""
    data, sealed, body = f.data, f.sealed, f.sealed.body
    postings = body.postings[0]
    records = len(f.signed) + 64
    word = bytes([0xFF] * 32)
    proof = sealed.ranges[-1]
    table = [
        ("cut off", "Malformed", data[:-1]),
        ("a byte too many", "Malformed", data + b"\0"),
        ("another version", "Malformed", b"\2" + data[1:]),
        ("a vector of 2^32 - 1 envelopes", "Malformed", data[:records] + b"\xff" * 4 + data[records + 4:]),
        ("a kind that is none", "Malformed", data[:70] + b"\xff" + data[71:]),
        ("another consortium", "Consortium", f.flipped(2)),
        ("a suite that is none", "Suite", data[:1] + b"\x7f" + data[2:]),
        ("a regulator as servicer", "Member", data[:34] + b"\3\0" + data[36:]),
        ("a product that is none", "Product", data[:36] + b"\x09\0" + data[38:]),
        ("another policy", "Policy", f.flipped(38)),
        ("the header of another kind", "Shape", data[:70] + bytes([(data[70] + 1) % 3]) + data[71:]),
        ("an envelope changed", "Records", f.flipped(records + 10)),
        ("the last section changed", "Records", f.flipped(len(data) - 60)),
        ("another sequence number", "Signature", f.flipped(71)),
        ("another date", "Signature", f.flipped(119)),
        ("a posting changed", "Signature", f.flipped(data.index(postings[0].amount))),
        ("the sigma proof changed", "Signature", f.flipped(data.index(sealed.sigma))),
        ("a range proof changed", "Signature", f.flipped(data.index(proof))),
        ("the signature changed", "Signature", f.flipped(len(f.signed) + 40)),
        ("a posting that is no point", "Point", f.replaced(postings[0].amount, NO_POINT)),
        ("a handle that is the identity", "Point", f.replaced(postings[0].handles[0], bytes(32))),
        ("another sequence number, signed", "Sigma", f.resigned(f.flipped(71)[:len(f.signed)])),
        ("two banks' handles swapped", "Sigma", f.swapped(postings[0].handles[0], postings[1].handles[0])),
        ("a response that is not reduced", "Sigma", f.replaced(sealed.sigma[-32:], word)),
        ("a sigma proof too short", "Sigma", f.resigned(without_last_word(f))),
        ("a range's scalar that is not reduced", "Range", f.replaced(proof[-32:], word)),
        ("a range's point that is the identity", "Range", f.replaced(proof[:32], bytes(32))),
        ("a range's last scalar changed", "Range", f.replaced(proof[-32:], bumped(proof[-32:]))),
        ("a range proof left out", "Range", f.resigned(without_last_range(f))),
        ("a range proof too short", "Range", f.resigned(f.signed.replace(length(proof) + proof, cut(proof)))),
        ("a false equation, and a range proof of a wrong form", "Range", f.resigned(doubly_wrong(f))),
        ("a sigma proof's point that is none, and a range proof too short", "Range", f.resigned(doubly_malformed(f))),
        ("the other suite, signed", "Sigma" if body.kind == "Fund" else "Range", f.resigned(other_suite(f))),
    ]
    if body.kind == "Fund":
        return table + [("one more in a posting", "Sigma", f.raised(postings[0].amount))]
    table += [("one more in a posting", "Unbalanced", f.raised(postings[0].amount))]
    part = body.loans[0].parts[-1]
    if body.kind == "Originate":
        table += [
            ("one more share", "Shares", f.raised(part.share)),
            ("an owner key with its halves swapped", "Sigma", f.swapped(*part.owner)),
            ("a higher reserve", "Sigma", f.raised(body.reserves[0])),
        ]
    else:
        table += [
            ("one more share", "Sigma", f.raised(part.share)),
            ("a higher balance", "Sigma", f.raised(part.balance)),
        ]
    return table


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


def other_suite(f: Forger) -> bytes:
    """The suite's number changed in the header: the proofs are another suite's."""
    return f.signed[:1] + bytes([3 - f.sealed.header.suite]) + f.signed[2:]


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
    seed = blake3.keyed_hash(bytes.fromhex(json.loads(Path(arguments[0]).read_text())["seeds"][0]), b"\0")
    for path in map(Path, arguments[1:]):
        target = path.with_suffix(".refused.json")
        if target.exists():
            continue
        forger = Forger(bytes.fromhex(json.loads(path.read_text())["sealed"]), seed)
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
