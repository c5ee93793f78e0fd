"""Currencies: the codes of ISO 4217 and the symbols people write for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

#: Code and symbol, for the currencies that have one; a symbol that several share is ambiguous.
_SYMBOLS = """
AED د.إ|AFN ؋|AMD ֏|ARS $|AUD $|AZN ₼|BDT ৳|BOB Bs|BRL R$|CAD $|CLP $|CNY ¥|COP $|CRC ₡|CZK Kč|DKK kr|DOP $|EUR €|GBP £|GEL ₾|GHS ₵
HKD $|HUF Ft|ILS ₪|INR ₹|ISK kr|JPY ¥|KHR ៛|KRW ₩|KZT ₸|LAK ₭|MNT ₮|MXN $|NGN ₦|NOK kr|NPR ₨|NZD $|PEN S/|PHP ₱|PKR ₨|PLN zł|PYG ₲|RON lei|RUB ₽
SEK kr|SGD $|THB ฿|TRY ₺|TWD $|UAH ₴|USD $|UYU $|VND ₫|ZAR R
"""
_WITHOUT = """
ALL ANG AOA AWG BAM BBD BGN BHD BIF BMD BND BSD BTN BWP BYN BZD CDF CHF CUP CVE DJF DZD EGP ERN ETB FJD FKP GIP GMD GNF GTQ GYD HNL HTG IDR IQD IRR JMD JOD KES
KGS KMF KPW KWD KYD LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MOP MRU MUR MVR MWK MYR MZN NAD NIO OMR PAB PGK QAR RSD RWF SAR SBD SCR SDG SHP SLE SOS SRD SSP
STN SVC SYP SZL TJS TMT TND TOP TTD TZS UGX UZS VES VUV WST XAF XCD XOF XPF YER ZMW ZWG
"""
SYMBOL: dict[str, str] = {
    code: symbol for code, _, symbol in (pair.partition(" ") for pair in _SYMBOLS.strip().replace("\n", "|").split("|"))
}
CODES = frozenset({*SYMBOL, *_WITHOUT.split()})
#: Other ways to write one of them.
_ALSO = "A$ AUD|C$ CAD|CN¥ CNY|Fr. CHF|HK$ HKD|JP¥ JPY|MX$ MXN|NT$ TWD|NZ$ NZD|RM MYR|RMB CNY|Rp IDR|S$ SGD|US$ USD"
BY_SYMBOL: dict[str, tuple[str, ...]] = {
    **{symbol: tuple(code for code, its in SYMBOL.items() if its == symbol) for symbol in SYMBOL.values()},
    **{symbol: (code,) for symbol, code in (pair.split() for pair in _ALSO.split("|"))},
}


@dataclass(frozen=True)
class Currency:
    """A currency by its code or its symbol, written as the other one or left as it is."""

    to: Literal["code", "symbol"] = "code"
    default: tuple[str, ...] = ()
    """The codes that ambiguous symbols stand for: ``("USD", "SEK")`` for ``$`` and ``kr``."""

    def __call__(self, value: Any) -> Any:
        """Return the code or the symbol for *value*.

        Raises:
            ValueError: it names no currency, or several; or its symbol stands for another one here.
        """
        text = str(value).strip()
        if not text:
            return text
        code = text.upper()
        if code in CODES:
            return code if self.to == "code" else self._symbol(code)
        if text not in BY_SYMBOL:
            raise ValueError(f'"{text}" is no currency')
        return text if self.to == "symbol" else self._code(text)

    def _symbol(self, code: str) -> str:
        symbol = SYMBOL.get(code, code)
        meant = [other for other in self.default if other in BY_SYMBOL.get(symbol, ())]
        if meant and code not in meant:
            raise ValueError(f'"{symbol}" stands for {" and ".join(meant)}, and cannot be written for {code}')
        return symbol

    def _code(self, symbol: str) -> str:
        codes = BY_SYMBOL[symbol]
        if len(codes) == 1:
            return codes[0]
        chosen = [code for code in self.default if code in codes]
        if len(chosen) != 1:
            raise ValueError(f'"{symbol}" may be {", ".join(codes)}: name one of them as default')
        return chosen[0]
