"""Messages of reports on predictions and columns, in English and in French."""

from __future__ import annotations

REPORTED: dict[str, tuple[str, str]] = {
    # the verdict
    "off": (
        "{best} is off by {mae} on average, in units of {target}, and by less than {median} in "
        "half of the test rows. Always saying the mean of the training rows is off by {naive}.",
        "L'erreur moyenne de {best} est de {mae}, dans l'unité de {target} ; pour la moitié des "
        "lignes de test, l'erreur est inférieure à {median}. Prédire toujours la moyenne des "
        "lignes d'apprentissage donne une erreur moyenne de {naive}.",
    ),
    "off_signed": (
        "{best} is off by {mae} on average for {target}, and by less than {median} in half of the "
        "test rows. Always saying the mean of the training rows is off by {naive}.",
        "L'erreur moyenne de {best} est de {mae} pour {target} ; pour la moitié des lignes de "
        "test, l'erreur est inférieure à {median}. Prédire toujours la moyenne des lignes "
        "d'apprentissage donne une erreur moyenne de {naive}.",
    ),
    "recognises_no_better": (
        "{best} gives the right {target} for {accuracy} of the test rows, which is no better than "
        "always saying “{value}”: {naive}.",
        "{best} donne le bon {target} pour {accuracy} des lignes de test ; ce n'est pas mieux que "
        "dire toujours « {value} » : {naive}.",
    ),
    "finds": (
        "Of {there} test rows that are “{value}” it finds {found}, and takes {wrongly} others for "
        "it.",
        "Sur {there} lignes de test « {value} », il en trouve {found}, et il attribue cette "
        "classe à {wrongly} autres lignes.",
    ),
    "orders": (
        "A row of the second class gets a higher probability than one of the first with frequency "
        "{area} (ROC AUC).",
        "Une ligne de la seconde classe reçoit une probabilité plus forte qu'une ligne de la "
        "première avec la fréquence {area} (AUC ROC).",
    ),
    "recognises": (
        "{best} gives the right {target} for {accuracy} of the test rows; always saying “{value}” "
        "is right for {naive}.",
        "{best} donne le bon {target} pour {accuracy} des lignes de test ; dire toujours « "
        "{value} » est juste pour {naive}.",
    ),
    "balanced": (
        "On average over the {n} classes of the test rows it recognises {balanced} of theirs.",
        "En moyenne sur les {n} classes des lignes de test, il reconnaît {balanced} des lignes "
        "d'une classe.",
    ),
    "shares_better": (
        "By the cross-entropy its probabilities are no better than the shares of the classes.",
        "D'après l'entropie croisée, ses probabilités ne valent pas mieux que les fréquences des "
        "classes.",
    ),
    # the table of results
    "mae": ("mean error", "erreur moyenne"),
    "rmse": ("root mean square", "racine de l'erreur quadratique"),
    "r2": ("R²", "R²"),
    "accuracy": ("accuracy", "exactitude"),
    "balanced_accuracy": ("balanced accuracy", "exactitude équilibrée"),
    "roc_auc": ("ROC AUC", "AUC ROC"),
    "always_mean": ("always the mean", "toujours la moyenne"),
    "always": ("always “{value}”", "toujours « {value} »"),
    "errors_note": (
        "Mean error: how far a prediction is off on average, without its sign. R² is the share of "
        "the variance of the test rows that is explained.",
        "Erreur moyenne : écart moyen entre prédiction et vérité, sans son signe. R² est la part "
        "expliquée de la variance des lignes de test.",
    ),
    "classes_note": (
        "Accuracy: the share of the test rows whose class is the most probable one; balanced: the "
        "mean of that share over the classes. The cross-entropy is the mean of −log of the "
        "probability of the true class.",
        "Exactitude : part des lignes de test dont la classe est la plus probable ; équilibrée : "
        "moyenne de cette part sur les classes. L'entropie croisée est la moyenne de −log de la "
        "probabilité de la vraie classe.",
    ),
    "classes_note_two": (
        "Accuracy: the share of the test rows whose class is the more probable one; balanced: the "
        "mean of that share over both classes. ROC AUC: how often a row of the second class gets "
        "a higher probability than one of the first. The cross-entropy is the mean of −log of the "
        "probability of the true class.",
        "Exactitude : part des lignes de test dont la classe est la plus probable ; équilibrée : "
        "moyenne de cette part sur les deux classes. AUC ROC : à quelle fréquence une ligne de la "
        "seconde classe reçoit une plus forte probabilité qu'une de la première. L'entropie "
        "croisée est la moyenne de −log de la probabilité de la vraie classe.",
    ),
    # classes
    "accurate": ("{share} right", "{share} justes"),
    "confusion": ("Which classes are taken for which", "Quelles classes sont prises pour d'autres"),
    "confusion_caption": (
        "Rows: the true class; columns: the predicted one, with the number of test rows. The "
        "darker a square, the larger its share of the row.",
        "Lignes : la vraie classe ; colonnes : la classe prédite, avec le nombre de lignes de "
        "test. Plus un carré est foncé, plus sa part de la ligne est grande.",
    ),
    "confusion_alt": (
        "{model}: confusion matrix of the test rows; {quality}.",
        "{model} : matrice de confusion des lignes de test ; {quality}.",
    ),
    "true_class": ("true", "vrai"),
    "class_of_row": ("true class", "vraie classe"),
    "class_predicted": ("predicted class", "classe prédite"),
    "test_rows": ("test rows", "lignes de test"),
    "share_of_class": ("of the class", "de la classe"),
    "most_confused_note": (
        "The classes that {model} takes for another one most often, of {classes} classes; the "
        "share is that of the test rows of the true class.",
        "Les classes que {model} prend le plus souvent pour une autre, sur {classes} classes ; la "
        "part est celle des lignes de test de la vraie classe.",
    ),
    "calibration": (
        "Calibration of probabilities",
        "Calibration des probabilités",
    ),
    "calibration_caption_two": (
        "Test rows in bins of equal size: the mean predicted probability of “{value}”, and the "
        "observed share of these rows. On the dashed line both are equal.",
        "Lignes de test en groupes égaux : la probabilité prédite moyenne de « {value} », et la "
        "part observée de ces lignes. Sur la ligne tiretée, les deux sont égales.",
    ),
    "calibration_caption": (
        "Test rows in bins of equal size: the mean predicted probability of the most probable "
        "class, and the observed share of rows of it. On the dashed line both are equal.",
        "Lignes de test en groupes égaux : la probabilité prédite moyenne de la classe la plus "
        "probable, et la part observée des lignes de cette classe. Sur la ligne tiretée, les deux "
        "sont égales.",
    ),
    "calibration_alt": (
        "{model}: predicted and observed in bins of test rows: {pairs}.",
        "{model} : prédit et observé par groupes de lignes de test : {pairs}.",
    ),
    "predicted_probability": ("predicted probability", "probabilité prédite"),
    "observed_share": ("observed share", "fréquence observée"),
    "precision_recall": ("Precision against recall", "Précision et rappel"),
    "precision_caption": (
        "Rows are taken for a class from the most probable one on. Recall: the share of its rows "
        "that are found; precision: the share of the rows taken that are of it. Dashed: rows "
        "taken at random.",
        "Les lignes sont prises pour une classe à partir de la plus probable. Rappel : part de "
        "ses lignes qui sont trouvées ; précision : part des lignes prises qui en sont. Tireté : "
        "lignes prises au hasard.",
    ),
    "precision_alt": (
        "Precision against recall of {value}; average precision: {areas}.",
        "Précision contre rappel de {value} ; précision moyenne : {areas}.",
    ),
    "recall": ("recall", "rappel"),
    "precision": ("precision", "précision"),
    "protocol_stratified": (
        "The rows are shuffled by seed {seed} and of each class 80% train: {train} rows train and "
        "{test} test. Features are standardised as the training rows say, which know nothing of "
        "the test rows.",
        "Les lignes sont mélangées par la graine {seed} et, de chaque classe, 80 % apprennent : "
        "{train} lignes apprennent et {test} testent. Les variables sont centrées et réduites "
        "d'après les lignes d'apprentissage, qui ne savent rien des lignes de test.",
    ),
    "protocol_classes": (
        "A network has one output for each class; softmax makes probabilities of them.",
        "Un réseau a une sortie par classe ; softmax en fait des probabilités.",
    ),
    "protocol_balanced": (
        "Rows count such that all classes count the same, in training and in the test loss.",
        "Les lignes comptent de sorte que toutes les classes comptent autant, dans "
        "l'apprentissage et dans la perte de test.",
    ),
    # the model auto
    "chosen": ("{model} is {chosen}: ", "{model} est {chosen} : "),
    "tried": ("What was tried", "Ce qui a été essayé"),
    "held_loss": ("loss on rows held out", "perte sur les lignes mises de côté"),
    "held_error": ("standard error", "erreur-type"),
    "folds": ("folds", "parts"),
    "protocol_auto": (
        "auto: linear models with a row of penalties and networks of 32 ReLU units are fitted by "
        "L-BFGS, each without another tenth of the training rows. The model is the linear one, "
        "unless the mean of the networks, or a mixture of both, predicts the rows held out better "
        "by more than one standard error of the difference over rows. With the squared error, its "
        "penalty is the one with the least error on rows left out one by one. The test rows take "
        "no part in it.",
        "auto : des modèles linéaires avec une suite de pénalités et des réseaux de 32 unités "
        "ReLU sont ajustés par L-BFGS, chacun sans un autre dixième des lignes d'apprentissage. "
        "Le modèle retenu est le linéaire, sauf si la moyenne des réseaux, ou un mélange des "
        "deux, prédit mieux les lignes mises de côté, de plus d'une erreur-type de l'écart sur les "
        "lignes. Avec l'erreur quadratique, sa pénalité est celle de la plus petite erreur sur "
        "des lignes exclues une à une. Les lignes de test n'y ont aucune part.",
    ),
    # columns
    "importance": ("Which columns matter", "Quelles colonnes comptent"),
    "importance_caption": (
        "{growth}, for {model}, when the cells of a column change places among the test rows; the "
        "mean of ten draws, with its standard deviation. Columns that say the same share what "
        "they matter.",
        "{growth}, pour {model}, quand les cellules d'une colonne changent de place entre les "
        "lignes de test ; moyenne de dix tirages, avec son écart-type. Des colonnes qui disent la "
        "même chose se partagent leur importance.",
    ),
    "importance_rest": (
        " Only the most important columns are shown.",
        " Seules les colonnes les plus importantes sont montrées.",
    ),
    "importance_alt": (
        "Bars of the importance of columns; the largest: {ends}.",
        "Barres de l'importance des colonnes ; les plus grandes : {ends}.",
    ),
    "growth_number": ("How much the mean error grows", "Augmentation de l'erreur moyenne"),
    "growth_several": (
        "How much the mean error grows, in standard deviations",
        "Augmentation de l'erreur moyenne, en écarts-types",
    ),
    "growth_classes": ("How much the cross-entropy grows", "Augmentation de l'entropie croisée"),
    "dependence": ("What the most important columns do", "Ce que font les colonnes importantes"),
    "dependence_caption": (
        "The mean of what {model} says of the test rows when all of them have this value in the "
        "column and keep their other cells.",
        "Moyenne de ce que {model} dit des lignes de test quand toutes ont cette valeur dans la "
        "colonne et gardent leurs autres cellules.",
    ),
    "lines_left": ("Of {n} the first {shown} are drawn.", "Des {n}, {shown} sont dessinées."),
    "dependence_alt": (
        "{model}: mean prediction against {column}.",
        "{model} : prédiction moyenne selon {column}.",
    ),
    "probability": ("probability", "probabilité"),
    "probability_of": ("probability of {value}", "probabilité de {value}"),
    "probability_of_true": ("probability of the true one", "probabilité du vrai"),
    "worst": ("Where it is most wrong", "Là où il se trompe le plus"),
    "worst_note": (
        "The test rows that {model} predicts worst, by their line in the file.",
        "Les lignes de test que {model} prédit le plus mal, par leur numéro dans le fichier.",
    ),
    "line": ("line", "ligne"),
}
