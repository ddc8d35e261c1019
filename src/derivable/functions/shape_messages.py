"""What is expected of the shape of an argument, and what to do where it has another."""

from __future__ import annotations

SHAPES = {
    "broadcasts_with": (
        "a shape that broadcasts with {first} of shape {shape}{leading}",
        "une forme compatible par broadcasting avec {first} de forme {shape}{leading}",
    ),
    "one_entry": (
        "at least one entry along the reduced dimensions {dims}",
        "au moins un terme le long des dimensions réduites {dims}",
    ),
    "in_out": (
        "shape (in, out)",
        "la forme (in, out)",
    ),
    "columns_to_meet": (
        "{columns} columns to meet w of shape {shape}",
        "{columns} colonnes pour aller avec w de forme {shape}",
    ),
    "bias_of": (
        "shape ({columns},) or (1, {columns}) to meet w of shape {shape}",
        "la forme ({columns},) ou (1, {columns}) pour aller avec w de forme {shape}",
    ),
    "rows_to_meet": (
        "{rows} rows to meet input of shape {shape}",
        "{rows} lignes pour aller avec input de forme {shape}",
    ),
    "one_dimension": (
        "at least one dimension",
        "au moins une dimension",
    ),
    "features": (
        "shape (..., features)",
        "la forme (..., variables)",
    ),
    "as_many_dimensions": (
        "{count} dimensions, as input has",
        "{count} dimensions, comme input",
    ),
    "exact_shape": (
        "shape {shape}",
        "la forme {shape}",
    ),
    "last_sizes": (
        "{sizes} as its last sizes",
        "{sizes} comme dernières tailles",
    ),
    "kernel_dimensions": (
        "{count} dimensions, none of them empty",
        "{count} dimensions, dont aucune n'est vide",
    ),
    "channels_first": (
        "shape (N, C, {space}) or (C, {space})",
        "la forme (N, C, {space}) ou (C, {space})",
    ),
    "channels_to_meet": (
        "{channels} channels to meet weight of shape {shape} in {groups} groups",
        "{channels} canaux pour aller avec weight de forme {shape} en {groups} groupes",
    ),
    "vector_of": (
        "shape ({size},)",
        "la forme ({size},)",
    ),
    "space_for_kernel": (
        "room for a kernel that spans {spans} entries",
        "assez de termes pour un noyau qui en couvre {spans}",
    ),
    "images": (
        "shape (N, C, H, W) or (C, H, W), empty only in N",
        "la forme (N, C, H, W) ou (C, H, W), vide seulement en N",
    ),
    "space_for_window": (
        "room for a window that spans {spans} entries",
        "assez de termes pour une fenêtre qui en couvre {spans}",
    ),
    "batch_of_channels": (
        "shape (N, C, ...)",
        "la forme (N, C, ...)",
    ),
    "several_entries": (
        "more than one entry per channel for training",
        "plus d'un terme par canal pour l'apprentissage",
    ),
    "shape_of_input": (
        "the shape of input, {shape}",
        "la forme de input, {shape}",
    ),
    "rows_of_features": (
        "shape (rows, features)",
        "la forme (lignes, variables)",
    ),
    "features_of_query": (
        "{count} features, as query has",
        "{count} variables, comme query",
    ),
    "length_of_key": (
        "length {length}, as key has",
        "la longueur {length}, comme key",
    ),
    "broadcasts_to": (
        "a shape that broadcasts to {shape}",
        "une forme compatible par broadcasting avec {shape}",
    ),
    "sequences": (
        "shape (..., length, features)",
        "la forme (..., longueur, variables)",
    ),
    "square": (
        "shape (..., N, N)",
        "la forme (..., N, N)",
    ),
    "batches_of": (
        "batch dimensions that broadcast with those of A of shape {shape}",
        "des dimensions de lot compatibles par broadcasting avec celles de A de forme {shape}",
    ),
    "scores": (
        "shape (C,), (N, C) or (N, C, d1, ...)",
        "la forme (C,), (N, C) ou (N, C, d1, ...)",
    ),
    "per_class": (
        "shape ({count},) to meet input of shape {shape}",
        "la forme ({count},) pour aller avec input de forme {shape}",
    ),
    "class_per_row": (
        "shape {rows}, one class index per row of input {shape}",
        "la forme {rows}, un indice de classe par ligne de input {shape}",
    ),
    "shape_of": (
        "the shape of {name}, {shape}",
        "la forme de {name}, {shape}",
    ),
    "broadcasts_to_input": (
        "a shape that broadcasts to that of input, {shape}",
        "une forme compatible par broadcasting avec celle de input, {shape}",
    ),
    "shape_of_probabilities": (
        "the shape of input, {shape}, where it holds probabilities (floats)",
        "la forme de input, {shape}, s'il contient des probabilités (à virgule flottante)",
    ),
    "batch_dimension": (
        "a batch dimension",
        "une dimension de lot",
    ),
    "shape_of_yhat": (
        "the shape of yhat, {shape}",
        "la forme de yhat, {shape}",
    ),
    "from_the_last": (
        "counted from the last, dimensions must be equal or 1",
        "comptées depuis la dernière, les dimensions doivent être égales ou valoir 1",
    ),
    "largest_of_none": (
        "the largest of no numbers does not exist",
        "le plus grand d'aucun nombre n'existe pas",
    ),
    "two_dimensions": (
        "reshape it to two dimensions",
        "mettez-le sous deux dimensions",
    ),
    "laid_out": (
        "w is laid out (in, out)",
        "w est disposé en (in, out)",
    ),
    "bias_per_column": (
        "give one bias per column of w",
        "donnez un biais par colonne de w",
    ),
    "summed_with": (
        "the last dimension of input is summed with the last but one of other",
        "la dernière dimension de input est sommée avec l'avant-dernière de other",
    ),
    "multiply": (
        "Multiply takes numbers",
        "Multiply prend des nombres",
    ),
    "reshape": (
        "reshape it",
        "changez sa forme",
    ),
    "state_per_row": (
        "one state per row",
        "un état par ligne",
    ),
    "normalized": (
        "it is normalized_shape",
        "c'est normalized_shape",
    ),
    "or_normalized": (
        "or change normalized_shape",
        "ou changez normalized_shape",
    ),
    "kernel_layout": (
        "it is (out_channels, in_channels / groups, {space} of the kernel)",
        "c'est (out_channels, in_channels / groups, {space} du noyau)",
    ),
    "unsqueeze": (
        "reshape it, or add the missing dimensions with unsqueeze",
        "changez sa forme, ou ajoutez les dimensions manquantes avec unsqueeze",
    ),
    "channel_dimension_is": (
        "channels are dimension {dim}",
        "les canaux sont la dimension {dim}",
    ),
    "per_channel": (
        "give one per output channel",
        "donnez-en un par canal de sortie",
    ),
    "more_padding": (
        "padding is {padding}; give more of it or a smaller kernel",
        "padding vaut {padding} ; augmentez-le, ou prenez un noyau plus petit",
    ),
    "smaller_window": (
        "padding is {padding}; give a smaller kernel_size",
        "padding vaut {padding} ; prenez un kernel_size plus petit",
    ),
    "entry_per_channel": (
        "one entry per channel",
        "un terme par canal",
    ),
    "channel_dimension": (
        "give it a channel dimension",
        "donnez-lui une dimension de canaux",
    ),
    "larger_batch": (
        "one entry has no variance: give a larger batch",
        "un seul terme n'a pas de variance : donnez un lot plus grand",
    ),
    "mask_entries": (
        "give one 0 or 1 per entry",
        "donnez un 0 ou un 1 par terme",
    ),
    "row_per_index": (
        "one row per index",
        "une ligne par indice",
    ),
    "multiplied": (
        "they are multiplied",
        "elles sont multipliées",
    ),
    "value_per_key": (
        "one value per key",
        "une valeur par clé",
    ),
    "mask_layout": (
        "one entry per query and key",
        "un terme par requête et clé",
    ),
    "add_one": (
        "add one",
        "ajoutez-en une",
    ),
    "equal_or_one": (
        "make them equal or 1",
        "rendez-les égales, ou à 1",
    ),
    "square_or_batch": (
        "give a square matrix, or a batch",
        "donnez une matrice carrée, ou un lot",
    ),
    "per_unknown": (
        "there is one per unknown",
        "il y en a une par inconnue",
    ),
    "counts_classes": (
        "C counts classes",
        "C est le nombre de classes",
    ),
    "weight_per_class": (
        "give one weight per class",
        "donnez un poids par classe",
    ),
    "squeeze": (
        "reshape it, for example with target.squeeze()",
        "changez sa forme, par exemple avec target.squeeze()",
    ),
    "reshape_one": (
        "reshape one to the other",
        "donnez à l'un la forme de l'autre",
    ),
    "weight_per_column": (
        "give one weight per column, or per entry",
        "donnez un poids par colonne, ou par terme",
    ),
    "to_long": (
        "class indices must be integers: target.long()",
        "les indices de classes doivent être des entiers : target.long()",
    ),
    "n_k": (
        "give it shape (N, K)",
        "donnez-lui la forme (N, K)",
    ),
    "definite": (
        "positive definite",
        "définie positive",
    ),
    "diagonal": (
        "adding to its diagonal may help",
        "ajouter à sa diagonale peut aider",
    ),
    "invertible": (
        "invertible",
        "inversible",
    ),
    "pinv": (
        "torch.linalg.pinv takes any matrix",
        "torch.linalg.pinv prend toute matrice",
    ),
    "no_gradient": (
        "log det has no gradient where det is 0",
        "log det n'a pas de gradient où det vaut 0",
    ),
    "lstsq": (
        "torch.linalg.lstsq solves without an inverse",
        "torch.linalg.lstsq résout sans inverse",
    ),
    "rows_of_a": (
        "{size} rows to meet A of shape {shape}",
        "{size} lignes pour aller avec A de forme {shape}",
    ),
    "columns_of_a": (
        "{size} columns to meet A of shape {shape}",
        "{size} colonnes pour aller avec A de forme {shape}",
    ),
    "trailing_apart": (
        ", its last {trailing} dimensions apart",
        ", hormis ses {trailing} dernières dimensions",
    ),
    "gates": (
        "its rows are {gates} gates of {size} units",
        "ses lignes sont {gates} portes de {size} unités",
    ),
    "leading_dimensions": (
        "leading dimensions that broadcast with those of query, of shape {query}, and those of "
        "value, of shape {value}",
        "des premières dimensions compatibles par broadcasting avec celles de query, de forme "
        "{query}, et celles de value, de forme {value}",
    ),
    "of_the_batch": (", matrix {number} of the batch", ", matrice {number} du lot"),
}
