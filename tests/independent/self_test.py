#!/usr/bin/env python3
"""Shows that the verifier refuses what it must, and for the reason that the specification gives.

    python self_test.py GENESIS.json BATCH.json...

Of every stored batch BATCH.json the forgeries of BATCH.refused.json are tried, and single bits flipped all over it. The
ledger's own tests hold the same forgeries to the same reasons. Exit code 0: all are refused as they should be.
"""

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from counterfoil import genesis
from counterfoil.verify import Rejected, verify

FLIPS = 24
ACCEPTED = "nothing: it was accepted"


def forged(data: bytes, pieces: list) -> bytes:
    """The bytes with pieces replaced; pieces are in order and do not overlap."""
    for start, end, new in reversed(pieces):
        data = data[:start] + bytes.fromhex(new) + data[end:]
    return data


def flipped(data: bytes, at: int) -> bytes:
    """One bit flipped."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def refusal(consortium, data: bytes) -> str:
    """The name of the refusal, or that there is none."""
    try:
        verify(consortium, data)
    except Rejected as error:
        return error.name
    return ACCEPTED


def test(consortium, path: Path) -> bool:
    """Whether everything that is wrong with a stored batch is refused as it should be."""
    data = bytes.fromhex(json.loads(path.read_text())["sealed"])
    forgeries = json.loads(path.with_suffix(".refused.json").read_text())["forgeries"]
    wrong = []
    for forgery in forgeries:
        found = refusal(consortium, forged(data, forgery["pieces"]))
        if found != forgery["refusal"]:
            wrong.append(f"{forgery['what']}: refused for {found}, not for {forgery['refusal']}")
    for at in range(0, len(data), len(data) // FLIPS):
        if refusal(consortium, flipped(data, at)) == ACCEPTED:
            wrong.append(f"bit {8 * at} flipped: accepted")
    for what in wrong:
        print(f"WRONG    {path}: {what}")
    if not wrong:
        reasons = {forgery["refusal"] for forgery in forgeries}
        print(f"ok       {path}: {len(forgeries)} forgeries refused for {len(reasons)} reasons, and {FLIPS} flipped bits")
    return not wrong


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    consortium = genesis.found(bytes.fromhex(json.loads(Path(arguments[0]).read_text())["genesis"]))
    with ProcessPoolExecutor() as pool:
        verdicts = list(pool.map(partial(test, consortium), map(Path, arguments[1:])))
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
