"""A table on the command line: compare FILE, data, doctor."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

from derivable import doctor
from derivable.cli.main import main
from derivable.compiler.store import Store
from derivable.data import california, load_diabetes, read_table
from tests.test_tables import FRENCH, ROWS

Capture = pytest.CaptureFixture[str]


def run(*words: str) -> int:
    """The exit code of the command, in this process."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code or 0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with a French table and a plain one; no table is downloaded."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(california, "_DOWNLOAD", "raise SystemExit('no route to anywhere')")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "400")
    french = FRENCH.format("\u00a0") + "37;2;195\u00a0000\n120;5;455\u00a0000\n"
    Path("maisons.csv").write_bytes(french.encode("cp1252"))
    Path("houses.csv").write_text(ROWS)


def test_a_comparison_on_a_french_table(capsys: Capture) -> None:
    words = ("maisons.csv", "--target", "prix moyen", "--models", "linear", "--steps", "50")
    assert run("compare", *words, "--json", "--out", "run") == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert (document["data"], document["protocol"]) == ("maisons", "sound")
    assert (document["train_rows"], document["test_rows"]) == (5, 2)
    assert document["loss"] == "mean squared error of prix moyen"
    assert document["models"][0]["test_loss"] > 1e6, "in the target's own units, squared"
    assert "maisons.csv: cp1252, cells separated by semicolons" in printed.err
    assert "decimal comma, blanks between thousands" in printed.err


def test_the_learning_rate_is_chosen_or_said(capsys: Capture) -> None:
    words = ("compare", "houses.csv", "--target", "y", "--models", "linear", "--steps", "5")
    assert run(*words) == 0
    assert "; lr 0." in (out := capsys.readouterr().out)
    assert "half of the largest at which the loss never rose" in out
    assert run(*words, "--lr", "0.03", "--protocol", "lab") == 0
    assert "; lr 0.03, as asked" in (out := capsys.readouterr().out)
    assert "protocol lab: 4 training and 1 test rows of houses" in out


def test_a_file_is_not_the_labs_table_because_of_its_name(capsys: Capture) -> None:
    for name in ("california.csv", "a[red]b.csv"):
        Path(name).write_text(ROWS)
        words = (name, "--target", "y", "--models", "linear", "--protocol", "lab", "--lr", "1e-5")
        assert run("compare", *words) == 0
        out = capsys.readouterr().out
        assert "sheet" not in out
        assert f"test rows of {Path(name).stem}, 80,000 steps" in out


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("houses.csv",), 2, "which column of houses.csv is to be predicted?"),
        (("houses.csv", "--target", "z"), 3, "houses.csv has no column 'z'"),
        (("houses.csv", "--target", "y", "--models", "tanh:20"), 3, "tanh(20) has 81 weights"),
        (("houses.csv", "--data", "diabetes"), 2, "two tables, houses.csv and --data diabetes"),
        (("--target", "y"), 2, "--target says how to read a file, and none is named"),
        (("--data", "diabetes", "--one-hot"), 2, "--one-hot says how to read a file"),
        (("https://example.org/a.csv", "--target", "y"), 3, "is an address"),
        (("houses.csv", "--target", "y", "--lr", "0"), 2, "'0' is neither a positive number nor"),
        (("houses.csv", "--target", "y", "--lr", "inf"), 2, "'inf' is neither a positive number"),
        (("houses.csv", "--target", "y", "--decimal", ";"), 2, "is not one of '.', ','"),
    ],
)
def test_mistakes_get_one_sentence_and_a_code(
    words: tuple[str, ...], code: int, text: str, capsys: Capture
) -> None:
    assert run("compare", *words, "--json") == code
    printed = capsys.readouterr()
    assert text in json.loads(printed.out)["error"]
    assert text in printed.err
    assert not Path("runs").exists()


def test_where_the_table_is(capsys: Capture) -> None:
    assert run("data", "where") == 0
    assert (
        "cal_housing_py3.pkz: not there; derivable data fetch brings it" in capsys.readouterr().out
    )
    Path("cache").mkdir()
    (Path("cache") / california.CACHE_FILE).write_bytes(b"1234")
    assert run("data", "where", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["there"], document["bytes"]) == (True, 4)
    assert document["folder"] == document["SCIKIT_LEARN_DATA"] == str(Path("cache").resolve())


def test_a_fetch_that_fails_has_no_stand_in(capsys: Capture) -> None:
    for words in (("fetch",), ("export", "table.csv")):
        assert run("data", *words) == 3
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "the download failed (no route to anywhere)" in printed.err
        assert "diabetes" not in printed.err
    assert not Path("table.csv").exists()


def test_fetch_brings_the_table_into_the_cache(
    california_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    source = california_cache / california.CACHE_FILE
    copy = f"import shutil, sys; shutil.copy({str(source)!r}, sys.argv[1])"
    monkeypatch.setattr(california, "_DOWNLOAD", copy)
    assert run("data", "fetch") == 0
    assert "20,640 rows in" in capsys.readouterr().out
    assert (Path("cache") / california.CACHE_FILE).is_file()
    capsys.readouterr()
    assert run("data", "fetch", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rows"] == 20640
    assert document["file"].endswith(california.CACHE_FILE)
    assert run("data", "export", "houses.parquet") == 0
    assert read_table("houses.parquet", target="MedHouseVal").x.shape == (20640, 8)


def test_an_exported_table_is_the_table(capsys: Capture) -> None:
    assert run("data", "export", "d.csv", "--data", "diabetes") == 0
    message = capsys.readouterr().out
    assert "to use it: derivable compare d.csv --target 'progression (standardised)'" in message
    table = read_table("d.csv", target="progression (standardised)")
    assert table.digest() == load_diabetes().digest()
    assert run("data", "export", "d.csv", "--data", "diabetes") == 2
    assert "is there already and is not overwritten" in capsys.readouterr().err
    assert run("data", "export", "e.csv", "--data", "diabetes", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "file": "e.csv",
        "rows": 442,
        "targets": ["progression (standardised)"],
    }


def test_a_healthy_doctor(capsys: Capture) -> None:
    code = run("doctor", "--json")
    document = json.loads(capsys.readouterr().out)
    assert code == document["exit_code"] == 0
    states = {finding["what"]: finding["state"] for finding in document["findings"]}
    assert {
        states[name] for name in ("derivable", "python", "torch", "scikit-learn", "this folder")
    } == {"fine"}
    assert states["california"] == "note"
    assert run("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(states)
    (line,) = (line for line in lines if line.startswith("california"))
    assert "to do: derivable data fetch, or set SCIKIT_LEARN_DATA" in line


def test_a_broken_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    real = importlib.import_module

    def broken(name: str, package: str | None = None) -> ModuleType:
        if name == "scipy":
            raise ImportError("libgfortran.so.5: cannot open shared object file")
        return real(name, package)  # for Numba, too, which loads itself piece by piece

    monkeypatch.setattr(importlib, "import_module", broken)
    monkeypatch.setattr(doctor, "_threads", lambda: 1 / 0)
    assert run("doctor") == 1
    out = capsys.readouterr().out
    assert "cannot be imported (ImportError: libgfortran.so.5: cannot open shared object" in out
    assert "to do: pip install --force-reinstall 'scipy'" in out
    assert "could not be examined (ZeroDivisionError" in out


def test_an_old_or_absent_library(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["numpy>=99", "nonesuch>=1", 'numba>=0.61; extra == "descent"', 'jax; extra == "dev"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: needs)
    old, absent, extra = doctor._libraries()
    assert (old.state, old.to_do) == ("broken", "pip install --upgrade 'numpy>=99'")
    assert (absent.state, absent.text, absent.to_do) == (
        "broken",
        "not installed",
        "pip install 'nonesuch'",
    )
    assert extra.what == "numba"


def test_more_threads_than_processors_and_folders_that_cannot_be_written_are_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    monkeypatch.setattr(Store, "is_writable", lambda self: False)
    monkeypatch.setattr("derivable.doctor.os.access", lambda path, mode: False)
    monkeypatch.setattr("derivable.doctor.tempfile.TemporaryFile", refused)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "absent"))
    assert run("doctor", "--json") == 0
    notes = {
        one["what"]: (one["text"], one["to_do"])
        for one in json.loads(capsys.readouterr().out)["findings"]
        if one["state"] == "note"
    }
    assert notes["threads"][1].startswith("set OMP_NUM_THREADS=")
    for what, text, to_do in (
        ("compiler's cache", "compiled again in each process", "NUMBA_CACHE_DIR"),
        ("data cache", f"{tmp_path} cannot be written", "SCIKIT_LEARN_DATA"),
        ("this folder", "cannot be written (Permission denied)", "--out"),
    ):
        assert text in notes[what][0]
        assert to_do in notes[what][1]
