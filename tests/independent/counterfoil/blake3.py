"""BLAKE3: keyed, for key derivation, and with output of any length. Source: the BLAKE3 paper (2020), section 2."""

from struct import pack, unpack

BLOCK, CHUNK = 64, 1024
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED, DERIVE_CONTEXT, DERIVE_MATERIAL = (1 << i for i in range(7))
MASK = 0xFFFFFFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)


def derive_key(context: str, material: bytes, length: int = 32) -> bytes:
    """The key that `context`, a constant text, derives from `material`."""
    context_key = _hash(IV, context.encode(), DERIVE_CONTEXT, 32)
    return _hash(unpack("<8I", context_key), material, DERIVE_MATERIAL, length)


def keyed_hash(key: bytes, message: bytes, length: int = 32) -> bytes:
    """The hash of `message` under a 32-byte key."""
    return _hash(unpack("<8I", key), message, KEYED, length)


def plain_hash(message: bytes, length: int = 32) -> bytes:
    """The hash of `message`. Counterfoil never uses it; the known answers do."""
    return _hash(IV, message, 0, length)


def _hash(key, message: bytes, mode: int, length: int) -> bytes:
    chaining, block, counter, size, flags = _tree(key, message, 0, mode)
    blocks = range((length + BLOCK - 1) // BLOCK)
    words = (_compress(chaining, block, i, size, flags | ROOT) for i in blocks)
    return b"".join(pack("<16I", *w) for w in words)[:length]


def _tree(key, message: bytes, index: int, mode: int):
    """The last compression of a subtree, not yet done: whether it is the root's, only the caller knows."""
    if len(message) <= CHUNK:
        return _chunk(key, message, index, mode)
    chunks = (len(message) - 1) // CHUNK
    left = 1 << (chunks.bit_length() - 1)
    cut = left * CHUNK
    pair = _chain(_tree(key, message[:cut], index, mode)) + _chain(_tree(key, message[cut:], index + left, mode))
    return key, pair, 0, BLOCK, mode | PARENT


def _chunk(key, chunk: bytes, index: int, mode: int):
    blocks = [chunk[i:i + BLOCK] for i in range(0, len(chunk), BLOCK)] or [b""]
    chaining = key
    for number, block in enumerate(blocks):
        words = list(unpack("<16I", block.ljust(BLOCK, b"\0")))
        flags = mode | (CHUNK_START if number == 0 else 0) | (CHUNK_END if number == len(blocks) - 1 else 0)
        last = (chaining, words, index, len(block), flags)
        chaining = _chain(last)
    return last


def _chain(output):
    return _compress(*output)[:8]


def _compress(chaining, block, counter: int, size: int, flags: int):
    v = [*chaining, *IV[:4], counter & MASK, counter >> 32, size, flags]
    m = block
    for _ in range(7):
        for place, (a, b, c, d) in enumerate(COLUMNS_AND_DIAGONALS):
            _mix(v, a, b, c, d, m[2 * place], m[2 * place + 1])
        m = [m[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)] + [v[i + 8] ^ chaining[i] for i in range(8)]


def _mix(v, a: int, b: int, c: int, d: int, x: int, y: int) -> None:
    va, vb, vc, vd = v[a], v[b], v[c], v[d]
    va = (va + vb + x) & MASK
    vd ^= va
    vd = vd >> 16 | (vd << 16 & MASK)
    vc = (vc + vd) & MASK
    vb ^= vc
    vb = vb >> 12 | (vb << 20 & MASK)
    va = (va + vb + y) & MASK
    vd ^= va
    vd = vd >> 8 | (vd << 24 & MASK)
    vc = (vc + vd) & MASK
    vb ^= vc
    v[a], v[b], v[c], v[d] = va, vb >> 7 | (vb << 25 & MASK), vc, vd
