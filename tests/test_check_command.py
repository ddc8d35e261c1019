"""`derivable check`, as its user runs it, and what it is made of: discovery and inputs in words."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import derivable.functions.losses
from derivable import MSE, Linear, functions
from derivable.cli.main import main
from derivable.errors import InputError, SettingError
from derivable.examiner.capture.discover import discover
from derivable.examiner.capture.found import Found
from derivable.examiner.inputs.text import bind, parse_inputs, suggestion
from tests.conftest import ROOT, Command

FILE = """
import torch
from torch.autograd import Function
from derivable import Linear  # imported, not defined here

print("noise of the user's file")


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x**2 * grad_output


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x * grad_output

    @staticmethod
    def examples():
        return [(torch.randn(3, dtype=torch.float64),)]


class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.factor, None
"""
LINE = FILE.splitlines().index("        return 2 * x**2 * grad_output") + 1


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    (tmp_path / "cube.py").write_text(FILE)
    return tmp_path / "cube.py"


@pytest.fixture(autouse=True)
def _no_junk() -> Iterator[None]:
    """Looking at a user's file leaves sys.path as it was."""
    before = list(sys.path)
    yield
    assert sys.path == before


def test_one_line_each_then_what_is_wrong_then_the_counts(command: Command, cube: Path) -> None:
    done = command("check", "cube.py", "--input", "x:3")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"Cube    wrong         \d+\.\d\d s  x: .*", lines[0])
    assert re.fullmatch(r"Square  right         \d+\.\d\d s", lines[1])
    assert re.fullmatch(r"Scale   not examined  .*x, factor.*", lines[2])
    assert lines[3] == ""
    assert lines[4].startswith("Cube: wrong (1 finding, ")
    assert f"    cube.py:{LINE}: return 2 * x**2 * grad_output" in lines
    assert lines[-1] == "1 right, 1 wrong, 1 not examined"
    assert "noise" not in done.stdout
    assert "noise of the user's file" in done.stderr


REFUSES = """
import torch


class Refuses(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor=0.5):
        raise ValueError("never")

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, None
"""


def test_without_calls_inputs_are_found_and_stated(command: Command, cube: Path) -> None:
    (cube.parent / "refuses.py").write_text(REFUSES)
    done = command("check", "cube.py", "refuses.py")
    assert done.returncode == 1, done.stderr
    assert "  inputs chosen by the names of the arguments: x (4, 3)" in done.stdout
    assert "Refuses  not examined  it was not called, and no inputs were found" in done.stdout
    assert '--input "x:13x5' in done.stdout
    assert done.stdout.endswith("2 right, 1 wrong, 1 not examined\n")
    assert command("check", "refuses.py").returncode == 2
    assert command("check", "cube.py:Square", "refuses.py", "--strict").returncode == 1


def test_json_is_one_document_and_nothing_else(command: Command, cube: Path) -> None:
    done = command("check", "cube.py", "--json", "--input", "x:3", "--seed", "4", "--lang", "fr")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["exit_code"] == 1
    assert document["counts"] == {"right": 1, "wrong": 1, "inconclusive": 0, "not_examined": 1}
    wrong, right = document["functions"]
    assert (wrong["function"], wrong["verdict"], wrong["seed"]) == ("Cube", "wrong", 4)
    assert wrong["path"] == str(cube)
    assert wrong["findings"][0]["source"]["line"] == LINE
    assert wrong["findings"][0]["point"] == "pour vos entrées"
    assert right["findings"] == []
    assert document["not_examined"][0]["function"] == "Scale"


def test_github_gets_annotations_on_the_line(command: Command, cube: Path) -> None:
    done = command("check", "cube.py:Cube", "--format", "github", "--input", "x:3")
    assert done.returncode == 1
    first, last = done.stdout.splitlines()
    head = f"::error file=cube.py,line={LINE},title=Cube%3A wrong::x: "
    assert first.startswith(head)
    assert "%0A" in first
    assert last == "1 wrong"


def test_french_from_the_environment_and_details_with_a_reproduction(
    command: Command, cube: Path
) -> None:
    done = command("check", "cube.py:Cube", "--input", "x:3", "--details", DERIVABLE_LANG="fr")
    assert "Cube\N{NO-BREAK SPACE}: faux (1 erreur, " in done.stdout
    assert "        x = torch.tensor([" in done.stdout
    assert done.stdout.endswith("\nfaux\N{NO-BREAK SPACE}: 1\n")


def test_on_a_terminal_it_is_coloured_unless_no_color_is_set(command: Command, cube: Path) -> None:
    (cube.parent / "slow.py").write_text("raise RuntimeError('a long sentence ' * 12)")
    words = ("check", "cube.py:Square", "slow.py")
    for width in ("80", "140"):
        done = command(*words, FORCE_COLOR="1", COLUMNS=width, TERM="xterm")
        assert done.returncode == 3
        assert "\x1b[1;32mright" in done.stdout
        plain = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
        assert max(len(line.rstrip()) for line in plain.splitlines()) <= int(width)
        below = [line for line in plain.splitlines() if line.startswith(" " * 23)]
        assert any("a long sentence" in line for line in below), "continued in its column"
    done = command(*words, FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")
    assert "[1;32m" not in done.stdout


@pytest.mark.parametrize(
    ("text", "error_message"),
    [
        ("import torch\n\nclass A(\n", "broken.py:3: SyntaxError: '(' was never closed: class A("),
        ("x = 1\ny = torhc.ones(3)\n", "broken.py:2: NameError: name 'torhc' is not defined"),
        ("import nothing_of_that_name\n", "broken.py:1: ModuleNotFoundError: No module named"),
        ("import json\n\njson.loads('{')\n", "broken.py:3: JSONDecodeError: Expecting property"),
        ("import sys\nsys.exit(4)\n", "broken.py:2: SystemExit: 4"),
    ],
)
def test_an_error_of_a_file_in_which_nothing_is_found_is_one_sentence(
    text: str, error_message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text(text)
    (problem,) = discover("broken.py").problems
    assert problem.startswith(error_message)
    assert "\n" not in problem
    assert "broken" not in sys.modules


def test_one_broken_file_does_not_hide_the_others(command: Command, cube: Path) -> None:
    (cube.parent / "broken.py").write_text("x = 1 / 0\n")
    done = command("check", "broken.py", "cube.py:Square")
    assert done.returncode == 3
    assert (
        "broken.py  not examined  broken.py:1: ZeroDivisionError: division by zero" in done.stdout
    )
    assert "Square     right" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "error_message"),
    [
        (("none.py",), "there is no file none.py"),
        (("table.csv",), "table.csv is no file of Python; its name must end in .py"),
        (("cube.py:Cubee",), "cube.py has no Function Cubee; did you mean Cube?"),
        (("cube.py:Tank",), "cube.py has no Function Tank; it defines Cube, Square, Scale"),
        (("cube-py",), "'cube-py' is no file and no module"),
        (("no_such_module",), "there is no module no_such_module"),
        (("derivable.functions.Tanh",), "did you mean derivable.functions:Tanh?"),
        (("cube.py", "--input", "x=("), "the value of x cannot be read in 'x=('"),
        ((), "Missing argument 'TARGET...'"),
    ],
)
def test_mistakes_get_one_sentence_and_code_2(
    words: tuple[str, ...],
    error_message: str,
    cube: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(cube.parent)
    (cube.parent / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SystemExit) as left:
        main(["check", *words])
    assert left.value.code == 2
    message = capsys.readouterr()
    assert error_message in message.err
    assert message.out == ""


def test_help_says_that_it_runs_the_code_and_does_not_import_torch(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('torch was imported')")
    done = command("check", "--help", PYTHONPATH=f"{tmp_path}:{ROOT / 'src'}")
    assert done.returncode == 0, done.stderr
    assert "RUNS THE CODE" in " ".join(done.stdout.split())


# Discovery.


def names(found: tuple[Found, ...]) -> list[str]:
    return [one.name for one in found]


def test_a_file_defines_its_own_functions(cube: Path) -> None:
    found = discover(str(cube)).found
    assert names(found) == ["Cube", "Square", "Scale"], "in the order of the lines"
    assert {one.module for one in found} == {"cube"}
    assert FILE.splitlines()[found[0].line - 1] == "class Cube(Function):"
    assert names(discover(f"{cube}:Linear").found) == ["Linear"], "by its name, wherever it is from"
    assert discover(str(cube)).found == found, "and it is loaded once"


def test_a_package_is_looked_through() -> None:
    whole = names(discover("derivable.functions").found)
    assert set(whole) == set(functions.__all__)
    losses = names(discover("derivable.functions.losses").found)
    assert set(losses) == set(derivable.functions.losses.__all__)
    folder = ROOT / "src" / "derivable" / "functions" / "losses"
    assert names(discover(str(folder)).found) == losses
    found = discover(str(folder / "mse.py")).found
    assert found[0].target is functions.MSE, "a file of a package is that module"


def test_a_broken_submodule_is_a_problem_and_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "half_broken"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("raise SystemExit('the program ran')")
    (package / "bad.py").write_text("\n1 / 0\n")
    (package / "good.py").write_text(FILE)
    discovery = discover("half_broken")
    assert names(discovery.found) == ["Cube", "Square", "Scale"]
    assert discovery.problems == ("half_broken/bad.py:2: ZeroDivisionError: division by zero",)
    assert {one.module for one in discovery.found} == {"half_broken.good"}


def test_a_missing_module_is_one_line_and_no_failure(command: Command, tmp_path: Path) -> None:
    package = tmp_path / "optional"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in ("images", "videos"):
        (package / f"{name}.py").write_text("import torchvision_that_is_missing.ops\n")
    (package / "speech.py").write_text("raise ImportError('install the extra speech')\n")
    (package / "good.py").write_text(f"{FILE}\nCube.apply(torch.randn(3))\n")
    done = command("check", "optional")
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[:4] == [
        "torchvision_that_is_missing is missing: 2 submodules not examined (optional.images, "
        "optional.videos)",
        "1 submodule not examined (optional.speech): ImportError: install the extra speech",
        "",
        next(line for line in done.stdout.splitlines() if line.startswith("Cube    wrong")),
    ]
    assert command("check", "optional.good:Square").returncode == 0


def test_files_of_the_same_name_meet_their_own_neighbours(tmp_path: Path) -> None:
    for student, factor in (("ada", 2), ("emmy", 3)):
        folder = tmp_path / student
        folder.mkdir()
        (folder / "my_helper.py").write_text(f"FACTOR = {factor}")
        (folder / "sheet.py").write_text(f"import my_helper\n{FILE}\nCube.f = my_helper.FACTOR")
    found = [discover(f"{tmp_path / who / 'sheet.py'}:Cube").found[0] for who in ("ada", "emmy")]
    assert [one.target.f for one in found] == [2, 3]
    assert "my_helper" not in sys.modules
    assert {one.module for one in found} == {"sheet"}


def test_a_base_without_a_rule_is_no_function() -> None:
    assert discover("derivable.function").found == ()


# Inputs.


def tensors(text: str, seed: int = 0) -> list[Any]:
    class Anything(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *x: Tensor) -> Tensor:
            return x[0]

    return bind(Anything, parse_inputs(text), seed)[0]


@pytest.mark.parametrize(
    ("text", "dtype", "shape"),
    [
        ("x:13x5", torch.float64, (13, 5)),
        ("x:13x5:float32", torch.float32, (13, 5)),
        ("x:", torch.float64, ()),
        ("x::float16", torch.float16, ()),
        ("x:7:complex64", torch.complex64, (7,)),
        ("x:13:int<7", torch.int64, (13,)),
        ("x:13:uint8<2", torch.uint8, (13,)),
        ("x:2x3x5:bool", torch.bool, (2, 3, 5)),
        ("x:13:0.25..0.5", torch.float64, (13,)),
        ("x:13:float32:-1e-3..1", torch.float32, (13,)),
        ("x:0x3", torch.float64, (0, 3)),
    ],
)
def test_a_tensor_in_words(text: str, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    (x,) = tensors(text)
    assert x.dtype is dtype
    assert x.shape == shape
    assert torch.equal(x, tensors(text)[0]), "the same seed, the same numbers"
    if x.numel() > 1 and dtype.is_floating_point:
        assert not torch.equal(x, tensors(text, seed=1)[0])


def test_limits_are_kept() -> None:
    (x,), (n,) = tensors("x:1000:0.25..0.5"), tensors("x:1000:int<7")
    assert 0.25 <= x.min() < x.max() <= 0.5
    assert set(n.tolist()) == set(range(7))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x=0.1", 0.1), ("x=-3", -3), ("x=None", None), ("x=True", True), ("x=(0,2)", (0, 2)),
        ("x=tanh", "tanh"), ("x='a:b'", "a:b"),
    ],
)  # fmt: skip
def test_a_value_in_words(text: str, value: object) -> None:
    assert tensors(text) == [value]


@pytest.mark.parametrize(
    ("text", "error_message"),
    [
        ("", "--input is empty: expected name:shape"),
        ("13x5", "'13x5' cannot be read: expected name:shape, name:shape:dtype or name=value"),
        ("x:13by5", "'x:13by5' cannot be read"),
        ("x:3:float33", "'float33' in 'x:3:float33' is no dtype; there are float, complex"),
        ("x:13:int", "integers need a limit: x:13:int<7 draws x from 0 to 6"),
        ("x:13<7", "< is for integers, as in labels:13:int<7; .* are x:13:0..7"),
        ("x:13:1..0", "a range is low..high"),
        ("x:13:a..b", "a range is low..high"),
        ("x:13:int<7:0..1", "a range is low..high in a floating-point dtype"),
        ("x=__import__('os')", "the value of x cannot be read"),
        ("x=(0, 2)", "a tuple without spaces"),
        ("3=4", "'3=4' cannot be read"),
    ],
)
def test_a_mistake_in_the_inputs_is_one_sentence(text: str, error_message: str) -> None:
    with pytest.raises(SettingError, match=error_message):
        parse_inputs(text)


class Both(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, w: Tensor | None = None, alpha: float = 0.5) -> Tensor:
        return x * alpha

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        return None


def test_inputs_are_bound_by_name() -> None:
    inputs, options = bind(Linear, parse_inputs("b:7 w:5x7 x:13x5"), 0)
    assert [tuple(t.shape) for t in inputs] == [(13, 5), (5, 7), (7,)]
    assert options == {}
    inputs, options = bind(Both, parse_inputs("x:3 alpha=0.25"), 0)
    assert inputs[1:] == [None, 0.25]
    inputs, options = bind(functions.GELU, parse_inputs("approximate=tanh input:3"), 0)
    assert inputs[1] == "tanh"
    assert len(bind(Both, parse_inputs("x:3"), 0)[0]) == 1, "what follows is left to forward"
    assert len(tensors("x:3 x:3")) == 2
    with pytest.raises(InputError, match="there is no input 'v': it takes x, w, b"):
        bind(Linear, parse_inputs("v:3"), 0)
    with pytest.raises(InputError, match="it takes x, w, b, and only x, w is given"):
        bind(Linear, parse_inputs("x:13x5 w:5x7"), 0)
    with pytest.raises(InputError, match="x is given 2 times"):
        bind(Both, parse_inputs("x:3 x:4"), 0)


class Named(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, mask: Tensor, *, alpha: float = 0.5) -> Tensor:
        return x * alpha


def test_an_input_by_keyword_alone_is_an_option() -> None:
    assert suggestion(Named) == "x:13x5 mask:13x5:bool"
    assert bind(Named, parse_inputs("x:3 mask:3:bool"), 0)[1] == {}
    inputs, options = bind(Named, parse_inputs("x:3 mask:3:bool alpha=0.25"), 0)
    assert (len(inputs), options) == (2, {"alpha": 0.25})


def test_a_suggestion_names_what_is_needed() -> None:
    assert suggestion(Linear) == "x:13x5 w:5x7 b:7"
    assert suggestion(Both) == "x:13x5"
    assert suggestion(MSE) == "yhat:13x5 y:13x5"


def test_each_tensor_of_a_star_is_suggested() -> None:
    class Concat(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, dim: int, labels: Tensor, *args: Tensor) -> Tensor:
            return torch.cat(args, dim)

    words = suggestion(Concat)
    assert words == "dim=-1 labels:13:int<5 args:4x3 args:4x3"
    assert len(bind(Concat, parse_inputs(words), 0)[0]) == 4
