"""The messages of charts, pages and notebooks, in English and in French."""

from __future__ import annotations

from derivable.display.reported import REPORTED
from derivable.messages import Catalogue

_TEXTS = {
    "and": ("and", "et"),
    # charts
    "steps": ("gradient-descent steps", "pas de descente de gradient"),
    "train_axis": ("training loss ({measure})", "perte d'apprentissage ({measure})"),
    "test_axis": ("test loss ({measure})", "perte de test ({measure})"),
    "loss_axis": ("loss ({measure})", "perte ({measure})"),
    "losses_title": (
        "How the training loss fell: {data}",
        "Évolution de la perte d'apprentissage : {data}",
    ),
    "both_title": ("How the losses fell: {data}", "Évolution des pertes : {data}"),
    "bars_title": (
        "Test loss after {steps} steps: {data}",
        "Perte de test après {steps} pas : {data}",
    ),
    "bars_title_auto": ("Test loss: {data}", "Perte de test : {data}"),
    "bars_title_stopped": (
        "Test loss after early stopping: {data}",
        "Perte de test après arrêt précoce : {data}",
    ),
    "seeds_title": (", {n} seeds", ", {n} graines"),
    "training_rows": ("training rows", "lignes d'apprentissage"),
    "test_rows": ("test rows", "lignes de test"),
    "sheet_figure": ("the lab sheet's own figure", "le chiffre de la feuille de TP"),
    "sheet_value": ("sheet {value}", "feuille {value}"),
    "true": ("true {target}", "{target}, valeur vraie"),
    "predicted": ("predicted", "valeur prédite"),
    "residual": ("predicted − true", "prédit − vrai"),
    "share_of_rows": ("share of the test rows", "part des lignes de test"),
    "weight_axis": ("change of {target}", "variation de {target}"),
    # a comparison on a page
    "title": ("{data}: {n} models compared", "{data} : {n} modèles comparés"),
    "title_one": ("{data}: {model}", "{data} : {model}"),
    "subtitle": (
        "Target {targets}, from {n} features. Trained on {train} rows, tested on {test}; {how}.",
        "Cible {targets}, d'après {n} variables. {train} lignes d'apprentissage, {test} lignes de "
        "test ; {how}.",
    ),
    "subtitle_one": (
        "Target {targets}, from one feature. Trained on {train} rows, tested on {test}; {how}.",
        "Cible {targets}, d'après une variable. {train} lignes d'apprentissage, {test} lignes de "
        "test ; {how}.",
    ),
    "one_seed": ("seed\u00a0{first}", "graine\u00a0{first}"),
    "seeds": ("seeds {first} to {last}", "graines {first} à {last}"),
    "verdict": ("Verdict", "Verdict"),
    "results": ("Results", "Résultats"),
    "losses": ("How the losses fell", "Évolution des pertes"),
    "bars": ("Test losses", "Pertes de test"),
    "predictions": ("Predicted against true", "Valeurs prédites et vraies"),
    "residuals": ("Residuals", "Résidus"),
    "weights": ("Weights of the linear model", "Poids du modèle linéaire"),
    "how": ("How each model descended", "Méthode de descente de chaque modèle"),
    "protocol": ("Protocol", "Protocole"),
    "again": ("To repeat it", "Pour recommencer"),
    # the verdict
    "best": (
        "{best} is the best: its test loss is {loss}, {percent} below that of {second} ({other}).",
        "{best} est le meilleur : sa perte de test est {loss}, {percent} sous celle de {second} "
        "({other}).",
    ),
    "first": (
        "{best} has the lowest test loss, {loss}; that of {second} is {other}. The difference is "
        "not larger than what other test rows would change.",
        "{best} a la plus basse perte de test, {loss} ; celle de {second} est {other}. L'écart ne "
        "dépasse pas ce que d'autres lignes de test changeraient.",
    ),
    "only": ("{best} has a test loss of {loss}.", "{best} a une perte de test de {loss}."),
    "larger": (
        "The difference, {gap}, is larger than the spread over {n} seeds, {reach} (two standard "
        "deviations of that difference).",
        "L'écart, {gap}, dépasse la dispersion sur {n} graines, {reach} (deux écarts-types de cet "
        "écart).",
    ),
    "not_larger": (
        "The difference, {gap}, is not larger than the spread over {n} seeds, {reach} (two "
        "standard deviations of that difference): other seeds may put another model first.",
        "L'écart, {gap}, ne dépasse pas la dispersion sur {n} graines, {reach} (deux écarts-types "
        "de cet écart) : d'autres graines peuvent donner un autre ordre.",
    ),
    "one_draw": (
        "One seed is one draw: how far other initial weights would spread is not known; --seeds "
        "10 shows it.",
        "Une graine n'est qu'un tirage : la dispersion d'autres poids initiaux n'est pas connue ; "
        "--seeds 10 la montre.",
    ),
    "explains": (
        "It explains {share} of the variance of the test rows; the root mean square of its errors "
        "is {error}.",
        "Il explique {share} de la variance des lignes de test ; son erreur quadratique moyenne a "
        "pour racine {error}.",
    ),
    "explains_several": (
        "It explains {share} of the variance of the test rows, on average over {n} targets.",
        "Il explique {share} de la variance des lignes de test, en moyenne sur {n} cibles.",
    ),
    "explains_nothing": (
        "Even so it predicts the test rows no better than their mean would.",
        "Pourtant il ne prédit pas mieux les lignes de test que leur moyenne.",
    ),
    "overfits": (
        "{model} overfits: its test loss was lowest, {loss}, after {step} steps, and has risen by "
        "{percent} since.",
        "{model} surapprend : sa perte de test était la plus basse, {loss}, après {step} pas, et "
        "a augmenté de {percent} depuis.",
    ),
    "overfits_none": (
        "No model overfits: no test loss ends more than {percent} above its lowest.",
        "Aucun modèle ne surapprend : aucune perte de test ne finit à plus de {percent} au-dessus "
        "de sa valeur la plus basse.",
    ),
    "falling": (
        "Still falling at the end: {models}. More steps would go on.",
        "Encore en baisse à la fin : {models}. Plus de pas les feraient baisser davantage.",
    ),
    # tables
    "model": ("model", "modèle"),
    "parameters": ("parameters", "paramètres"),
    "train_loss": ("train loss", "perte d'apprentissage"),
    "test_loss": ("test loss", "perte de test"),
    "seconds": ("seconds", "secondes"),
    "sheet": ("sheet", "feuille"),
    "spread": ("spread", "dispersion"),
    "within": ("within", "dans l'intervalle"),
    "yes": ("yes", "oui"),
    "no": ("no", "non"),
    "to": ("{low} to {high}", "{low} à {high}"),
    "method": ("method", "méthode"),
    "error_estimate": ("error estimate", "estimation de l'erreur"),
    "gradients": ("gradients", "gradients"),
    "rate": ("learning rate", "pas d'apprentissage"),
    "reason": (
        "Learning rate of {models}: {reason}.",
        "Pas d'apprentissage de {models} : {reason}.",
    ),
    "measure": ("Losses are: {measure}.", "Les pertes sont : {measure}."),
    "r2_note": (
        "R² is the share of the variance of the test rows that is explained.",
        "R² est la part expliquée de la variance des lignes de test.",
    ),
    "sheet_note": (
        "sheet: the lab sheet's own figure, for which it fixed no seed; spread: where the test "
        "losses of other seeds lie.",
        "feuille : le chiffre de la feuille de TP, qui n'a fixé aucune graine ; dispersion : où "
        "sont les pertes de test d'autres graines.",
    ),
    "sheet_note_seeds": (
        "sheet: the lab sheet's own figure, for which it fixed no seed; within: whether it lies "
        "between our lowest and highest.",
        "feuille : le chiffre de la feuille de TP, qui n'a fixé aucune graine ; dedans : s'il est "
        "entre notre plus bas et notre plus haut.",
    ),
    # captions
    "losses_caption": (
        "Both axes are logarithmic. Thick: training rows, with the final loss; thin: test rows.",
        "Les deux axes sont logarithmiques. Trait épais : lignes d'apprentissage, avec la perte "
        "finale ; trait fin : lignes de test.",
    ),
    "losses_caption_seeds": (
        " The mean over {n} seeds and their range; test rows of the first seed.",
        " La moyenne sur {n} graines et leur étendue ; lignes de test de la première.",
    ),
    "losses_alt": (
        "Curves of training and test loss against steps; final training losses: {ends}.",
        "Courbes des pertes d'apprentissage et de test selon les pas ; pertes d'apprentissage "
        "finales : {ends}.",
    ),
    "bars_alt": ("Bars of the test losses: {ends}.", "Barres des pertes de test : {ends}."),
    "bars_caption": (
        "The whisker goes from the lowest to the highest of {n} seeds.",
        "La moustache va de la plus basse à la plus haute de {n} graines.",
    ),
    "predictions_caption": (
        "{dots} of {rows} test rows, drawn at random; on the dashed line a prediction is right. "
        "Dots on the frame lie beyond it.",
        "{dots} des {rows} lignes de test, tirées au hasard ; sur la ligne tiretée la prédiction "
        "est juste. Un point sur le cadre est au-delà.",
    ),
    "predictions_caption_all": (
        "All {rows} test rows; on the dashed line a prediction is right. Dots on the frame lie "
        "beyond it.",
        "Les {rows} lignes de test ; sur la ligne tiretée la prédiction est juste. Un point sur "
        "le cadre est au-delà.",
    ),
    "predictions_alt": (
        "{model}: predicted against true {target}; {quality}.",
        "{model} : {target}, prédit contre vrai ; {quality}.",
    ),
    "residuals_caption": (
        "How far predictions lie from the truth, over all test rows; the outermost bars hold all "
        "that lies beyond.",
        "Distance des prédictions à la vérité, sur toutes les lignes de test ; les barres "
        "extrêmes contiennent tout ce qui est au-delà.",
    ),
    "residuals_alt": (
        "{model}: histogram of the residuals of {target}; root mean square {error}.",
        "{model} : histogramme des résidus de {target} ; racine de la moyenne des carrés {error}.",
    ),
    "weights_caption": (
        "How much the prediction changes when a feature rises by one standard deviation and the "
        "others stay.",
        "De combien change la prédiction quand une variable augmente d'un écart-type et que les "
        "autres restent.",
    ),
    "weights_rest": (
        " The {shown} largest of {n} features; no other is above {most}.",
        " Les {shown} plus grands des {n} poids ; aucun autre ne dépasse {most}.",
    ),
    "weights_alt": (
        "Bars of the weights for {target}; the largest: {ends}.",
        "Barres des poids pour {target} ; les plus grands : {ends}.",
    ),
    "targets_left": (
        "Of {n} targets the first {shown} are drawn.",
        "Des {n} cibles, les {shown} premières sont dessinées.",
    ),
    # how, and how again
    "exact": ("exact", "exact"),
    "deviates": ("within {deviation} of exact steps", "à {deviation} près des pas exacts"),
    "unmeasured": ("not measured against exact steps", "non comparé aux pas exacts"),
    "method_steps": ("exact steps", "pas exacts"),
    "method_spectral": ("all steps at once", "tous les pas d'un coup"),
    "method_flow": ("as a differential equation", "par équation différentielle"),
    "protocol_lab": (
        "The lab sheet's protocol: features are standardised over all rows; the first {train} "
        "rows train and the last {test} test, in file order; targets stay as they are.",
        "Le protocole de la feuille de TP : variables centrées et réduites sur toutes les lignes "
        "; les {train} premières lignes apprennent, les {test} dernières testent, dans l'ordre du "
        "fichier ; les cibles restent telles quelles.",
    ),
    "protocol_sound": (
        "The rows are shuffled by seed {seed}; {train} train and {test} test. Features and "
        "targets are standardised as the training rows say, which know nothing of the test rows.",
        "Les lignes sont mélangées par la graine {seed} ; {train} apprennent et {test} testent. "
        "Variables et cibles sont centrées et réduites d'après les lignes d'apprentissage, qui ne "
        "savent rien des lignes de test.",
    ),
    "protocol_drawn": (
        "Whether a row trains or tests is drawn from its number and seed {seed}; {train} train and "
        "{test} test. Features and targets are standardised as the training rows say, which know "
        "nothing of the test rows.",
        "Chaque ligne apprend ou teste d'après un tirage qui dépend de son numéro et de la graine "
        "{seed} ; {train} apprennent et {test} testent. Variables et cibles sont centrées et "
        "réduites d'après les lignes d'apprentissage, qui ne savent rien des lignes de test.",
    ),
    "protocol_sound_last": (
        "The rows stay in file order; the first {train} train and the last {test} test. Features "
        "and targets are standardised as the training rows say, which know nothing of the test "
        "rows.",
        "Les lignes restent dans l'ordre du fichier ; les {train} premières apprennent, les "
        "{test} dernières testent. Variables et cibles sont centrées et réduites d'après les "
        "lignes d'apprentissage, qui ne savent rien des lignes de test.",
    ),
    "protocol_last_classes": (
        "The rows stay in file order; the first {train} train and the last {test} test. Features "
        "are standardised as the training rows say, which know nothing of the test rows.",
        "Les lignes restent dans l'ordre du fichier ; les {train} premières apprennent, les "
        "{test} dernières testent. Les variables sont centrées et réduites d'après les lignes "
        "d'apprentissage, qui ne savent rien des lignes de test.",
    ),
    "seeds_note_scores": (
        "Means over {n} seeds, ± their standard deviation; the other scores are of the first "
        "seed. Only the initial weights differ between seeds.",
        "Moyennes sur {n} graines, ± leur écart-type ; les autres scores sont ceux de la "
        "première. Seuls les poids initiaux changent d'une graine à l'autre.",
    ),
    "protocol_other": (
        "Protocol {name}: {train} rows train and {test} test.",
        "Protocole {name} : {train} lignes apprennent et {test} testent.",
    ),
    "protocol_descent": (
        "Each network starts from weights 0.01 · randn and biases 0, and its {measure} on all "
        "training rows is minimised for {steps} steps.",
        "Chaque réseau part de poids 0,01 · randn et de biais nuls, et sa perte sur toutes les "
        "lignes d'apprentissage ({measure}) est minimisée pendant {steps} pas.",
    ),
    "protocol_penalty": (
        "An L2 penalty is added to the training loss, and included in it here: {penalty} / 2 "
        "times the squared length of the weights, without the biases. The test loss is without "
        "it.",
        "Une pénalité L2 est ajoutée à la perte d'apprentissage, qui la contient ici : {penalty} "
        "/ 2 fois le carré de la norme des poids, sans les biais. La perte de test est donnée "
        "sans elle.",
    ),
    "protocol_stopping": (
        "Early stopping: the last {share} of the training rows are held out for validation; each "
        "descent ends after {n} evaluations, one in {every} steps, without a lower loss on them, "
        "and goes back to where that was least.",
        "Arrêt précoce : les derniers {share} des lignes d'apprentissage servent à la validation "
        "; chaque descente s'arrête après {n} évaluations, une tous les {every} pas, sans perte "
        "plus basse sur ces lignes, et revient là où elle était la plus basse.",
    ),
    "protocol_stopping_one": (
        "Early stopping: the last {share} of the training rows are held out for validation; each "
        "descent ends at the first evaluation, one in {every} steps, without a lower loss on "
        "them, and goes back to where that was least.",
        "Arrêt précoce : les derniers {share} des lignes d'apprentissage servent à la validation "
        "; chaque descente s'arrête à la première évaluation, une tous les {every} pas, sans "
        "perte plus basse sur ces lignes, et revient là où elle était la plus basse.",
    ),
    "stopped": (
        "{model} was stopped early and has the weights after {steps} steps.",
        "{model} a été arrêté avant la fin et a les poids obtenus après {steps} pas.",
    ),
    "columns": ("Features: {features}.", "Variables : {features}."),
    "columns_more": ("{names} and {n} more", "{names} et {n} autres"),
    "data": ("data", "données"),
    "sha": ("SHA-256 of names and numbers", "SHA-256 des noms et des nombres"),
    "versions": ("versions", "versions"),
    "files": (
        "Beside this page lie the charts (PNG and SVG), every loss, the results as JSON and the "
        "weights as safetensors.",
        "À côté de cette page se trouvent les graphiques (PNG et SVG), toutes les pertes, les "
        "résultats en JSON et les poids en safetensors.",
    ),
    # progress
    "waiting": ("waiting", "en attente"),
    "loss": ("loss", "perte"),
    "time_left": ("{time} left", "reste {time}"),
    "n_steps": ("steps", "pas"),
    "steps_chosen": (
        "{steps} steps, which take about {seconds} s here; --steps N decides",
        "{steps} pas, soit environ {seconds}\u00a0s ici ; --steps N en décide",
    ),
}
MESSAGES = Catalogue(REPORTED, _TEXTS)
