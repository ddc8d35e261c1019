"""Tables: the real one from a cache, the substitute with its note, and the lab's split."""

from __future__ import annotations

import time
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from derivable.data import Table, lab_split, load_california, load_diabetes, sound_split
from derivable.data import california as module


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that fails at once, whatever the machine's network."""
    monkeypatch.setattr(module, "_DOWNLOAD", "raise SystemExit('no route to anywhere')")


def test_the_real_table(california: Table) -> None:
    assert california.x.shape == (20640, 8)
    assert california.y.shape == (20640, 1)
    assert california.features[0] == "MedInc"
    assert california.note == ""
    split = lab_split(california)
    assert split.x_train.shape == (16512, 8)
    # near zero weights the loss is the mean of y^2: the sheet's first line says 5.3726
    assert (split.y_train**2).mean().item() == pytest.approx(5.3718, abs=1e-3)


@pytest.mark.usefixtures("no_network")
def test_without_cache_or_network_diabetes_stands_in_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    table = load_california()
    assert table.name == "diabetes"
    assert f"the cache failed (there is no cal_housing_py3.pkz in {tmp_path})" in table.note
    assert "the download failed (no route to anywhere)" in table.note
    assert "bundled diabetes table is used instead" in table.note
    assert "set SCIKIT_LEARN_DATA to a folder" in table.note


@pytest.mark.usefixtures("no_network")
def test_a_broken_cache_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    broken = tmp_path / module.CACHE_FILE
    broken.write_bytes(b"half a file")
    table = load_california()
    assert table.name == "diabetes"
    assert "the cache failed" in table.note
    assert broken.read_bytes() == b"half a file"
    joblib.dump(np.zeros((11, 8)), broken)
    note = load_california().note
    assert f"the cache failed ({module.CACHE_FILE} holds a table of shape (11, 8))" in note


def test_the_wait_for_a_download_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    monkeypatch.setattr(module, "_DOWNLOAD", "import time; time.sleep(60)")
    start = time.monotonic()
    table = load_california(wait=0.5)
    assert time.monotonic() - start < 10
    assert "the download failed (no answer within 0.5 seconds)" in table.note


def test_a_download_is_kept_in_the_cache(
    california_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = california_cache / module.CACHE_FILE
    home = tmp_path / "new" / "home"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    copy = f"import shutil, sys; shutil.copy({str(source)!r}, sys.argv[1])"
    monkeypatch.setattr(module, "_DOWNLOAD", copy)
    assert load_california().name == "california"
    assert [path.name for path in home.iterdir()] == [module.CACHE_FILE]


def test_the_diabetes_table() -> None:
    table = load_diabetes()
    assert table.x.shape == (442, 10)
    assert table.y.mean().item() == pytest.approx(0, abs=1e-12)
    assert table.y.std().item() == pytest.approx(1)


def test_the_lab_split_keeps_file_order_and_scales_over_all_rows() -> None:
    x = torch.arange(30, dtype=torch.float64).view(10, 3) ** 1.5
    x[:, 1] = 4.0
    y = torch.arange(10, dtype=torch.float64).view(10, 1)
    split = lab_split(Table("t", x, y, ("a", "b", "c"), ("y",)), dtype=torch.float64)
    assert split.y_train.view(-1).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert split.y_test.view(-1).tolist() == [8, 9]
    scaled = torch.cat([split.x_train, split.x_test])
    torch.testing.assert_close(scaled[:, 0], (x[:, 0] - x[:, 0].mean()) / x[:, 0].std(correction=1))
    assert not scaled[:, 1].any(), "a constant column becomes zero"
    assert x[0, 1] == 4.0, "the table itself is not changed"


def test_the_sound_split_shuffles_and_lets_no_test_row_into_the_scaler() -> None:
    x = torch.randn(103, 3, generator=torch.Generator().manual_seed(1)).double() * 5 + 7
    y = x[:, :1] * 11 + 3
    x[4, 1] = torch.nan
    table = Table("t", x, y, ("a", "b", "c"), ("y",))
    split = sound_split(table, seed=2, dtype=torch.float64)
    assert (len(split.x_train), len(split.x_test), split.protocol) == (82, 21, "sound")
    for part in (split.x_train, split.y_train):
        torch.testing.assert_close(part.mean(0), torch.zeros_like(part[0]), rtol=0, atol=1e-12)
        torch.testing.assert_close(part.std(0), torch.ones_like(part[0]), rtol=0, atol=1e-12)
    back = split.scaler.predictions(torch.cat([split.y_train, split.y_test]))
    assert sorted(back.flatten().tolist()) == pytest.approx(sorted(y.flatten().tolist()))
    assert back.flatten().tolist() != pytest.approx(y.flatten().tolist()), "in another order"
    known = split.x_train * split.scaler.std + split.scaler.mean
    filled = split.scaler.median[1]
    assert bool((known[:, 1] - filled).abs().min() < 1e-9)
    other = sound_split(table, seed=3, dtype=torch.float64)
    assert not torch.equal(other.y_test, split.y_test)
    torch.testing.assert_close(
        sound_split(table, seed=2, dtype=torch.float64).x_test, split.x_test, rtol=0, atol=0
    )


def test_a_tables_digest_is_that_of_its_content() -> None:
    x, y = torch.arange(6.0).double().view(3, 2), torch.ones(3, 1).double()
    table = Table("t", x, y, ("a", "b"), ("y",))
    assert table.digest() == Table("other name", x.clone(), y, ("a", "b"), ("y",)).digest()
    assert table.digest() != Table("t", x + 1, y, ("a", "b"), ("y",)).digest()
    assert table.digest() != Table("t", x, y, ("a", "c"), ("y",)).digest()
