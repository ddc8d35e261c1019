"""The script of a report that shows the mistake: it runs on its own, whatever the target is."""

from __future__ import annotations

import dataclasses
import importlib
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd import Function

from derivable import Linear
from derivable.examiner.capture.discover import discover
from derivable.examiner.finding import Worst
from derivable.examiner.message import Message
from derivable.examiner.messages import say
from derivable.examiner.render.reproduction import BY_HAND, reproduction
from derivable.examiner.render.written import imports, written
from tests.conftest import ROOT
from tests.test_examiner_report import CUBE, finding, report


class Halves(torch.autograd.Function):
    """Two outputs; the gradient of the labels' mask is none, that of x forgets the second."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, keep: Tensor, alpha: float = 0.5) -> tuple[Tensor, Tensor]:
        ctx.keep, ctx.alpha = keep, alpha
        return alpha * x * keep, x.exp()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        return ctx.alpha * ctx.keep * grads[0], None, None


def printed(script: str, capsys: pytest.CaptureFixture[str]) -> dict[str, complex]:
    """What a reproduction prints, run here; from each line the first word and the last."""
    exec(compile(script, "<reproduction>", "exec"), {})
    rows = capsys.readouterr().out.splitlines()
    return {row.split()[0]: complex(row.split()[-1]) for row in rows}


def run(script: str, folder: Path) -> dict[str, float]:
    """What a reproduction prints, run on its own, far from the project."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return {
        words[0]: float(words[1]) for words in map(str.split, done.stdout.splitlines()) if words
    }


def test_a_reproduction_of_a_function_in_a_file_runs(tmp_path: Path) -> None:
    file = tmp_path / "home" / "cube.py"
    file.parent.mkdir()
    file.write_text(CUBE)
    target = discover(f"{file}:Cube").found[0].target
    script = reproduction(report(target=target, seed=3), finding())
    assert len(script.splitlines()) <= 13
    assert "x = torch.randn(13, 5, dtype=torch.float64, requires_grad=True)" in script
    shown = run(script, tmp_path)
    assert shown["returned"] / shown["measured"] == pytest.approx(2 / 3, rel=1e-6)


def test_a_reproduction_of_a_function_in_a_module_runs(tmp_path: Path) -> None:
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([2, 0, 1, 0, 0])
    w, b = torch.rand(3, 11, dtype=torch.float64) + 1, torch.randn(11, dtype=torch.float64)
    wrong = report(
        target=Linear, inputs={"x": "", "w": "", "b": "", "labels": ""}, example=[x, w, b, labels]
    )
    script = reproduction(wrong, finding(argument="w", worst=Worst((2, 10), 0.0, 0.0, 0.0)))
    assert "from derivable.functions.algebra.linear import Linear" in script
    assert "x = torch.tensor([[" in script, "few numbers are written out"
    assert re.search(r"w = \(1\.\d+ \+ 0\.\d+ \* torch\.rand\(3, 11", script), "in their range"
    assert "labels = torch.tensor([2, 0, 1, 0, 0], dtype=torch.int64)" in script
    script = script.replace("Linear.apply(x, w, b, labels)", "Linear.apply(x, w, b)")
    shown = run(script, tmp_path)
    assert shown["returned"] == pytest.approx(shown["measured"], rel=1e-6)


@pytest.mark.parametrize(
    ("cause", "rows"),
    [
        ("part_only", {"returned", "measured"}),
        ("second_order", {"returned", "measured"}),
        ("not_linear", {"-1000", "vjp(-1000"}),
        ("random", {"once", "again"}),
        ("state", {"alone", "after"}),
        ("layout", {"contiguous", "strided"}),
    ],
)
def test_a_reproduction_with_several_outputs_and_options_runs(
    cause: str,
    rows: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    x = torch.rand(3, 2, dtype=torch.float64) + 0.5
    keep = torch.tensor([True, False, True])[:, None].expand(3, 2)
    wrong = report(
        target=Halves, inputs={"x": "", "keep": "", "alpha": "0.7"}, example=[x, keep, 0.7]
    )
    script = reproduction(wrong, finding(cause, worst=None))
    assert "torch.cat([o.flatten() for o in Halves.apply(" in script
    assert f"sys.path.insert(0, {str(ROOT)!r})" in script
    assert set(printed(script, capsys)) == rows


def test_a_reproduction_of_a_way_to_run_compares_it_with_autograd(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x = torch.randn(13, 5, requires_grad=True)
    wrong = report(target=Linear, inputs=dict.fromkeys("xwb", ""))
    wrong = dataclasses.replace(wrong, example=[x, torch.randn(5, 7), torch.randn(7)])
    shown = printed(reproduction(wrong, finding("way")), capsys)
    assert shown["torch.autograd"] == shown["torch.func"]


def test_a_reproduction_of_a_complex_function_runs(capsys: pytest.CaptureFixture[str]) -> None:
    z = torch.randn(2, 3, dtype=torch.complex64)
    wrong = report(target=torch.Tensor.exp, inputs={"z": ""}, example=[z])
    script = reproduction(wrong, finding(argument="z", worst=Worst((1, 2), 0j, 1j, 0.0)))
    assert "# and here: target, the object that was examined\n" in script
    script = script.replace("# and here: target,", "target = torch.exp  #")
    shown = printed(script, capsys)
    assert shown["returned"] == pytest.approx(shown["measured"], rel=1e-6)
    assert shown["returned"].imag != 0


def loss(theta: Any) -> Any:
    return (theta**2).mean()


def slope(theta: Any) -> Any:
    return 2 * theta


def loss_of_parts(theta: Any) -> Any:
    return sum(((i + 1) * loss(part) for i, (_, part) in enumerate(parts_of(theta))), 0.0)


def slopes_of_parts(theta: Any) -> Any:
    """Each five times too large, which is the number of entries of a mean."""
    found = {key: (i + 1) * slope(part) for i, (key, part) in enumerate(parts_of(theta))}
    return found if isinstance(theta, dict) else type(theta)(found.values())


def parts_of(theta: Any) -> Any:
    return theta.items() if isinstance(theta, dict) else enumerate(theta)


@pytest.mark.parametrize(
    ("kind", "argument"),
    [
        (lambda theta: theta.numpy(), "theta"),
        (lambda theta: theta, "theta"),
        (lambda theta: {"w": theta + 1, "b": theta}, "b"),
        (lambda theta: [(theta + 1).numpy(), theta.numpy()], "theta[1]"),
        (lambda theta: (theta + 1, theta), "theta[1]"),
    ],
    ids=["numpy", "torch", "dict", "list", "tuple"],
)
def test_a_reproduction_of_a_value_with_a_gradient_runs(
    kind: Any, argument: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    at = kind(torch.randn(5, dtype=torch.float64))
    target = (loss, slope) if argument == "theta" else (loss_of_parts, slopes_of_parts)
    wrong = report(target=target, inputs={argument: ""}, example=(at,))
    script = reproduction(wrong, finding(argument=argument, worst=Worst((3,), 0.0, 0.0, 0.0)))
    assert "b" not in argument or "up['b'][3] +=" in script
    script = re.sub(r"(print.*, )(.*)\)$", r"\1float(\2))", script, flags=re.MULTILINE)
    shown = printed(script, capsys)
    assert shown["returned"] / shown["measured"] == pytest.approx(5, rel=1e-6)


class Split(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x**3

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        return 2 * ctx.saved_tensors[0] ** 2 * grad_output


def test_a_reproduction_by_hand_runs_in_the_style_of_the_function(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    cause = sorted(BY_HAND)[0]
    script = reproduction(report(target=Split), finding(cause, worst=None))
    assert "output = Split.forward(x)\nSplit.setup_context(ctx, (x,), output)\n" in script
    exec(compile(script, "<reproduction>", "exec"), {})
    assert capsys.readouterr().out


def test_where_nothing_can_be_stepped_through_the_reproduction_says_so() -> None:
    more = report(target=(loss, slope), inputs={"n": "", "theta": ""}, example=({"n": 3},))
    assert reproduction(more, finding(argument="n")).splitlines() == [
        "# Cube: a constant factor is wrong",
        "# theta holds more than arrays: step through one entry of it by hand",
    ]
    gone = reproduction(report(target=Linear, example=[]), finding())
    assert gone.endswith("\n# the inputs were not kept: call check(...) again")
    example = [torch.eye(3, dtype=torch.float64).to_sparse().requires_grad_()]
    sparse = reproduction(report(target=Linear, example=example), finding())
    assert sparse.endswith("\n# x is sparse: step through one of its stored values")


def test_a_reproduction_at_other_inputs_that_were_not_kept_names_them() -> None:
    point = Message("point.asymmetric", {"argument": "x"})
    first, second = reproduction(report(target=Linear), finding(point=point)).splitlines()[:2]
    assert first == "# Cube: a constant factor is wrong"
    assert say(point, "en") in second


def test_a_reproduction_of_a_module_runs_once_the_module_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).double()
    inputs = {"input": "", "0.weight": "", "0.bias": ""}
    wrong = report(target=module, inputs=inputs, example=[torch.randn(5, 3), *module.parameters()])
    script = reproduction(wrong, finding(argument="0.weight", worst=None))
    here = "target = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh()).double()"
    script = script.replace("# and here: target, the object that was examined", here)
    shown = printed(script, capsys)
    assert shown["returned"] == pytest.approx(shown["measured"], rel=1e-6)


def test_a_function_that_nobody_can_import_is_written_out() -> None:
    class Local(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output

    script = reproduction(report(target=Local), finding())
    assert "class Local(torch.autograd.Function):" in script
    assert "return Local.apply(x)" in script


def test_a_local_function_is_written_out_with_the_import_of_its_base() -> None:
    class Local(Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return 2 * x

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Tensor:
            return grad_output

    head, named = imports(Local)
    assert (head[:2], named) == (["import torch", "from torch.autograd import Function"], "Local")
    assert "class Local(Function):" in head


def test_a_function_of_a_file_that_is_gone_is_named_as_what_was_examined(tmp_path: Path) -> None:
    file = tmp_path / "gone.py"
    names: dict[str, Any] = {"__name__": "a_module_that_is_gone"}
    exec(compile("def f(x):\n    return x\n", str(file), "exec"), names)
    assert imports(names["f"])[0][1] == "# and here: target, the object that was examined"
    file.write_text("def f(x):\n    return x\n")
    assert imports(names["f"])[0][1] == f"f = runpy.run_path({str(file)!r})['f']"


def test_an_installed_function_is_imported_by_its_name_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site-packages" / "installed_cubes"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(CUBE)
    monkeypatch.syspath_prepend(folder.parent)
    target = importlib.import_module("installed_cubes").Cube
    assert imports(target) == (["import torch", "from installed_cubes import Cube"], "Cube")


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (torch.Generator().manual_seed(7), "torch.Generator().manual_seed(7)"),
        (torch.eye(3).to_sparse(), "torch.tensor([[1.0, 0.0, 0.0], [0.0"),
        (torch.arange(500) % 7, "torch.randint(0, 7, (500,)).to(torch.int64)"),
        (
            3e-9 * torch.randn(5, 7),
            "(1e-09 * torch.randn(5, 7, dtype=torch.float64)).requires_grad_()",
        ),
    ],
)
def test_an_input_is_written_as_what_makes_one_of_its_kind(value: Any, start: str) -> None:
    text = written(value, isinstance(value, Tensor) and value.is_floating_point())
    assert text.startswith(start)
    again = eval(text)
    if isinstance(value, Tensor):
        assert (again.shape, again.layout) == (value.shape, value.layout)
        assert again.requires_grad == value.is_floating_point()
    if isinstance(value, torch.Generator):
        assert torch.equal(again.get_state(), value.get_state())


def test_what_matters_is_written_out() -> None:
    symmetric = torch.randn(7, 7, dtype=torch.float64)
    symmetric = symmetric @ symmetric.T
    script = reproduction(report(target=Linear, example=[symmetric]), finding())
    assert "torch.rand" not in script.replace("torch.randn_like", "")
    special = torch.tensor([0.0, math.inf, -math.inf, math.nan])
    script = reproduction(report(target=Linear, example=[special]), finding(worst=None))
    assert "torch.tensor([0.0, float('inf'), float('-inf'), float('nan')]" in script
