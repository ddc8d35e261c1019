"""The package as a whole: its public names, its rooms, its documents."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import derivable
from tests.conftest import ROOT

SOURCE = ROOT / "src" / "derivable"

# Top to bottom: a room imports only from rooms below it.
ROOMS = [
    "__main__", "cli", "pytest_plugin", "estimator", "report", "run", "doctor", "comparison",
    "protocol", "descent", "objective", "network", "functional", "functions", "data", "pages",
    "examiner", "function", "compiler", "shapes", "threads", "display", "language", "files",
    "errors", "lazy",
]  # fmt: skip


def room(path: Path) -> str:
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
def test_a_room_imports_only_from_rooms_below(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("derivable."):
            other = (node.module or "").split(".")[1]
            assert other == here or ROOMS.index(other) > ROOMS.index(here), f"{here} <- {other}"


def test_no_file_has_grown_beyond_one_sitting() -> None:
    for path in SOURCE.rglob("*.py"):
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


def test_the_examples_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
