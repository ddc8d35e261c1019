"""Every file in examples/ runs, and its report has the expected verdict and causes."""

from __future__ import annotations

import runpy

import pytest

from tests.conftest import ROOT

# What is printed, the verdict, and all causes that may be named.
EXPECTED = {
    "mlp_regressor": ("the factor is coefs[1].shape[1]", "wrong", {"factor"}),  # number of outputs
    "descent_regressor": ("DescentRegressor: 1.0000", "right", set()),
}
EXAMPLES = ROOT / "examples"


def test_each_has_a_test() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*EXPECTED, "digits"}


@pytest.mark.parametrize("script", EXPECTED)
def test_it_says_what_it_is_there_to_say(
    script: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "en")
    report = runpy.run_path(str(EXAMPLES / f"{script}.py"), run_name="__main__")["report"]
    words, verdict, causes = EXPECTED[script]
    assert words in capsys.readouterr().out
    assert report.verdict == verdict
    assert {finding.cause for finding in report.findings} == causes, report.details("en")


def test_a_convolutional_network_reads_95_of_100_digits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = runpy.run_path(str(EXAMPLES / "digits.py"), run_name="__main__")
    assert found["accuracy"] >= 0.95
    assert len(found["y_test"]) == 450
    assert f"450 held-out images: {found['accuracy']:.3f}" in capsys.readouterr().out
