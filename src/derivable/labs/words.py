"""The messages of checks, by key, in both languages."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "right": ("{name}: right.", "{name} : juste."),
    "consequence": (
        "{name}: not judged; it follows from {causes}, which is not right yet.",
        "{name} : non évalué ; cela découle de {causes}, qui n'est pas encore juste.",
    ),
    "to_do": ("{name}: to be done.", "{name} : à faire."),
    "forward_done": (
        "{name}: forward is right; backward is to be done.",
        "{name} : forward est juste ; backward est à faire.",
    ),
    "failed": (
        "{name}: Python stopped with an error in {where}.",
        "{name} : Python s'est arrêté sur une erreur dans {where}.",
    ),
    "too_long": (
        "{name}: no answer after {seconds} s. Is there a loop without end?",
        "{name} : pas de réponse après {seconds}\u00a0s. Y a-t-il une boucle sans fin ?",
    ),
    "unknown": (
        "{name} is no question of this sheet; its questions are {names}.",
        "{name} n'est pas une question de cette feuille ; ses questions sont {names}.",
    ),
    "answers": (
        "{name}: the check takes {names}; number of answers given: {count}.",
        "{name} : la vérification prend {names} ; nombre de réponses reçues : {count}.",
    ),
    "borrowed": (
        "{name} is the code of {package}. It is right, and the exercise is to write it yourself.",
        "{name} est le code de {package}. Il est juste, et l'exercice est de l'écrire vous-même.",
    ),
    "uses": (
        "{name} calls {function} of {package}, which is the answer itself. Write its formula.",
        "{name} appelle {function} de {package}, qui est la réponse elle-même. Écrire sa formule.",
    ),
    "uses_autograd": (
        "backward asks autograd for the gradient. Here it is to be written as a formula.",
        "backward demande le gradient à autograd. Il s'agit ici d'en écrire la formule.",
    ),
    "trains_by_autograd": (
        "{name} asks autograd for the gradients. Here each backward is to be called directly, or "
        "the gradient written as a formula.",
        "{name} demande les gradients à autograd. Il s'agit ici d'appeler chaque backward "
        "directement, ou d'écrire la formule du gradient.",
    ),
    "no_class": (
        "{name}: a class with forward and backward is expected, got {got}.",
        "{name} : une classe avec forward et backward est attendue, reçu {got}.",
    ),
    "object_of_class": (
        "{name}: {got}() is an object; the class itself is expected, without brackets: {got}.",
        "{name} : {got}() est un objet ; la classe elle-même est attendue, sans parenthèses : "
        "{got}.",
    ),
    "no_method": (
        "{name}: the method {method} is missing.",
        "{name} : la méthode {method} manque.",
    ),
    "no_function": (
        "{name}: a function is expected, got {got}.",
        "{name} : une fonction est attendue, reçu {got}.",
    ),
    "wrong_type": (
        "{name}: got {got}, expected {expected}.",
        "{name} : reçu {got}, attendu {expected}.",
    ),
    "complex": (
        "{name}: the result is complex; take its real or its imaginary part.",
        "{name} : le résultat est complexe ; prendre sa partie réelle ou imaginaire.",
    ),
    "tensor": ("a tensor", "un tenseur"),
    "number": ("a number", "un nombre"),
    "wrong_shape": (
        "{name}: shape {got}, expected {expected}{inputs}.",
        "{name} : forme {got}, attendu {expected}{inputs}.",
    ),
    "for_inputs": (" for {inputs}", " pour {inputs}"),
    "wrong_values": (
        "{name}: other values than expected{inputs}.",
        "{name} : valeurs différentes de celles attendues{inputs}.",
    ),
    "worst": (
        "{entry} is {got}, expected {expected}.",
        "{entry} vaut {got}, attendu {expected}.",
    ),
    "ratio": (
        "Every value is {ratio} times the expected one.",
        "Chaque valeur est {ratio} fois celle attendue.",
    ),
    "ratio_size": (
        "Every value is {size} times the expected one: a sum in the place of a mean over {size} "
        "entries?",
        "Chaque valeur est {size} fois celle attendue : une somme au lieu d'une moyenne sur "
        "{size} termes ?",
    ),
    "ratio_share": (
        "Every value is the expected one divided by {size}: a mean in the place of a sum?",
        "Chaque valeur est celle attendue divisée par {size} : une moyenne au lieu d'une somme ?",
    ),
    "opposite": (
        "Every value has the opposite sign of the expected one.",
        "Chaque valeur est de signe opposé à celle attendue.",
    ),
    "not_finite": (
        "{entry} is {got}, expected {expected}: an overflow in the computation.",
        "{entry} vaut {got}, attendu {expected} : un dépassement en cours de calcul.",
    ),
    "none": (
        "{name} returns nothing; a return is missing.",
        "{name} ne renvoie rien ; il manque un return.",
    ),
    "none_for": (
        "{name} has returned None for {arguments}, though the output depends on it.",
        "{name} a renvoyé None pour {arguments}, alors que la sortie en dépend.",
    ),
    "booleans": (
        "{name} has returned booleans for {argument}: the result of a comparison.",
        "{name} a renvoyé des booléens pour {argument} : le résultat d'une comparaison.",
    ),
    "precedence": (
        "In Python, g * x > 0 means (g * x) > 0, a mask of booleans: write the comparison in "
        "parentheses, as in g * (x > 0).",
        "En Python, g * x > 0 signifie (g * x) > 0, un masque de booléens : écrire la comparaison "
        "entre parenthèses, comme dans g * (x > 0).",
    ),
    "calls_autograd": (
        "{name} asks autograd for the derivative. Here it is to be written as a formula.",
        "{name} demande la dérivée à autograd. Il s'agit ici d'en écrire la formule.",
    ),
    "matrix": (
        "{name}: the result is right, but a tensor of shape {shape} is built on the way. For a "
        "large model it does not fit into memory: choose another order of the products.",
        "{name} : le résultat est juste, mais un tenseur de forme {shape} est construit en "
        "chemin. Pour un grand modèle, il ne tient pas en mémoire : choisir un autre ordre des "
        "produits.",
    ),
    "others": (
        "After that: {others}.",
        "Ensuite : {others}.",
    ),
    "remark": ("Remark: {text}", "Remarque : {text}"),
    "inconclusive": (
        "{name}: the gradient could not be compared.",
        "{name} : le gradient n'a pas pu être comparé.",
    ),
    "hint": ("Hint: {text}", "Indice : {text}"),
    "place": ("To read: {text}", "À lire : {text}"),
    "fix": ("A solution: {text}", "Une solution : {text}"),
    "not_right": ("{name}: not right.", "{name} : ce n'est pas juste."),
    "too_large": ("{name}: too large.", "{name} : trop grand."),
    "too_small": ("{name}: too small.", "{name} : trop petit."),
    "some_wrong": (
        "{name}: {count} of {all} values are not right.",
        "{name} : {count} valeurs sur {all} ne sont pas justes.",
    ),
    "float32": (
        "{name}: computed in float32, with seven digits; new tensors need dtype=x.dtype.",
        "{name} : calculé en float32, avec sept chiffres ; les nouveaux tenseurs doivent avoir "
        "dtype=x.dtype.",
    ),
    "wrong_value": (
        "{name}: {got}, which is not right.",
        "{name} : {got}, ce qui n'est pas juste.",
    ),
    "no_choice": (
        "{name}: choose one of {choices}, as text, such as {name} = {example}.",
        "{name} : choisir parmi {choices}, sous forme de texte, comme {name} = {example}.",
    ),
    "manual": (
        "{name}: your teacher reads this answer.",
        "{name} : cette réponse est lue par l'enseignant.",
    ),
    "manual_short": (
        "{name}: write your answer as text, in a sentence or two.",
        "{name} : écrire la réponse sous forme de texte, en une ou deux phrases.",
    ),
}
WORDS = Catalogue(_TEXTS)
say = WORDS.text
