"""`FormulaReader`: one line of formulas as LaTeX, by recursive descent."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from symbols import APPLIED, RELATIONS, Token, UnreadableError

if TYPE_CHECKING:
    from typeset import Setter


class FormulaReader:
    """Reads one line from left to right."""

    def __init__(self, setter: Setter, found: list[Token]) -> None:
        self.setter, self.found, self.at = setter, found, 0

    def peek(self, ahead: int = 0) -> Token:
        """The next piece, or one behind it."""
        place = self.at + ahead
        return self.found[place] if place < len(self.found) else Token("end", "", False)

    def take(self) -> Token:
        """The next piece, which is read by it."""
        token = self.peek()
        self.at += 1
        return token

    def math_here(self) -> bool:
        """Whether the next piece is a symbol."""
        token, following = self.peek(), self.peek(1)
        if token.text == "sum" and following.text == "over":
            return True
        return self.setter.is_math(token, following)

    def line(self) -> str:
        """Everything, relations and words between terms included."""
        parts = []
        while self.peek().kind != "end":
            token = self.peek()
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
        token = self.peek()
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
        while self.peek().text in {"+", "-"}:
            parts.append(self.take().text)
        parts.append(self.term())
        while self.peek().text in {"+", "-"}:
            parts.append(self.take().text)
            parts.append(self.term())
        return " ".join(parts)

    def term(self) -> str:
        """Factors, divided by the one after a slash."""
        parts: list[str] = []
        while True:
            token = self.peek()
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
            raise UnreadableError(f"a term begins with {self.peek().text!r}")
        return r"\,".join(parts) if len(parts) < 2 else " ".join(_spaced(parts))

    def _starts_factor(self) -> bool:
        token = self.peek()
        if token.text == "|":
            return self.bars == 0
        if token.kind == "number" or token.kind == "dots" or token.text in {"(", "["}:
            return True
        return token.kind == "name" and (self.math_here() or self._differential())

    bars = 0

    def _differential(self) -> bool:
        after = self.peek(1)
        return (
            (
                self.peek().text == "d"
                and not self.setter.d_is_a_number
                and after.space
                and (after.kind == "name" or after.text in {"|", "("})
            )
            or (
                self.peek().text == "d"
                and after.kind == "name"
                and after.space
                and (after.text in {"loss", "l", "l_n", "output", "e"} or self._after_slash())
            )
            or (self.peek().text == "d" and self._of_itself())
        )

    def _of_itself(self) -> bool:
        """Whether this is the first d of a quotient such as `d |d| / d conj(d)`."""
        following = [self.peek(i).text for i in range(1, 8)]
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
            if self.peek().kind == "name" and not self.math_here():
                return rf"\partial \mathrm{{{self.take().text}}}"
            return rf"\partial {self.factor()}"
        is_sum = self.peek().text == "sum" or self.peek().text.startswith("sum_")
        base = self.atom()
        if bare and is_sum and self._starts_factor():
            base = f"{base} {self.factor()}"
        while True:
            token = self.peek()
            if token.text == "^" and not token.space:
                after = self.peek(1)
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
        """What stands above, without its brackets."""
        sign = ""
        while self.peek().text in {"-", "+"}:
            sign += self.take().text
        token = self.peek()
        if token.text in {"H", "T"}:
            self.take()
            return sign + rf"\mathsf{{{token.text}}}"
        return sign + _bare(self.atom())

    def atom(self) -> str:
        """A number, a symbol, or what is in brackets."""
        token = self.peek()
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
        if name == "sqrt" and self.peek().text == "(":
            return rf"\sqrt{{{_bare(self.group('(', ')'))}}}"
        if name == "conj" and self.peek().text == "(":
            return rf"\overline{{{_bare(self.group('(', ')'))}}}"
        if name == "sum" or name.startswith("sum_"):
            return self._sum(name)
        symbol = self.setter.symbol(name)
        if symbol is None:
            raise UnreadableError(f"{name!r} is a word")
        if name in APPLIED and self.peek().text != "(" and self._starts_factor():
            return rf"{symbol}\,{self.factor()}"
        return symbol

    def _sum(self, name: str) -> str:
        below = name[4:]
        if below:
            return rf"\sum_{{{', '.join(below)}}}"
        if self.peek().text == "over":
            self.take()
            words = []
            while self.peek().kind != "end" and self.peek().text != "of":
                words.append(self.take())
            if self.peek().text == "of":
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
        while (token := self.peek()).text != closing:
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
