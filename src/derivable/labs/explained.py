"""`explained`: explanations of errors of Python and PyTorch in a student's code."""

from __future__ import annotations

import linecache
import re

from derivable.examiner.capture.locations import error_text, failing_line
from derivable.messages import Text

_EXPLANATIONS: tuple[tuple[str, Text], ...] = (
    (
        r"NameError: name '(\w+)' is not defined",
        Text(
            "the name {0} does not exist here: a typing error, or a variable of another function.",
            "le nom {0} n'existe pas ici\u00a0: une faute de frappe, ou une variable d'une autre "
            "fonction.",
        ),
    ),
    (
        r"UnboundLocalError: .*variable '(\w+)'",
        Text(
            "{0} is used before it has a value.", "{0} est utilisé avant d'avoir reçu une valeur."
        ),
    ),
    (
        r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
        Text(
            "a product of shapes ({0}, {1}) and ({2}, {3}): {1} and {2} must be equal. Write the "
            "shape of each factor beside it.",
            "un produit de formes ({0}, {1}) et ({2}, {3})\u00a0: {1} et {2} doivent être égaux. "
            "Écrire la forme de chaque facteur à côté de lui.",
        ),
    ),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)",
        Text(
            "sizes {0} and {1} do not go together in an operation on each entry.",
            "les tailles {0} et {1} ne vont pas ensemble dans une opération terme à terme.",
        ),
    ),
    (
        r"not enough values to unpack \(expected (\d+), got (\d+)\)",
        Text(
            "{0} values are read, and there are {1}: compare with what forward saves.",
            "{0} valeurs sont lues, et il y en a {1}\u00a0: comparer avec ce que forward "
            "sauvegarde.",
        ),
    ),
    (
        r"too many values to unpack \(expected (\d+)",
        Text(
            "{0} values are read, and there are more: compare with what forward saves.",
            "{0} valeurs sont lues, et il y en a plus\u00a0: comparer avec ce que forward "
            "sauvegarde.",
        ),
    ),
    (
        r"has no attribute 'saved_?tensor'",
        Text(
            "what was saved is in ctx.saved_tensors, with an s.",
            "ce qui a été sauvegardé est dans ctx.saved_tensors, avec un s.",
        ),
    ),
    (
        r"'NoneType' object",
        Text(
            "something is None here: often a function without return.",
            "quelque chose vaut None ici\u00a0: souvent une fonction sans return.",
        ),
    ),
    (
        r"(\w+)\(\) takes 1 positional argument but (\d+) w",
        Text(
            "{0} is written with 1 argument and called with {1}. ctx comes first, and "
            "@staticmethod stands above each of the two methods.",
            "{0} est écrite avec un seul argument et appelée avec {1}. ctx vient en premier, et "
            "@staticmethod se place au-dessus de chacune des deux méthodes.",
        ),
    ),
    (
        r"(\w+)\(\) takes 0 positional arguments but (\d+) w",
        Text(
            "{0} is written without arguments and called with {1}. ctx comes first, and "
            "@staticmethod stands above each of the two methods.",
            "{0} est écrite sans argument et appelée avec {1}. ctx vient en premier, et "
            "@staticmethod se place au-dessus de chacune des deux méthodes.",
        ),
    ),
    (
        r"(\w+)\(\) takes (\d+) positional arguments? but (\d+) w",
        Text(
            "{0} is written with {1} arguments and called with {2}. ctx comes first, and "
            "@staticmethod stands above each of the two methods.",
            "{0} est écrite avec {1} arguments et appelée avec {2}. ctx vient en premier, et "
            "@staticmethod se place au-dessus de chacune des deux méthodes.",
        ),
    ),
    (
        r"(\w+)\(\) missing \d+ required positional arguments?: (.+)",
        Text(
            "{0} is called without {1}. ctx comes first, and @staticmethod stands above each of "
            "the two methods.",
            "{0} est appelée sans {1}. ctx vient en premier, et @staticmethod se place au-dessus "
            "de chacune des deux méthodes.",
        ),
    ),
    (
        r"(?:same dtype|Found dtype|expected scalar type|expected m1 and m2).*",
        Text(
            "two tensors have different dtypes: make new tensors like an existing one "
            "(torch.zeros_like, dtype=x.dtype).",
            "deux tenseurs n'ont pas le même dtype\u00a0: créer les nouveaux d'après un tenseur "
            "existant (torch.zeros_like, dtype=x.dtype).",
        ),
    ),
    (
        r"does not require grad and does not have a grad_fn",
        Text(
            "autograd has not recorded this computation: an input needs requires_grad=True, and a "
            "first gradient that is differentiated again needs create_graph=True.",
            "autograd n'a pas enregistré ce calcul\u00a0: une entrée doit avoir "
            "requires_grad=True, et un premier gradient que l'on dérive de nouveau demande "
            "create_graph=True.",
        ),
    ),
    (
        r"grad can be implicitly created only for scalar outputs",
        Text(
            "a gradient is that of one number: take a sum, or give grad_outputs.",
            "un gradient est celui d'un nombre\u00a0: prendre une somme, ou donner grad_outputs.",
        ),
    ),
    (
        r"'(\w+)' object is not callable",
        Text(
            "something of type {0} is followed by parentheses: a missing operator, or a name that "
            "was used for something else above.",
            "un objet de type {0} est suivi de parenthèses\u00a0: un opérateur oublié, ou un nom "
            "déjà utilisé pour autre chose plus haut.",
        ),
    ),
    (
        r"bitwise_xor",
        Text(
            "^ is no power in Python: write **.",
            "^ n'est pas une puissance en Python\u00a0: écrire **.",
        ),
    ),
    (
        r"must be Tensor, not tuple|'tuple' and '|'Tensor' and 'tuple'|'tuple' object has no attr",
        Text(
            "a tuple stands where a tensor is needed: unpack it, as in (x,) = ctx.saved_tensors or "
            "grad, _ = backward(...).",
            "un tuple se trouve là où il faut un tenseur\u00a0: le déballer, comme dans (x,) = "
            "ctx.saved_tensors ou grad, _ = backward(...).",
        ),
    ),
    (
        r"return_types\.(max|min)",
        Text(
            "{0} along an axis returns values and indices: take .values.",
            "{0} le long d'un axe renvoie des valeurs et des indices\u00a0: prendre .values.",
        ),
    ),
    (
        r"Boolean value of Tensor with more than one value",
        Text(
            "a condition on a whole tensor: use torch.where, a mask or clamp for each entry.",
            "une condition porte sur un tenseur entier\u00a0: utiliser torch.where, un masque ou "
            "clamp pour chaque terme.",
        ),
    ),
    (
        r"only one element tensors can be converted|math domain error|only 0-dimensional",
        Text(
            "a function of math takes one number: use that of torch (torch.exp, torch.log).",
            "une fonction de math prend un seul nombre\u00a0: utiliser celle de torch (torch.exp, "
            "torch.log).",
        ),
    ),
    (
        r"mean\(\): could not infer output dtype|Input dtype must be either a floating",
        Text(
            "a mean needs numbers with decimals: convert with .double() or .float() first.",
            "une moyenne demande des nombres à virgule\u00a0: convertir d'abord avec .double() ou "
            ".float().",
        ),
    ),
    (
        r"Dimension out of range",
        Text(
            "the tensor has fewer axes than this dim; dim=0 is the first one.",
            "le tenseur a moins d'axes que ce dim\u00a0; dim=0 est le premier.",
        ),
    ),
    (
        r"Expected size for first two dimensions of batch2|size mismatch, got input",
        Text(
            "the shapes of a matrix product do not go together: write the shape of each factor "
            "beside it.",
            "les formes d'un produit de matrices ne vont pas ensemble\u00a0: écrire la forme de "
            "chaque facteur à côté de lui.",
        ),
    ),
    (
        r"RecursionError",
        Text("the function calls itself without end.", "la fonction s'appelle elle-même sans fin."),
    ),
    (
        r"IndentationError|TabError",
        Text(
            "the lines of one block begin in the same column.",
            "les lignes d'un même bloc commencent dans la même colonne.",
        ),
    ),
    (
        r"SyntaxError",
        Text(
            "Python cannot read this line: a bracket, a colon or a comma is missing, here or in "
            "the line above.",
            "Python ne peut pas lire cette ligne\u00a0: il manque une parenthèse, un deux-points "
            "ou une virgule, ici ou à la ligne du dessus.",
        ),
    ),
)
_LINE = Text("line {line}: {text}", "ligne {line}\u00a0: {text}")


def _listed(names: str, lang: str) -> str:
    """The names in a message of Python, 'a', 'b', and 'c', with the word of the language."""
    return re.sub(r"(?<='),? and (?=')", " et ", names) if lang == "fr" else names


def explained(error: BaseException, lang: str) -> list[str]:
    """An error in two or three lines: Python's message, the line, and an explanation."""
    words = error_text(error)
    lines = [words]
    place = failing_line(error)
    if place is not None:
        text = linecache.getline(place.path, place.line).strip()
        if text:
            lines.append(_LINE.to(lang, line=place.line, text=text))
    for pattern, meaning in _EXPLANATIONS:
        if match := re.search(pattern, words):
            parts = (_listed(part or "", lang) for part in match.groups())
            meant = meaning.to(lang).format(*parts)
            lines.append(meant[0].upper() + meant[1:])
            break
    return lines
