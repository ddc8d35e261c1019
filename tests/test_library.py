"""The registry cannot drift: every public Function has a page, a case, a name and a row."""

from __future__ import annotations

import inspect
import runpy
from typing import Any

import pytest
import torch
from torch import Tensor

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
def test_its_examples_are_small_calls_that_can_be_examined(function: Any) -> None:
    for inputs in function.examples():
        output = function.apply(*inputs)
        outputs = output if isinstance(output, tuple) else (output,)
        tensors = [value for value in inputs if isinstance(value, Tensor)]
        examined = [value for value in tensors if value.requires_grad]
        assert examined
        assert all(value.is_leaf and value.dtype == torch.float64 for value in examined)
        assert all(0 < value.numel() <= 100 for value in tensors)
        gradients = torch.autograd.grad(outputs, examined, [torch.randn_like(o) for o in outputs])
        assert all(gradient.isfinite().all() for gradient in gradients)


@every_function
def test_its_examples_come_from_the_seed(function: Any) -> None:
    def drawn() -> list[Any]:
        torch.manual_seed(3)
        return [value for inputs in function.examples() for value in inputs]

    for one, other in zip(drawn(), drawn(), strict=True):
        assert torch.equal(one, other) if isinstance(one, Tensor) else one == other


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


def test_the_readme_states_how_many_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"| {len(functions.__all__)} Functions, each with its derivation" in readme
