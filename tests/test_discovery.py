"""Files, modules and notebooks that cannot be read, imported or run to their end."""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from derivable.errors import SettingError, TargetError
from derivable.examiner.capture import program, sources
from derivable.examiner.capture.discover import Discovery, Settings, discover, discover_main
from derivable.examiner.capture.locations import location_of
from derivable.examiner.capture.surroundings import ANSWERS, surroundings
from derivable.examiner.messages import say
from derivable.examiner.outcome import examined

RULES = """
class {name}(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return {value}

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output
"""


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def square(name: str, value: str = "x**2") -> str:
    """The source of a Function; its rule is right for the value x**2."""
    return RULES.format(name=name, value=value)


def script(folder: Path, text: str, **settings: Any) -> Discovery:
    """What is found in a script with this text."""
    path = folder / "sheet.py"
    path.write_text(f"import torch\n{text}")
    return discover(str(path), Settings(main=True, **settings))


def notebook(folder: Path, *cells: str) -> Discovery:
    """What is found in a notebook with these cells."""
    path = folder / "sheet.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": c} for c in cells]}))
    return discover(str(path))


def notes(discovery: Discovery) -> list[str]:
    return [say(note, "en") for note in discovery.notes]


def verdicts(discovery: Discovery) -> dict[str, str]:
    return {one.name: str(examined(one).verdict) for one in discovery.found}


# Files as text.


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("x = 'é'".encode("utf-16"), ("x = 'é'", "utf-16")),
        (b"x = '\xe9'", ("x = 'é'", "cp1252")),
        (b"x = '\x81'", ("x = '\x81'", "latin-1")),
        ("x = 'é'".encode(), ("x = 'é'", "")),
    ],
)
def test_a_file_in_any_encoding_is_read(
    raw: bytes, expected: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "text.py"
    path.write_bytes(raw)
    read = sources.decoded(path)
    assert (read.text, read.assumed) == expected


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "folder.py"
    folder.mkdir()
    with pytest.raises(TargetError, match=r"folder\.py: Is a directory"):
        sources.decoded(folder)


@pytest.mark.parametrize(
    ("text", "above"),
    [
        ("a = 1\nb = = 2\n", ["a = 1"]),
        ("a = 1\ndef f():\nb = 2\n", ["a = 1"]),  # the error is below the statement
        ("  a = 1\n", []),
    ],
)
def test_above_an_error_of_syntax_all_statements_are_kept(text: str, above: list[str]) -> None:
    piece = sources.parsed(text, "text.py")
    assert [ast.unparse(one) for one in piece.statements] == above
    assert isinstance(piece.error, SyntaxError)


@pytest.mark.parametrize(
    ("text", "statements", "errors"),
    [
        ("a = 1\nb = 2\n", ["a = 1", "b = 2"], [False]),
        ("a = 1\nb = = 2\n# the end\n", ["a = 1"], [True]),
    ],
)
def test_a_script_is_resumed_only_where_there_is_another_statement(
    text: str, statements: list[str], errors: list[bool], tmp_path: Path
) -> None:
    path = tmp_path / "copy.py"
    path.write_text(text)
    pieces = sources.resumed(path)
    assert [ast.unparse(one) for piece in pieces for one in piece.statements] == statements
    assert [piece.error is not None for piece in pieces] == errors


def test_the_cells_of_an_old_notebook_and_those_of_other_languages(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "input": ["%%bash\n", "rm -r everything\n"]},
        {"cell_type": "markdown", "source": ["text"]},
        {"cell_type": "code", "input": ["%%time\n", "a = 1"]},
    ]
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}))
    pieces = sources.cells(path)
    assert [[ast.unparse(one) for one in piece.statements] for piece in pieces] == [[], ["a = 1"]]
    assert all(piece.error is None for piece in pieces)


# Imports that fail.


@pytest.mark.parametrize(
    ("files", "target", "error", "message"),
    [
        ({"data/table.csv": ""}, "data", SettingError, "data is a folder and no package"),
        (
            {"top/__init__.py": "import nothing_there", "top/sub.py": ""},
            "top.sub", TargetError, r"top/__init__\.py:1: ModuleNotFoundError: No module named",
        ),
        (
            {"top/__init__.py": "1 / 0", "top/sub.py": ""},
            "top.sub", TargetError, r"top/__init__\.py:1: ZeroDivisionError",
        ),
        (
            {"top/__init__.py": "import top.sub"},
            "top", TargetError, r"top/__init__\.py:1: ModuleNotFoundError: .* 'top.sub",
        ),
        (
            {"json/__init__.py": "", "json/decoder.py": ""},
            "json/decoder.py", TargetError, r"json/decoder\.py: another json\.decoder was found",
        ),
        ({"slow.py": "while True: pass"}, "slow", TargetError, r"slow .*0\.1 s"),
    ],
)  # fmt: skip
def test_an_import_that_fails_is_one_message(
    files: dict[str, str],
    target: str,
    error: type[Exception],
    message: str,
    tmp_path: Path,
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message) as raised:
        discover(target, Settings(seconds=0.1))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("module", ["no_such_module", "itertools", "xml"])
def test_a_module_that_cannot_be_run_is_refused_by_name(module: str) -> None:
    with pytest.raises(SettingError, match=module):
        discover_main(module, Settings())


# Programs that stop.


def test_imports_from_the_future_hold_for_the_statements_below(tmp_path: Path) -> None:
    path = tmp_path / "later.py"
    path.write_text("from __future__ import annotations\ndef f(x: Later): pass\n")
    discovery = discover(str(path))
    assert (discovery.notes, discovery.problems) == ((), ())
    assert discover(f"{path}:f").found[0].target.__annotations__ == {"x": "Later"}


def test_definitions_below_the_end_of_a_program_are_made(tmp_path: Path) -> None:
    text = (
        "import sys\nsys.exit(0)\nimport nothing_there\nfrom nothing_there import Base\n"
        f"class Other(Base): pass\nclass Held:\n    module = nothing_there\n{square('Square')}"
        + square("Missing", "nothing_there.square(x)")
    )
    discovery = script(tmp_path, text)
    assert verdicts(discovery) == {"Square": "right", "Missing": "not_examined"}
    (reason,) = [str(examined(one).reason) for one in discovery.found if one.name == "Missing"]
    assert "the module nothing_there is not installed" in reason


def test_a_definition_that_does_not_end_is_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "DEFINING", 0.1)
    endless = "class Endless:\n    while True: pass\n"
    discovery = script(tmp_path, f"1 / 0\n{square('First')}{endless}{square('Second')}")
    assert [one.name for one in discovery.found] == ["First"]
    assert len(discovery.notes) == 1


def test_a_package_that_is_there_is_not_replaced_by_a_missing_module_of_it(tmp_path: Path) -> None:
    discovery = script(tmp_path, f"import torch.nothing_there\n{square('Square')}")
    assert verdicts(discovery) == {"Square": "right"}
    assert notes(discovery)[0].startswith("sheet.py:2: the module torch.nothing_there is missing")


@pytest.mark.parametrize("stop", ["1 / 0", "import sys; sys.exit(0)"])
def test_a_cell_that_stops_ends_itself_alone(stop: str, tmp_path: Path) -> None:
    discovery = notebook(tmp_path, f"import torch\n{stop}\n{square('A')}", square("B"))
    assert [one.name for one in discovery.found] == ["B"]
    assert len(discovery.notes) == ("0" in stop.split("(")[0])


def test_a_redefinition_is_examined_at_the_calls_of_the_first(tmp_path: Path) -> None:
    call = "Square.apply(torch.randn(7, 2, requires_grad=True))"
    discovery = notebook(tmp_path, f"import torch\n{square('Square', 'x**3')}\n{call}",
                         square("Square"))  # fmt: skip
    (one,) = discovery.found
    assert one.calls is not None
    assert [tuple(call.inputs[0].shape) for call in one.calls] == [(7, 2)]
    assert examined(one).verdict == "right", "the second definition"


def test_functions_are_found_in_classes_of_any_depth(tmp_path: Path) -> None:
    text, inner = "", square("Square")
    for depth, name in enumerate("ABCDE"):
        text += f"{'    ' * depth}class {name}:\n"
    text += "".join(f"{'    ' * 5}{line}\n" for line in inner.splitlines())
    assert verdicts(script(tmp_path, text)) == {"A.B.C.D.E.Square": "right"}


def test_a_program_that_asks_forever_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    discovery = script(tmp_path, f"{square('Square')}\nwhile not input('name? '): pass")
    (note,) = notes(discovery)
    assert note.startswith("sheet.py:14: EOFError: ")
    assert capsys.readouterr().out.count("name? ") == ANSWERS + 1


def test_a_program_is_stopped_in_another_thread_too(tmp_path: Path) -> None:
    found: list[Discovery] = []
    text = f"{square('Square')}\nwhile True: pass"
    run = threading.Thread(target=lambda: found.append(script(tmp_path, text, seconds=0.2)))
    run.start()
    run.join(30)
    (note,) = notes(found[0])
    assert note.startswith("sheet.py was stopped after 0.2 s, at sheet.py:14")
    assert [one.name for one in found[0].found] == ["Square"]


def test_a_child_process_of_a_program_is_left_by_the_real_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    with surroundings(tmp_path, []):
        with pytest.raises(SystemExit):
            os._exit(2)
        assert codes == [], "this program goes on"
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(SystemExit):
            os._exit(3)
    assert codes == [3]


def test_a_signal_handler_that_python_did_not_set_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    with surroundings(tmp_path, []):
        pass
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGTERM) is before


# Locations.


class Empty(torch.autograd.Function):
    pass


def test_the_location_of_what_has_no_code_of_its_own() -> None:
    line = (
        Path(__file__)
        .read_text("utf-8")
        .splitlines()
        .index("class Empty(torch.autograd.Function):")
    )
    assert location_of(Empty) == (__file__, line + 1)
    made = type("Made", (), {"__module__": __name__})
    assert location_of(made) == (__file__, 1)
    assert location_of(torch.ops.aten.sin.default) == ("?", 1)
    rules: Any = {"__module__": __name__, "forward": staticmethod(notes)}
    with_rules = location_of(type("Made", (), rules))
    assert with_rules == (__file__, notes.__code__.co_firstlineno)
    assert "sheet" not in sys.modules
