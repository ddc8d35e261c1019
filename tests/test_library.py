"""The registry cannot drift: every public Function has a page, a case, a name and a row."""

from __future__ import annotations

import inspect
import runpy

import pytest

from derivable import Function, functional, functions
from derivable.function.elementwise import Elementwise
from derivable.pages import HEADINGS, lower_case_name, read_page
from tests.cases import CASES
from tests.conftest import ROOT

LIBRARY: list[type[Function]] = [getattr(functions, name) for name in functions.__all__]
every_function = pytest.mark.parametrize("function", LIBRARY, ids=lambda f: f.__name__)


@every_function
def test_its_page_is_complete(function: type[Function]) -> None:
    page = read_page(function)
    missing = [heading for heading in HEADINGS if not page.get(heading)]
    assert not missing, f"the page of {function.__name__} lacks {', '.join(missing)}"
    assert page["Summary"].endswith("."), "the page begins with one sentence"


@every_function
def test_it_has_a_reference_case(function: type[Function]) -> None:
    assert any(case.function is function for case in CASES), f"add a Case for {function.__name__}"


@every_function
def test_it_has_a_lower_case_name(function: type[Function]) -> None:
    name = lower_case_name(function)
    call = getattr(functional, name, None)
    assert call is not None, "run make library"
    assert name in functional.__all__


@every_function
def test_kinks_are_both_data_and_words(function: type[Function]) -> None:
    if not issubclass(function, Elementwise):
        return
    words = read_page(function)["Kinks"]
    assert bool(function.kinks) == (words != "none"), function.kinks
    for kink in function.kinks:
        assert kink.lowest <= kink.chosen <= kink.highest


@every_function
def test_its_file_holds_it_and_nothing_else_public(function: type[Function]) -> None:
    module = inspect.getmodule(function)
    assert module is not None
    public = [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and name[0] != "_"
    ]
    assert public == [function.__name__]


def test_the_cases_are_of_the_library() -> None:
    assert {case.function for case in CASES} == set(LIBRARY)
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)), "two cases have the same name: give one a label"


def test_what_follows_from_the_library_is_up_to_date() -> None:
    files = runpy.run_path(str(ROOT / "tools" / "write_library.py"))["files"]()
    stale = [path.name for path, text in files.items() if path.read_text("utf-8") != text]
    assert not stale, f"{', '.join(stale)} differ from the files of the library: run make library"
