"""Numbers as one reads them, in English and in French, of any size."""

from __future__ import annotations

import math

NARROW = "\u202f"  # the no-break space between thousands, and before a French percent sign
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def number(value: float, lang: str = "en") -> str:
    """A result: four decimals where it is of ordinary size, else five digits or more."""
    size = abs(value)
    if size == 0:
        return "0"
    if 1e-3 <= size < 0.1:
        return _local(f"{value:.{4 - math.floor(math.log10(size)) - 1}f}", lang)
    if 0.1 <= size < 1e3:
        return _local(f"{value:.4f}", lang)
    if 1e3 <= size < 1e7:
        return _local(f"{value:,.{max(0, 5 - math.floor(math.log10(size)))}f}", lang)
    return _scientific(value, ".4f", lang)


def with_spread(value: float, spread: float, lang: str = "en") -> str:
    """A result and its spread; where it needs a power of ten, one for both."""
    text = number(value, lang)
    mantissa, times, power = text.partition("×")
    if not times:
        return f"{text} ± {short(spread, lang)}"
    unit = 10.0 ** int(power.removeprefix("10").translate(_PLAIN))
    return f"({mantissa} ± {_local(f'{spread / unit:.4f}', lang)})×{power}"


def short(value: float, lang: str = "en", digits: int = 3) -> str:
    """For a tick or in a sentence: as many digits as asked, without zeros at the end."""
    size = abs(value)
    if size == 0:
        return "0"
    value = float(f"{value:.{digits}g}")
    exponent = math.floor(math.log10(abs(value)))
    if not -4 < exponent < 7:
        return _scientific(value, f".{digits - 1}f", lang, trim=True)
    text = f"{value:,.{max(0, digits - 1 - exponent)}f}"
    return _local(_trimmed(text), lang)


def fixed(value: float, digits: int, lang: str = "en") -> str:
    """A number with so many decimals."""
    return _local(f"{value:.{digits}f}", lang)


def cell(value: float, lang: str = "en") -> str:
    """A number as a table has it, with six digits; thousands together, for 1986 may be a year."""
    return _local(f"{value:.6g}", lang)


def count(value: float, lang: str = "en") -> str:
    """A whole number with its thousands apart."""
    return _local(f"{value:,.0f}", lang)


def percent(share: float, lang: str = "en") -> str:
    """A share of one, in percent."""
    digits = 0 if abs(share) >= 0.1 else 1
    if share < 1 and round(share, digits + 2) >= 1:  # 99.96% is not all
        digits, share = 2, min(share, 0.9999)
    text = _local(_trimmed(f"{100 * share:,.{digits}f}"), lang)
    return f"{text}{NARROW}%" if lang == "fr" else f"{text}%"


def _scientific(value: float, form: str, lang: str, trim: bool = False) -> str:
    exponent = math.floor(math.log10(abs(value)))
    mantissa = format(value / 10.0**exponent, form)
    if abs(float(mantissa)) >= 10:  # rounded up
        exponent, mantissa = exponent + 1, format(value / 10.0 ** (exponent + 1), form)
    mantissa = _local(_trimmed(mantissa) if trim else mantissa, lang)
    power = "10" + str(exponent).translate(_SUPERSCRIPTS)
    return power if mantissa == "1" else f"{mantissa}×{power}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _local(text: str, lang: str) -> str:
    text = text.replace("-", "−")
    if lang == "fr":
        return text.replace(",", NARROW).replace(".", ",")
    return text
