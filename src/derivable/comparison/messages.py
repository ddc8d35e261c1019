"""The messages of a comparison."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # rows in several processes
    "parts_stopping": (
        "early stopping needs the rows held out in one process, and with --parts each process "
        "reads some of the rows; leave out one of the two",
        "l'arrêt anticipé demande les lignes mises de côté dans un seul processus, et avec --parts "
        "chacun lit une partie des lignes ; omettez l'un des deux",
    ),
    "parts_auto": (
        "auto needs all rows in one process, and with --parts each process reads some of them; "
        "name models, such as linear,tanh:10",
        "auto demande toutes les lignes dans un seul processus, et avec --parts chacun en lit une "
        "partie ; indiquez des modèles, comme linear,tanh:10",
    ),
    # what a loss measures
    "measure_MSE": ("mean squared error", "erreur quadratique moyenne"),
    "measure_L1": ("mean absolute error", "erreur absolue moyenne"),
    "measure_CrossEntropy": ("cross-entropy", "entropie croisée"),
    "loss_of": ("{measure} of {target}", "{measure} de {target}"),
    "loss_of_std": (
        "{measure} of {target} in standard deviations",
        "{measure} de {target}, en écarts-types",
    ),
    "loss_of_targets": ("{measure} of {n} targets", "{measure} de {n} cibles"),
    "loss_of_targets_std": (
        "{measure} of {n} targets in standard deviations",
        "{measure} de {n} cibles, en écarts-types",
    ),
    "loss_summed": (
        "{measure}, summed over {n} targets",
        "{measure}, sommée sur {n} cibles",
    ),
    "loss_summed_std": (
        "{measure} in standard deviations, summed over {n} targets",
        "{measure} en écarts-types, sommée sur {n} cibles",
    ),
    # why a model or a learning rate is what it is
    "none_held_out": (
        "fewer than 20 different rows: none can be held out",
        "moins de 20 lignes différentes : aucune ne peut être mise de côté",
    ),
    "as_asked": ("as asked", "comme demandé"),
    # options
    "protocol": (
        "protocol must be one of {names}; got {got!r}",
        "protocol doit être l'une des valeurs {names} ; reçu {got!r}",
    ),
    "of_training": (
        "{name} is one of a training; give it or training=",
        "{name} fait partie d'un entraînement ; donnez cette option ou training=",
    ),
    "lr": (
        "lr must be a positive number or auto, got {got!r}",
        "lr doit être un nombre positif ou auto, reçu {got!r}",
    ),
    "class_weight": (
        "class_weight must be 'balanced' or None, got {got!r}",
        "class_weight doit être 'balanced' ou None, reçu {got!r}",
    ),
    "schedule": (
        "schedule must be text such as 'cosine:warm_up=100', or make the schedule of each model "
        "from its learning rate, as functools.partial(Cosine, warm_up=100) does; the rate itself "
        "is lr=; got {got!r}",
        "schedule doit être un texte comme 'cosine:warm_up=100', ou faire l'évolution de chaque "
        "modèle à partir de son pas d'apprentissage, comme functools.partial(Cosine, "
        "warm_up=100) ; le pas lui-même est lr= ; reçu {got!r}",
    ),
    "watch": (
        "watch must be True, False or a function that is called as watch(model, done, loss), got "
        "{got!r}",
        "watch doit être True, False ou une fonction appelée par watch(model, done, loss), reçu "
        "{got!r}",
    ),
    "of_kind": (
        "{name} must be a {kind}, got {got!r}",
        "{name} doit être un objet {kind}, reçu {got!r}",
    ),
    "validation": (
        "validation is the share of the training rows that is held out, a number between 0 and 1, "
        "got {got!r}",
        "validation est la part des lignes d'apprentissage mises de côté, un nombre entre 0 et 1, "
        "reçu {got!r}",
    ),
    "with_early_stopping": (
        "--{name} goes with --early-stopping; give that as well",
        "--{name} va avec --early-stopping ; donnez aussi cette option",
    ),
    "weight_of_numbers": (
        "class_weight goes with a target of classes, and {target!r} is numbers; --task "
        "classification takes these for classes",
        "class_weight demande une cible de classes, et {target!r} contient des nombres ; --task "
        "classification les prend pour des classes",
    ),
    "no_labels": (
        "the target {target!r} is of {n} classes, and {loss} does not take outputs (N, C) with "
        "labels (N,); leave --loss out",
        "la cible {target!r} a {n} classes, et {loss} n'accepte pas de sorties (N, C) avec des "
        "étiquettes (N,) ; omettez --loss",
    ),
    "loss_of_classes": (
        "{loss} goes with a target of classes, and {target!r} is numbers; leave --loss out, or "
        "--task classification takes the target for classes",
        "{loss} demande une cible de classes, et {target!r} contient des nombres ; omettez --loss, "
        "ou bien --task classification prend la cible pour des classes",
    ),
    "schedule_method": (
        "a schedule goes with methods that take every step, {known} (auto takes exact steps then); "
        "got method {name!r}",
        "une évolution du pas d'apprentissage demande une méthode qui fait chaque pas, {known} "
        "(auto fait alors des pas exacts) ; reçu la méthode {name!r}",
    ),
    "stopping_method": (
        "early stopping goes with methods that take every step, {known} (auto takes exact steps "
        "then); got method {name!r}",
        "l'arrêt précoce demande une méthode qui fait chaque pas, {known} (auto fait alors des "
        "pas exacts) ; reçu la méthode {name!r}",
    ),
    "none_trains": (
        "{share:g} of {rows} training rows leaves none to train; choose another --validation",
        "une part de {share:g} des {rows} lignes d'apprentissage n'en laisse aucune pour "
        "l'apprentissage ; choisissez une autre valeur de --validation",
    ),
    "none_validates": (
        "{share:g} of {rows} training rows leaves none for validation; choose another --validation",
        "une part de {share:g} des {rows} lignes d'apprentissage n'en laisse aucune pour la "
        "validation ; choisissez une autre valeur de --validation",
    ),
    "schedule_option": (
        "the schedule {text!r} has no option {option!r}; its options are {known}",
        "l'évolution {text!r} n'a pas d'option {option!r} ; ses options sont {known}",
    ),
    # tables
    "is_read": (
        "{name} says how to read a file or a data frame, and this table is read already; leave "
        "{name} out",
        "{name} indique comment lire un fichier ou un data frame, et ce tableau est déjà lu ; "
        "omettez {name}",
    ),
    "no_target": (
        "which column is to be predicted? Name it by target, for example target='price'; "
        "target=['a', 'b'] names several",
        "quelle colonne faut-il prédire ? Indiquez-la par target, par exemple target='prix' ; "
        "target=['a', 'b'] en indique plusieurs",
    ),
    "no_option": (
        "compare has no option {name!r}; {hint}",
        "compare n'a pas d'option {name!r} ; {hint}",
    ),
    "did_you_mean": ("did you mean {name}?", "vouliez-vous dire {name} ?"),
    "see_options": (
        "compare and read_table say what they take",
        "la documentation de compare et de read_table les énumère",
    ),
    "sparse": (
        "a table of dense columns is needed, and this one is sparse; "
        "pandas.DataFrame(table.toarray(), columns=names) makes one",
        "il faut un tableau de colonnes denses, et celui-ci est creux ; "
        "pandas.DataFrame(table.toarray(), columns=names) en fait un",
    ),
    "no_table": (
        "a table must be a Table, the path of a file, or a data frame of pandas or polars, got "
        "{kind}; for an array, pandas.DataFrame(array, columns=names) gives its columns names",
        "un tableau doit être une Table, le chemin d'un fichier, ou un data frame de pandas ou de "
        "polars, reçu {kind} ; pour un tableau NumPy, pandas.DataFrame(array, columns=names) "
        "nomme les colonnes",
    ),
    "name_twice": (
        "{name}: two columns have the name '{column}'; name each differently",
        "{name} : deux colonnes portent le nom '{column}' ; donnez à chacune un nom différent",
    ),
    # what a comparison is
    "shown": (
        "Comparison({names} on {data}, {steps:,} steps; lowest test loss {loss:.6g}, of {best})",
        "Comparison({names} sur {data}, {steps:,} pas ; perte de test la plus basse {loss:.6g}, de "
        "{best})",
    ),
}
say = Catalogue(_TEXTS)
