"""Every file in examples/ runs, and its report says what it is there to say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What is printed, the verdict, and all causes that may be named.
SAYS = {
    "mlp_regressor": ("the factor is coefs[1].shape[1]", "wrong", {"factor"}),  # number of outputs
    "descent_regressor": ("DescentRegressor: 1.0000", "right", set()),
}
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_it_says_what_it_is_there_to_say(
    script: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERIVABLE_LANG", "en")
    report = runpy.run_path(str(script), run_name="__main__")["report"]
    words, verdict, causes = SAYS[script.stem]
    assert words in capsys.readouterr().out
    assert report.verdict == verdict
    assert {finding.cause for finding in report.findings} == causes, report.details("en")
