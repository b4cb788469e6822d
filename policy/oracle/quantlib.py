"""Writes day_count.csv and calendar.csv beside this file: answers of QuantLib, which shares no code with this crate.

    pip install QuantLib && python policy/oracle/quantlib.py
"""

import pathlib
import random

import QuantLib as ql

SEED, ROWS = 20240229, 240
FIRST, LAST = ql.Date(1, 1, 1970), ql.Date(31, 12, 2099)
COUNTS = (ql.Actual360(), ql.Thirty360(ql.Thirty360.EurobondBasis))
ISDA = ql.ActualActual(ql.ActualActual.ISDA)
ROLLS = (ql.Following, ql.ModifiedFollowing, ql.Preceding)


def near_month_end(draw):
    """Half of all days close to the end of a month, where conventions differ."""
    day = FIRST + draw.randrange(LAST - FIRST)
    return max(FIRST, ql.Date.endOfMonth(day) - draw.randrange(3)) if draw.random() < 0.5 else day


def day_counts(draw):
    yield "from, to, actual days, 30E/360 days, ACT/ACT (ISDA) in 10^-12 years"
    for _ in range(ROWS):
        start, end = sorted((near_month_end(draw), near_month_end(draw)))
        if draw.random() < 0.5:
            end = min(LAST, start + draw.randrange(800))
        actual, thirty = (count.dayCount(start, end) for count in COUNTS)
        yield f"{start.ISO()},{end.ISO()},{actual},{thirty},{round(ISDA.yearFraction(start, end) * 10**12)}"


def calendars(draw):
    yield "day, months, day and months later, last day kept, following, modified following, preceding"
    weekends, every_day = ql.WeekendsOnly(), ql.NullCalendar()
    for _ in range(ROWS):
        day, months = near_month_end(draw), draw.randrange(120)
        later = [every_day.advance(day, months, ql.Months, ql.Unadjusted, keep) for keep in (False, True)]
        rolled = [weekends.adjust(day, roll) for roll in ROLLS]
        yield ",".join([day.ISO(), str(months)] + [date.ISO() for date in later + rolled])


for name, rows in (("day_count", day_counts), ("calendar", calendars)):
    text = f"# QuantLib {ql.__version__}: " + "\n".join(rows(random.Random(SEED))) + "\n"
    pathlib.Path(__file__).with_name(f"{name}.csv").write_text(text)
