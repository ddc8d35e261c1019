"""Functions of JAX: the same measurement, the same causes, the same report."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
import torch

from derivable.errors import InputError
from derivable.examiner import Section, Verdict, check
from derivable.examiner.capture.discover import discover
from derivable.examiner.render.reproduction import reproduction

FILE = """
import jax
import jax.numpy as jnp


@jax.custom_vjp
def cube(x):
    return x**3


def forward(x):
    return cube(x), x


def backward(x, g):
    return (2 * x**2 * g,)


cube.defvjp(forward, backward)
"""


def with_rule(value: Any, vjp: Any) -> Any:
    """A custom_vjp of `value`, whose gradients are vjp(inputs, g)."""
    function = jax.custom_vjp(value)
    function.defvjp(lambda *inputs: (value(*inputs), inputs), vjp)
    return function


def log_sigmoid(x: Any, w: Any) -> Any:
    return -jnp.logaddexp(0.0, -(x @ w))


def right_vjp(inputs: Any, g: Any) -> Any:
    x, w = inputs
    slope = g * jax.nn.sigmoid(-(x @ w))
    return slope @ w.T, x.T @ slope


def test_a_right_rule_is_right_to_second_order() -> None:
    report = check(with_rule(log_sigmoid, right_vjp), torch.randn(4, 3), torch.randn(3, 2))
    assert report.ok, report.details("en")
    assert report.sections[Section.SECOND_ORDER] is Verdict.RIGHT
    assert list(report.inputs) == ["x", "w"]


def test_the_cause_is_named_at_the_line_of_the_rule() -> None:
    def vjp(inputs: Any, g: Any) -> Any:
        x, w = inputs
        slope = g * jax.nn.sigmoid(x @ w)
        return slope @ w.T, x.T @ slope

    report = check(with_rule(log_sigmoid, vjp), jnp.ones((4, 3)), jnp.arange(6.0).reshape(3, 2))
    assert report.verdict == "wrong"
    source = report.findings[0].source
    assert source is not None
    assert "return slope @ w.T" in source.text


def test_a_custom_jvp_is_examined() -> None:
    @jax.custom_jvp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    @sine.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        return sine(primals[0]), jnp.cos(primals[0]) * tangents[0]

    assert check(sine, torch.randn(5)).ok


def test_labels_and_options_are_handed_through() -> None:
    def loss(x: Any, labels: Any, scale: float = 1.0) -> Any:
        return -scale * jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1).mean()

    def vjp(inputs: Any, g: Any) -> Any:
        x, labels, scale = inputs
        hot = jax.nn.one_hot(labels, x.shape[1])
        return scale * g * (jax.nn.softmax(x) - hot) / len(x), None, None

    function = jax.custom_vjp(loss, nondiff_argnums=())
    function.defvjp(lambda x, labels, scale: (loss(x, labels, scale), (x, labels, scale)), vjp)
    assert check(function, torch.randn(4, 3), torch.tensor([0, 2, 1, 1]), 2.0).ok
    function.defvjp(
        lambda x, labels, scale: (loss(x, labels, scale), (x, labels, scale)),
        lambda inputs, g: vjp(inputs, 3 * g),
    )
    report = check(function, torch.randn(4, 3), torch.tensor([0, 2, 1, 1]), 2.0)
    script = reproduction(report, report.findings[0]).splitlines()
    assert "scale = 2.0" in script
    assert "labels = jnp.array([0, 2, 1, 1])" in script


@pytest.mark.parametrize("older", [False, True])
def test_numbers_are_float64_whatever_jax_is_set_to(
    older: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if older and hasattr(jax, "enable_x64"):  # where it was before
        monkeypatch.setattr("jax.experimental.enable_x64", jax.enable_x64, raising=False)
        monkeypatch.delattr(jax, "enable_x64")
    assert not jax.config.values["jax_enable_x64"]
    square = with_rule(lambda x: x * x, lambda inputs, g: (2 * inputs[0] * g,))
    assert check(square, jnp.arange(1.0, 4.0)).ok
    assert not jax.config.values["jax_enable_x64"]


def test_a_finding_is_reproduced_without_the_examiner(tmp_path: Path) -> None:
    path = tmp_path / "cubes.py"
    path.write_text(FILE)
    (found,) = discover(f"{path}:cube").found
    report = check(found.target, torch.randn(3))
    document = report.details("en")
    lines = document.splitlines()
    first = next(i for i, line in enumerate(lines) if line.strip().startswith("# cube:"))
    script = [line[8:] for line in lines[first : first + 20] if line.startswith(" " * 8)]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(script)], capture_output=True, text=True, check=True
    )
    returned, measured = (float(line.split()[1]) for line in run.stdout.splitlines())
    assert returned == pytest.approx(2 / 3 * measured, rel=1e-4)
    assert "torch" not in "\n".join(script)


def test_a_function_without_numbers_is_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="none of the inputs is a floating-point tensor"):
        check(with_rule(log_sigmoid, right_vjp), 3)
