"""The messages of models that are fitted by folds."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "as_given": ("as given", "comme donné"),
    "least_penalty": ("the least of {n} penalties", "la meilleure de {n} pénalités"),
    "least_left_out": (
        "of {n} penalties that with the least squared error on rows left out one by one",
        "de {n} pénalités, celle de la plus petite erreur quadratique sur des lignes exclues une "
        "à une",
    ),
    "networks_worse": (
        "{n} networks predict worse on all rows that they were not fitted on",
        "{n} réseaux prédisent moins bien toutes les lignes mises de côté",
    ),
    "networks_no_better": (
        "networks, alone or mixed with the linear model, do not predict rows held out better by "
        "more than one standard error",
        "les réseaux, seuls ou mélangés au modèle linéaire, ne prédisent pas mieux, de plus d'une "
        "erreur-type, les lignes mises de côté",
    ),
    "lower_loss": (
        "loss {loss:.4g} on rows held out, and {other:.4g} of {name}",
        "perte {loss:.4g} sur les lignes mises de côté, et {other:.4g} du modèle {name}",
    ),
    "at_minimum": (
        "the loss of a linear model is at its minimum",
        "la perte d'un modèle linéaire a atteint son minimum",
    ),
    "elementwise": (
        "the networks of several folds become one, for which the activation must be elementwise, "
        "and this one is not; fit a single network with folds=1",
        "les réseaux de plusieurs plis n'en font qu'un, ce qui demande une activation élément par "
        "élément, et celle-ci ne l'est pas ; ajustez un seul réseau avec folds=1",
    ),
    "hidden": (
        "hidden must hold a positive whole number of units for each hidden layer, such as (10,), "
        "or () for a linear model; got {got!r}",
        "hidden doit contenir un nombre entier positif d'unités pour chaque couche cachée, comme "
        "(10,), ou être () pour un modèle linéaire ; reçu {got!r}",
    ),
    "activation": (
        "activation must be one of {names}, or a Function class; got {got}",
        "activation doit être l'une des valeurs {names}, ou une classe Function ; reçu {got}",
    ),
}
say = Catalogue(_TEXTS)
