"""Forms, lists of coefficient times point: crypto, section 10. Transcripts take them in as they are, so nothing is tidied."""

from . import group
from .group import GROUP_ORDER, IDENTITY, VALUE_BASE


class Form:
    """Terms `(coefficient, point)`, in the order in which they were written."""

    def __init__(self, terms: list[tuple[int, bytes]]):
        self.terms = terms

    @staticmethod
    def of(point: bytes) -> "Form":
        """A point alone."""
        return Form([(1, point)])

    @staticmethod
    def constant(value: int) -> "Form":
        """A number, committed without blinding; zero has no terms."""
        return Form([(value % GROUP_ORDER, VALUE_BASE)] if value else [])

    @staticmethod
    def sum(forms, weights=None) -> "Form":
        """`Σ weight·form`; without weights, the sum."""
        forms = list(forms)
        weighted = zip(forms, weights or [1] * len(forms), strict=True)
        return Form([term for form, weight in weighted for term in (weight * form).terms])

    def __add__(self, other: "Form") -> "Form":
        return Form(self.terms + other.terms)

    def __sub__(self, other: "Form") -> "Form":
        return self + -1 * other

    def __rmul__(self, factor: int) -> "Form":
        return Form([(factor * coefficient % GROUP_ORDER, point) for coefficient, point in self.terms])

    def point(self) -> bytes:
        """The point that it comes to."""
        scalars: dict[bytes, int] = {}
        for coefficient, point in self.terms:
            scalars[point] = scalars.get(point, 0) + coefficient
        result = IDENTITY
        for point, scalar in scalars.items():
            result = group.add(result, group.mul(scalar, point))
        return result


class Elements:
    """The points of a statement, each once, numbered as they are first named."""

    def __init__(self):
        self.numbers: dict[bytes, int] = {}

    def name(self, form: Form) -> None:
        """Numbers the form's points."""
        for _, point in form.terms:
            self.numbers.setdefault(point, len(self.numbers))

    def encode(self, form: Form) -> bytes:
        """The form's encoding."""
        terms = (
            self.numbers[point].to_bytes(4, "little") + group.scalar_bytes(coefficient)
            for coefficient, point in form.terms
        )
        return len(form.terms).to_bytes(4, "little") + b"".join(terms)

    def joined(self) -> bytes:
        """All encodings."""
        return b"".join(self.numbers)
