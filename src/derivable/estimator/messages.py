"""The messages of the estimators."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "not_fitted": (
        "this {name} is not fitted yet; coef_ and intercept_ are those of a linear model: "
        "{name}(hidden=()).fit(X, y)",
        "ce {name} n'est pas encore ajusté ; coef_ et intercept_ sont ceux d'un modèle linéaire : "
        "{name}(hidden=()).fit(X, y)",
    ),
    "hidden_layers": (
        "this {name} has hidden layers; coef_ and intercept_ are those of a linear model: "
        "{name}(hidden=()).fit(X, y)",
        "ce {name} a des couches cachées ; coef_ et intercept_ sont ceux d'un modèle linéaire : "
        "{name}(hidden=()).fit(X, y)",
    ),
    "categorical": (
        "categorical_features must be 'from_dtype', None, or names, numbers or a mask of columns; "
        "got {got!r}",
        "categorical_features doit être 'from_dtype', None, ou des noms, des numéros ou un masque "
        "de colonnes ; reçu {got!r}",
    ),
    "categorical_mask": (
        "categorical_features is a mask of {given} columns, and X has {columns}",
        "categorical_features est un masque de {given} colonnes, et X en a {columns}",
    ),
    "categorical_column": (
        "categorical_features has {got!r}, which is no column of X",
        "categorical_features contient {got!r}, qui n'est pas une colonne de X",
    ),
    "as_many_targets": (
        "y must have as many columns as in the first fit, to go on from it; it had {then} then, "
        "and has {now} now",
        "y doit avoir autant de colonnes qu'au premier ajustement pour le continuer ; il en avait "
        "{then}, et en a {now}",
    ),
    "warm_start": (
        "a warm start goes on with as many networks as there are, {networks}, and this table has "
        "rows for {folds}; set folds=1 or warm_start=False",
        "une reprise (warm_start) continue avec autant de réseaux qu'il y en a, {networks}, et ce "
        "tableau a des lignes pour {folds} ; prenez folds=1 ou warm_start=False",
    ),
    "loss": (
        "loss must be one of {names}, a Function, or one with options such as 'huber:delta=0.5' or "
        "Loss(Huber, delta=0.5); got {got!r}",
        "loss doit être l'une des valeurs {names}, une Function, ou une perte avec options, comme "
        "'huber:delta=0.5' ou Loss(Huber, delta=0.5) ; reçu {got!r}",
    ),
    "class_loss": (
        "loss of a classifier must be 'crossentropy', or with options "
        "'crossentropy:label_smoothing=0.1' or Loss(CrossEntropy, label_smoothing=0.1); got "
        "{got!r}",
        "la perte d'un classifieur doit être 'crossentropy', ou avec options "
        "'crossentropy:label_smoothing=0.1' ou Loss(CrossEntropy, label_smoothing=0.1) ; reçu "
        "{got!r}",
    ),
    "random_state": (
        "random_state must be 0 or more and below 2**64, got {got!r}",
        "random_state doit être compris entre 0 inclus et 2**64 exclu, reçu {got!r}",
    ),
    "lr": (
        "lr must be 'auto' or a positive number, got {got!r}",
        "lr doit être 'auto' ou un nombre positif, reçu {got!r}",
    ),
    "as_given": ("lr {lr!r}: as given", "lr {lr!r} : comme donné"),
    "no_rate": ("L-BFGS has no learning rate", "L-BFGS n'a pas de pas d'apprentissage"),
    "usual_rate": ("lr {lr}: Adam's usual one", "lr {lr} : le pas habituel d'Adam"),
    "rate_of_batches": (
        "{reason}, times {share}: momentum adds up the batches' steps",
        "{reason}, multiplié par {share} : l'inertie additionne les pas des lots",
    ),
    "validation_fraction": (
        "validation_fraction must be a number between 0 and 1, or None for no validation rows; got "
        "{got!r}",
        "validation_fraction doit être un nombre entre 0 et 1, ou None pour aucune ligne de "
        "validation ; reçu {got!r}",
    ),
    "validation_folds": (
        "validation_fraction goes with a single network, and each of several holds out rows of its "
        "own; set folds=1, or leave validation_fraction out; got folds={folds}",
        "validation_fraction demande un seul réseau, car chacun de plusieurs met de côté ses "
        "propres lignes ; prenez folds=1, ou omettez validation_fraction ; reçu folds={folds}",
    ),
    "counted": (
        "method {method!r} takes no single steps, and with several folds or early_stopping=True a "
        "fit ends at the step where rows held out are predicted best; set folds=1 and "
        "early_stopping=False, or take one of {known}",
        "la méthode {method!r} ne fait pas de pas séparés, et avec plusieurs folds ou "
        "early_stopping=True un ajustement finit au pas où les lignes mises de côté sont le mieux "
        "prédites ; prenez folds=1 et early_stopping=False, ou l'une de {known}",
    ),
    "no_parameter": (
        "{estimator} has no parameter {name!r}; {hint}",
        "{estimator} n'a pas de paramètre {name!r} ; {hint}",
    ),
    "did_you_mean": ("did you mean {name}?", "vouliez-vous dire {name} ?"),
    "parameters": ("its parameters are {names}", "ses paramètres sont {names}"),
    "alpha": (
        "alpha must be 'auto' or a number, 0 or more, got {got!r}",
        "alpha doit être 'auto' ou un nombre positif ou nul, reçu {got!r}",
    ),
    "class_weight": (
        "class_weight must be 'balanced', or a dict with the weight of a label for each label that "
        "does not count as 1; got {got!r}",
        "class_weight doit être 'balanced', ou un dictionnaire avec le poids de chaque étiquette "
        "qui ne compte pas pour 1 ; reçu {got!r}",
    ),
    "weight_of_none": (
        "class_weight has a weight for {label!r}, which is none of the classes: {classes}",
        "class_weight donne un poids à {label!r}, qui n'est pas l'une des classes : {classes}",
    ),
    "first_classes": (
        "classes must be passed on the first call to partial_fit: all labels that will ever come",
        "classes doit être donné au premier appel de partial_fit : toutes les étiquettes à venir",
    ),
    "balanced_in_part": (
        "class_weight='balanced' needs all rows at once, and partial_fit has some; name the "
        "weights, for example class_weight={{label: weight}}",
        "class_weight='balanced' demande toutes les lignes à la fois, et partial_fit n'en a qu'une "
        "partie ; donnez les poids, par exemple class_weight={{étiquette: poids}}",
    ),
    "one_class": (
        "y holds one class only, {classes}; a classifier needs rows of at least two classes",
        "y ne contient qu'une classe, {classes} ; un classifieur demande des lignes d'au moins "
        "deux classes",
    ),
    "unknown_class": (
        "y holds {label}, which is none of the classes that the first fit saw: {classes}",
        "y contient {label}, qui n'est pas l'une des classes du premier ajustement : {classes}",
    ),
    "interrupted": (
        "the fit was interrupted after {steps:,} steps; the model is the one there",
        "l'ajustement a été interrompu après {steps:,} pas ; le modèle est celui de ce moment",
    ),
    "none_held_out": (
        "fewer than 20 different rows: none can be held out",
        "moins de 20 lignes différentes : aucune ne peut être mise de côté",
    ),
    "single_model": ("a single model", "un seul modèle"),
    "asked": (
        "a callback of scikit-learn asked for it",
        "un callback de scikit-learn l'a demandé",
    ),
}
say = Catalogue(_TEXTS)
