"""Products: text to terms, the canonical form, the policy hash, the rules. Ledger, section 2."""

import re
import tomllib
from dataclasses import dataclass
from math import gcd

from . import blake3, borsh

KEYS = {
    "name", "currency", "width", "cap", "parts", "share_units", "min_servicer_share", "auditors", "weights",
}
NAME = re.compile(r"[a-z0-9-]{1,32}")

EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
          CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG
          HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
          MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE
          SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER
          ZAR ZMW ZWG ZWL""",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENT_OF = {code: exponent for exponent, codes in EXPONENTS.items() for code in codes.split()}


class BadProduct(Exception):
    """A product's text breaks a rule."""


@dataclass(frozen=True)
class Rule:
    """`constant + servicer·a_0 + total·T >= 0` over a loan's amounts, and the largest value that this may have."""

    constant: int
    servicer: int
    total: int
    largest: int


@dataclass(frozen=True)
class Product:
    """A product's terms; amounts are minor units."""

    name: str
    currency: str
    exponent: int
    width: int
    cap: int
    parts: int
    share_units: int
    min_servicer_share: int
    auditors: tuple[str, ...]
    weights: dict[str, int]

    def canonical(self) -> bytes:
        """The canonical form."""
        text = lambda t: borsh.blob(t.encode())
        return b"".join([
            borsh.u8(1), text(self.name), text(self.currency), borsh.u8(self.exponent), borsh.u8(self.width),
            borsh.u64(self.cap), borsh.u8(self.parts), borsh.u16(self.share_units), borsh.u8(self.min_servicer_share),
            borsh.u32(len(self.auditors)), *(text(name) for name in self.auditors),
            borsh.u32(len(self.weights)), *(text(n) + borsh.u32(w) for n, w in sorted(self.weights.items())),
        ])

    def policy(self) -> bytes:
        """The policy hash."""
        return blake3.derive_key("counterfoil/1 product", self.canonical())

    def rules(self) -> list[Rule]:
        """What must hold of every loan."""
        forms = [(self.cap, 0, -1)]
        if percent := self.min_servicer_share:
            q = gcd(100, percent)
            forms.append((100 // q - 1, 100 // q, -(percent // q)))
        return [Rule(*form, self._largest(*form)) for form in forms]

    def _largest(self, constant: int, servicer: int, total: int) -> int:
        corners = [constant, constant + (servicer + total) * self.cap]
        if self.parts > 1:
            corners.append(constant + total * self.cap)
        if max(corners) >= 1 << 64:
            raise BadProduct("a rule needs more than 64 bits")
        return max(corners)


def parse(text: str) -> Product:
    """Reads a product's text."""
    if len(text.encode()) > 65_536:
        raise BadProduct("the text is longer than 65,536 bytes")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadProduct(f"not TOML: {error}") from error
    if unknown := set(table) - KEYS:
        raise BadProduct(f"unknown keys {sorted(unknown)}")
    if missing := KEYS - {"min_servicer_share"} - set(table):
        raise BadProduct(f"missing keys {sorted(missing)}")
    if table["currency"] not in EXPONENT_OF:
        raise BadProduct("the currency is not of ISO 4217")
    exponent, width = EXPONENT_OF[table["currency"]], _number(table["width"], 32, 64)
    if width not in (32, 64):
        raise BadProduct("the width is neither 32 nor 64")
    product = Product(
        name=_name(table["name"]), currency=table["currency"], exponent=exponent, width=width,
        cap=_cap(table["cap"], exponent, width), parts=_number(table["parts"], 1, 16),
        share_units=_number(table["share_units"], 1, 100),
        min_servicer_share=_number(table.get("min_servicer_share", 30), 0, 100),
        auditors=_auditors(table["auditors"]), weights=_weights(table["weights"]),
    )
    _consistent(product)
    return product


def _number(value, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise BadProduct(f"{value!r} is not a whole number from {least} to {most}")
    return value


def _name(value) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise BadProduct(f"{value!r} is not a name")
    return value


def _cap(text, exponent: int, width: int) -> int:
    match = isinstance(text, str) and re.fullmatch(r"([0-9]+)(?:\.([0-9]+))?", text, re.ASCII)
    if not match or len(match[2] or "") > exponent:
        raise BadProduct(f"{text!r} is not an amount of the currency")
    cap = int(match[1] + (match[2] or "").ljust(exponent, "0"))
    if not 1 <= cap < 1 << min(width, 63):
        raise BadProduct("the cap is zero or too large")
    return cap


def _auditors(value) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 16:
        raise BadProduct("the auditors are not a list of at most 16 names")
    names = tuple(_name(name) for name in value)
    if len(set(names)) != len(names):
        raise BadProduct("an auditor is listed twice")
    return names


def _weights(value) -> dict[str, int]:
    if not isinstance(value, dict) or not 1 <= len(value) <= 256:
        raise BadProduct("the weights are not a table of 1 to 256 banks")
    return {_name(name): _number(weight, 1, 2**32 - 1) for name, weight in value.items()}


def _consistent(product: Product) -> None:
    """Rules that fit, parts that banks can fill, a bank that can service a loan that it shares."""
    product.rules()
    if product.parts > len(product.weights):
        raise BadProduct("more parts than banks")
    heavy, light = max(product.weights.values()), min(product.weights.values())
    share, rest = divmod(product.share_units * heavy, heavy + light)
    if 2 * rest >= heavy + light:
        share += 1
    if product.parts > 1 and share * 100 < product.min_servicer_share * product.share_units:
        raise BadProduct("no bank could service a loan that it shares")
