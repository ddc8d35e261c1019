"""What each extra installs, and the errors if it is missing."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from derivable.errors import MissingExtraError
from derivable.extras import EXTRAS, INCLUDED, install, needed, require
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OTHERS = ["llvmlite", "jaxlib", "pandas", "IPython"]  # which packages of extras bring, or `dev`
ABSENT = [*OTHERS, *(module for modules in EXTRAS.values() for module in modules.values())]

WRITE_AND_CHECK = """
import json, sys, torch
import derivable
from derivable import *
from derivable.data import Table
from derivable.errors import MissingExtraError

class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output

report = check(Cube, torch.randn(2, 3))
assert report.verdict == "right" and "Cube" in report._repr_html_()
x = torch.randn(20, 3)
table = Table("t", x, x[:, :1], ("a", "b", "c"), ("y",))
assert "<table" in table._repr_html_()
y = functional.sin(x[:, :1])
network = Network.mlp(3, 2, 1, activation=Tanh, seed=0)
run = descend(network, MSE, x, y, lr=0.01, steps=5, method="steps")
assert len(run.losses) == 6 and "<pre>Descent" in run._repr_html_()
errors = {}
for name, call in {
    "flow": lambda: descend(network, MSE, x, y, lr=0.01, steps=5, method="flow"),
    "lbfgs": lambda: descend(network, MSE, x, y, steps=5, method="lbfgs"),
    "frame": run.to_frame,
    "plot": run.plot,
    "estimator": lambda: derivable.DescentRegressor,
    "california": load_california,
    "compare": lambda: derivable.compare("houses.csv", target="price"),
}.items():
    try:
        call()
    except MissingExtraError as error:
        errors[name] = str(error)
loaded = {name.partition(".")[0] for name in sys.modules}
loaded &= {"scipy", "sklearn", "numba", "polars", "matplotlib"}
print(json.dumps({"errors": errors, "loaded": sorted(loaded)}))
"""
COMMANDS = """
import contextlib, io, json, sys
from derivable.cli.main import main
done = []
for words in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            done.append([end.code or 0, out.getvalue(), err.getvalue()])
print(json.dumps(done))
"""


def without(modules: list[str], code: str, folder: Path, *words: str) -> Any:
    """The JSON that code prints in a process where modules are not installed."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "without.py"), ",".join(modules), code, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def commands(modules: list[str], folder: Path, *lines: str) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each command."""
    words = json.dumps([line.split() for line in lines])
    return [tuple(one) for one in without(modules, COMMANDS, folder, words)]


def test_extras_are_those_of_the_project() -> None:
    optional = PROJECT["optional-dependencies"]
    for extra, modules in EXTRAS.items():
        wanted = [Requirement(line) for line in optional[extra]]
        assert {one.name for one in wanted if one.name != "derivable"} == set(modules), extra
        included = [name for one in wanted if one.name == "derivable" for name in one.extras]
        assert sorted(included) == sorted(INCLUDED.get(extra, ())), extra
    base = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert base == {"torch", "numpy", "click", "jinja2", "markupsafe", "packaging", "rich"}


def test_every_command_of_installation_names_extras_that_there_are() -> None:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "Makefile"]
    files += [*(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.py")]
    files += (ROOT / ".github").rglob("*.yml")
    named = set()
    for file in files:
        for found in re.findall(r"(?:derivable|'\.)\[([a-z,]+)\]", file.read_text("utf-8")):
            named |= set(found.split(","))
    assert named >= {"all", "dev", "descent"}
    assert named <= set(PROJECT["optional-dependencies"])


def test_the_first_installation_of_the_readme_is_that_of_all() -> None:
    lines = re.findall(r"pip install .*", (ROOT / "README.md").read_text("utf-8"))
    assert lines[0].startswith("pip install 'derivable[all]'")


def test_functions_are_written_and_checked_without_extras(tmp_path: Path) -> None:
    found = without(ABSENT, WRITE_AND_CHECK, tmp_path)
    assert found["loaded"] == []
    errors = found["errors"]
    assert errors["flow"] == (
        "the method flow needs scipy, which is not installed: pip install 'derivable[descent]', "
        "or method='steps' does without"
    )
    for name, extra in {
        "lbfgs": "descent", "frame": "tables", "plot": "lab", "estimator": "tables",
        "california": "tables", "compare": "tables",
    }.items():  # fmt: skip
        assert errors[name].endswith(f"which is not installed: pip install 'derivable[{extra}]'")


def test_commands_without_extras_end_with_exit_code_4(tmp_path: Path) -> None:
    found = commands(
        ABSENT, tmp_path,
        "compare", "compare t.csv --target y --json", "fit t.csv --target y", "predict m t.csv",
        "report run", "data fetch", "data export t.csv", "lab new tp2", "lab try tp2",
        "lab grade copies --sheet tp2", "compare --help", "data where", "lab list",
    )  # fmt: skip
    for code, _, message in found[:-3]:
        assert (code, message.count("\n")) == (4, 1), message
        assert re.search(
            r"needs .*, which (is|are) not installed: pip install 'derivable\[", message
        )
    assert "pip install 'derivable[lab]'" in found[0][2]
    assert json.loads(found[1][1])["exit_code"] == 4
    assert "pip install 'derivable[descent,tables]'" in found[3][2]
    assert [code for code, *_ in found[-3:]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("extra", "modules"),
    [(extra, [*modules.values()]) for extra, modules in EXTRAS.items() if extra != "jax"],
)
def test_a_command_names_the_one_extra_that_is_missing(
    extra: str, modules: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "1,2\n2,3\n" * 20, "utf-8")
    line = "fit t.csv --target y --model linear --steps 2 --export m.onnx"
    ((code, _, message),) = commands(modules, tmp_path, line)
    assert (code, message.count("\n")) == (4, 1)
    assert message.endswith(f"pip install 'derivable[{extra}]'\n")


def test_the_doctor_names_each_missing_package_with_its_extra(tmp_path: Path) -> None:
    if not any("descent" in line for line in importlib.metadata.requires("derivable") or []):
        pytest.skip("needs derivable installed as pyproject.toml is now")
    ((code, out, _),) = commands(ABSENT, tmp_path, "doctor --json")
    assert code == 0, out
    found = {one["what"]: one for one in json.loads(out)["findings"]}
    for extra, packages in EXTRAS.items():
        for package in packages:
            assert found[package]["state"] == "note"
            assert found[package]["to_do"] == f"pip install 'derivable[{extra}]'"


def test_a_package_that_is_no_extras_or_broken_is_not_called_missing() -> None:
    with pytest.raises(ModuleNotFoundError, match="nonesuch"), needed("this"):
        importlib.import_module("nonesuch")
    with pytest.raises(ModuleNotFoundError, match=r"scipy\.nonesuch"), needed("this"):
        importlib.import_module("scipy.nonesuch")


def test_the_sentence_of_several_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivable.extras.is_installed", lambda module: module == "scipy")
    with pytest.raises(
        MissingExtraError,
        match=r"^x needs polars and scikit-learn, which are not installed: pip install "
        r"'derivable\[tables\]'$",
    ):
        require("x", "scipy", "polars", "sklearn")
    assert install(["scipy", "polars"]) == "pip install 'derivable[descent,tables]'"
    assert install(["scipy", "onnx", "matplotlib"]) == "pip install 'derivable[lab,onnx]'"
