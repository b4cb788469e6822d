"""Merkle trees over byte strings: crypto, section 5."""

from . import blake3

LEAF, NODE = "counterfoil/1 record leaf", "counterfoil/1 record node"


def root(messages) -> bytes:
    """The root over byte strings in order."""
    level = [blake3.derive_key(LEAF, message) for message in messages]
    count = len(level)
    while len(level) > 1:
        pairs = [level[i:i + 2] for i in range(0, len(level), 2)]
        level = [pair[0] if len(pair) == 1 else blake3.derive_key(NODE, pair[0] + pair[1]) for pair in pairs]
    top = level[0] if level else bytes(32)
    return blake3.derive_key(NODE, count.to_bytes(8, "little") + top)
