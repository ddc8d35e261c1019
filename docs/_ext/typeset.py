"""The formulas of a Function's page as LaTeX.

A page writes `d loss / d input = output (grad_output - sum over dim of grad_output output)`; this
sets fractions, sums, roots, powers and subscripts of it. What is not mathematics stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from formula_reader import FormulaReader
from symbols import ALWAYS, NAMED, TOKEN, Token, UnreadableError, tokens


class Setter:
    """Sets the formulas of one page, whose arguments and symbols it knows."""

    def __init__(self, arguments: Iterable[str], page: str = "") -> None:
        defined = re.findall(r"(?:^|[\s(,])([a-z]{2,}) = ", page)  # such as mean = sum(x) / M
        self.arguments = {*arguments}
        self.names = {*ALWAYS, *arguments, *defined} - {"such"}
        self.has_a = bool(re.search(r"\bA[\^'_]|\(A \+|= A |together A", page))
        plain = page.replace("d loss", "").replace("d output", "")
        self.d_is_a_number = bool(re.search(r"\bd = |\(d\)|\bd\^2|d \(h - 1\)|stride s", plain))

    # Which words are mathematics.

    def is_math(self, token: Token, following: Token | None = None) -> bool:
        """Whether a name is a symbol, and not a word of English."""
        if token.text in {"sum", "mean", "max", "min", "mask", "log"} and following is not None:
            joined = following.text == "(" and not following.space
            if token.text in {"sum", "log"}:
                joined = following.text in {"(", "|"} or following.kind == "number"
                joined = joined or (following.kind == "name" and self.is_math(following))
            if token.text in {"max", "min"} or token.text in {"sum", "log"}:
                return joined
        if token.kind != "name":
            return token.kind in {"number", "relation", "dots", "below"}
        if token.text == "A" and "A" not in self.arguments and following is not None:
            word = following.kind == "name" and not self.is_math(following)
            if word and following.text not in {"over", "is", "and", "by", "from"}:
                return False  # the article
        if token.text in {"a", "a'"} and following is not None:  # no article
            return following.text == "/" or following.text.endswith("'")
        return self.symbol(token.text) is not None

    def symbol(self, name: str) -> str | None:
        """A name as LaTeX, with its subscript; None for a word."""
        bare = name.rstrip("'")
        primes = name[len(bare) :]
        if bare in NAMED:
            return NAMED[bare] + primes
        if bare in self.names:
            return self._upright(bare) + primes
        if name == "A" and "A" not in self.arguments and not self.has_a:
            return None  # an article
        if len(bare) == 1:
            return bare + primes
        head, _, below = bare.rpartition("_")
        if (
            head
            and below not in self.arguments
            and (head in self.names or len(head) == 1 or head in NAMED)
        ):
            symbol = NAMED.get(head) or (self._upright(head) if len(head) > 1 else head)
            inner = below if len(below) <= 4 and below not in self.names else rf"\mathrm{{{below}}}"
            return f"{symbol}_{{{' '.join(inner) if inner == below else inner}}}{primes}"
        if bare in {"dh", "dc"}:
            return rf"\mathrm{{d}}{bare[1]}"
        return None

    def _upright(self, name: str) -> str:
        return rf"\mathrm{{{name}}}".replace("_", r"\_") if len(name) > 1 else name

    def begins(self, text: str) -> bool:
        """Whether the first word of a text is a symbol."""
        found = tokens(text)
        return bool(found) and self.is_math(found[0], found[1] if len(found) > 1 else None)

    # Formulas.

    def latex(self, text: str) -> str:
        """A line of formulas, in which words stay words."""
        reader = FormulaReader(self, tokens(text))
        return reader.line()

    def prose(self, text: str) -> str:
        """A sentence as Markdown, in which formulas are set."""
        pieces, run = [], list[Token]()

        def end_run(following: str = "") -> None:
            nonlocal run
            tail = list[Token]()
            while run and (run[-1].text in {",", ":", ";", ".", "-", "+"} or run[-1].text == "("):
                tail.insert(0, run.pop())
            if run:
                pieces.append((run[0].space, self._run(run)))
            pieces.extend((token.space, _plain(token.text)) for token in tail)
            run = []

        found = tokens(text)
        at = 0
        while at < len(found):
            token = found[at]
            following = found[at + 1] if at + 1 < len(found) else Token("end", "", False)
            if token.text in {"(", "["} and (end := self._closed(found, at)):
                run += found[at:end]
                at = end
                continue
            signed = token.text in set("-+*/^!|") and (run or token.text in "-|")
            if signed or self.is_math(token, following):
                run.append(token)
            else:
                end_run()
                pieces.append((token.space, _plain(token.text)))
            at += 1
        end_run()
        return "".join((" " if space else "") + piece for space, piece in pieces).strip()

    def _closed(self, found: list[Token], at: int) -> int:
        """Where brackets that hold nothing but mathematics end; 0 if they hold words."""
        depth = 0
        inner = found[at + 1 : at + 3]
        if found[at].space and [t.text in self.arguments | {")"} for t in inner] == [True, True]:
            return 0  # one argument in brackets is a remark
        for place in range(at, len(found)):
            text = found[place].text
            depth += (text in {"(", "["}) - (text in {")", "]"})
            if depth == 0:
                return place + 1
            following = found[place + 1] if place + 1 < len(found) else None
            if not self.is_math(found[place], following) and text not in set("()[]-+*/^!|,"):
                return 0
        return 0

    def _run(self, run: list[Token]) -> str:
        text = "".join((" " if token.space else "") + token.text for token in run).strip()
        if not any(token.kind == "name" for token in run) and not re.search(r"[=^/<>|]", text):
            return _plain(text)
        if text == "->":
            return "→"
        named = [token.text in self.names - {*NAMED} and len(token.text) > 1 for token in run]
        if all(token.kind in {"name", "number"} for token in run) and any(named):
            return " ".join(self._bare_name(token) for token in run)
        try:
            return f"${self.latex(text)}$"
        except UnreadableError:
            return f"`{text}`"

    def _bare_name(self, token: Token) -> str:
        """A name that stands by itself in a sentence."""
        if token.text in self.arguments | {"grad_output"} and len(token.text) > 1:
            return f"`{token.text}`"
        if token.kind == "name" and len(token.text) == 1:
            return f"${token.text}$"
        return _plain(token.text)


def rows(lines: list[str], setter: Setter) -> list[tuple[str, str]]:
    """The statements of a part of a page, each with the shape at its end (or "")."""
    found: list[tuple[str, str]] = []
    for line in lines:
        indented = len(line) - len(line.lstrip()) >= 2
        whole = re.sub(r"\s+=\s+", " = ", line.strip())
        for text in re.split(r"\s{2,}(?=d \w+ / d )", re.sub(r"(:|,)\s{2,}", r"\1 ", whole)):
            text, shape = _shape(text, setter.arguments, bool(found))
            before, ended = found[-1] if found else ("", "()")
            if not ended and _goes_on(before, text, indented, setter):
                clause = indented and setter.begins(text) and before[-1] not in ",=+(;"
                comma = "," if clause and not before.endswith((" of", " and", " or")) else ""
                found[-1] = (f"{before}{comma} {text}".strip(), shape)
            else:
                found.append((text, shape))
    return found


def _shape(text: str, arguments: set[str], later: bool) -> tuple[str, str]:
    """A statement without the shape at its end, and the shape."""
    match = re.fullmatch(r"(.*\S)\s{2,}(\S.*)", text)
    ends = ("(", "the shape", "probabilities")
    if match and (match[2].startswith(ends) or match[2] in arguments):
        return re.sub(r"\s{2,}", " ", match[1]), match[2]
    if later and re.fullmatch(r"\((\.\.\.|[A-Z, .*/'\d]*)\)", text):
        return "", text
    if match := re.fullmatch(r"(.*[^:]) (\([A-Z][^()]*,[^()]*\))", text):
        return re.sub(r"\s{2,}", " ", match[1]), match[2]
    return re.sub(r"\s{2,}", " ", text), ""


def _goes_on(before: str, text: str, indented: bool, setter: Setter) -> bool:
    if not text or indented:
        return True
    if re.match(r"(d \w+ / d |each |together |otherwise)", text):
        return before.endswith("=")
    if before.count("(") > before.count(")") or before.endswith((",", "=", "+", " of", " the")):
        return True
    return not before.endswith((";", ":")) and not setter.begins(text) and text[0] not in '("'


def _plain(text: str) -> str:
    if text.startswith("`"):
        return text
    if re.fullmatch(TOKEN, text) and "." in text.strip("."):
        return text if text[0].isdigit() else f"`{text}`"
    return re.sub(r"([*_<>|\\$\[\]])", r"\\\1", text) if not text.startswith("`") else text
