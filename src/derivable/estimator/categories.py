"""Columns of categories, as columns of 0 and 1."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder

from derivable.ensemble.folds import Array
from derivable.errors import SettingError
from derivable.estimator.messages import say

OF_CATEGORIES = ("category", "Categorical", "Enum")  # dtypes of pandas and polars, as text


class Categories:
    """What encodes the columns of one table that are categories; the others stay as they are.

    A category that was not there in the fit is none: its columns are 0. A missing value is a
    category of its own.
    """

    def __init__(self, columns: list[Any]) -> None:
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        self._columns = ColumnTransformer(
            [("categories", encoder, columns)], remainder="passthrough", sparse_threshold=0
        )

    @classmethod
    def of(cls, features: Any, X: Any) -> Self | None:
        """That of the parameter `categorical_features`; None where no column is meant."""
        columns = _columns(features, X)
        return cls(columns) if columns else None

    def encoded(self, X: Any, *, fit: bool) -> Array:
        """X (N, D) with the categories as columns, numbers all of them."""
        X = X if hasattr(X, "columns") else np.asarray(X, dtype=object)
        encoded = self._columns.fit_transform(X) if fit else self._columns.transform(X)
        return np.asarray(encoded, dtype=np.float64)


def _columns(features: Any, X: Any) -> list[Any]:
    """The columns that are meant: names, or numbers where X has no names."""
    names = list(X.columns) if hasattr(X, "columns") else None
    if features is None:
        return []
    if isinstance(features, str):
        if features != "from_dtype":
            raise SettingError(say("categorical", got=features))
        return [name for name in names or [] if str(X[name].dtype).startswith(OF_CATEGORIES)]
    count = len(names) if names is not None else np.shape(X)[1]
    given = list(features)
    if given and all(isinstance(one, bool | np.bool_) for one in given):
        if len(given) != count:
            raise SettingError(say("categorical_mask", given=len(given), columns=count))
        given = [k for k, one in enumerate(given) if one]
    for one in given:
        is_known = one in names if isinstance(one, str) and names else one in range(count)
        if not is_known:
            raise SettingError(say("categorical_column", got=one))
    return [one if isinstance(one, str) else int(one) for one in given]
