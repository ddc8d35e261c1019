"""The messages of what a Function does that has no formula."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "cannot_be_traced": (
        "{function} cannot be traced: {kind}: {error}",
        "{function} ne peut être suivie : {kind} : {error}",
    ),
    "constant": (
        "{function}: {name} is {what}, and the constants of a compiled loop are single numbers and "
        "words",
        "{function} : {name} est {what}, et les constantes d'une boucle compilée sont de simples "
        "nombres et mots",
    ),
    "tensor_of_shape": ("a tensor of shape {shape}", "un tenseur de forme {shape}"),
    "of_type": ("of type {kind}", "de type {kind}"),
    "no_forward": ("{function} has no forward", "{function} n'a pas de forward"),
    "other_shape": (
        "{function} computes something else for another shape of its input",
        "{function} calcule autre chose pour une autre forme de son entrée",
    ),
    "other_each_time": (
        "{function} computes something else every time it is called",
        "{function} calcule autre chose à chaque appel",
    ),
    "not_pointwise": (
        "{function}.forward gives {got} for {given}, so it is not pointwise",
        "{function}.forward donne {got} pour {given}, et n'est donc pas appliquée terme à terme",
    ),
    "differs": (
        "{function}.{rule} at {place} gives {given}, and what was traced gives {traced}, so an "
        "entry is not made from its own input alone, or not in the same way every time",
        "{function}.{rule} en {place} donne {given}, et ce qui a été suivi donne {traced} ; un "
        "terme ne dépend donc pas que de sa propre entrée, ou pas toujours de la même façon",
    ),
    "not_linear": (
        "{function}.backward is not linear in grad_output",
        "{function}.backward n'est pas linéaire en grad_output",
    ),
    "not_made": (
        "{name} returns a tensor that was not made from its input",
        "{name} renvoie un tenseur qui n'est pas calculé à partir de son entrée",
    ),
    "too_long": (
        "{name} is too long: more than {most} operations",
        "{name} est trop longue : plus de {most} opérations",
    ),
    "one_tensor": (
        "{name} returns {kind}, expected one tensor",
        "{name} renvoie {kind}, attendu un seul tenseur",
    ),
    "several_tensors": ("several tensors", "plusieurs tenseurs"),
    "no_weights": (
        "binary_cross_entropy_with_logits with weights has no formula here",
        "binary_cross_entropy_with_logits avec des poids n'a pas de formule ici",
    ),
    "no_sum": (
        "{loss} is not the sum or mean of a function of prediction and target: tables of shapes "
        "{one} and {other} give other values or gradients",
        "{loss} n'est pas la somme ou la moyenne d'une fonction de la prédiction et de la cible : "
        "des tableaux de formes {one} et {other} donnent d'autres valeurs ou gradients",
    ),
    "other_gradient": (
        "{loss}.backward at prediction {prediction} and target {target} gives another gradient "
        "than what was traced",
        "{loss}.backward, pour la prédiction {prediction} et la cible {target}, donne un autre "
        "gradient que ce qui a été suivi",
    ),
    # while a rule is traced
    "at": ("{owner}.{rule}{line}: {what}", "{owner}.{rule}{line} : {what}"),
    "line": (", line {number} `{text}`", ", ligne {number} `{text}`"),
    "reads_values": (
        "Python reads the values of a tensor (`if`, bool(), float() or .item()), which depend "
        "on the input",
        "Python lit les valeurs d'un tenseur (`if`, bool(), float() ou .item()), qui dépendent "
        "de l'entrée",
    ),
    "random": ("`{name}` draws random numbers", "`{name}` tire des nombres au hasard"),
    "no_formula": ("`{name}` has no formula here", "`{name}` n'a pas de formule ici"),
    "name_not_pointwise": (
        "`{name}` is not pointwise",
        "`{name}` n'est pas appliquée terme à terme",
    ),
    "other_shapes": (
        "tensors of different shapes are combined",
        "des tenseurs de formes différentes sont combinés",
    ),
    "other_masks": (
        "entries that were picked by different masks are combined",
        "des termes choisis par des masques différents sont combinés",
    ),
    "broadcasts": ("`{name}` broadcasts", "`{name}` étend les dimensions (broadcasting)"),
    "casts": (
        "casts to {dtype}, in which float64 is not kept",
        "convertit en {dtype}, où float64 n'est pas conservé",
    ),
    "picks_among_picked": (
        "picks entries among those that a mask has picked",
        "choisit des termes parmi ceux qu'un masque a choisis",
    ),
    "put_back": (
        "entries are put back under another mask than they were picked by",
        "des termes sont replacés sous un autre masque que celui qui les a choisis",
    ),
    "picks_by_position": (
        "picks entries by their positions, or by a mask of another shape",
        "choisit des termes par leur position, ou par un masque d'une autre forme",
    ),
    "several_numbers": (
        "uses a tensor of several numbers that was not made from the input by PyTorch",
        "utilise un tenseur de plusieurs nombres que PyTorch n'a pas calculé à partir de l'entrée",
    ),
    "writes": (
        "writes into a tensor that was not made from the input by PyTorch",
        "écrit dans un tenseur que PyTorch n'a pas calculé à partir de l'entrée",
    ),
}
say = Catalogue(_TEXTS)
