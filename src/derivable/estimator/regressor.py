"""`DescentRegressor`: gradient descent with scikit-learn's interface."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from torch import Tensor

from derivable.ensemble.folds import Array
from derivable.errors import DataError
from derivable.estimator.base import DescentEstimator
from derivable.estimator.callbacks import with_callbacks
from derivable.estimator.messages import say
from derivable.estimator.settings import loss_for
from derivable.loss import Loss


class DescentRegressor(RegressorMixin, DescentEstimator):
    """Small neural networks, a linear model, or both: what predicts best rows held out.

    By default ten networks are fitted by L-BFGS, each without another tenth of the rows, and all
    end after the number of steps at which the mean loss on these tenths is least. Linear models are
    fitted beside them, with penalties from strong to weak. The prediction is the mean of the
    networks, the linear model, or a mixture of both; the linear model alone unless another predicts
    rows held out better by more than one standard error. The error is that of the mean difference
    over rows, each predicted with the mixture that is best on the other folds.
    `chosen_` is which, `choices_` has all of them.
    With `folds=1` and `method="auto"` it is plain gradient descent, as `descend` takes it.

    Parameters
    ----------
    hidden : "auto", int or tuple of int, default="auto"
        Units of each hidden layer of each network; () is a linear model. "auto" chooses between
        (32,), a linear model and mixtures of both, with several folds and L-BFGS; else it is (32,),
        and linear for a table of fewer than 20 rows.
    activation : str or Function class, default="relu"
        The name of an elementwise function of the library in lower case, or a Function.
    lr : "auto" or float, default="auto"
        The learning rate. "auto" tries rates from the inverse of the largest eigenvalue of the
        Hessian of a linear model's loss on this table downwards, and takes half of the first at
        which the loss never rose in 500 steps; `lr_` and `lr_reason_` are which and why.
    max_iter : int, default=1000
        Steps of a fit, or iterations of L-BFGS: at most so many of each network with several folds;
        all of them with folds=1, unless L-BFGS converges.
    method : str, default="lbfgs"
        "lbfgs", "momentum", "nesterov", "adam" or "steps"; with folds=1 also the other methods of
        `descend`, which take no single steps.
    tolerance : float, default=1e-4
        How far a method that is not exact may deviate, relative, in every loss.
    loss : str, Function class or Loss, default="mse"
        What is minimised: "mse", "l1", "huber", "logcosh", a Function of prediction and target, or
        one with options, such as "huber:delta=0.5" or `Loss(Huber, delta=0.5)`; in the units that
        are fitted.
    alpha : "auto" or float, default="auto"
        The L2 penalty, that of scikit-learn: of Ridge and MLPRegressor. `alpha` / 2 times the
        squared length of all weights, without the biases, is added to the sum over the rows of the
        loss, which of "mse" is half of the squared error; in the units that are fitted. "auto"
        chooses that of a linear model, from 10,000 to 0.001: with "mse" by the error on rows left
        out one by one, as RidgeCV does, with other losses by that on the rows held out of the
        folds. Networks have 0.5. `alpha_` is which, and `penalty_` the same for the mean loss:
        2 `alpha_` / N of "mse", `alpha_` / N of others. `loss_curve_` has it, `validation_curve_`
        has not.
    folds : int, default=10
        Parts of the rows, each of which is held out of one network and one linear model. Rows of
        equal features are in one fold, and a fold has at least 10 different rows; where there are
        fewer than 20, a single model is fitted. Of a large table, fewer folds have a network, at
        least 3, and a network has at most 20,000 rows. 1 is one network on all rows, which takes
        all its steps.
    standardize : bool, default=True
        Fit in standardised units: features and targets less their mean, over their deviation, both
        of the (weighted) rows that train. Descent needs it: a column in thousands makes the loss
        so steep in one direction that no learning rate suits the others. Predictions are in the
        targets' own units; `loss_curve_` is in standardised ones, so that for one output it
        is 1 - R^2. With False the network sees X and y as they are.
    categorical_features : "from_dtype", None, or names, numbers or a mask, default="from_dtype"
        Columns that are categories, as of HistGradientBoostingRegressor: one column of 0 and 1 for
        each category. "from_dtype" are the columns of a data frame with such a dtype. A category
        that the fit has not seen is none.
    early_stopping : bool, default=False
        With folds=1: whether a fit ends where the loss on rows held out is least, a tenth of them
        or `validation_fraction`. Networks of several folds always do.
    validation_fraction : float or None, default=None
        Share of the rows that is held out of the fit, for the validation curve; with folds=1.
    warm_start : bool, default=False
        Whether `fit` goes on from where the last one ended: twice n steps are 2 n steps. Units,
        validation rows and an automatic learning rate stay those of the first fit. With several
        folds, each network goes on from where it ended, and the choice is made again.
    random_state : int, RandomState or None, default=0
        Draws the weights at the start, the folds and the validation rows.

    Attributes
    ----------
    network_ : Network
        The fitted network, a `torch.nn.Module`, in the units that it was fitted in. Those of
        several folds are combined in it; its outputs are the mean of theirs.
    coef_, intercept_ : ndarray of shape (D,) or (K, D), float or ndarray of shape (K,)
        Of a linear model, hidden=(): weights and constants, in the own units of X and y.
    loss_curve_ : ndarray of shape (n_iter_ + 1,)
        The loss before each step, and after the last; with several folds the mean of theirs, each
        of which keeps its last.
    fold_scores_ : ndarray of shape (folds,)
        The `score` of the model on the rows of each fold, with the network and the linear
        model that were not fitted on them; empty for a single network.
    chosen_, chosen_reason_ : str
        What was chosen, such as "10 x relu(32), alpha=0.5", and why.
    choices_ : list of dict
        All that was tried, the least loss first: `model`, `alpha`, `share` of the networks in a
        mixture, `loss` on rows held out, its standard `error` over so many `folds`, of ridge
        regression the error on rows `left_out` one by one, and whether it was `chosen`.
        `pandas.DataFrame(model.choices_)` is a table. Empty for a single network.
    loss_ : float
        The last of them.
    validation_curve_, validation_scores_ : ndarray of shape (n_snapshots,)
        The same loss, and the `score`, on the rows held out, after `validation_steps_` steps:
        about 128 of them along the way. Empty without `validation_fraction`.
    n_iter_ : int
        Steps taken; of several networks, the most that one of them keeps.
    alpha_, penalty_ : float
        The penalty of the networks, or of the linear model where that was chosen, for the sum over
        the rows and for their mean.
    lr_, lr_reason_ : float, str
        The learning rate, and why it is this one.
    method_, objective_ : str
        How the steps were taken, and what computed the gradient.
    error_estimate_ : ErrorEstimate
        How far the fit, with those that it goes on from, is from exact steps.
    n_features_in_, feature_names_in_ : int, ndarray
        What `fit` saw.

    """

    _own_units = False

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take at most `max_iter` steps on X (N, D) and y (N,) or (N, K).

        A row of weight 3 counts as three rows, one of weight 0 as none. An interruption (Ctrl-C)
        warns and keeps what is there. Raises DivergedError when the loss stops being finite.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Take one step on this table; units and learning rate are those of the first 100 rows."""
        return self._fit_once(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """The predictions for X (N, D), of the shape that y had."""
        outputs = self._outputs(X)
        predictions: Array = self._units.predictions(outputs)
        return predictions if self._columns else predictions[:, 0]

    def _read(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array, Array]:
        X, y = self._validated(X, y, reset=reset, multi_output=True, y_numeric=True)
        targets = y.reshape(len(y), -1).astype(X.dtype)
        if reset:
            self.n_outputs_, self._columns = targets.shape[1], y.ndim > 1
        elif targets.shape[1] != self.n_outputs_:
            gaps = {"then": self.n_outputs_, "now": targets.shape[1]}
            raise DataError(say("as_many_targets", **gaps))
        return X, y, targets

    def _parsed_loss(self) -> Loss:
        return loss_for(self.loss)

    def _width(self, targets: Tensor) -> int:
        return targets.size(1)

    def _shaped(self, weights: Array, constants: Array) -> tuple[Array, Any]:
        return (weights, constants) if self._columns else (weights[0], constants[0])

    def _score_of(self, outputs: Array, targets: Array, weight: Array | None) -> float:
        return float(r2_score(targets, outputs, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
