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
        "flottante, ou des étiquettes y (N,) de CrossEntropy ; l'objectif by hand prend tout "
        "réseau",
    ),
    "fused_kinds": (
        "the fused objective runs one kind of activation in float32 or float64 on the CPU, and "
        "needs Numba: pip install 'derivable[descent]'",
        "l'objectif fused prend une seule sorte d'activation, en float32 ou float64 sur le CPU, et "
        "demande Numba : pip install 'derivable[descent]'",
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
        "CrossEntropy ; l'objectif by hand prend tout réseau",
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
        "l'objectif {name} connaît les activations {known} ; l'objectif by hand prend tout réseau",
    ),
    "piecewise": (
        "the piecewise objective runs one hidden layer of ReLU, LeakyReLU or another activation of "
        "two straight lines that meet in (0, 0), on the CPU, and needs Numba: pip install "
        "'derivable[descent]'",
        "l'objectif piecewise prend une couche cachée de ReLU, LeakyReLU ou d'une autre activation "
        "faite de deux droites qui se coupent en (0, 0), sur le CPU, et demande Numba : pip "
        "install 'derivable[descent]'",
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
    "no_shards": (
        "{name!r} needs all rows in one process, and shard=True leaves them in several; leave "
        "objective out, or name 'fused' or 'by hand'",
        "{name!r} demande toutes les lignes dans un seul processus, et shard=True les laisse dans "
        "plusieurs ; omettez objective, ou donnez 'fused' ou 'by hand'",
    ),
    "shard_loss": (
        "shard=True goes with losses that are a sum or mean over rows, and {loss} is not known to "
        "be one: {why}",
        "shard=True demande une perte qui est une somme ou une moyenne sur les lignes, et {loss} "
        "n'en est pas une connue : {why}",
    ),
    "shard_changes": (
        "shard=True goes with networks that stay as they are, and {name} changes with every step, "
        "in each process in another way",
        "shard=True demande un réseau qui reste tel quel, et {name} change à chaque pas, d'une "
        "autre façon dans chaque processus",
    ),
    "shard_rows": (
        "shard=True goes with networks that predict each row by itself, and this one predicts "
        "another value for a row beside other rows",
        "shard=True demande un réseau qui prédit chaque ligne pour elle-même, et celui-ci prédit "
        "une autre valeur pour une ligne à côté d'autres lignes",
    ),
    "cuda_graph_device": (
        "the objective 'cuda graph' runs on a CUDA device, and this problem lies on {device}; "
        "descend(..., device='cuda') moves it",
        "l'objectif 'cuda graph' s'exécute sur un périphérique CUDA, et ce problème est sur "
        "{device} ; descend(..., device='cuda') le déplace",
    ),
    "cuda_graph_changes": (
        "the objective 'cuda graph' repeats recorded steps, and {name} changes with every step; "
        "name 'by hand'",
        "l'objectif 'cuda graph' répète des pas enregistrés, et {name} change à chaque pas ; "
        "donnez 'by hand'",
    ),
    "cuda_graph_record": (
        "the objective 'cuda graph' cannot record a step of this problem, which reads values of "
        "tensors in Python: {why}; name 'by hand'",
        "l'objectif 'cuda graph' ne peut enregistrer un pas de ce problème, qui lit des valeurs "
        "de tenseurs en Python : {why} ; donnez 'by hand'",
    ),
    "vector": (
        "{name} must be a contiguous vector of {size} numbers of type {dtype}, got {shape} of "
        "{got}",
        "{name} doit être un vecteur contigu de {size} nombres de type {dtype}, reçu {shape} de "
        "type {got}",
    ),
}
say = Catalogue(_TEXTS)
