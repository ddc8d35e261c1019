"""A sheet's file as cells: jupytext's percent format, one source for both languages.

    # %% [sheet]                     what the checks need; in no notebook
    # %% [markdown] lang="fr"        text in one language; without lang, in both
    # %%                             code that is given
    # %% [show]                      code that is given and only shows something, such as a chart
    # %% question="linear"           code with blanks, followed by its check

In code, a line that ends in `# en` or `# fr` is in the notebook of that language only, without the
mark. Students write what is between `# BEGIN SOLUTION` and `# END SOLUTION`.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile

from derivable.errors import SettingError
from derivable.labs.refusals import refusal
from derivable.messages import Text

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
BLANK = Text("# to be done", "# à faire")
_HEADER = re.compile(r"# %%(?:\s+\[(\w+)\])?(.*)$")
_SETTING = re.compile(r'(\w+)="([^"]*)"')
_MARK = re.compile(r"\s*# (en|fr)$")


class Kind(Enum):
    """The purpose of a cell."""

    SHEET = "sheet"
    TEXT = "markdown"
    CODE = "code"
    SHOW = "show"


@dataclass(frozen=True)
class Cell:
    """One cell of a sheet's file.

    text      without the comment signs of Markdown
    line      of its header in the file, counted from 1
    lang      the only language in which it is given; empty for both
    question  the key of the question that its blanks answer; empty where it has none
    """

    kind: Kind
    text: str
    line: int
    lang: str = ""
    question: str = ""

    @property
    def is_code(self) -> bool:
        """Whether it is a code cell of notebooks."""
        return self.kind in (Kind.CODE, Kind.SHOW)

    def given(self, lang: str, answers: Collection[str] = ()) -> str:
        """The cell for students, with blanks in place of the solutions.

        At the top level a blank defines those of the `answers` that the solution assigns, or, if
        it assigns none of them, every name.
        """
        return _blanked(_in_language(self.text, lang), lang, answers)

    def marked(self, lang: str) -> str:
        """The cell for teachers, with the solutions between their marks."""
        return _in_language(self.text, lang)

    def solved(self, lang: str) -> str:
        """The cell with its solutions, without the marks."""
        lines = self.marked(lang).splitlines()
        return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))

    def solution(self, lang: str) -> str:
        """The solutions alone."""
        regions = re.findall(rf"{BEGIN}\n(.*?)^\s*{END}$", self.marked(lang), re.S | re.M)
        return "\n".join(textwrap.dedent(region).rstrip() for region in regions)


def cells_of(text: str, path: str) -> list[Cell]:
    """The cells of a sheet's file; text above the first one is left out.

    Raises SettingError for a kind of cell that is none, a language without notebooks, and marks of
    solutions that do not match.
    """
    found: list[Cell] = []
    lines = text.splitlines()
    headers = [(i, match) for i, line in enumerate(lines) if (match := _HEADER.match(line))]
    ends = [i for i, _ in headers[1:]] + [len(lines)]
    for (start, match), end in zip(headers, ends, strict=True):
        place = f"{path}:{start + 1}"
        body = "\n".join(lines[start + 1 : end]).strip("\n")
        settings = dict(_SETTING.findall(match[2]))
        unread = _SETTING.sub("", match[2])
        lang, question = settings.pop("lang", ""), settings.pop("question", "")
        kind = match[1] or "code"
        if kind not in {one.value for one in Kind} or settings or "=" in unread:
            raise SettingError(refusal("header", place=place, got=lines[start]))
        if lang not in ("", "en", "fr"):
            raise SettingError(refusal("cell_lang", place=place, got=lang))
        if re.findall(rf"{BEGIN}|{END}", body) != [BEGIN, END] * body.count(BEGIN):
            raise SettingError(refusal("marks", place=place, begin=BEGIN, end=END))
        _check_regions(body, place)
        if kind == Kind.TEXT.value:
            body = "\n".join(re.sub(r"^# ?", "", line) for line in body.splitlines())
        found.append(Cell(Kind(kind), body, start + 1, lang, question))
    return found


def _check_regions(body: str, place: str) -> None:
    """Refuse solutions at the margin that are no whole statements: their names become blanks."""
    for region in re.findall(rf"^{BEGIN}\n(.*?)^{END}$", body, re.S | re.M):
        try:
            ast.parse(region)
        except SyntaxError as error:
            gaps = {"place": place, "begin": BEGIN, "end": END, "reason": error.msg}
            raise SettingError(refusal("statements", **gaps)) from None


def sheet_code(cells: list[Cell]) -> str:
    """The code of the [sheet] cells, each line where it is in the file."""
    lines: list[str] = []
    for cell in cells:
        if cell.kind is Kind.SHEET:
            lines += [""] * (cell.line - len(lines)) + cell.text.splitlines()
    return "\n".join(lines) + "\n"


def _in_language(text: str, lang: str) -> str:
    kept = []
    for line in text.splitlines():
        mark = _MARK.search(line)
        if mark is None:
            kept.append(line)
        elif mark[1] == lang:
            kept.append(line[: mark.start()])
    return "\n".join(kept)


def without_solutions(text: str) -> str:
    """The text of a sheet's file without the passages between the marks."""
    return re.sub(rf"^([ \t]*{BEGIN}\n).*?^([ \t]*{END})$", r"\1\2", text, flags=re.S | re.M)


def _blanked(text: str, lang: str, answers: Collection[str]) -> str:
    """The text with `...` in place of each solution; names that it defines are `...` too."""
    out: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.strip() != BEGIN:
            out.append(line)
            continue
        region = list(takewhile(lambda line: line.strip() != END, lines))
        indent = line[: len(line) - len(line.lstrip())]
        names = _assigned(textwrap.dedent("\n".join(region))) if not indent else []
        names = [name for name in names if name in answers] or names
        blank = BLANK.to(lang)
        out += [f"{name} = ...  {blank}" for name in names] or [f"{indent}...  {blank}"]
    return "\n".join(out)


def _assigned(code: str) -> list[str]:
    """The names that statements of this code define, in their order."""
    names: dict[str, None] = {}
    for statement in ast.parse(code).body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names[statement.name] = None
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                names |= dict.fromkeys(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    return list(names)
