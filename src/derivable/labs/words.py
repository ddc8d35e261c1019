"""The messages of checks, by key, in both languages."""

from __future__ import annotations

from derivable.labs.text import Text

WORDS: dict[str, Text] = {
    "right": Text("{name}: right.", "{name}\u00a0: juste."),
    "consequence": Text(
        "{name}: not judged; it follows from {causes}, which is not right yet.",
        "{name}\u00a0: non évalué\u00a0; cela découle de {causes}, qui n'est pas encore juste.",
    ),
    "to_do": Text("{name}: to be done.", "{name}\u00a0: à faire."),
    "forward_done": Text(
        "{name}: forward is right; backward is to be done.",
        "{name}\u00a0: forward est juste\u00a0; backward est à faire.",
    ),
    "failed": Text(
        "{name}: Python stopped with an error in {where}.",
        "{name}\u00a0: Python s'est arrêté sur une erreur dans {where}.",
    ),
    "too_long": Text(
        "{name}: no answer after {seconds} s. Is there a loop without end?",
        "{name}\u00a0: pas de réponse après {seconds}\u00a0s. Y a-t-il une boucle sans fin\u00a0?",
    ),
    "unknown": Text(
        "{name} is no question of this sheet; its questions are {names}.",
        "{name} n'est pas une question de cette feuille\u00a0; ses questions sont {names}.",
    ),
    "answers": Text(
        "{name}: the check takes {names}, and got {count} answers.",
        "{name}\u00a0: la vérification prend {names}, et a reçu {count} réponses.",
    ),
    "borrowed": Text(
        "{name} is the code of {package}. It is right, and the exercise is to write it yourself.",
        "{name} est le code de {package}. Il est juste, et l'exercice est de l'écrire vous-même.",
    ),
    "uses": Text(
        "{name} calls {function} of {package}, which is the answer itself. Write its formula.",
        "{name} appelle {function} de {package}, qui est la réponse elle-même. Écrire sa formule.",
    ),
    "uses_autograd": Text(
        "backward asks autograd for the gradient. Here it is to be written as a formula.",
        "backward demande le gradient à autograd. Il s'agit ici d'en écrire la formule.",
    ),
    "trains_by_autograd": Text(
        "{name} asks autograd for the gradients. Here each backward is to be called directly, or "
        "the gradient written as a formula.",
        "{name} demande les gradients à autograd. Il s'agit ici d'appeler chaque backward "
        "directement, ou d'écrire la formule du gradient.",
    ),
    "no_class": Text(
        "{name}: a class with forward and backward is expected, got {got}.",
        "{name}\u00a0: une classe avec forward et backward est attendue, reçu {got}.",
    ),
    "no_method": Text(
        "{name}: the method {method} is missing.", "{name}\u00a0: la méthode {method} manque."
    ),
    "no_function": Text(
        "{name}: a function is expected, got {got}.",
        "{name}\u00a0: une fonction est attendue, reçu {got}.",
    ),
    "wrong_type": Text(
        "{name}: got {got}, expected {expected}.", "{name}\u00a0: reçu {got}, attendu {expected}."
    ),
    "complex": Text(
        "{name}: the result is complex; take its real or its imaginary part.",
        "{name}\u00a0: le résultat est complexe\u00a0; prendre sa partie réelle ou imaginaire.",
    ),
    "tensor": Text("a tensor", "un tenseur"),
    "number": Text("a number", "un nombre"),
    "wrong_shape": Text(
        "{name}: shape {got}, expected {expected}{inputs}.",
        "{name}\u00a0: forme {got}, attendu {expected}{inputs}.",
    ),
    "for_inputs": Text(" for {inputs}", " pour {inputs}"),
    "wrong_values": Text(
        "{name}: other values than expected{inputs}.",
        "{name}\u00a0: valeurs différentes de celles attendues{inputs}.",
    ),
    "worst": Text(
        "{entry} is {got}, expected {expected}.", "{entry} vaut {got}, attendu {expected}."
    ),
    "ratio": Text(
        "Every value is {ratio} times the expected one.",
        "Chaque valeur est {ratio} fois celle attendue.",
    ),
    "ratio_size": Text(
        "Every value is {size} times the expected one: a sum in the place of a mean over {size} "
        "entries?",
        "Chaque valeur est {size} fois celle attendue\u00a0: une somme au lieu d'une moyenne sur "
        "{size} termes\u00a0?",
    ),
    "ratio_share": Text(
        "Every value is the expected one divided by {size}: a mean in the place of a sum?",
        "Chaque valeur est celle attendue divisée par {size}\u00a0: une moyenne au lieu d'une "
        "somme\u00a0?",
    ),
    "opposite": Text(
        "Every value has the opposite sign of the expected one.",
        "Chaque valeur est de signe opposé à celle attendue.",
    ),
    "not_finite": Text(
        "{entry} is {got}, expected {expected}: an overflow on the way.",
        "{entry} vaut {got}, attendu {expected}\u00a0: un dépassement en cours de calcul.",
    ),
    "none": Text(
        "{name} returns nothing; a return is missing.",
        "{name} ne renvoie rien\u00a0; il manque un return.",
    ),
    "none_for": Text(
        "{name} has returned None for {arguments}, though the output depends on it.",
        "{name} a renvoyé None pour {arguments}, alors que la sortie en dépend.",
    ),
    "booleans": Text(
        "{name} has returned booleans for {argument}: the result of a comparison.",
        "{name} a renvoyé des booléens pour {argument}\u00a0: le résultat d'une comparaison.",
    ),
    "precedence": Text(
        "In Python, g * x > 0 means (g * x) > 0, a mask of booleans: write the comparison in "
        "parentheses, as in g * (x > 0).",
        "En Python, g * x > 0 signifie (g * x) > 0, un masque de booléens\u00a0: écrire la "
        "comparaison entre parenthèses, comme dans g * (x > 0).",
    ),
    "calls_autograd": Text(
        "{name} asks autograd for the derivative. Here it is to be written as a formula.",
        "{name} demande la dérivée à autograd. Il s'agit ici d'en écrire la formule.",
    ),
    "matrix": Text(
        "{name}: the result is right, but a tensor of shape {shape} is built on the way. For a "
        "large model it does not fit into memory: choose another order of the products.",
        "{name}\u00a0: le résultat est juste, mais un tenseur de forme {shape} est construit en "
        "chemin. Pour un grand modèle, il ne tient pas en mémoire\u00a0: choisir un autre ordre "
        "des produits.",
    ),
    "others": Text(
        "After that: {others}.",
        "Ensuite\u00a0: {others}.",
    ),
    "remark": Text("Remark: {text}", "Remarque\u00a0: {text}"),
    "inconclusive": Text(
        "{name}: the gradient could not be compared.",
        "{name}\u00a0: le gradient n'a pas pu être comparé.",
    ),
    "hint": Text("Hint: {text}", "Indice\u00a0: {text}"),
    "place": Text("To read: {text}", "À lire\u00a0: {text}"),
    "fix": Text("A solution: {text}", "Une solution\u00a0: {text}"),
    "not_right": Text("{name}: not right.", "{name}\u00a0: ce n'est pas juste."),
    "too_large": Text("{name}: too large.", "{name}\u00a0: trop grand."),
    "too_small": Text("{name}: too small.", "{name}\u00a0: trop petit."),
    "some_wrong": Text(
        "{name}: {count} of {all} values are not right.",
        "{name}\u00a0: {count} valeurs sur {all} ne sont pas justes.",
    ),
    "float32": Text(
        "{name}: computed in float32, with seven digits; new tensors need dtype=x.dtype.",
        "{name}\u00a0: calculé en float32, avec sept chiffres\u00a0; les nouveaux tenseurs doivent "
        "avoir dtype=x.dtype.",
    ),
    "wrong_value": Text(
        "{name}: {got}, which is not right.", "{name}\u00a0: {got}, ce qui n'est pas juste."
    ),
    "no_choice": Text(
        "{name}: choose one of {choices}, as text, such as {name} = {example}.",
        "{name}\u00a0: choisir parmi {choices}, sous forme de texte, comme {name} = {example}.",
    ),
    "manual": Text(
        "{name}: your teacher reads this answer.",
        "{name}\u00a0: cette réponse est lue par l'enseignant.",
    ),
    "manual_short": Text(
        "{name}: write your answer as text, in a sentence or two.",
        "{name}\u00a0: écrire la réponse sous forme de texte, en une ou deux phrases.",
    ),
}


def say(key: str, lang: str, **gaps: object) -> str:
    """The message of this key in one language, its gaps filled."""
    return WORDS[key].to(lang, **gaps)
