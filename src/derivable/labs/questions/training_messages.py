"""What is said of a loop of gradient descent, by key, in both languages."""

from __future__ import annotations

from derivable.labs.text import Text

MESSAGES: dict[str, Text] = {
    "own": Text(
        "right by itself. With your own functions its steps are not: see the checks of {names}.",
        "juste en elle-même. Avec vos propres fonctions, ses pas ne le sont pas\u00a0: voir les "
        "vérifications de {names}.",
    ),
    "stopped": Text(
        "The loop stops after one turn: does return stand inside of it?",
        "La boucle s'arrête après un tour\u00a0: le return est-il à l'intérieur\u00a0?",
    ),
    "in_place": Text(
        "the start values are overwritten (-= changes a tensor in place): write {parameter} = "
        "{parameter} - EPS * grad.",
        "les valeurs initiales sont écrasées (-= modifie un tenseur sur place)\u00a0: écrire "
        "{parameter} = {parameter} - EPS * grad.",
    ),
    "pairs": Text(
        "The parameters are right. {history} has numbers; the chart below needs pairs [n_iter, "
        "loss].",
        "Les paramètres sont justes. {history} contient des nombres\u00a0; la figure plus bas "
        "demande des paires [n_iter, perte].",
    ),
    "turns": Text(
        "With EPOCHS = 1 the loop takes {turns} turns: use the EPOCHS that is given to the "
        "function.",
        "Avec EPOCHS = 1, la boucle fait {turns} tours\u00a0: utiliser le EPOCHS donné à la "
        "fonction.",
    ),
    "variant": Text(
        "Right with the default option, and not with {variant}: is the argument used everywhere?",
        "Juste avec l'option par défaut, mais pas avec {variant}\u00a0: l'argument est-il utilisé "
        "partout\u00a0?",
    ),
    "returns": Text(
        "{name} returns {got}, expected {count} values: {names}.",
        "{name} renvoie {got}, attendu {count} valeurs\u00a0: {names}.",
    ),
    "unchanged": Text(
        "After one step {parameter} has not changed: it is not updated, or the new value is not "
        "returned.",
        "Après un pas, {parameter} n'a pas changé\u00a0: la mise à jour manque, ou la nouvelle "
        "valeur n'est pas renvoyée.",
    ),
    "sign": Text(
        "After one step {parameter} has moved to the opposite side: a step goes against the "
        "gradient, {parameter} - EPS * grad.",
        "Après un pas, {parameter} est parti dans le sens opposé\u00a0: un pas va contre le "
        "gradient, {parameter} - EPS * grad.",
    ),
    "no_rate": Text(
        "{parameter} moves by the whole gradient: the learning rate EPS is missing in the update.",
        "{parameter} est déplacé du gradient entier\u00a0: le pas d'apprentissage EPS manque dans "
        "la mise à jour.",
    ),
    "own_rate": Text(
        "{parameter} moves by {ratio} times the step of EPS = {eps}: use the EPS that is given to "
        "the function, and not a global one.",
        "{parameter} est déplacé de {ratio} fois le pas pour EPS = {eps}\u00a0: utiliser le EPS "
        "donné à la fonction, et non une variable globale.",
    ),
    "normalisation": Text(
        "{parameter} moves {ratio} times as far as it should, and there are {rows} rows: a sum in "
        "the place of the mean over the rows, in the gradient of the loss.",
        "{parameter} se déplace {ratio} fois trop loin, et il y a {rows} lignes\u00a0: une somme "
        "au lieu de la moyenne sur les lignes, dans le gradient de la perte.",
    ),
    "divided": Text(
        "{parameter} moves {rows} times too little, and there are {rows} rows: the mean over the "
        "rows is taken twice.",
        "{parameter} se déplace {rows} fois trop peu, et il y a {rows} lignes\u00a0: la moyenne "
        "sur les lignes est prise deux fois.",
    ),
    "factor": Text(
        "{parameter} moves {ratio} times as far as it should: a factor in the gradient.",
        "{parameter} se déplace de {ratio} fois la bonne longueur\u00a0: un facteur dans le "
        "gradient.",
    ),
    "gradient": Text(
        "After one step {parameter} is not where the gradient leads: check the chain of the "
        "backward calls, and which grad goes to which parameter.",
        "Après un pas, {parameter} n'est pas là où mène le gradient\u00a0: vérifier "
        "l'enchaînement des backward, et quel grad va à quel paramètre.",
    ),
    "shape": Text(
        "{parameter} has shape {got} after one step, expected {expected}.",
        "{parameter} est de forme {got} après un pas, attendu {expected}.",
    ),
    "later": Text(
        "The first step is right, and step {step} is not: forward and backward are computed again "
        "in each turn of the loop, with new Contexts and the new parameters.",
        "Le premier pas est juste, le pas {step} ne l'est pas\u00a0: forward et backward se "
        "recalculent à chaque tour de boucle, avec de nouveaux Contexts et les nouveaux "
        "paramètres.",
    ),
    "history_length": Text(
        "The parameters are right. {history} has {got} losses, expected one for each of the "
        "{count} steps.",
        "Les paramètres sont justes. {history} contient {got} pertes, attendu une pour chacun des "
        "{count} pas.",
    ),
    "history_after": Text(
        "The parameters are right. {history} has the loss after each update; the sheet keeps the "
        "one before it.",
        "Les paramètres sont justes. {history} contient la perte après chaque mise à jour\u00a0; "
        "la feuille garde celle d'avant.",
    ),
    "history": Text(
        "The parameters are right. {history}[0] is {got}, expected {expected}.",
        "Les paramètres sont justes. {history}[0] vaut {got}, attendu {expected}.",
    ),
}
