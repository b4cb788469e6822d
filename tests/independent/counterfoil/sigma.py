"""Sigma proofs: crypto, section 10."""

from dataclasses import dataclass, field

from . import group
from .merlin import Transcript


class Refused(Exception):
    """The proof does not show what it should."""


@dataclass
class Statement:
    """Equations `image = Σ secret·point` between public points, with secret scalars."""

    name: bytes
    secrets: int = 0
    points: list[bytes] = field(default_factory=list)
    equations: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)

    def secret(self) -> int:
        self.secrets += 1
        return self.secrets - 1

    def point(self, point: bytes) -> int:
        self.points.append(point)
        return len(self.points) - 1

    def require(self, image: bytes, *terms: tuple[int, int]) -> None:
        """Requires an image to be the sum over terms `(secret, point)`."""
        self.equations.append((self.point(image), list(terms)))

    def verify(self, transcript: Transcript, proof: bytes) -> None:
        """Verifies a proof; the transcript goes on from there."""
        count = len(self.equations)
        if len(proof) != 32 * (count + self.secrets):
            raise Refused(f"{len(proof)} bytes, where {32 * (count + self.secrets)} are needed")
        words = [proof[i:i + 32] for i in range(0, len(proof), 32)]
        try:
            responses = [group.scalar(word) for word in words[count:]]
            commitments = [group.point(word) for word in words[:count]]
        except group.NotCanonical as error:
            raise Refused(str(error)) from error
        self._absorb(transcript)
        for commitment in commitments:
            transcript.append(b"commitment", commitment)
        challenge = transcript.challenge_scalar(b"challenge")
        for response in words[count:]:
            transcript.append(b"response", response)
        for number, ((image, terms), commitment) in enumerate(zip(self.equations, commitments)):
            left = group.weighted_sum([responses[s] for s, _ in terms], [self.points[p] for _, p in terms])
            if left != group.add(commitment, group.mul(challenge, self.points[image])):
                raise Refused(f"equation {number} of {count} does not hold")

    def _absorb(self, transcript: Transcript) -> None:
        transcript.append(b"statement", self.name)
        transcript.append_u64(b"secrets", self.secrets)
        transcript.append_u64(b"points", len(self.points))
        transcript.append_u64(b"equations", len(self.equations))
        for point in self.points:
            transcript.append(b"point", point)
        for image, terms in self.equations:
            transcript.append_u64(b"image", image)
            transcript.append_u64(b"terms", len(terms))
            for secret, point in terms:
                transcript.append_u64(b"secret", secret)
                transcript.append_u64(b"point", point)


POSSESSION = b"counterfoil/1/view-key-possession"


def verify_possession(view_key: bytes, context: bytes, proof: bytes) -> None:
    """That whoever registered the view key knows its secret: crypto, section 7."""
    statement = Statement(POSSESSION)
    secret, point = statement.secret(), statement.point(view_key)
    statement.require(group.BLINDING_BASE, (secret, point))
    transcript = Transcript(POSSESSION)
    transcript.append(b"context", context)
    statement.verify(transcript, proof)
