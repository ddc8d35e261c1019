"""The package as a whole: its public names, the order of its packages, its documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import derivable
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"

# Top to bottom: a package imports only from packages below it.
PACKAGES = [
    "__main__", "cli", "pytest_plugin", "labs", "estimator", "report", "run", "doctor",
    "doctor_messages",
    "comparison", "protocol", "ensemble", "descent", "shown", "loggers", "stepper", "objective",
    "problem", "trial", "row_losses", "named", "loss", "network", "layer", "functional",
    "functions", "data", "pages", "contracts", "examiner", "formula", "function", "compiler",
    "distributed", "partition", "storage", "system", "device", "shapes", "threads", "shown_table",
    "display", "tensors", "files", "lazy", "extras", "core_messages", "network_messages",
    "messages", "language", "templates", "errors",
]  # fmt: skip


def package(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_public_name_can_be_imported() -> None:
    for name in derivable.__all__:
        assert getattr(derivable, name) is not None
    assert dir(derivable) == derivable.__all__
    with pytest.raises(AttributeError, match="no attribute 'Tank'"):
        _ = derivable.Tank


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_a_package_imports_only_from_packages_below(path: Path) -> None:
    here = package(path)
    if here == "__init__":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("derivable."):
            other = (node.module or "").split(".")[1]
            assert other == here or PACKAGES.index(other) > PACKAGES.index(here), (
                f"{here} <- {other}"
            )


def test_no_file_has_grown_beyond_one_sitting() -> None:
    for path in SOURCE.rglob("*.py"):
        if path.parent.name == "sheets":  # a lab sheet is a document, for two hours of work
            continue
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path


DOCUMENTS = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/benchmarks.md",
    "docs/tables.md",
    "docs/runs.md",
    "docs/report.md",
    "docs/estimator.md",
    "docs/extending.md",
    "docs/labs.md",
    "docs/scale.md",
    "docs/methods.md",
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_in_the_documents_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:src|tests|docs|benchmarks|tools)/[^`*<>]*)`", text)
    paths += re.findall(r"\]\(([^)#:]+)\)", text)
    assert paths
    for path in paths:
        base = (
            ROOT if path.split("/")[0] in {"src", "tests", "docs", "benchmarks", "tools"} else None
        )
        assert ((base or (ROOT / document).parent) / path).exists(), path


@pytest.mark.parametrize("document", ["README.md", "docs/scale.md"])
def test_the_examples_of_a_document_run(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, document, "exec"), names)


# How a descent is divided: by the eye of a reader.

DIVIDED = [SOURCE / "problem.py", *SOURCE.glob("descent/*.py"), *SOURCE.glob("stepper/*.py")]


@pytest.mark.parametrize("path", DIVIDED, ids=lambda p: str(p.relative_to(SOURCE)))
def test_functions_and_signatures_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            given = len([one for one in arguments if one.arg not in ("self", "cls")])
            # these two have fields of a Problem besides
            most = {"descend": 14, "descend_many": 9}.get(node.name, 8)
            assert given <= most, node.name


def test_no_modules_import_each_other_in_turns() -> None:
    imports: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [
            node.module
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
        ]
        name = ".".join(["derivable", *path.relative_to(SOURCE).with_suffix("").parts])
        imports[name.removesuffix(".__init__")] = {n for n in names if n.startswith("derivable.")}
    divided = {name for name in imports if name.split(".")[1:2] in (["descent"], ["stepper"])}
    for name in divided:
        for other in imports[name] & divided:
            assert name not in imports[other], f"{name} and {other}"


def test_descent_does_not_know_how_things_are_shown() -> None:
    for path in SOURCE.glob("descent/*.py"):
        assert "derivable.display" not in path.read_text(encoding="utf-8"), path
