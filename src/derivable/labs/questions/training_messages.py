"""What is said of a loop of gradient descent, by key, in both languages."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "own": (
        "right by itself. With your own functions its steps are not: see the checks of {names}.",
        "juste en elle-même. Avec vos propres fonctions, ses pas ne le sont pas : voir les "
        "vérifications de {names}.",
    ),
    "stopped": (
        "The loop stops after one turn: does return stand inside of it?",
        "La boucle s'arrête après un tour : le return est-il à l'intérieur ?",
    ),
    "in_place": (
        "the start values are overwritten (-= changes a tensor in place): write {parameter} = "
        "{parameter} - EPS * grad.",
        "les valeurs initiales sont écrasées (-= modifie un tenseur sur place) : écrire "
        "{parameter} = {parameter} - EPS * grad.",
    ),
    "pairs": (
        "The parameters are right. {history} has numbers; the chart below needs pairs [n_iter, "
        "loss].",
        "Les paramètres sont justes. {history} contient des nombres ; la figure plus bas demande "
        "des paires [n_iter, perte].",
    ),
    "turns": (
        "With EPOCHS = 1 the loop takes {turns} turns: use the EPOCHS that is given to the "
        "function.",
        "Avec EPOCHS = 1, la boucle fait {turns} tours : utiliser le EPOCHS donné à la fonction.",
    ),
    "variant": (
        "Right with the default option, and not with {variant}: is the argument used everywhere?",
        "Juste avec l'option par défaut, mais pas avec {variant} : l'argument est-il utilisé "
        "partout ?",
    ),
    "returns": (
        "{name} returns {got}, expected {count} values: {names}.",
        "{name} renvoie {got}, attendu {count} valeurs : {names}.",
    ),
    "unchanged": (
        "After one step {parameter} has not changed: it is not updated, or the new value is not "
        "returned.",
        "Après un pas, {parameter} n'a pas changé : la mise à jour manque, ou la nouvelle valeur "
        "n'est pas renvoyée.",
    ),
    "sign": (
        "After one step {parameter} has moved to the opposite side: a step goes against the "
        "gradient, {parameter} - EPS * grad.",
        "Après un pas, {parameter} est parti dans le sens opposé : un pas va contre le gradient, "
        "{parameter} - EPS * grad.",
    ),
    "no_rate": (
        "{parameter} moves by the whole gradient: the learning rate EPS is missing in the update.",
        "{parameter} est déplacé du gradient entier : le pas d'apprentissage EPS manque dans la "
        "mise à jour.",
    ),
    "own_rate": (
        "{parameter} moves by {ratio} times the step of EPS = {eps}: use the EPS that is given to "
        "the function, and not a global one.",
        "{parameter} est déplacé de {ratio} fois le pas pour EPS = {eps} : utiliser le EPS donné "
        "à la fonction, et non une variable globale.",
    ),
    "normalisation": (
        "{parameter} moves {ratio} times as far as it should, and there are {rows} rows: a sum in "
        "the place of the mean over the rows, in the gradient of the loss.",
        "{parameter} se déplace {ratio} fois trop loin, et il y a {rows} lignes : une somme au "
        "lieu de la moyenne sur les lignes, dans le gradient de la perte.",
    ),
    "divided": (
        "{parameter} moves {rows} times too little, and there are {rows} rows: the mean over the "
        "rows is taken twice.",
        "{parameter} se déplace {rows} fois trop peu, et il y a {rows} lignes : la moyenne sur "
        "les lignes est prise deux fois.",
    ),
    "factor": (
        "{parameter} moves {ratio} times as far as it should: a factor in the gradient.",
        "{parameter} se déplace de {ratio} fois la bonne longueur : un facteur dans le gradient.",
    ),
    "gradient": (
        "After one step {parameter} is not where the gradient leads: check the chain of the "
        "backward calls, and which grad goes to which parameter.",
        "Après un pas, {parameter} n'est pas là où mène le gradient : vérifier l'enchaînement des "
        "backward, et quel grad va à quel paramètre.",
    ),
    "shape": (
        "{parameter} has shape {got} after one step, expected {expected}.",
        "{parameter} est de forme {got} après un pas, attendu {expected}.",
    ),
    "later": (
        "The first step is right, and step {step} is not: forward and backward are computed again "
        "in each turn of the loop, with new Contexts and the new parameters.",
        "Le premier pas est juste, le pas {step} ne l'est pas : forward et backward se "
        "recalculent à chaque tour de boucle, avec de nouveaux Contexts et les nouveaux "
        "paramètres.",
    ),
    "history_length": (
        "The parameters are right. {history} has {got} losses, expected one for each of the "
        "{count} steps.",
        "Les paramètres sont justes. {history} contient {got} pertes, attendu une pour chacun des "
        "{count} pas.",
    ),
    "history_after": (
        "The parameters are right. {history} has the loss after each update; the sheet keeps the "
        "one before it.",
        "Les paramètres sont justes. {history} contient la perte après chaque mise à jour ; la "
        "feuille garde celle d'avant.",
    ),
    "history": (
        "The parameters are right. {history}[0] is {got}, expected {expected}.",
        "Les paramètres sont justes. {history}[0] vaut {got}, attendu {expected}.",
    ),
}
MESSAGES = Catalogue(_TEXTS)
