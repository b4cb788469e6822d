"""The genesis: members and products, all checked. Ledger, section 1."""

import re
from dataclasses import dataclass

from . import blake3, borsh, ed25519, group, product, sigma
from .product import Product


class BadGenesis(Exception):
    """A member or product is refused."""


@dataclass(frozen=True)
class Member:
    """A member as it registered."""

    name: str
    role: str
    identity: bytes
    view_key: bytes
    envelope_key: bytes
    possession: bytes
    signature: bytes
    unsigned: bytes

    @staticmethod
    def read(reader: borsh.Reader) -> "Member":
        name, role = reader.text(), reader.choice(("bank", "regulator"))
        keys = [reader.take(32) for _ in range(3)]
        possession, signature = reader.blob(), reader.take(64)
        role_byte = borsh.u8(("bank", "regulator").index(role))
        unsigned = borsh.blob(name.encode()) + role_byte + b"".join(keys) + borsh.blob(possession) + bytes(64)
        return Member(name, role, *keys, possession, signature, unsigned)

    def check(self) -> None:
        """Name, keys, possession, signature."""
        if not re.fullmatch(r"[a-z0-9-]{1,32}", self.name):
            raise BadGenesis(f"{self.name!r} is not a name")
        try:
            ed25519.public_key(self.identity)
            group.nonzero_point(self.view_key)
            sigma.verify_possession(self.view_key, self.name.encode() + b"\0" + self.identity, self.possession)
            ed25519.verify(self.identity, b"counterfoil/1/registration", self.unsigned, self.signature)
        except (ed25519.BadKey, group.NotCanonical, sigma.Refused, ed25519.BadSignature) as error:
            raise BadGenesis(f"member {self.name}: {error}") from error
        if ed25519.x25519(bytes([8] * 32), self.envelope_key) == bytes(32):
            raise BadGenesis(f"member {self.name}: its envelope key is of small order")


@dataclass(frozen=True)
class Consortium:
    """A genesis whose every check has passed."""

    id: bytes
    name: str
    members: list[Member]
    products: list[Product]

    @property
    def banks(self) -> list[int]:
        """The ids of the banks, in order."""
        return [number for number, member in enumerate(self.members) if member.role == "bank"]

    def named(self, name: str) -> Member:
        """The member of a name."""
        return next(member for member in self.members if member.name == name)


def found(data: bytes) -> Consortium:
    """Reads a genesis and checks it."""
    reader = borsh.Reader(data)
    version, name = reader.number(1), reader.text()
    members, texts = reader.many(Member.read), reader.many(borsh.Reader.text)
    epoch_blocks = reader.number(4)
    reader.end()
    if version != 1 or len(members) > 64 or len(texts) > 256:
        raise BadGenesis("an unknown version, or too many members or products")
    if epoch_blocks == 0:
        raise BadGenesis("an epoch without blocks")
    for member in members:
        member.check()
    for key in ("name", "identity", "view_key", "envelope_key"):
        if len({getattr(member, key) for member in members}) != len(members):
            raise BadGenesis(f"two members have one {key}")
    roles = {member.name: member.role for member in members}
    if "bank" not in roles.values():
        raise BadGenesis("there is no bank")
    if list(roles.values()).count("bank") * len(texts) > 1024:
        raise BadGenesis("too many pairs of a bank and a product")
    try:
        products = [product.parse(text) for text in texts]
    except product.BadProduct as error:
        raise BadGenesis(f"a product: {error}") from error
    for terms in products:
        if any(roles.get(bank) != "bank" for bank in terms.weights) or not roles.keys() >= set(terms.auditors):
            raise BadGenesis(f"product {terms.name} names somebody who is not there")
    return Consortium(blake3.derive_key("counterfoil/1 genesis", data), name, members, products)
