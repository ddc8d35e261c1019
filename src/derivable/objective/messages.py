"""The messages of objectives and steppers: what they cannot run, and what can."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "fused": (
        "the fused objective runs Linear layers, LayerNorms with weight and bias, and activations "
        "between them, without other options, on x (N, D) and y (N, K) of floating-point numbers, "
        "or labels y (N,) of CrossEntropy; the objective by hand runs any network",
        "l'objectif fused prend des couches Linear, des LayerNorm avec weight et bias, et des "
        "activations entre elles, sans autre option, sur x (N, D) et y (N, K) de nombres à virgule "
        "flottante, ou des étiquettes y (N,) de CrossEntropy ; l'objectif by-hand prend tout "
        "réseau",
    ),
    "fused_kinds": (
        "the fused objective runs one kind of activation in float32 or float64 on the CPU, and "
        "needs Numba: pip install 'derivable[fast]'",
        "l'objectif fused prend une seule sorte d'activation, en float32 ou float64 sur le CPU, et "
        "demande Numba : pip install 'derivable[fast]'",
    ),
    "fused_activation": (
        "the fused objective cannot compile the activation: {why}",
        "l'objectif fused ne peut pas compiler l'activation : {why}",
    ),
    "fused_loss": (
        "the fused objective cannot compile the loss: {why}",
        "l'objectif fused ne peut pas compiler la perte : {why}",
    ),
    "perceptron": (
        "the {name} objective runs Linear layers with activations between them{end}, on x (N, D) "
        "and y (N, K) of floating-point numbers, or labels y (N,) of CrossEntropy; the objective "
        "by hand runs any network",
        "l'objectif {name} prend des couches Linear avec des activations entre elles{end}, sur x "
        "(N, D) et y (N, K) de nombres à virgule flottante, ou des étiquettes y (N,) de "
        "CrossEntropy ; l'objectif by-hand prend tout réseau",
    ),
    "at_the_end": (", and {losses} at the end", ", et {losses} à la fin"),
    "or": (" or ", " ou "),
    "and": (" and ", " et "),
    "mean_over_rows": ("its loss is the mean over rows", "sa perte est la moyenne sur les lignes"),
    "no_such_loss": (
        "the {name} objective cannot have {loss}: {why}",
        "l'objectif {name} ne peut pas prendre {loss} : {why}",
    ),
    "known_activations": (
        "the {name} objective knows the activations {known}; the objective by hand runs any "
        "network",
        "l'objectif {name} connaît les activations {known} ; l'objectif by-hand prend tout réseau",
    ),
    "piecewise": (
        "the piecewise objective runs one hidden layer of ReLU, LeakyReLU or another activation of "
        "two straight lines that meet in (0, 0), on the CPU, and needs Numba: pip install "
        "'derivable[fast]'",
        "l'objectif piecewise prend une couche cachée de ReLU, LeakyReLU ou d'une autre activation "
        "faite de deux droites qui se coupent en (0, 0), sur le CPU, et demande Numba : pip "
        "install 'derivable[fast]'",
    ),
    "no_second_derivatives": (
        "the Hessian-vector product of this problem needs second derivatives, and autograd finds "
        "none: {error}",
        "le produit hessienne-vecteur de ce problème demande des dérivées secondes, et autograd "
        "n'en trouve pas : {error}",
    ),
    "forked": (
        "this process was forked from one that has descended, and GNU OpenMP cannot go on in it; "
        "start processes by multiprocessing's method 'spawn' or 'forkserver'",
        "ce processus est issu d'un fork d'un processus qui a fait une descente, et GNU OpenMP ne "
        "peut y continuer ; lancez les processus par la méthode 'spawn' ou 'forkserver' de "
        "multiprocessing",
    ),
    "vector": (
        "{name} must be a contiguous vector of {size} numbers of type {dtype}, got {shape} of "
        "{got}",
        "{name} doit être un vecteur contigu de {size} nombres de type {dtype}, reçu {shape} de "
        "type {got}",
    ),
}
say = Catalogue(_TEXTS)
