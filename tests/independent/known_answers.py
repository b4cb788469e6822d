#!/usr/bin/env python3
"""The verifier's parts against the stored vectors: hashes, transcripts, points, keys, certificates, envelopes, genesis,
block, attestation, decree.

    python known_answers.py ROOT        ROOT holds crypto/vectors and ledger/vectors
"""

import json
import sys
from pathlib import Path

from counterfoil import blake3, borsh, certificate, ed25519, genesis, group, merkle, notices, opening, ranges, sigma
from counterfoil.forms import Form
from counterfoil.merlin import Transcript
from counterfoil.relation import RefusedRange, Relation
from counterfoil.verify import Rejected

unhex = bytes.fromhex


def refused(errors, check, *arguments) -> bool:
    """Whether a check refuses its arguments, for one of these reasons."""
    try:
        check(*arguments)
    except errors:
        return True
    return False


def transcript(v) -> str:
    t = Transcript(v["label"].encode())
    for step in v["steps"]:
        if "absorb" in step:
            t.append(step["absorb"].encode(), unhex(step["message"]))
        else:
            expected = unhex(step["bytes"])
            assert t.challenge(step["draw"].encode(), len(expected)) == expected
    return f"a transcript of {len(v['steps'])} steps"


def hashes(v) -> str:
    for case in v["cases"]:
        message = bytes(i % 251 for i in range(case["length"]))
        assert blake3.plain_hash(message, 100) == unhex(case["hash"])
        assert blake3.keyed_hash(unhex(v["key"]), message, 100) == unhex(case["keyed_hash"])
        assert blake3.derive_key(v["context"], message, 100) == unhex(case["derive_key"])
    return f"three modes of BLAKE3 at {len(v['cases'])} lengths"


def points(v) -> str:
    assert group.VALUE_BASE == unhex(v["value_base"]) and group.BLINDING_BASE == unhex(v["blinding_base"])
    for letter in ("g", "h"):
        for value, expected in zip((0, 300), v[letter], strict=True):
            assert group.generators(letter.upper().encode(), value, 2) == [unhex(p) for p in expected]
    assert all(refused(group.NotCanonical, group.point, unhex(p)) for p in v["no_points"])
    return f"bases, generators, {len(v['no_points'])} refused encodings"


def merkle_roots(v) -> str:
    for case in v["cases"]:
        assert merkle.root([unhex(leaf) for leaf in case["leaves"]]) == unhex(case["root"])
    return f"{len(v['cases'])} Merkle roots"


def signature(v) -> str:
    key, label, message = unhex(v["key"]), v["label"].encode(), unhex(v["message"])
    ed25519.verify(key, label, message, unhex(v["signature"]))
    bad = ed25519.BadSignature
    assert refused(bad, ed25519.verify, key, label, message, unhex(v["refused_signature"]))
    assert refused(bad, ed25519.verify, key, label, message + b"!", unhex(v["signature"]))
    assert all(refused(ed25519.BadKey, ed25519.public_key, unhex(k)) for k in v["refused_keys"])
    return f"a signature; its other form and {len(v['refused_keys'])} keys refused"


def certificates(v) -> str:
    validators, consortium = [unhex(k) for k in v["validators"]], unhex(v["consortium"])
    assert certificate.verify(unhex(v["certificate"]), consortium, validators) == (9, bytes([7] * 32))
    for wrong in v["refused"].values():
        assert refused(certificate.BadCertificate, certificate.verify, unhex(wrong), consortium, validators)
    return f"a certificate; {len(v['refused'])} refused: {', '.join(v['refused'])}"


def view_key(v) -> str:
    wide = blake3.keyed_hash(unhex(v["seed"]), sigma.POSSESSION, 64)
    k = int.from_bytes(wide, "little") % group.GROUP_ORDER
    public = group.mul(group.inverse(k), group.BLINDING_BASE)
    assert public == unhex(v["public"])
    r, t = group.scalar(unhex(v["blinding"])), group.scalar(unhex(v["t"]))
    value = group.mul(v["amount"], group.VALUE_BASE)
    commitment, handle = group.add(value, group.mul(r, group.BLINDING_BASE)), group.mul(r, public)
    assert commitment == unhex(v["commitment"]) and handle == unhex(v["handle"])
    assert group.sub(commitment, group.mul(k, handle)) == value
    assert group.mul(t, group.BLINDING_BASE) + group.mul(t, public) == unhex(v["owner_key"])
    context, proof = unhex(v["context"]), unhex(v["possession"])
    sigma.verify_possession(public, context, proof)
    assert refused(sigma.Refused, sigma.verify_possession, public, context + b"!", proof)
    return "a view key, a commitment, its handle, an owner key, a proof of possession"


def envelope(v) -> str:
    seed, info, sealed = unhex(v["seed"]), b"counterfoil/1/envelope", unhex(v["envelope"])
    assert opening.key_pair(seed)[1] == unhex(v["public"])
    assert opening.open_envelope(seed, info, unhex(v["context"]), sealed) == unhex(v["key"])
    assert refused(opening.Unreadable, opening.open_envelope, seed, info, b"elsewhere", sealed)
    return "an envelope, opened"


def section(v) -> str:
    sealed, context = unhex(v["section"]), unhex(v["context"])
    for place, viewer in enumerate(v["viewers"]):
        assert opening.open_section(unhex(viewer), place, context, sealed) == unhex(v["plain"])
    assert refused(opening.Unreadable, opening.open_section, unhex(v["viewers"][0]), 1, context, sealed)
    return f"a section, opened by {len(v['viewers'])} viewers"


def sigma_proof(v) -> str:
    elements = [unhex(element) for element in v["elements"]]
    statement = sigma.Statement(v["name"].encode())
    statement.secrets = v["secrets"]
    for terms in v["points"]:
        statement.point(Form([(coefficient, elements[number]) for number, coefficient in terms]))
    statement.equations = [(e["image"], [tuple(term) for term in e["terms"]]) for e in v["equations"]]
    t, proof = Transcript(v["transcript"].encode()), statement.read(unhex(v["proof"]))
    statement.verify(t, proof)
    assert t.challenge(b"after", 32) == unhex(v["after"])
    assert refused(sigma.Refused, statement.verify, Transcript(b"other"), proof)
    return f"a sigma proof of {len(statement.equations)} equations"


def range_proof(v) -> str:
    commitments, data = [unhex(c) for c in v["commitments"]], unhex(v["proof"])
    layout = ranges.Layout.of_width(v["bits"], len(commitments))

    def verify(label: bytes, data: bytes) -> None:
        ranges.verify(layout, commitments, ranges.Proof(layout, data), Transcript(label))

    verify(v["transcript"].encode(), data)
    for at in range(0, len(data), 32):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        assert refused(sigma.Refused, verify, v["transcript"].encode(), changed)
    assert refused(sigma.Refused, verify, b"other", data)
    return f"a range proof of {len(commitments)} values of {v['bits']} bits; refused with any word changed"


def packed_ranges(v) -> str:
    def verify(case) -> None:
        relation = Relation(2, v["name"].encode(), Transcript(v["transcript"].encode()))
        for bound, commitment in zip(v["bounds"], case["commitments"], strict=True):
            relation.exactly(bound, Form.of(unhex(commitment)))
        reader = borsh.Reader(unhex(case["proofs"]))
        proofs = reader.blob(), reader.many(borsh.Reader.blob)
        reader.end()
        relation.verify(*proofs)

    verify(v["true"])
    assert refused(RefusedRange, verify, v["false"])
    return f"a packed range proof up to {', '.join(map(str, v['bounds']))}; refused for a value one too large"


def genesis_file(v) -> str:
    consortium = genesis.found(unhex(v["genesis"]))
    assert consortium.id == unhex(v["id"])
    assert [p.canonical() for p in consortium.products] == [unhex(c) for c in v["products"]]
    assert [p.policy() for p in consortium.products] == [unhex(c) for c in v["policies"]]
    for member, seed in zip(consortium.members, v["seeds"], strict=True):
        envelope_seed = blake3.keyed_hash(unhex(seed), b"\2")
        assert opening.key_pair(envelope_seed)[1] == member.envelope_key
    signed = consortium.members[0].signature
    changed = unhex(v["genesis"]).replace(signed, signed[:40] + bytes([signed[40] ^ 1]) + signed[41:])
    assert refused(genesis.BadGenesis, genesis.found, changed)
    return f"a genesis of {len(consortium.members)} members and {len(consortium.products)} products"


def block(v) -> str:
    header = unhex(v["header"])
    assert blake3.derive_key("counterfoil/1 block id", header) == unhex(v["id"])
    reader = borsh.Reader(unhex(v["block"]))
    assert reader.take(len(header)) == header
    batches = reader.many(borsh.Reader.blob)
    reader.end()
    assert merkle.root(batches) == header[73:105]
    consortium = genesis.found(unhex(load("ledger", "genesis")["genesis"]))
    validators = [consortium.members[i].identity for i in consortium.banks]
    assert certificate.verify(unhex(v["certificate"]), consortium.id, validators) == (2, unhex(v["id"]))
    return f"a block of {len(batches)} batches with its certificate"


def founded() -> genesis.Consortium:
    return genesis.found(unhex(load("ledger", "genesis")["genesis"]))


def forgeries(v, check) -> int:
    """Every stored forgery of a transaction, refused for its own reason."""
    for forgery in v["refused"]:
        try:
            check(founded(), unhex(forgery["transaction"]))
        except Rejected as refusal:
            assert refusal.name == forgery["refusal"], f"{forgery['what']}: {refusal}"
        else:
            raise AssertionError(f"{forgery['what']}: not refused")
    return len(v["refused"])


def attestation(v) -> str:
    it = notices.attestation(founded(), unhex(v["transaction"]))
    assert it.id() == unhex(v["id"]) and it.accounts_hash() == unhex(v["accounts_hash"])
    seeds = load("ledger", "genesis")["seeds"]
    opened = it.open(founded(), 3, blake3.keyed_hash(unhex(seeds[3]), b"\2"))
    for account, expected in zip(it.accounts, v["accounts"], strict=True):
        assert account.balance == unhex(expected["balance"])
        if account not in opened or expected["value"] is None:
            assert opened.get(account) is None and (account.product == 1 or expected["value"] is None)
            continue
        value, blinding = opened[account]
        assert (value, blinding) == (unhex(expected["value"]), unhex(expected["blinding"]))
        parts = (group.VALUE_BASE, value), (group.BLINDING_BASE, blinding)
        assert group.total(group.mul(group.scalar(s), base) for base, s in parts) == account.balance
    return f"an attestation of {len(it.accounts)} accounts, opened by its auditor; {forgeries(v, notices.attestation)} forgeries refused"


def decree(v) -> str:
    it = notices.decree(founded(), unhex(v["transaction"]))
    assert (it.id(), it.suite, it.start) == (unhex(v["id"]), v["suite"], v["from"])
    return f"a decree; {forgeries(v, notices.decree)} forgeries refused"


CHECKS = {
    ("crypto", "transcript"): transcript, ("crypto", "hashes"): hashes, ("crypto", "group"): points,
    ("crypto", "merkle"): merkle_roots, ("crypto", "signature"): signature,
    ("crypto", "certificate"): certificates, ("crypto", "view-key"): view_key,
    ("crypto", "envelope"): envelope, ("crypto", "section"): section,
    ("crypto", "sigma"): sigma_proof,
    **{("crypto", f"range-{bits}"): range_proof for bits in (8, 16, 32, 64)},
    ("crypto", "range-packed"): packed_ranges,
    ("ledger", "genesis"): genesis_file, ("ledger", "block"): block,
    ("ledger", "attestation"): attestation, ("ledger", "decree"): decree,
}


def load(crate: str, name: str):
    """A stored vector."""
    return json.loads((Path(sys.argv[1]) / crate / "vectors" / f"{name}.json").read_text())


def main() -> int:
    wrong = 0
    for (crate, name), check in CHECKS.items():
        try:
            print(f"ok       {crate}/vectors/{name}.json: {check(load(crate, name))}")
        except Exception as error:  # whatever goes wrong with a vector is said, and the others are still looked at
            wrong += 1
            print(f"WRONG    {crate}/vectors/{name}.json: {error!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
