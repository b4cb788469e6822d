"""Sigma proofs: crypto, section 10; the proof of possession of a view key: section 7."""

from . import group
from .borsh import u32
from .forms import Elements, Form
from .group import BLINDING_BASE
from .merlin import Transcript


class Refused(Exception):
    """The proof does not show what it should."""


class Proof:
    """The proof's bytes, taken apart; the responses are in canonical form."""

    def __init__(self, equations: int, secrets: int, data: bytes):
        if len(data) != 32 * (equations + secrets):
            raise Refused(f"{len(data)} bytes, where {32 * (equations + secrets)} are needed")
        words = [data[i:i + 32] for i in range(0, len(data), 32)]
        self._points = words[:equations]
        try:
            self.responses = [group.scalar(word) for word in words[equations:]]
        except group.NotCanonical as error:
            raise Refused(str(error)) from error

    def decode(self) -> None:
        """Takes the points, which are in canonical form."""
        try:
            self.commitments = [group.point(word) for word in self._points]
        except group.NotCanonical as error:
            raise Refused(str(error)) from error


class Statement:
    """Equations `image = Σ secret·point` between public forms, with secret scalars."""

    def __init__(self, name: bytes):
        self.name, self.secrets, self.elements = name, 0, Elements()
        self.points: list[Form] = []
        self.equations: list[tuple[int, list[tuple[int, int]]]] = []

    def secret(self) -> int:
        """Adds a secret; says its number."""
        self.secrets += 1
        return self.secrets - 1

    def point(self, form: Form) -> int:
        """Adds a point; says its number."""
        self.elements.name(form)
        self.points.append(form)
        return len(self.points) - 1

    def require(self, image: Form, *terms: tuple[int, int]) -> None:
        """Requires an image to be the sum over terms `(secret, point)`."""
        self.equations.append((self.point(image), list(terms)))

    def read(self, data: bytes) -> Proof:
        """Takes a proof of this statement apart."""
        return Proof(len(self.equations), self.secrets, data)

    def verify(self, transcript: Transcript, proof: Proof) -> None:
        """Verifies a proof; the transcript goes on from there."""
        proof.decode()
        self._absorb(transcript)
        for commitment in proof.commitments:
            transcript.append(b"commitment", commitment)
        challenge = transcript.challenge_scalar(b"challenge")
        for response in proof.responses:
            transcript.append(b"response", group.scalar_bytes(response))
        for number, ((image, terms), commitment) in enumerate(zip(self.equations, proof.commitments)):
            left = Form.sum([self.points[p] for _, p in terms], [proof.responses[s] for s, _ in terms])
            right = Form.of(commitment) + challenge * self.points[image]
            if left.point() != right.point():
                raise Refused(f"equation {number} of {len(self.equations)} does not hold")

    def _absorb(self, transcript: Transcript) -> None:
        transcript.append(b"statement", self.name)
        transcript.append_u64(b"secrets", self.secrets)
        transcript.append_u64(b"elements", len(self.elements.numbers))
        transcript.append(b"encodings", self.elements.joined())
        transcript.append_u64(b"points", len(self.points))
        transcript.append(b"forms", b"".join(self.elements.encode(point) for point in self.points))
        transcript.append_u64(b"equations", len(self.equations))
        shape = bytearray()
        for image, terms in self.equations:
            for number in (image, len(terms), *(n for term in terms for n in term)):
                shape += u32(number)
        transcript.append(b"terms", bytes(shape))


POSSESSION = b"counterfoil/1/view-key-possession"


def verify_possession(view_key: bytes, context: bytes, proof: bytes) -> None:
    """That whoever registered the view key knows its secret."""
    statement = Statement(POSSESSION)
    secret, point = statement.secret(), statement.point(Form.of(view_key))
    statement.require(Form.of(BLINDING_BASE), (secret, point))
    transcript = Transcript(POSSESSION)
    transcript.append(b"context", context)
    statement.verify(transcript, statement.read(proof))
