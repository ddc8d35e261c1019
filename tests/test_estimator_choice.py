"""What the estimators choose by the rows held out of each fold, and on which tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from derivable import DescentClassifier, DescentRegressor, Loss
from derivable.ensemble.folds import HELD_ROWS, ROWS_OF_A_NETWORK, fold_of_rows, folds_of
from derivable.ensemble.lines import _path, thetas_of
from derivable.ensemble.mean import mean_of, through_relu
from derivable.ensemble.start import network_for
from derivable.errors import SettingError
from derivable.functions import MSE, CrossEntropy
from derivable.objective import ByHand
from derivable.problem import Problem
from tests.test_estimator import BOTH, IRIS, SPECIES, Estimator, X, Y, table

FEW: dict[str, Any] = {"max_iter": 60}


def test_on_a_line_in_noise_the_linear_model_is_chosen() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(211, 7))
    y = x @ draw.normal(size=7) + 3 * draw.normal(size=211)
    model = DescentRegressor().fit(x, y)
    assert model.chosen_.startswith("linear, alpha=")
    ridge = make_pipeline(StandardScaler(), Ridge(model.alpha_)).fit(x, y)
    np.testing.assert_allclose(model.predict(x), ridge.predict(x), rtol=1e-3, atol=1e-3)
    assert model.coef_.shape == (7,)
    assert len(model.fold_scores_) == 10
    (chosen,) = (row for row in model.choices_ if row["chosen"])
    assert (chosen["model"], chosen["alpha"]) == ("linear", model.alpha_)
    assert any(row["model"] == "relu(32)" for row in model.choices_)
    assert chosen["loss"] == pytest.approx(1 - model.fold_scores_.mean(), rel=0.2)


def test_more_columns_than_rows() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 131))
    y = x[:, :5].sum(1)
    model = DescentRegressor().fit(x[:50], y[:50])
    assert model.chosen_.startswith("linear")
    assert model.score(x[50:], y[50:]) > 0
    labels = (y > 0).astype(int)
    assert DescentClassifier().fit(x[:50], labels[:50]).score(x[50:], labels[50:]) >= 0.5


def test_a_curve_is_learned_by_networks() -> None:
    model: Any = DescentRegressor().fit(X, Y)
    assert "x relu(32)" in model.chosen_
    assert model.choices_[0]["chosen"], "the least loss on rows held out"
    lines = [row["loss"] for row in model.choices_ if row["model"] == "linear"]
    assert model.choices_[0]["loss"] < min(lines)


def test_a_mixture_is_one_network() -> None:
    x, y = load_diabetes(return_X_y=True)
    model: Any = DescentRegressor(**FEW).fit(x, y)
    ensemble = model._model
    assert 0 < ensemble.share < 1, model.chosen_
    inputs = model._units.inputs(x)
    of_line = ensemble.line.forward_by_hand(inputs)[0]
    of_networks = torch.stack([one.forward_by_hand(inputs)[0] for one in ensemble.members]).mean(0)
    mixed = ensemble.share * of_networks + (1 - ensemble.share) * of_line
    torch.testing.assert_close(model._outputs(x), mixed)


def test_a_line_is_mixed_with_networks_of_relu_alone() -> None:
    x, y = load_diabetes(return_X_y=True)
    for activation, tried in (("relu", {"mixture", "relu(32)"}), ("tanh", {"tanh(32)"})):
        model: Any = DescentRegressor(activation=activation, folds=3, max_iter=10).fit(x, y)
        assert {row["model"] for row in model.choices_} == {"linear", *tried}


@pytest.mark.parametrize("hidden", [(7,), (7, 5), (7, 5, 3)])
def test_a_linear_model_goes_through_relu(hidden: tuple[int, ...]) -> None:
    x = torch.tensor(X)
    line = network_for(5, 2, (), "relu", 1, torch.float64)
    like = network_for(5, 2, hidden, "relu", 2, torch.float64)
    same = through_relu(line, like)
    torch.testing.assert_close(same.forward_by_hand(x)[0], line.forward_by_hand(x)[0])
    mean = mean_of([same, like], [0.25, 0.75]).forward_by_hand(x)[0]
    each = 0.25 * line.forward_by_hand(x)[0] + 0.75 * like.forward_by_hand(x)[0]
    torch.testing.assert_close(mean, each)


@pytest.mark.parametrize("columns", [5, 211])
def test_all_penalties_of_ridge_regression_at_once(columns: int) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(97, columns)), draw.normal(size=(97, 2))
    weight = torch.tensor(draw.uniform(0.2, 2, size=97))
    line = network_for(columns, 2, (), "relu", 1, torch.float64)
    problem = Problem(line, MSE, torch.tensor(x), torch.tensor(y), weight)
    ours = list(thetas_of(problem, [0.3, 0.02]))
    stepped = _path(problem, [0.3, 0.02])
    for theta, by_steps, penalty in zip(ours, stepped, [0.3, 0.02], strict=True):
        ridge = Ridge(penalty / 2 * float(weight.sum())).fit(x, y, sample_weight=weight)
        w, b = line.unflatten(theta)
        np.testing.assert_allclose(w.numpy().T, ridge.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(b, ridge.intercept_, rtol=1e-6, atol=1e-9)
        if columns > 97:  # no minimum, which a choice does not need
            continue
        objective = ByHand(replace(problem, penalty=penalty))
        least = objective.value(theta).item()
        assert least <= objective.value(by_steps).item() <= least * (1 + 1e-3)


def test_a_linear_classifier_is_logistic_regression() -> None:
    model = DescentClassifier((), alpha=3).fit(IRIS, SPECIES)
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=1 / 3)).fit(IRIS, SPECIES)
    np.testing.assert_allclose(model.predict_proba(IRIS), peer.predict_proba(IRIS), atol=1e-3)


@BOTH
@pytest.mark.parametrize("rows", [10, 23])
def test_few_rows(kind: Estimator, rows: int) -> None:
    x, y = table(kind)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    model = kind().fit(x[:rows], y[:rows])
    assert model.score(x, y) > (0.3 if kind is DescentRegressor else 0.7)


def test_a_target_that_is_constant() -> None:
    everywhere = DescentRegressor(**FEW).fit(X, np.full(len(X), 7.0))
    np.testing.assert_allclose(everywhere.predict(X), 7.0, atol=1e-6)
    assert np.isfinite(everywhere.fold_scores_).all()
    fold = fold_of_rows(X, None, 10, 0)
    y = np.where(fold == 0, Y.mean(), Y)
    model = DescentRegressor(**FEW).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.fold_scores_).all()
    assert model.score(X, y) > 0.7
    labels = (fold == 0).astype(int)
    assert DescentClassifier(**FEW).fit(X, labels).predict_proba(X).mean() == pytest.approx(0.5)


def test_of_many_rows_a_network_has_some() -> None:
    rows = 70_000
    x = torch.zeros(rows, 1)
    (train, held), _ = folds_of((x, x, torch.arange(rows)), np.arange(rows) % 3, 2)
    assert (len(train[0]), len(held[0])) == (ROWS_OF_A_NETWORK, HELD_ROWS)
    (train, held), *_ = folds_of((x, x, torch.arange(rows)), np.arange(rows) % 10, 1)
    assert train[2] is not None
    assert len(train[2]) == ROWS_OF_A_NETWORK == len(train[2].unique())
    assert (train[2] % 10 != 0).all()


@pytest.mark.parametrize("kind", ["pandas", "polars", "array"])
@pytest.mark.parametrize("estimator", [DescentRegressor, DescentClassifier])
def test_categories_are_columns_of_zero_and_one(kind: str, estimator: Estimator) -> None:
    draw = np.random.default_rng(0)
    colours = np.array(["red", "green", "blue"])[draw.integers(0, 3, 150)]
    numbers = draw.normal(size=150)
    values = numbers + np.where(colours == "red", 3.0, 0.0)
    y = values if estimator is DescentRegressor else (values > 1).astype(int)
    frame: Any = pd.DataFrame({"size": numbers, "colour": pd.Categorical(colours)})
    settings: dict[str, Any] = dict(FEW)
    if kind == "polars":
        frame = pl.DataFrame({"size": numbers, "colour": colours}).with_columns(
            pl.col("colour").cast(pl.Categorical)
        )
    elif kind == "array":
        frame = frame.to_numpy(dtype=object)
        settings["categorical_features"] = [1]
    model = estimator(**settings).fit(frame, y)
    coded = np.column_stack([OneHotEncoder().fit_transform(colours[:, None]).toarray(), numbers])
    peer = estimator(**FEW).fit(coded, y)
    np.testing.assert_allclose(model.predict(frame), peer.predict(coded))
    assert model.n_features_in_ == 2
    if kind == "pandas":
        assert list(model.feature_names_in_) == ["size", "colour"]
        other = frame.assign(colour=pd.Categorical(["violet"] * 150))
        none = np.column_stack([np.zeros((150, 3)), numbers])
        np.testing.assert_allclose(model.predict(other), peer.predict(none))
        for named in (["colour"], [1], [False, True]):
            same = estimator(categorical_features=named, **settings).fit(frame, y)
            np.testing.assert_array_equal(same.predict(frame), model.predict(frame))


def test_numbers_that_are_called_categories_stay_numbers_where_none_is_meant() -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": pd.Categorical(np.arange(len(X)) % 3)})
    numbers = frame.astype(float).to_numpy()
    settings: dict[str, Any] = {"hidden": (), "folds": 1, "max_iter": 9}
    plain = DescentRegressor(**settings).fit(numbers, Y)
    model = DescentRegressor(categorical_features=None, **settings).fit(frame, Y)
    np.testing.assert_array_equal(model.predict(frame), plain.predict(numbers))
    coded = DescentRegressor(**settings).fit(frame, Y)
    assert not np.allclose(coded.predict(frame), plain.predict(numbers))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("dtype", "must be 'from_dtype', None, or names"),
        (["colour"], "has 'colour', which is no column of X"),
        ([5], "has 5, which is no column"),
        ([True, False], "is a mask of 2 columns, and X has 5"),
    ],
)
def test_categories_that_are_none(features: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        DescentRegressor(categorical_features=features).fit(X, Y)


@BOTH
def test_weights_are_routed(kind: Estimator) -> None:
    x, y = table(kind)
    weight = np.random.default_rng(0).integers(0, 3, len(x)).astype(float)
    settings: dict[str, Any] = {"hidden": (), "folds": 1, "max_iter": 9}
    with sklearn.config_context(enable_metadata_routing=True):
        model = kind(**settings).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        params = {"sample_weight": weight}
        grid = GridSearchCV(model, {"alpha": [0.1, 30.0]}, cv=3).fit(x, y, **params)
        weighted = cross_val_score(model, x, y, cv=3, params=params)
        plain = cross_val_score(kind(**settings), x, y, cv=3)
    direct = kind(alpha=grid.best_params_["alpha"], **settings).fit(x, y, sample_weight=weight)
    np.testing.assert_array_equal(grid.predict(x), direct.predict(x))
    assert not np.array_equal(weighted, plain)
    assert direct.score(x, y, sample_weight=weight) != direct.score(x, y)


def test_no_hidden_layer_of_a_loss_of_ones_own() -> None:
    smooth = Loss(CrossEntropy, label_smoothing=0.1)
    model = DescentClassifier((), loss=smooth).fit(IRIS, SPECIES)
    assert model.score(IRIS, SPECIES) > 0.93
    assert len(model.choices_) > 1
