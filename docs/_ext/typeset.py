"""The formulas of a Function's page as LaTeX.

A page writes `d loss / d input = output (grad_output - sum over dim of grad_output output)`; this
sets fractions, sums, roots, powers and subscripts of it. What is not mathematics stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

NAMED = {  # how LaTeX writes a name
    "log": r"\log", "exp": r"\exp", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh",
    "sinh": r"\sinh", "cosh": r"\cosh", "det": r"\det", "min": r"\min", "max": r"\max",
    "tr": r"\mathrm{tr}", "Re": r"\mathrm{Re}", "alpha": r"\alpha", "beta": r"\beta", "pi": r"\pi",
    "delta": r"\delta", "eps": r"\varepsilon", "inf": r"\infty", "gamma": r"\gamma",
    "erf": r"\mathrm{erf}", "erfc": r"\mathrm{erfc}", "sgn": r"\mathrm{sgn}", "O": "O",
    "sign": r"\mathrm{sign}", "sigmoid": r"\mathrm{sigmoid}", "softmax": r"\mathrm{softmax}",
    "floor": r"\mathrm{floor}", "clamp": r"\mathrm{clamp}", "softplus": r"\mathrm{softplus}",
    "dA": r"\mathrm{d}A", "dX": r"\mathrm{d}X", "dB": r"\mathrm{d}B", "dY": r"\mathrm{d}Y",
    "dL": r"\mathrm{d}L",
}  # fmt: skip
APPLIED = {"log", "exp", "sin", "cos", "tanh", "sinh", "cosh", "det", "tr", "Re", "erf", "erfc",
           "sgn", "sign", "sigmoid", "softmax", "floor", "clamp", "min", "max"}  # fmt: skip
RELATIONS = {
    "=": "=",
    "<=": r"\le ",
    ">=": r"\ge ",
    "<": "<",
    ">": ">",
    "->": r"\to ",
    "<-": r"\gets ",
}
ALWAYS = {"output", "grad_output", "loss", "sum", "sqrt", "conj", *NAMED}

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<quote>"[^"]*"|`[^`]*`)|(?P<dots>\.\.\.|\.\.)
    |(?P<dotted>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*(?:'s\b|'*))
    |(?P<below>(?<=[)^])_[A-Za-z]+)
    |(?P<relation><=|>=|->|<-|[=<>])|(?P<sign>[-+*/^!|()\[\],;:.])|(?P<other>.)""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of a page's text."""

    kind: str
    text: str
    space: bool  # whether a blank stands before it


def tokens(text: str) -> list[Token]:
    """The pieces of a text."""
    found, space = [], False
    for match in TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "space":
            space = True
            continue
        found.append(Token(kind, match[0], space))
        space = False
    return found


class UnreadableError(ValueError):
    """The text is no formula that can be set."""


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
        return self._symbol(token.text) is not None

    def _symbol(self, name: str) -> str | None:
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
        reader = _Reader(self, tokens(text))
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


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, setter: Setter, found: list[Token]) -> None:
        self.setter, self.found, self.at = setter, found, 0

    def next_token(self, ahead: int = 0) -> Token:
        place = self.at + ahead
        return self.found[place] if place < len(self.found) else Token("end", "", False)

    def take(self) -> Token:
        token = self.next_token()
        self.at += 1
        return token

    def math_here(self) -> bool:
        """Whether the next piece is a symbol."""
        token, following = self.next_token(), self.next_token(1)
        if token.text == "sum" and following.text == "over":
            return True
        return self.setter.is_math(token, following)

    def line(self) -> str:
        """Everything, relations and words between terms included."""
        parts = []
        while self.next_token().kind != "end":
            token = self.next_token()
            if token.kind == "relation":
                parts.append(RELATIONS[self.take().text])
            elif token.text in {",", ";", ":"}:
                parts.append(self.take().text + r"\;")
            elif self._is_word():
                parts.append(self._words())
            elif token.text in {")", "]"}:
                raise UnreadableError("a bracket is closed that was not opened")
            elif token.text == ".":
                self.take()
                parts.append(".")
            else:
                parts.append(self.sum())
        return " ".join(parts)

    def _is_word(self) -> bool:
        token = self.next_token()
        return token.kind in {"quote", "other", "dotted"} or (
            token.kind == "name" and not self.math_here() and not self._differential()
        )

    def _words(self) -> str:
        words = []
        while self._is_word():
            words.append(self.take().text.strip("`"))
        text = " ".join(words).replace("^", "")
        return rf"\;\text{{{text}}}\;"

    def sum(self) -> str:
        """Terms with signs between them."""
        parts = []
        while self.next_token().text in {"+", "-"}:
            parts.append(self.take().text)
        parts.append(self.term())
        while self.next_token().text in {"+", "-"}:
            parts.append(self.take().text)
            parts.append(self.term())
        return " ".join(parts)

    def term(self) -> str:
        """Factors, divided by the one after a slash."""
        parts: list[str] = []
        while True:
            token = self.next_token()
            if token.text == "/" and parts:
                self.take()
                below = self.factor(bare=True)
                sums = [i for i, part in enumerate(parts) if part.startswith(r"\sum_")]
                begin = sums[-1] + 1 if sums and sums[-1] + 1 < len(parts) else 0
                numerator = " ".join(_spaced(parts[begin:]))
                parts[begin:] = [rf"\frac{{{_bare(numerator)}}}{{{_bare(below)}}}"]
            elif token.text == "*" and parts:
                self.take()
                parts.append(r"\cdot")
            elif self._starts_factor():
                parts.append(self.factor())
            else:
                break
        if not parts and self._is_word():
            return self._words()
        if not parts:
            raise UnreadableError(f"a term begins with {self.next_token().text!r}")
        return r"\,".join(parts) if len(parts) < 2 else " ".join(_spaced(parts))

    def _starts_factor(self) -> bool:
        token = self.next_token()
        if token.text == "|":
            return self.bars == 0
        if token.kind == "number" or token.kind == "dots" or token.text in {"(", "["}:
            return True
        return token.kind == "name" and (self.math_here() or self._differential())

    bars = 0

    def _differential(self) -> bool:
        after = self.next_token(1)
        return (
            (
                self.next_token().text == "d"
                and not self.setter.d_is_a_number
                and after.space
                and (after.kind == "name" or after.text in {"|", "("})
            )
            or (
                self.next_token().text == "d"
                and after.kind == "name"
                and after.space
                and (after.text in {"loss", "l", "l_n", "output", "e"} or self._after_slash())
            )
            or (self.next_token().text == "d" and self._of_itself())
        )

    def _of_itself(self) -> bool:
        """Whether this is the first d of a quotient such as `d |d| / d conj(d)`."""
        following = [self.next_token(i).text for i in range(1, 8)]
        before_slash = following[: following.index("/")] if "/" in following else []
        at = len(before_slash)
        plain = before_slash and not {"+", "-", "=", "(", ","} & {*before_slash}
        return bool(plain) and at + 1 < len(following) and following[at + 1] == "d"

    def _after_slash(self) -> bool:
        return self.at > 0 and self.found[self.at - 1].text == "/"

    def factor(self, bare: bool = False) -> str:
        """One factor with its powers; a derivative is one, too."""
        if self._differential():
            self.take()
            if self.next_token().kind == "name" and not self.math_here():
                return rf"\partial \mathrm{{{self.take().text}}}"
            return rf"\partial {self.factor()}"
        is_sum = self.next_token().text == "sum" or self.next_token().text.startswith("sum_")
        base = self.atom()
        if bare and is_sum and self._starts_factor():
            base = f"{base} {self.factor()}"
        while True:
            token = self.next_token()
            if token.text == "^" and not token.space:
                after = self.next_token(1)
                hatted = after.space or after.kind in {"end", "below"}
                if hatted or after.text in {")", "]", ","}:  # x^ is x with a hat
                    self.take()
                    base = rf"\hat{{{base}}}"
                    continue
                self.take()
                base = f"{base}^{{{self.power()}}}"
            elif token.text == "!" and not token.space:
                self.take()
                base += "!"
            elif token.text == "[" and not token.space:
                base += self.group("[", "]")
            elif token.text == "(" and not token.space:
                base += self.group("(", ")")
            elif token.kind == "below":
                base += f"_{{{' '.join(self.take().text[1:])}}}"
            else:
                return base

    def power(self) -> str:
        sign = ""
        while self.next_token().text in {"-", "+"}:
            sign += self.take().text
        token = self.next_token()
        if token.text in {"H", "T"}:
            self.take()
            return sign + rf"\mathsf{{{token.text}}}"
        return sign + _bare(self.atom())

    def atom(self) -> str:
        """A number, a symbol, or what is in brackets."""
        token = self.next_token()
        if token.text == "(":
            return self.group("(", ")")
        if token.text == "[":
            return self.group("[", "]")
        if token.text == "|":
            self.take()
            self.bars += 1
            inner = self.sum()
            self.bars -= 1
            if self.take().text != "|":
                raise UnreadableError("a bar is not closed")
            return rf"\lvert {inner} \rvert"
        if token.kind == "number":
            return self.take().text
        if token.kind == "dots":
            self.take()
            return r"\ldots"
        if token.kind != "name":
            raise UnreadableError(f"{token.text!r} is no factor")
        return self.symbol()

    def symbol(self) -> str:
        """A name, a function with its argument, a root, a sum."""
        name = self.take().text
        if name == "sqrt" and self.next_token().text == "(":
            return rf"\sqrt{{{_bare(self.group('(', ')'))}}}"
        if name == "conj" and self.next_token().text == "(":
            return rf"\overline{{{_bare(self.group('(', ')'))}}}"
        if name == "sum" or name.startswith("sum_"):
            return self._sum(name)
        symbol = self.setter._symbol(name)
        if symbol is None:
            raise UnreadableError(f"{name!r} is a word")
        if name in APPLIED and self.next_token().text != "(" and self._starts_factor():
            return rf"{symbol}\,{self.factor()}"
        return symbol

    def _sum(self, name: str) -> str:
        below = name[4:]
        if below:
            return rf"\sum_{{{', '.join(below)}}}"
        if self.next_token().text == "over":
            self.take()
            words = []
            while self.next_token().kind != "end" and self.next_token().text != "of":
                words.append(self.take())
            if self.next_token().text == "of":
                self.take()
            text = "".join((" " if t.space else "") + t.text for t in words).strip()
            text = text.replace("^", "")
            return rf"\sum_{{\text{{{text}}}}}"
        return r"\sum"

    def group(self, opening: str, closing: str) -> str:
        """What is between brackets: terms, commas, relations and words."""
        self.take()
        bars, self.bars = self.bars, 0
        parts: list[str] = []
        while (token := self.next_token()).text != closing:
            if token.kind == "end":
                raise UnreadableError("a bracket is not closed")
            if token.text in {",", ":", ";"}:
                parts.append(self.take().text + r"\,")
            elif token.kind == "relation":
                parts.append(RELATIONS[self.take().text])
            elif self._is_word():
                parts.append(self._words())
            elif token.text in {"*"}:
                self.take()
                parts.append("*")
            else:
                parts.append(self.sum())
        self.take()
        self.bars = bars
        return rf"\left{opening} {' '.join(parts)} \right{closing}"


def _bare(latex: str) -> str:
    """Without the brackets around the whole of it."""
    match = re.fullmatch(r"\\left\( (.*) \\right\)", latex)
    if match and _balanced(match[1]):
        return match[1]
    return latex


def _balanced(latex: str) -> bool:
    depth = 0
    for match in re.finditer(r"\\(left|right)\b", latex):
        depth += 1 if match[1] == "left" else -1
        if depth < 0:
            return False
    return depth == 0


def _spaced(parts: list[str]) -> list[str]:
    """A thin space between factors, except beside signs of multiplication and sums."""
    spaced = [parts[0]]
    for before, part in pairwise(parts):
        if part != r"\cdot" and before != r"\cdot" and not before.startswith(r"\sum"):
            spaced.append(r"\,")
        spaced.append(part)
    return spaced


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
