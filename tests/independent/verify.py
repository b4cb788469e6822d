#!/usr/bin/env python3
"""Verifies stored batches as a peer does that has no state and no key, and says in plain words what was verified.

    python verify.py GENESIS.json BATCH.json...

Each file is JSON with the bytes in hex, under "genesis" and "sealed". Exit code 0: everything holds; 1: something does not.
"""

import json
import sys
from pathlib import Path

from counterfoil import blake3, borsh, genesis
from counterfoil.verify import Rejected, verify


def load(path: str, key: str) -> bytes:
    """The bytes of a stored file."""
    return bytes.fromhex(json.loads(Path(path).read_text())[key])


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        consortium = genesis.found(load(arguments[0], "genesis"))
    except (genesis.BadGenesis, borsh.Malformed) as error:
        print(f"the genesis is refused: {error}")
        return 1
    print(f"genesis: {len(consortium.members)} members, each possesses its view key and signed its registration; "
          f"id {consortium.id.hex()}")
    wrong = 0
    for path in arguments[1:]:
        print(f"batch {path}")
        try:
            sealed = verify(consortium, load(path, "sealed"), lambda what: print(f"  {what}"))
            print(f"  VERIFIED: batch {sealed.id().hex()}")
        except Rejected as error:
            wrong += 1
            print(f"  REFUSED, {error}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
