"""What others copy: workflows, templates, hooks and constraints name only what there is."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import derivable
from tests.conftest import ROOT

yaml = pytest.importorskip("yaml", reason="needs the extra dev")

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def steps(workflow: Any) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True], "YAML reads `on` as true"
    ran = [step["run"] for step in steps(workflow) if "run" in step]
    for command in ran:
        assert set(re.findall(r"^make ([a-z-]+)", command)) <= TARGETS, command
        assert command.startswith("make "), "what runs there can be run here"
        for file in re.findall(r"(?:tests|tools)/\w+\.py", command):
            assert (ROOT / file).is_file(), file
    for step in steps(workflow):
        assert ("uses" in step) != ("run" in step), step
        assert re.fullmatch(r"[\w-]+/[\w-]+@[\w./-]+", step.get("uses", "a/b@v1"))


def test_the_workflows_are_those_that_are_promised() -> None:
    assert [path.stem for path in WORKFLOWS] == ["docs", "nightly", "release", "tests"]
    tests, release = (read(ROOT / f".github/workflows/{name}.yml") for name in ("tests", "release"))
    pythons = tests["jobs"]["pinned"]["strategy"]["matrix"]["python"]
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: 3." in line]
    assert pythons == named == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "password" not in str(release["jobs"])


def test_every_target_of_the_makefile_that_names_a_file_names_one_that_there_is() -> None:
    for file in re.findall(r"(?:benchmarks|tools)/\w+\.py", MAKEFILE):
        assert (ROOT / file).is_file(), file
    above = ("ARGS", "MAKEFLAGS", "MFLAGS")  # of the make that runs this test
    done = subprocess.run(
        ["make", "--dry-run", "--silent", "test-oldest"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in above},
        capture_output=True,
        text=True,
        check=True,
    )
    files = re.findall(r"tests/test_\w+\.py", done.stdout)
    assert len(files) > 20
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_constraints_are_versions_that_are_admitted_and_the_oldest_of_them() -> None:
    optional = PROJECT["optional-dependencies"]
    lines = {extra: optional[extra] for extra in optional} | {"": PROJECT["dependencies"]}
    wanted = [(extra, Requirement(line)) for extra, found in lines.items() for line in found]
    newest, oldest = (
        {
            canonicalize_name(name): version
            for name, version in re.findall(
                r"^([\w.-]+)==(.+)$", (ROOT / file).read_text("utf-8"), re.MULTILINE
            )
        }
        for file in ("constraints.txt", "constraints-oldest.txt")
    )
    for extra, one in wanted:
        if one.name == "derivable":
            continue
        if extra != "docs":
            assert one.specifier.contains(newest[canonicalize_name(one.name)]), one
        if extra not in ("dev", "docs"):
            (least,) = one.specifier
            assert (least.operator, Version(least.version)) == (
                ">=",
                Version(oldest[canonicalize_name(one.name)]),
            ), one


def test_the_citation_is_of_this_version() -> None:
    citation = read(ROOT / "CITATION.cff")
    assert citation["version"] == derivable.__version__
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_hooks_and_templates_are_complete() -> None:
    hooks = read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert {"ruff-format", "ruff-check", "library", "mypy"} == {hook["id"] for hook in hooks}
    for form in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"):
        content = read(form)
        assert content["name"]
        assert content["description"]
        names = [field["id"] for field in content["body"]]
        assert len(names) == len(set(names))
    assert (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").is_file()
    for name in ("SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE"):
        assert (ROOT / name).is_file()
