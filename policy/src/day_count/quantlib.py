"""Writes quantlib.csv: day counts by QuantLib (PyPI `QuantLib`), an implementation that shares no code with this crate."""

import random

import QuantLib as ql

SEED, ROWS = 20240229, 240
CONVENTIONS = (ql.Actual360(), ql.Thirty360(ql.Thirty360.EurobondBasis))
ISDA = ql.ActualActual(ql.ActualActual.ISDA)
FIRST, LAST = ql.Date(1, 1, 1970), ql.Date(31, 12, 2099)


def near_month_end(draw):
    """Half of all days close to the end of a month, where the conventions differ."""
    day = FIRST + draw.randrange(LAST - FIRST)
    return max(FIRST, ql.Date.endOfMonth(day) - draw.randrange(3)) if draw.random() < 0.5 else day


def main():
    draw = random.Random(SEED)
    print(f"# QuantLib {ql.__version__}; from, to, actual days, 30E/360 days, ACT/ACT (ISDA) in 10^-12 years")
    for _ in range(ROWS):
        start, end = sorted((near_month_end(draw), near_month_end(draw)))
        if draw.random() < 0.5:
            end = min(LAST, start + draw.randrange(800))
        actual, thirty = (convention.dayCount(start, end) for convention in CONVENTIONS)
        isda = round(ISDA.yearFraction(start, end) * 10**12)
        print(f"{start.ISO()},{end.ISO()},{actual},{thirty},{isda}")


main()
