"""Votes and certificates: crypto, section 8."""

from . import borsh, ed25519


class BadCertificate(Exception):
    """The certificate does not show that the block was decided."""


def verify(data: bytes, consortium: bytes, validators: list[bytes]) -> tuple[int, bytes]:
    """Verifies a certificate; says of which height and block."""
    reader = borsh.Reader(data)
    height, round_, block = reader.number(8), reader.number(4), reader.take(32)
    votes = reader.many(lambda r: (r.number(2), r.take(64)))
    reader.end()
    if len(votes) > len(validators) or 3 * len(votes) <= 2 * len(validators):
        raise BadCertificate(f"{len(votes)} votes of {len(validators)} validators")
    ballot = consortium + b"\1" + borsh.u64(height) + borsh.u32(round_) + b"\1" + block
    last = -1
    for number, signature in votes:
        if not last < number < len(validators):
            raise BadCertificate(f"vote {number} is doubled, out of order, or of nobody")
        last = number
        try:
            ed25519.verify(validators[number], b"counterfoil/1/vote", ballot, signature)
        except (ed25519.BadKey, ed25519.BadSignature) as error:
            raise BadCertificate(f"vote {number}: {error}") from error
    return height, block
