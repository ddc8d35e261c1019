"""What the estimators are by default: several networks, each ended by rows that it did not see."""

from __future__ import annotations

from typing import Any

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_classification, make_friedman1
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from derivable import MSE, DescentClassifier, DescentRegressor, Function, Network, descend
from derivable.compiler.store import Store
from derivable.ensemble import fold_of_rows
from derivable.errors import SettingError
from derivable.functions import Dropout
from tests.test_estimator import BOTH, Estimator, Recorder, X, Y, table


def mean_score(model: Any, x: Any, y: Any, splits: int) -> float:
    """The `score` on test rows, the mean of several splits."""
    scores = []
    for seed in range(splits):
        x_train, x_test, y_train, y_test = train_test_split(x, y, random_state=seed)
        scores.append(clone(model).fit(x_train, y_train).score(x_test, y_test))
    return float(np.mean(scores))


def test_the_default_regressor_is_as_good_as_ridge_on_a_small_table() -> None:
    x, y = load_diabetes(return_X_y=True)
    ridge = mean_score(make_pipeline(StandardScaler(), Ridge()), x, y, 10)
    assert mean_score(DescentRegressor(), x, y, 10) > ridge - 0.01


def test_the_default_regressor_learns_what_no_line_is() -> None:
    x, y = make_friedman1(1000, noise=1.0, random_state=0)
    assert mean_score(DescentRegressor(), x, y, 2) > 0.92  # a linear model has 0.75


def test_the_default_classifier_on_digits() -> None:
    x, y = load_digits(return_X_y=True)
    assert mean_score(DescentClassifier(), x, y, 5) > 0.973


def test_the_default_classifier_does_not_learn_noise_by_heart() -> None:
    x, y = make_classification(2000, 20, n_informative=8, flip_y=0.2, random_state=0)
    assert mean_score(DescentClassifier(), x, y, 3) > 0.78  # one that is not stopped has 0.72


@BOTH
def test_the_network_is_the_mean_of_those_of_the_folds(kind: Estimator) -> None:
    x, y = table(kind)
    model = kind((7, 5), max_iter=30, folds=4).fit(x, y)
    outputs = [network(model._units.inputs(x)) for network in model._members]
    torch.testing.assert_close(model._outputs(x), torch.stack(outputs).mean(0).detach())
    assert len(model._members) == len(model.fold_scores_) == 4
    assert model.n_iter_ == len(model.loss_curve_) - 1 <= 30
    assert model.method_ == "lbfgs"
    assert abs(model.fold_scores_.mean() - model.score(x, y)) < 0.2
    linear = kind((), max_iter=30, folds=4).fit(x, y)
    outputs = [network(linear._units.inputs(x)) for network in linear._members]
    torch.testing.assert_close(linear._outputs(x), torch.stack(outputs).mean(0).detach())


def test_the_fold_of_a_row_depends_on_its_features_alone() -> None:
    draws = np.random.default_rng(0)
    x = draws.normal(size=(60, 3))
    fold = fold_of_rows(x, None, 5, seed=1)
    assert np.bincount(fold).tolist() == [12] * 5
    order = draws.permutation(180)
    again = fold_of_rows(x.repeat(3, 0)[order], None, 5, seed=1)
    np.testing.assert_array_equal(again, fold.repeat(3)[order])
    weight = (np.arange(60) < 35).astype(float)
    some = fold_of_rows(x, weight, 5, seed=1)
    assert (some[35:] == -1).all()
    np.testing.assert_array_equal(np.unique(some[:35]), [0, 1, 2])  # ten rows each, or more
    assert fold_of_rows(x[:19], None, 5, seed=1).max() == 0


@BOTH
def test_weights_are_repeated_rows_with_folds(kind: Estimator) -> None:
    x, y = table(kind)
    count = np.random.default_rng(0).integers(0, 4, len(x))
    ours = kind(max_iter=30).fit(x, y, sample_weight=count)
    peer = kind(max_iter=30).fit(x.repeat(count, 0), y.repeat(count))
    assert ours.chosen_ == peer.chosen_
    factor = 2 if kind is DescentRegressor else 1
    assert ours.penalty_ == peer.penalty_ == factor * ours.alpha_ / count.sum()
    np.testing.assert_allclose(ours.loss_curve_, peer.loss_curve_, rtol=1e-5)


@BOTH
def test_a_warm_start_of_folds(kind: Estimator) -> None:
    x, y = table(kind)
    model = kind((32,), max_iter=3, folds=3, warm_start=True).fit(x, y)
    before, steps = model.loss_, model.n_iter_
    model.fit(x, y)
    assert model.n_iter_ > steps
    assert model.loss_curve_[steps] == pytest.approx(before)
    assert model.loss_ < before
    with pytest.raises(SettingError, match=r"as many networks as there are, 3, .* rows for 4"):
        model.set_params(folds=4).fit(x, y)
    joined = model.set_params(folds=1, max_iter=5).fit(x, y)
    assert joined.network_.theta.numel() > 3 * x.shape[1] * 32


class Centred(Function):
    """Each row less its mean, which is not elementwise."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(-1, keepdim=True)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
        return grad_output - grad_output.mean(-1, keepdim=True)


def test_folds_that_do_not_go() -> None:
    with pytest.raises(SettingError, match="validation_fraction goes with a single network"):
        DescentRegressor(validation_fraction=0.2).fit(X, Y)
    with pytest.raises(SettingError, match="folds must be a whole number, 1 or more, got 0"):
        DescentRegressor(folds=0).fit(X, Y)
    with pytest.raises(SettingError, match="alpha must be 'auto' or a number"):
        DescentRegressor(alpha="small").fit(X, Y)
    with pytest.raises(SettingError, match="the activation must be elementwise"):
        DescentRegressor(activation=Centred).fit(X, Y)


@pytest.mark.parametrize("folds", [1, 3])
@pytest.mark.parametrize("method", ["adam", "steps"])
def test_dropout_as_an_activation_drops_in_the_fit_and_not_in_predictions(
    folds: int, method: str
) -> None:
    settings: dict[str, Any] = {"folds": folds, "method": method, "lr": 0.05, "max_iter": 60}
    torch.manual_seed(1)
    model = DescentRegressor((7,), Dropout, **settings).fit(X, Y)
    torch.manual_seed(2)
    again = DescentRegressor((7,), Dropout, **settings).fit(X, Y)
    assert np.array_equal(model.predict(X), model.predict(X))
    assert np.array_equal(model.predict(X), again.predict(X)), "random_state is the only seed"
    assert len(model.fold_scores_) == (folds if folds > 1 else 0)
    with pytest.raises(SettingError, match="Dropout of the network changes with every step"):
        DescentRegressor((7,), Dropout, folds=folds).fit(X, Y)


def test_steps_by_hand_on_a_small_table_run_on_one_thread() -> None:
    seen = []

    class Counting(Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            return x.cumsum(-1)

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:
            return grad_output.flip(-1).cumsum(-1).flip(-1)

    torch.set_num_threads(2)
    network = Network.mlp(5, 3, 1, activation=Counting)
    x = torch.randn(13, 5)
    run = descend(network, MSE, x, x[:, :1], lr=0.01, steps=3, method="adam")
    assert (run.objective, seen[-1], torch.get_num_threads()) == ("by hand", 1, 2)


@pytest.mark.parametrize("rows", [1, 3, 40])
@pytest.mark.parametrize("kind", [DescentRegressor, DescentClassifier])
def test_partial_fit_from_few_rows_at_a_time_learns(kind: Estimator, rows: int) -> None:
    x, y = table(kind)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order] * [1e3, 1, 1, *(1e-3,) * (x.shape[1] - 3)] + 1e4, y[order]
    model = kind(hidden=())
    first = {"classes": np.unique(y)} if kind is DescentClassifier else {}
    for k in range(300):
        at = np.arange(k * rows, (k + 1) * rows) % len(x)
        model.partial_fit(x[at], y[at], **first)
    assert model.score(x, y) > 0.6
    assert model.n_iter_ == 300 == len(model.loss_curve_) - 1
    assert model.penalty_ <= 0.01


def test_the_units_of_partial_fit_are_those_of_the_first_hundred_rows() -> None:
    model: Any = DescentRegressor((), method="momentum")
    for k in range(120):
        model.partial_fit(X[k : k + 1], Y[k : k + 1])
    np.testing.assert_allclose(model._units.features.mean_, X[:100].mean(0))
    assert model._first is not None
    assert not model._first.batches, "no more is kept than is needed"
    whole: Any = DescentRegressor((), method="momentum")
    whole.partial_fit(X[:100], Y[:100])
    np.testing.assert_allclose(model._units.targets.scale_, whole._units.targets.scale_)


def threads(model: Any, x: Any, y: Any) -> float:
    """A score that is the number of threads where the model was fitted."""
    return float(torch.get_num_threads())


def test_workers_of_a_search_share_the_processors_and_what_is_compiled() -> None:
    pytest.importorskip("numba", reason="needs the extra descent")
    model = DescentRegressor(max_iter=20, folds=2)
    grid = {"alpha": [0.0, 0.1]}
    one = GridSearchCV(model, grid, cv=2).fit(X, Y)
    for _ in range(3):  # other tests, in another process, may compile meanwhile
        compiled = set(Store().folder.iterdir())
        two = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(X, Y)
        if set(Store().folder.iterdir()) == compiled:
            break
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    assert set(Store().folder.iterdir()) == compiled
    counted = GridSearchCV(model, grid, cv=2, n_jobs=2, scoring=threads).fit(X, Y)
    assert counted.best_score_ <= max(1, joblib.cpu_count() // 2)


def compilations(model: Any, x: Any, y: Any) -> float:
    """A score that is the number of routines that this process compiled, and did not find."""
    import numba.core.event as event

    model = clone(model)
    with event.install_recorder("numba:compile") as compiled:
        model.fit(x, y)
    return float(len(compiled.buffer))


def test_workers_of_a_search_compile_nothing_that_is_on_the_disk() -> None:
    pytest.importorskip("numba", reason="needs the extra descent")
    model = DescentRegressor(max_iter=20, folds=2)
    model.fit(X, Y)
    grid = {"alpha": [0.0, 0.1]}
    counted = GridSearchCV(model, grid, cv=2, n_jobs=2, scoring=compilations).fit(X, Y)
    assert counted.cv_results_["mean_test_score"].tolist() == [0, 0]


def test_a_table_too_small_for_folds_has_one_model() -> None:
    model = DescentRegressor((32,)).fit(X[:19], Y[:19])
    assert (len(model._members), model.n_iter_, len(model.fold_scores_)) == (1, 20, 0)
    line: Any = DescentRegressor(alpha=1).fit(X[:10], Y[:10])
    ridge = make_pipeline(StandardScaler(), Ridge(1)).fit(X[:10], Y[:10])
    np.testing.assert_allclose(line.predict(X), ridge.predict(X), rtol=1e-4)
    assert line.chosen_ == "linear, alpha=1"
    assert "fewer than 20" in line.chosen_reason_
    assert line.choices_ == []


def test_a_callback_may_stop_a_fit_of_folds() -> None:
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    recorder = Recorder(stop_at=3)
    model = DescentRegressor(folds=4, max_iter=50).set_callbacks(recorder).fit(X, Y)
    assert len(recorder.scores) == 4  # and one when the fit has ended
    assert len(model._members) < 4
    assert recorder.scores[2] > 0.5
