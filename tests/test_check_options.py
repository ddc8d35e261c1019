"""Options of `derivable check` on things outside of the code: declarations, references, formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from derivable.examiner.inputs import declared
from tests.conftest import Command

CODE = """
import torch
from torch.autograd import Function


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * grad_output


class Step(Function):
    @staticmethod
    def forward(ctx, x):
        return x.sign()

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output
"""


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a right Function and of a surrogate; nothing is declared yet."""
    monkeypatch.setattr(declared, "_by_target", {})
    monkeypatch.setattr(declared, "_by_pattern", {})
    path = tmp_path / "code.py"
    path.write_text(CODE)
    return path


def test_inputs_of_a_file_of_declarations_are_used(command_here: Command, code: Path) -> None:
    code.with_name("given.py").write_text(
        "import torch\nfrom derivable import declare\n"
        "declare('*Cube', examples=lambda: [(torch.full((7,), 2.0).double(),)])\n"
    )
    done = command_here("check", "code.py:Cube", "--examples", "given.py", "--json")
    assert done.returncode == 0
    (found,) = json.loads(done.stdout)["functions"]
    assert "7" in json.dumps(found["inputs"])


def test_a_surrogate_is_right_once_it_is_declared(command_here: Command, code: Path) -> None:
    assert command_here("check", "code.py:Step").returncode == 1
    done = command_here("check", "code.py:Step", "--surrogate", "*Step=straight-through", "--json")
    assert done.returncode == 0
    assert "straight-through" in done.stdout
    refused = command_here("check", "code.py:Step", "--surrogate", "=why")
    assert refused.returncode == 2
    assert "=why" in refused.stderr


REFERENCES = {
    "a function": "def Cube(x):\n    return {}\n",
    "a plain class": "class Cube:\n    @staticmethod\n    def forward(ctx, x):\n        return {}\n"
    "    @staticmethod\n    def backward(ctx, g):\n        return g\n",
    "a Function": "from torch.autograd import Function\nclass Cube(Function):\n    @staticmethod\n"
    "    def forward(ctx, x):\n        return {}\n"
    "    @staticmethod\n    def backward(ctx, g):\n        return g\n",
}


@pytest.mark.parametrize("text", REFERENCES.values(), ids=list(REFERENCES))
def test_forward_is_compared_with_its_reference(
    command_here: Command, code: Path, text: str
) -> None:
    options = ("check", "code.py:Cube", "--reference", "plain.py")
    plain = code.with_name("plain.py")
    plain.write_text(f"Other = 3\ndef _Cube(x):\n    return x\n{text.format('x * x * x')}")
    assert command_here(*options).returncode == 0
    plain.write_text(text.format("2 * x"))
    done = command_here(*options)
    assert done.returncode == 1
    assert "reference" in done.stdout


def test_a_reference_that_fails_is_named(command_here: Command, code: Path) -> None:
    code.with_name("plain.py").write_text("1 / 0\n")
    done = command_here("check", "code.py:Cube", "--reference", "plain.py")
    assert done.returncode == 2
    assert "plain.py:1" in done.stderr
    assert "ZeroDivisionError" in done.stderr


NOT_EXAMINED = """
from torch.autograd import Function


class Odd(Function):
    @staticmethod
    def forward(ctx, x):
        raise ValueError("needs a licence, 100%")

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output


raise RuntimeError("no data")
"""


def test_github_gets_warnings_where_there_is_no_verdict(command_here: Command, code: Path) -> None:
    code.write_text(NOT_EXAMINED)
    done = command_here("check", "code.py", "--format", "github")
    stopped, odd, counts = done.stdout.splitlines()
    assert stopped.startswith("::warning file=code.py,line=15::")
    assert "no data" in stopped
    assert odd.startswith("::warning file=code.py,line=")
    assert "title=Odd" in odd
    assert "100%25" in odd
    assert "1" in counts
