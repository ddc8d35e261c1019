"""DescentRegressor and DescentClassifier, as scikit-learn and its users take them."""

from __future__ import annotations

import importlib
import pickle
import re
import sys
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from sklearn.base import clone
from sklearn.datasets import load_iris, make_friedman1
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from derivable import DescentClassifier, DescentRegressor, Loss, functions
from derivable.errors import DataError, DivergedError, InputError, SettingError
from derivable.stepper import FusedSteps
from tests.conftest import ROOT
from tests.corpus.part import part

Estimator = type[DescentRegressor] | type[DescentClassifier]
BOTH = pytest.mark.parametrize("kind", [DescentRegressor, DescentClassifier])
X, Y = make_friedman1(200, n_features=5, noise=0.3, random_state=0)
IRIS, SPECIES = load_iris(return_X_y=True)
QUICK = 150  # steps that are enough to learn something
# A single network that takes all its steps of gradient descent.
PLAIN: dict[str, Any] = {
    "hidden": (10,), "activation": "tanh", "method": "auto", "alpha": 0.0, "folds": 1,
}  # fmt: skip


def plain(kind: Estimator, **settings: Any) -> Any:
    """An estimator with one network that takes all its steps of gradient descent."""
    return kind(**{**PLAIN, **settings})


SETTINGS = [
    DescentRegressor(max_iter=200, lr=0.1, **PLAIN),
    DescentClassifier(max_iter=200, lr=0.3, **PLAIN),
    DescentRegressor((), folds=1, loss="huber:delta=0.5"),
    DescentClassifier((), loss="crossentropy:label_smoothing=0.01"),
    DescentRegressor(folds=1, early_stopping=True, max_iter=200),
    DescentClassifier(folds=1, early_stopping=True, validation_fraction=0.2, max_iter=200),
]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [DescentRegressor(), DescentClassifier(), *part(SETTINGS, 3)]
)
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that data is converted, which is what is checked
        check(estimator)


def test_the_regressor_minimises_the_loss_that_is_named() -> None:
    start: dict[str, Any] = PLAIN | {"max_iter": QUICK, "lr": 0.1}
    huber, named = Loss(functions.Huber, delta=0.3), DescentRegressor(loss="huber", **start)
    model = DescentRegressor(loss=huber, **start).fit(X, Y)
    wanted, found = (torch.tensor((y - Y.mean()) / Y.std()) for y in (Y, model.predict(X)))
    expected = F.huber_loss(found, wanted, delta=0.3).item()
    assert model.loss_ == pytest.approx(expected)
    assert model.objective_ == "fused"
    own = DescentRegressor(loss=functions.Huber, **start).fit(X, Y)
    assert named.fit(X, Y).loss_ == own.loss_ != model.loss_
    assert clone(model).fit(X, Y).loss_ == model.loss_
    outliers = Y.copy()
    outliers[::20] += 200
    robust, plain = (
        DescentRegressor(loss=loss, **start | {"max_iter": 2000}).fit(X, outliers).predict(X)
        for loss in ("huber", "mse")
    )
    assert np.median(abs(robust - Y)) < 0.5 * np.median(abs(plain - Y))


def test_the_classifier_smooths_its_labels() -> None:
    loss = Loss(functions.CrossEntropy, label_smoothing=0.2)
    model = plain(DescentClassifier, loss=loss, max_iter=2000, lr=0.3).fit(IRIS, SPECIES)
    sharp = plain(DescentClassifier, max_iter=2000, lr=0.3).fit(IRIS, SPECIES)
    assert model.objective_ == "fused"
    shares = torch.log(torch.tensor(model.predict_proba(IRIS)))
    expected = F.cross_entropy(shares, torch.tensor(SPECIES), label_smoothing=0.2).item()
    assert model.loss_ == pytest.approx(expected)
    assert model.score(IRIS, SPECIES) > 0.95
    assert model.predict_proba(IRIS).max() < sharp.predict_proba(IRIS).max()


@BOTH
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("folds", [1, 3])
def test_a_linear_model_has_its_line_in_own_units(
    kind: Estimator, standardize: bool, folds: int
) -> None:
    x, y = table(kind)
    x = x * np.linspace(1, 3, x.shape[1]) + 2
    settings: dict[str, Any] = {"hidden": (), "folds": folds, "standardize": standardize}
    model: Any = kind(**settings)
    with pytest.raises(AttributeError, match="is not fitted yet"):
        _ = model.coef_
    model.fit(x, y)
    line = x @ model.coef_.T + model.intercept_
    if kind is DescentRegressor:
        assert model.coef_.shape == (5,)
        np.testing.assert_allclose(line, model.predict(x))
        model.fit(x, np.stack([y, -y], 1))
        assert model.coef_.shape == (2, 5)
        np.testing.assert_allclose(x @ model.coef_.T + model.intercept_, model.predict(x))
    else:
        logs = torch.log_softmax(torch.tensor(line), 1).numpy()
        np.testing.assert_allclose(logs, model.predict_log_proba(x))
        rows = y > 0
        model.fit(x[rows], y[rows])
        assert (model.coef_.shape, model.intercept_.shape) == ((1, 4), (1,))
        odds = (x[rows] @ model.coef_.T + model.intercept_)[:, 0]
        np.testing.assert_allclose(1 / (1 + np.exp(-odds)), model.predict_proba(x[rows])[:, 1])
    model.set_params(hidden=(3,)).fit(x, y)
    assert not hasattr(model, "coef_")
    with pytest.raises(AttributeError, match=r"has hidden layers; .* of a linear model"):
        _ = model.intercept_


def test_the_logarithm_of_a_probability_is_finite_where_that_is_zero() -> None:
    model = DescentClassifier((), alpha=0).fit(IRIS[::2], SPECIES[::2])
    far = 1e4 * (IRIS - IRIS.mean(0))
    assert model.predict_proba(far).min() == 0
    assert np.isfinite(model.predict_log_proba(far)).all()
    near = model.predict_log_proba(IRIS)
    np.testing.assert_allclose(np.exp(near), model.predict_proba(IRIS))


def test_weights_of_classes_are_weights_of_their_rows() -> None:
    few = np.r_[0:50, 50:100, 100:110]
    x, y = IRIS[few], np.array(["a", "b", "c"])[SPECIES[few]]
    fair = DescentClassifier(class_weight="balanced").fit(x, y)
    weight = np.repeat([110 / 150, 110 / 150, 110 / 30], [50, 50, 10])
    peer = DescentClassifier().fit(x, y, sample_weight=weight)
    np.testing.assert_allclose(fair.predict_proba(x), peer.predict_proba(x), rtol=1e-4)
    named = DescentClassifier(class_weight={"c": 5.0}).fit(x, y, sample_weight=np.full(110, 2.0))
    peer = DescentClassifier().fit(x, y, sample_weight=np.repeat([2.0, 10.0], [100, 10]))
    np.testing.assert_allclose(named.predict_proba(x), peer.predict_proba(x), rtol=1e-4)
    for weights, text in [
        ({"d": 2.0}, "none of the classes: 'a', 'b', 'c'"),
        ("fair", "class_weight must be 'balanced', or a dict"),
        ({"a": -1.0}, "class_weight of 'a' must be a number, 0 or more"),
    ]:
        with pytest.raises(SettingError, match=text):
            DescentClassifier(class_weight=weights).fit(x, y)
    with pytest.raises(SettingError, match="needs all rows at once, and partial_fit has some"):
        DescentClassifier(class_weight="balanced").partial_fit(x, y, classes=["a", "b", "c"])


@BOTH
@pytest.mark.parametrize("method", ["lbfgs", "adam", "auto"])
def test_early_stopping_of_a_single_network(kind: Estimator, method: str) -> None:
    x, y = table(kind)
    settings: dict[str, Any] = {"folds": 1, "method": method, "lr": 0.05, "max_iter": 600}
    model = kind((30,), alpha=0, early_stopping=True, **settings).fit(x, y)
    assert model.n_iter_ < 600 or method == "auto"
    assert model.validation_curve_[-1] == min(model.validation_curve_)
    assert model.validation_steps_[-1] == model.n_iter_
    before = model.n_iter_
    model.set_params(warm_start=True).fit(x, y)
    assert model.n_iter_ >= before
    small = kind(folds=1, early_stopping=True, max_iter=50).fit(x[::11], y[::11])
    assert small.n_iter_ <= 20, "too few rows to hold some out"


def test_another_loss_begins_where_the_last_ended() -> None:
    model = DescentRegressor(max_iter=QUICK, warm_start=True, method="steps").fit(X, Y)
    theta, rate = model.network_.theta, model.lr_
    model.set_params(loss=Loss(functions.Huber, delta=0.1)).fit(X, Y)
    assert model.n_iter_ == 2 * QUICK
    assert model.lr_ != rate, "it is chosen anew"
    other = DescentRegressor((32,), max_iter=0, loss=Loss(functions.Huber, delta=0.1)).fit(X, Y)
    assert len(model.loss_curve_) == 2 * QUICK + 1
    assert not torch.equal(model.network_.theta, theta)
    assert model.loss_curve_[QUICK] < other.loss_


@pytest.mark.parametrize(
    ("kind", "loss", "text"),
    [
        (DescentRegressor, "hubr", "loss must be one of mse, l1, huber, logcosh, a Function"),
        (DescentRegressor, 3, "loss must be a Function class such as MSE"),
        (DescentClassifier, "mse", "loss of a classifier must be 'crossentropy', or with options"),
        (DescentClassifier, functions.MSE, "loss of a classifier must be 'crossentropy'"),
    ],
    ids=str,
)
def test_a_loss_that_is_none_is_refused(kind: Estimator, loss: Any, text: str) -> None:
    with pytest.raises(SettingError, match=text):
        kind(loss=loss, max_iter=1).fit(*table(kind))


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "flow"},
        {"method": "spectral", "hidden": ()},
        {"method": "flow", "folds": 1, "early_stopping": True},
    ],
    ids=str,
)
def test_a_method_without_single_steps_fits_one_network_to_its_end(settings: Any) -> None:
    with pytest.raises(SettingError, match=f"'{settings['method']}' takes no single .* folds=1"):
        DescentRegressor(max_iter=9, **settings).fit(X, Y)
    alone = {**settings, "folds": 1, "early_stopping": False}
    DescentRegressor(max_iter=9, **alone).fit(X, Y)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("learning_rate", "did you mean lr"), ("fold", "did you mean folds"), ("q", "its parameters")],
)
def test_a_parameter_that_there_is_not(name: str, hint: str) -> None:
    settings: Any = {name: 1}
    with pytest.raises(InputError, match=f"^DescentRegressor has no parameter '{name}'; {hint}"):
        DescentRegressor(**settings)


def table(kind: Estimator) -> tuple[Any, Any]:
    return (X, Y) if kind is DescentRegressor else (IRIS, SPECIES)


@pytest.mark.parametrize("scale", [1e-4, 1e5])
@pytest.mark.parametrize("hidden", [(10,), (7, 5, 3)])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_learns_from_columns_of_any_scale(
    activation: str, hidden: tuple[int, ...], scale: float
) -> None:
    raw = X * scale ** np.linspace(-1, 1, 5) + 3 * scale
    model = plain(DescentRegressor, hidden=hidden, activation=activation, max_iter=4000).fit(
        raw, 100 + scale * Y
    )
    assert model.score(raw, 100 + scale * Y) > 0.9
    assert model.loss_ == pytest.approx(1 - model.score(raw, 100 + scale * Y), rel=1e-5)


def test_the_linear_model_is_the_least_squares_line() -> None:
    y = np.stack([Y, X[:, 0] - 3 * Y**2], 1)
    model = plain(DescentRegressor, hidden=(), max_iter=100_000).fit(X, y)
    assert model.method_ == "spectral"
    np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X))


def test_the_linear_classifier_is_on_its_way_to_logistic_regression() -> None:
    rows = SPECIES > 0  # two classes that overlap, so that there is a best line
    x, y = IRIS[rows], np.array(["versicolor", "virginica"])[SPECIES[rows] - 1]
    model = plain(DescentClassifier, hidden=(), max_iter=10_000, method="lbfgs").fit(x, y)
    peer = LogisticRegression(C=np.inf, tol=1e-9, max_iter=10_000).fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x), peer.predict_proba(x), atol=1e-3)
    assert model.classes_.tolist() == ["versicolor", "virginica"]


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_is_that_of_the_table(kind: Estimator, dtype: Any) -> None:
    x, y = table(kind)
    model = kind(max_iter=50).fit(x.astype(dtype), y)
    assert model.network_.theta.numpy().dtype == dtype
    outputs = model.predict(x) if kind is DescentRegressor else model.predict_proba(x)
    assert outputs.dtype == dtype


@BOTH
@pytest.mark.parametrize("method", ["steps", "adam"])
def test_a_warm_start_goes_on_with_the_same_bits(kind: Estimator, method: str) -> None:
    x, y = table(kind)
    whole = plain(kind, max_iter=2 * QUICK, method=method).fit(x, y)
    parts = plain(kind, max_iter=QUICK, method=method, warm_start=True).fit(x, y)
    half = parts.loss_curve_
    parts.fit(x, y)
    assert torch.equal(parts.network_.theta, whole.network_.theta)
    np.testing.assert_array_equal(parts.loss_curve_, whole.loss_curve_)
    np.testing.assert_array_equal(parts.loss_curve_[: QUICK + 1], half)
    assert parts.n_iter_ == 2 * QUICK == len(parts.loss_curve_) - 1


@pytest.mark.parametrize("hidden", [(), (7,)])
def test_a_warm_start_of_other_methods(hidden: tuple[int, ...]) -> None:
    settings: dict[str, Any] = {"hidden": hidden, "lr": 1e-3}
    whole = plain(DescentRegressor, max_iter=8000, **settings).fit(X, Y)
    parts = plain(DescentRegressor, max_iter=4000, warm_start=True, **settings).fit(X, Y).fit(X, Y)
    assert parts.method_ == whole.method_ == ("flow" if hidden else "spectral")
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=2e-4)


def test_a_warm_start_by_another_method_begins_where_the_last_one_ended() -> None:
    model = plain(DescentRegressor, max_iter=QUICK, method="adam", warm_start=True).fit(X, Y)
    before = model.loss_
    model.set_params(method="steps", lr=1e-3).fit(X, Y)
    assert model.n_iter_ == 2 * QUICK == len(model.loss_curve_) - 1
    assert model.loss_curve_[QUICK] == pytest.approx(before, rel=1e-12)
    assert (model.method_, model.lr_) == ("steps", 1e-3)


@BOTH
def test_partial_fit_takes_one_step(kind: Estimator) -> None:
    x, y = table(kind)
    whole = plain(kind, max_iter=5, method="steps").fit(x, y)
    parts = plain(kind, max_iter=20)
    for _ in range(5):
        first = {"classes": np.unique(y)} if kind is DescentClassifier else {}
        parts.partial_fit(x, y, **first)
    assert torch.equal(parts.network_.theta, whole.network_.theta)
    np.testing.assert_array_equal(parts.loss_curve_, whole.loss_curve_)
    parts.fit(x, y)  # which begins anew
    assert parts.n_iter_ == 20


@BOTH
@pytest.mark.parametrize(("hidden", "activation"), [((), "tanh"), ((4,), "relu"), ((4,), "silu")])
def test_weights_are_repeated_rows(
    kind: Estimator, hidden: tuple[int, ...], activation: str
) -> None:
    x, y = table(kind)
    count = np.random.default_rng(0).integers(0, 4, len(x))
    settings: dict[str, Any] = {"max_iter": QUICK, "hidden": hidden, "activation": activation}
    ours = plain(kind, **settings).fit(x, y, sample_weight=count)
    peer = plain(kind, **settings).fit(x.repeat(count, 0), y.repeat(count))
    assert ours.lr_ == peer.lr_
    np.testing.assert_allclose(ours.loss_curve_, peer.loss_curve_, rtol=1e-7)
    np.testing.assert_array_equal(ours.predict(x).round(5), peer.predict(x).round(5))


@BOTH
def test_rows_of_weight_zero_are_held_out_of_everything(kind: Estimator) -> None:
    x, y = table(kind)
    kept = np.arange(len(x)) % 3 > 0
    settings: dict[str, Any] = {"max_iter": 20, "validation_fraction": 0.3}
    ours = plain(kind, **settings).fit(x, y, sample_weight=kept)
    peer = plain(kind, **settings).fit(x[kept], y[kept])
    np.testing.assert_allclose(ours.validation_curve_, peer.validation_curve_)


@pytest.mark.parametrize("method", ["momentum", "nesterov"])
def test_other_methods_go_on_too(method: str) -> None:
    model = plain(DescentRegressor, max_iter=30, method=method, warm_start=True).fit(X, Y)
    before = model.loss_
    model.fit(X, Y).partial_fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) - 1 == 61
    assert model.loss_curve_[30] == pytest.approx(before, rel=1e-9)
    assert model.loss_ < before
    assert model.method_ == method


def test_several_outputs_keep_their_shape_and_descend_the_sum() -> None:
    y = np.stack([Y, 5 * X[:, 0]], 1)
    model = plain(DescentRegressor, max_iter=QUICK).fit(X, y)
    assert model.predict(X).shape == y.shape
    parts = 1 - r2_score(y, model.predict(X), multioutput="raw_values")
    assert model.loss_ == pytest.approx(parts.sum())
    assert DescentRegressor(max_iter=1).fit(X, Y[:, None]).predict(X).shape == (200, 1)


@BOTH
def test_the_validation_curve(kind: Estimator) -> None:
    x, y = table(kind)
    model = plain(kind, max_iter=1500, validation_fraction=0.25, warm_start=True, method="steps")
    model.fit(x, y)
    steps, losses = model.validation_steps_, model.validation_curve_
    scores = model.validation_scores_
    assert len(steps) == len(losses) == len(scores) >= 4
    assert (steps[0], steps[-1]) == (0, 1500)
    assert losses[-1] < 0.5 * losses[0]
    assert scores[-1] > scores[0]
    everything = model.score(x, y)  # of rows held out and others
    assert abs(scores[-1] - everything) < 0.1
    model.fit(x, y)
    again = model.validation_steps_
    assert (again[-1], len(set(again))) == (3000, len(again))
    np.testing.assert_array_equal(model.validation_curve_[: len(steps)], losses)


def test_the_rows_held_out_are_not_fitted() -> None:
    one = plain(DescentRegressor, max_iter=20, validation_fraction=0.5).fit(X, Y)
    squares = ((one.predict(X) - Y) ** 2).sum() / one._units.targets.var_[0]
    assert 100 * one.validation_curve_[-1] + 100 * one.loss_ == pytest.approx(squares)
    assert one.validation_curve_[-1] != pytest.approx(one.loss_, rel=1e-3)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@BOTH
def test_data_frames_have_names(kind: Estimator, frame: Any) -> None:
    x, y = table(kind)
    names = [f"column {i}" for i in range(x.shape[1])]
    table_ = frame({name: x[:, i] for i, name in enumerate(names)})
    target = pd.Series(y) if frame is pd.DataFrame else pl.Series(y)
    model = kind(max_iter=20).fit(table_, target)
    assert model.feature_names_in_.tolist() == names
    np.testing.assert_allclose(model.predict(table_), kind(max_iter=20).fit(x, y).predict(x))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table_[names[::-1]])


@BOTH
def test_it_is_copied_searched_piped_and_pickled(kind: Estimator) -> None:
    x, y = table(kind)
    search = GridSearchCV(
        make_pipeline(MinMaxScaler(), plain(kind, max_iter=QUICK)),
        {f"{kind.__name__.lower()}__hidden": [(), (3,)]},
        cv=3,
    ).fit(x, y)
    assert search.best_score_ > 0.7
    model = search.best_estimator_[-1]
    again = pickle.loads(pickle.dumps(model))
    inner = search.best_estimator_[0].transform(x)
    np.testing.assert_array_equal(again.predict(inner), model.predict(inner))
    again.set_params(warm_start=True).fit(inner, y)
    assert again.n_iter_ == 2 * QUICK
    assert clone(again).get_params()["warm_start"] is True
    assert kind.__name__ in model._repr_html_()


def test_interrupted_it_warns_and_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    take_steps, calls = FusedSteps.take_steps, []

    def interrupted(self: FusedSteps, theta: Any, lr: float, losses: Any) -> None:
        calls.append(len(losses))
        if sum(calls) > 2 * FusedSteps.block:
            raise KeyboardInterrupt
        take_steps(self, theta, lr, losses)

    monkeypatch.setattr(FusedSteps, "take_steps", interrupted)
    model = plain(DescentRegressor, max_iter=5000, method="steps", lr=0.01)
    with pytest.warns(UserWarning, match=r"interrupted after [\d,]+ steps; the model is the one"):
        model.fit(X, Y)
    assert 0 < model.n_iter_ < 5000
    assert model.n_iter_ == len(model.loss_curve_) - 1
    assert model.loss_ == pytest.approx(1 - model.score(X, Y))


def test_divergence_is_an_error_and_leaves_nothing_fitted() -> None:
    model = plain(DescentRegressor, activation="relu", max_iter=50).fit(X, Y)
    with pytest.raises(DivergedError, match=r"with lr=100, .* a stable lr is below"):
        model.set_params(lr=100.0).fit(X, Y)
    with pytest.raises(ValueError, match="is not fitted yet"):
        model.predict(X)


def test_it_says_how_it_was_fitted() -> None:
    model = plain(DescentRegressor, max_iter=3000, lr=1e-4).fit(X, Y)
    assert (model.method_, model.objective_, model.lr_) == ("flow", "fused", 1e-4)
    assert 0 < model.error_estimate_.deviation < 1e-4
    chosen = plain(DescentRegressor, max_iter=1).fit(X, Y)
    assert f"lr {chosen.lr_:g}: half of the largest" in chosen.lr_reason_
    assert plain(DescentRegressor, max_iter=1, method="adam").fit(X, Y).lr_ == 1e-3


def test_the_penalty_is_that_of_ridge_regression() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import scale

    x, y = scale(X), scale(Y)
    model = plain(
        DescentRegressor, hidden=(), max_iter=80_000, alpha=30, lr=0.05, standardize=False
    ).fit(x, y)
    ridge = Ridge(alpha=30).fit(x, y)
    np.testing.assert_allclose(model.predict(x), ridge.predict(x), rtol=1e-5, atol=1e-6)
    assert model.method_ == "spectral"
    with pytest.raises(SettingError, match="alpha must be a number, 0 or more, got -1"):
        DescentRegressor(alpha=-1).fit(x, y)
    free, held = (
        plain(DescentClassifier, max_iter=300, alpha=p).fit(X, Y.mean() < Y) for p in (0.0, 600.0)
    )
    assert held.network_.theta.norm() < free.network_.theta.norm()


def test_random_states() -> None:
    seeds: list[Any] = [3, np.random.RandomState(3), None]
    models = [DescentRegressor(7, max_iter=1, random_state=seed).fit(X, Y) for seed in seeds]
    thetas = [model.network_.theta for model in models]
    assert not any(torch.equal(one, other) for one, other in pairwise(thetas))
    again = DescentRegressor(7, max_iter=1, random_state=3).fit(X, Y)
    assert torch.equal(again.network_.theta, thetas[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": (3, 0)}, r"hidden must hold a positive whole number .* got \(3, 0\)"),
        ({"hidden": "wide"}, "got 'wide'"),
        ({"activation": "tan"}, "activation must be one of abs, cos, .* got 'tan'"),
        ({"lr": "fast"}, "lr must be 'auto' or a positive number, got 'fast'"),
        ({"lr": -1.0}, "lr must be a positive number, got -1.0"),
        ({"max_iter": 1.5}, "max_iter must be a whole number, 0 or more, got 1.5"),
        ({"max_iter": "100"}, "max_iter must be a whole number, 0 or more, got '100'"),
        ({"random_state": -5}, r"random_state must be 0 or more and below 2\*\*64, got -5"),
        ({"method": "newton"}, "method must be one of auto, steps"),
        ({"validation_fraction": 1.5}, "validation_fraction must be a number between 0 and 1"),
        ({"validation_fraction": "0.2"}, "validation_fraction must be a number .* got '0.2'"),
    ],
)
def test_settings_without_a_meaning(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        DescentRegressor(**{"max_iter": 1, **change}).fit(X, Y)


def test_an_activation_of_ones_own() -> None:
    by_name, by_class = (
        DescentRegressor(activation=activation, max_iter=5, folds=1).fit(X, Y)
        for activation in ("silu", functions.SiLU)
    )
    assert torch.equal(by_name.network_.theta, by_class.network_.theta)
    assert DescentRegressor(7, max_iter=1, folds=1).fit(X, Y).network_.theta.shape == (
        5 * 7 + 7 + 7 + 1,
    )


def test_without_standardising_the_network_sees_the_table_as_it_is() -> None:
    model = plain(DescentRegressor, max_iter=5, standardize=False).fit(X, Y)
    outputs = model.network_(torch.tensor(X)).detach().numpy()[:, 0]
    np.testing.assert_allclose(model.predict(X), outputs)
    assert model.loss_ == pytest.approx(((outputs - Y) ** 2).mean())


def test_targets_that_do_not_go_on() -> None:
    regressor = DescentRegressor(max_iter=1, warm_start=True).fit(X, Y)
    with pytest.raises(
        DataError, match=r"y must have as many columns as in .* had 1 then, and has 2 now"
    ):
        regressor.fit(X, np.stack([Y, Y], 1))
    classifier = DescentClassifier(max_iter=1, warm_start=True).fit(IRIS[:100], SPECIES[:100])
    with pytest.raises(DataError, match=r"y holds 2, which is none of the classes .*: 0, 1"):
        classifier.fit(IRIS, SPECIES)
    with pytest.raises(DataError, match="one class only, 0; a classifier needs"):
        DescentClassifier().fit(IRIS[:50], SPECIES[:50])
    with pytest.raises(SettingError, match="classes must be passed on the first call"):
        DescentClassifier().partial_fit(IRIS, SPECIES)


def test_the_page_about_it_runs() -> None:
    page = (ROOT / "docs" / "estimator.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "estimator.md", "exec"), names)
    assert names["model"].method_ == "lbfgs"
    assert names["plain"].method_ == "flow"


class Recorder:
    """A callback of scikit-learn's that keeps what it hears, and may stop a fit."""

    max_propagation_depth = None  # it goes into pipelines and searches

    def __init__(self, stop_at: int = -1) -> None:
        self.stop_at, self.begun, self.scores = stop_at, 0, []  # type: ignore[var-annotated]

    def setup(self, estimator: Any, context: Any) -> None:
        self.parts = context.max_subtasks

    def teardown(self, estimator: Any, context: Any) -> None:
        self.over = True

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.begun += 1

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, fitted_estimator: Any
    ) -> bool:
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
        return len(self.scores) == self.stop_at


@BOTH
def test_callbacks_hear_of_every_hundredth(kind: Estimator) -> None:
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    x, y = table(kind)
    recorder = Recorder()
    model = plain(kind, max_iter=2000, method="steps").set_callbacks(recorder).fit(x, y)
    assert (recorder.begun, recorder.parts, recorder.over) == (101, 100, True)
    assert len(recorder.scores) >= 4  # of the blocks of steps, and at the end
    assert recorder.scores[-1] == model.score(x, y) > recorder.scores[0]


def test_a_callback_may_stop_a_fit() -> None:
    pytest.importorskip("sklearn.callback", reason="callbacks came with scikit-learn 1.9")
    recorder = Recorder(stop_at=3)
    model = plain(DescentRegressor, max_iter=4000, method="steps").set_callbacks(recorder).fit(X, Y)
    assert 0 < model.n_iter_ < 4000
    assert recorder.scores[2] == pytest.approx(model.score(X, Y))


def test_scikit_learns_own_callbacks() -> None:
    callback = pytest.importorskip("sklearn.callback", reason="they came with scikit-learn 1.9")
    monitor = callback.ScoringMonitor(scoring="r2")
    plain(DescentRegressor, max_iter=4000, method="steps").set_callbacks(monitor).fit(X, Y)
    scores = [row["r2"] for row in monitor.get_logs().data]
    assert len(scores) >= 8
    assert max(scores) > 0.9


def test_without_scikit_learns_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)  # as before 1.9
    for name in [name for name in sys.modules if name.startswith("derivable.estimator")]:
        monkeypatch.delitem(sys.modules, name)
    older = importlib.import_module("derivable.estimator")
    model = older.DescentRegressor(max_iter=20, folds=1).fit(X, Y)
    assert not hasattr(model, "set_callbacks")
    assert model.n_iter_ == 20
