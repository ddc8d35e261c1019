"""The messages of the library of Functions; `shape_messages.py` has those of shapes."""

from __future__ import annotations

from derivable.functions.shape_messages import SHAPES
from derivable.messages import Catalogue

_TEXTS = {
    "operand": (
        "{function}: {name} must be a tensor or a number, got {kind}; torch.as_tensor({name}) "
        "makes a tensor",
        "{function} : {name} doit être un tenseur ou un nombre, reçu {kind} ; "
        "torch.as_tensor({name}) en fait un tenseur",
    ),
    "dims": (
        "{function}: dim must be whole numbers, got {got!r}; dimensions are counted from 0, or "
        "from -1 at the end",
        "{function} : dim doit contenir des nombres entiers, reçu {got!r} ; les dimensions se "
        "comptent à partir de 0, ou de -1 à la fin",
    ),
    "dim_range": (
        "{function}: dim must lie between {low} and {high} for input of shape {shape}, got "
        "{got}; name a dimension that input has",
        "{function} : dim doit être entre {low} et {high} pour input de forme {shape}, reçu "
        "{got} ; donnez une dimension de input",
    ),
    "dim_once": (
        "{function}: dim must name each dimension once, got {got}; name each only once",
        "{function} : dim doit nommer chaque dimension une fois, reçu {got} ; nommez chacune "
        "une seule fois",
    ),
    "one_dim": (
        "{function}: dim must be one whole number, got {got!r}; for several dimensions, flatten "
        "them into one before",
        "{function} : dim doit être un seul nombre entier, reçu {got!r} ; réunissez d'abord "
        "plusieurs dimensions en une",
    ),
    "norm_p": (
        "Norm: p must be a number from 1 to infinity, got {got!r}; 2 is the usual length",
        "Norm : p doit être un nombre de 1 à l'infini, reçu {got!r} ; 2 est la longueur usuelle",
    ),
    "real_input": (
        "{function}: input must be real, got {dtype}; {function} is differentiated on real "
        "numbers only: give it input.real or input.imag",
        "{function} : input doit être réel, reçu {dtype} ; {function} ne se dérive que sur les "
        "réels : donnez input.real ou input.imag",
    ),
    "approximate": (
        'GELU: approximate must be "none" or "tanh", got {got!r}; "none" is exact',
        'GELU : approximate doit être "none" ou "tanh", reçu {got!r} ; "none" est exact',
    ),
    "min_max": (
        "Hardtanh: min_val must not be above max_val, got {low} and {high}; exchange them",
        "Hardtanh : min_val ne doit pas dépasser max_val, reçu {low} et {high} ; échangez-les",
    ),
    "beta": (
        "Softplus: beta must not be 0, got 0; the output is divided by it",
        "Softplus : beta ne doit pas être nul, reçu 0 ; la sortie est divisée par lui",
    ),
    "normalized_shape": (
        "{function}: normalized_shape must name at least one size, got (); give the sizes of "
        "the last dimensions, such as (input.size(-1),)",
        "{function} : normalized_shape doit donner au moins une taille, reçu () ; donnez les "
        "tailles des dernières dimensions, comme (input.size(-1),)",
    ),
    "real_numbers": (
        "{function}: {name} must hold real numbers, got {dtype}; apply it to {name}.real and "
        "{name}.imag instead",
        "{function} : {name} doit contenir des nombres réels, reçu {dtype} ; appliquez la "
        "fonction à {name}.real et {name}.imag",
    ),
    "groups": (
        "{function}: groups must be a positive int that divides the {channels} output channels "
        "of weight, got {got!r}; groups=1 joins all channels",
        "{function} : groups doit être un entier positif qui divise les {channels} canaux de "
        "sortie de weight, reçu {got!r} ; groups=1 réunit tous les canaux",
    ),
    "padding": (
        "{function}: padding must be numbers, 'same' or 'valid', got {got!r}; 'valid' is padding=0",
        "{function} : padding doit contenir des nombres, ou être 'same' ou 'valid', reçu "
        "{got!r} ; 'valid' équivaut à padding=0",
    ),
    "padding_same": (
        "{function}: padding='same' needs stride 1, got {got!r}; give the padding as numbers",
        "{function} : padding='same' demande stride 1, reçu {got!r} ; donnez padding en nombres",
    ),
    "half_window": (
        "{function}: padding must be at most half of the window, which spans {spans} entries, "
        "got {got!r}; beyond that a window could lie outside of the input",
        "{function} : padding doit être au plus la moitié de la fenêtre, qui couvre {spans} "
        "termes, reçu {got!r} ; au-delà, une fenêtre pourrait être hors de l'entrée",
    ),
    "per_axis": (
        "{function}: {name} must be an int of at least {lowest}, or one for each of the {axes} "
        "axes of space, got {got!r}; give for example {name}={example}",
        "{function} : {name} doit être un entier d'au moins {lowest}, ou un par axe de l'espace "
        "({axes}), reçu {got!r} ; donnez par exemple {name}={example}",
    ),
    "divisor": (
        "AvgPool2d: divisor_override must be a number other than 0, got 0; None divides by the "
        "entries of the window",
        "AvgPool2d : divisor_override doit être un nombre non nul, reçu 0 ; None divise par le "
        "nombre de termes de la fenêtre",
    ),
    "running": (
        "BatchNorm: without training, running_mean and running_var must be tensors, got None; "
        "give both, or training=True to use the statistics of the batch",
        "BatchNorm : sans training, running_mean et running_var doivent être des tenseurs, reçu "
        "None ; donnez les deux, ou training=True pour utiliser les statistiques du lot",
    ),
    "probability": (
        "Dropout: p must be a probability from 0 to 1, got {got}; it is the share of the "
        "entries that are dropped",
        "Dropout : p doit être une probabilité entre 0 et 1, reçu {got} ; c'est la part des "
        "termes supprimés",
    ),
    "indices": (
        "Embedding: input must hold indices from 0 to {last}, one of the {rows} rows of weight "
        "each, got {got}",
        "Embedding : input doit contenir des indices de 0 à {last}, chacun l'une des {rows} "
        "lignes de weight, reçu {got}",
    ),
    "index_dtype": (
        "Embedding: input must hold int64 or int32 indices, got {dtype}; convert it with "
        "input.long(), or exchange input and weight if they are in the wrong order",
        "Embedding : input doit contenir des indices int64 ou int32, reçu {dtype} ; "
        "convertissez-le par input.long(), ou échangez input et weight s'ils sont dans le "
        "mauvais ordre",
    ),
    "padding_idx": (
        "Embedding: padding_idx must be one of the {rows} rows of weight, got {got}; give a "
        "number from {low} to {high}",
        "Embedding : padding_idx doit être l'une des {rows} lignes de weight, reçu {got} ; "
        "donnez un nombre de {low} à {high}",
    ),
    "end_dim": (
        "Flatten: end_dim must not come before start_dim, got start_dim={start} and "
        "end_dim={end} for input of shape {shape}",
        "Flatten : end_dim ne doit pas précéder start_dim, reçu start_dim={start} et "
        "end_dim={end} pour input de forme {shape}",
    ),
    "flatten_dim": (
        "Flatten: {name} must be a dimension of input, {low} to {high}, got {got} for input of "
        "shape {shape}",
        "Flatten : {name} doit être une dimension de input, de {low} à {high}, reçu {got} pour "
        "input de forme {shape}",
    ),
    "num_groups": (
        "GroupNorm: num_groups must divide the {channels} channels of input of shape {shape}, "
        "got {got}; choose a divisor of {channels}",
        "GroupNorm : num_groups doit diviser les {channels} canaux de input de forme {shape}, "
        "reçu {got} ; choisissez un diviseur de {channels}",
    ),
    "is_causal": (
        "{function}: is_causal must be True or False, got {got!r}; where PyTorch has dropout_p, "
        "there is none here: give is_causal and scale by name",
        "{function} : is_causal doit être True ou False, reçu {got!r} ; il n'y a pas ici le "
        "dropout_p de PyTorch : donnez is_causal et scale par leur nom",
    ),
    "two_masks": (
        "{function}: attn_mask must be None where is_causal is True, got both; put the causal "
        "mask into attn_mask",
        "{function} : attn_mask doit être None si is_causal est True, reçu les deux ; mettez le "
        "masque causal dans attn_mask",
    ),
    "mask_dtype": (
        "{function}: attn_mask must be bool or {dtype}, as query is, got {got}; convert it with "
        "attn_mask.bool() or attn_mask.to(query.dtype)",
        "{function} : attn_mask doit être bool ou {dtype}, comme query, reçu {got} ; "
        "convertissez-le par attn_mask.bool() ou attn_mask.to(query.dtype)",
    ),
    "matrix": (
        "{function}: {name}{which} must be {kind}, but it is not; {hint}",
        "{function} : {name}{which} doit être {kind}, et ne l'est pas ; {hint}",
    ),
    "left": (
        "Solve: left must be True where B is a vector, of shape {shape}, got False; "
        "B.unsqueeze(-2) makes it a matrix of one row",
        "Solve : left doit être True si B est un vecteur, de forme {shape}, reçu False ; "
        "B.unsqueeze(-2) en fait une matrice d'une ligne",
    ),
    "real_scores": (
        "{function}: input must hold one real number per class, got {dtype}; class indices are "
        "the target, which comes after it",
        "{function} : input doit contenir un nombre réel par classe, reçu {dtype} ; les indices "
        "de classes sont la cible, qui vient après",
    ),
    "class_indices": (
        "{function}: target must hold class indices, which are integers, got {dtype}; convert "
        "it with target.long()",
        "{function} : target doit contenir des indices de classes, qui sont des entiers, reçu "
        "{dtype} ; convertissez-le par target.long()",
    ),
    "class_range": (
        "{function}: target must hold class indices from 0 to {last}, one for each of the "
        "{count} classes of input, got {got}; only ignore_index, {ignored}, may lie outside",
        "{function} : target doit contenir des indices de classes de 0 à {last}, un pour "
        "chacune des {count} classes de input, reçu {got} ; seul ignore_index, {ignored}, peut "
        "être en dehors",
    ),
    "real_pair": (
        "{function}: {name} must be real, got {dtype}; complex numbers have no order: compare "
        "the real and the imaginary parts apart",
        "{function} : {name} doit être réel, reçu {dtype} ; les nombres complexes n'ont pas "
        "d'ordre : comparez séparément les parties réelle et imaginaire",
    ),
    "reduction": (
        "{function}: reduction must be one of {words}, got {got!r}",
        "{function} : reduction doit être l'une des valeurs {words}, reçu {got!r}",
    ),
    "smoothing": (
        "{function}: label_smoothing must lie between 0 and 1, got {got}; it is the share of "
        "the target that is spread evenly over the classes",
        "{function} : label_smoothing doit être entre 0 et 1, reçu {got} ; c'est la part de la "
        "cible répartie également entre les classes",
    ),
    "ignore_index": (
        "{function}: ignore_index must be negative where target holds probabilities, got {got}; "
        "there is no class index to ignore",
        "{function} : ignore_index doit être négatif si target contient des probabilités, reçu "
        "{got} ; il n'y a pas d'indice de classe à ignorer",
    ),
    "delta": (
        "Huber: delta must be positive, got {got}; it is the error from which on the loss is "
        "linear",
        "Huber : delta doit être positif, reçu {got} ; c'est l'erreur à partir de laquelle la "
        "perte est linéaire",
    ),
}
say = Catalogue(_TEXTS, SHAPES)
