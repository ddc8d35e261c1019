"""The messages in French. Gaps in braces are filled by name; a test compares the languages."""

from __future__ import annotations

from derivable.examiner.messages.fr_causes import CAUSES
from derivable.examiner.messages.fr_command import COMMAND
from derivable.examiner.messages.fr_contracts import CONTRACTS
from derivable.examiner.messages.fr_errors import ERRORS
from derivable.examiner.messages.fr_notes import NOTES

SENTENCES: dict[str, str] = {
    **CAUSES,
    **COMMAND,
    **CONTRACTS,
    **ERRORS,
    **NOTES,
    # Where it shows.
    "point.example": "pour vos entrées",
    "point.other_values": "pour d'autres valeurs des mêmes tailles",
    "point.sizes": "pour d'autres tailles : {shapes}",
    "point.unequal_sizes": "là où des tailles égales dans vos entrées diffèrent : {shapes}",
    "point.equal_sizes": "là où toutes les tailles sont égales",
    "point.longer": "là où les lignes de {argument} ne sont pas de longueur 1",
    "point.batch_of_one": "pour un lot d'un seul exemple",
    "point.size_one": "là où la taille {size} devient 1",
    "point.all_sizes_two": "là où toutes les tailles sont 2",
    "point.scalar": "pour des entrées sans dimension",
    "point.empty": "pour un lot vide",
    "point.wide": "pour des valeurs au-delà des vôtres",
    "point.signed": "là où {argument} est négatif",
    "point.asymmetric": "là où {argument} n'est pas symétrique",
    "point.units": "dans des unités où les entrées sont {scale} fois plus grandes",
    "point.large": "là où {argument} vaut environ {size}",
    "point.tiny": "là où {argument} est minuscule",
    "point.zero": "là où une valeur de {argument} est 0",
    "point.zeros": "là où {argument} est nul",
    "point.edge": "là où une valeur de {argument} est {value}",
    "point.dtype": "en {dtype}",
    # Evidence for a cause.
    "evidence.forward_shape": "forward renvoie la forme {returned}, la référence {expected}",
    "evidence.forward_values": "{count} nombres sur {all} diffèrent ; le plus : forward "
    "{returned}, la référence {expected}",
    "evidence.count": "gradients renvoyés : {returned} ; entrées de forward : {expected} ({names})",
    "evidence.no_tensor": "l'objet renvoyé est un {kind}, et non un tenseur",
    "evidence.no_backward": "forward existe, mais ni backward ni vjp ne sont définis",
    "evidence.no_ctx": "forward({names}) : PyTorch lui donne d'abord ctx, ce qui serait {first}",
    "evidence.takes": "backward({names}) ; forward a {count} sorties",
    "evidence.takes_one": "backward({names}) ; forward a une seule sortie",
    "evidence.takes_inputs": "backward({names}) redemande des entrées de forward ; forward a "
    "{count} sorties",
    "evidence.takes_inputs_one": "backward({names}) redemande des entrées de forward ; forward a "
    "une seule sortie",
    "evidence.shape": "forme renvoyée {returned}, l'argument a {expected}",
    "evidence.shape_of": "ce qui est renvoyé pour {name} a la forme de {other}",
    "evidence.dtype": "dtype renvoyé {returned}, l'argument est en {expected}",
    "evidence.transpose_of": "ce qui est renvoyé pour {name} est le gradient de {other}, transposé",
    "evidence.is_product": "le gradient de {name} est {formula}",
    "evidence.rearranged": "avec {right} à la place de {written}, le gradient est juste ({name})",
    "evidence.runs_in_float64": "en float64, le calcul passe : un tenseur de backward a son propre "
    "dtype ; lui donner dtype=grad_output.dtype",
    "evidence.autograd_sums": "autograd le somme pour vous à la forme de l'argument ; si backward "
    "est appelé à la main, c'est faux",
    "evidence.autograd_reshapes": "autograd retire cette dimension pour vous ; si backward est "
    "appelé à la main, c'est faux",
    "evidence.gradient_error": "derivable.Function lève GradientError pour cette forme ; autograd "
    "ne la somme que pour une torch.autograd.Function",
    "evidence.raised": "{kind} : {text}",
    "evidence.forward_again": "appelé de nouveau avec les mêmes entrées, forward donne d'autres "
    "sorties",
    "evidence.class": "un appel modifie {name}, qui est attaché à la classe",
    "evidence.forward_changes": "forward modifie {name} sans le dire par ctx.mark_dirty",
    "evidence.no_copy": "en float64, non : .float() et .to(dtype) ne copient pas un tenseur qui a "
    "déjà ce dtype",
    "evidence.forward_writes": "forward écrit dans {name}, ce qui ici ne change aucun nombre : "
    "autograd compte l'écriture, et backward échoue ensuite à l'usage",
    "evidence.grad_output_changes": "backward modifie grad_output",
    "evidence.backward_changes": "backward modifie {name}",
    "evidence.saved_changes": "backward modifie un tenseur que forward a sauvegardé : un second "
    "backward le verrait",
    "evidence.backward_once": "un second backward du même forward échoue",
    "evidence.backward_draws": "backward tire des nombres au hasard : avec une autre graine, il "
    "renvoie d'autres gradients",
    "evidence.backward_again": "un second backward du même forward renvoie d'autres gradients",
    "evidence.call_again": "le même appel, répété, renvoie d'autres gradients",
    "evidence.interleaved": "forward A, forward B, backward A : les gradients de A ne sont plus "
    "ceux de A seul",
    "evidence.stale": "pour de nouvelles entrées, c'est le gradient juste pour les précédentes "
    "qui est renvoyé",
    "evidence.frozen": "forward donne les sorties d'entrées précédentes pour de nouvelles entrées",
    "evidence.changed_by_caller": "avec des copies de ce que ses Functions prennent et rendent, il "
    "est juste : l'appelant change l'une d'elles sur place",
    "evidence.changed": "le tenseur sauvegardé {position} n'est plus celui qui a été sauvegardé ; "
    "avec une copie, le gradient est juste",
    "evidence.ignores": "le même gradient est renvoyé pour tout grad_output",
    "evidence.factor_at_one": "pour un grad_output de 1, celui de loss.backward(), il vaut "
    "{factor} fois la dérivée",
    "evidence.constant_added": "un terme qui ne dépend pas de grad_output est ajouté, de "
    "taille {size}",
    "evidence.not_zero": "pour un grad_output nul, le gradient atteint {size}",
    "evidence.degree_zero": "deux fois grad_output donne le même gradient : sa taille est perdue",
    "evidence.squared": "deux fois grad_output donne quatre fois le gradient : il est mis au carré",
    "evidence.cubed": "deux fois grad_output donne huit fois le gradient : il est mis au cube",
    "evidence.absolute": "moins grad_output donne le même gradient : son signe est perdu",
    "evidence.one_signed": "les grad_output positifs et négatifs sont traités différemment",
    "evidence.clipped": "proportionnel à grad_output jusqu'à {limit} environ, plus "
    "au-delà : il est écrêté",
    "evidence.not_linear": "le gradient pour une somme de grad_output n'est pas la somme "
    "des gradients",
    "evidence.unused": "quand la sortie {position} seule est utilisée et que les autres apportent "
    "None",
    "evidence.rounded": "les gradients sont tous des nombres {dtype} exacts, et ne "
    "s'additionnent qu'à cet arrondi près",
    "evidence.rounded_inside": "le double de grad_output donne le double du gradient, "
    "mais d'autres multiples et les sommes à un arrondi près seulement : grad_output passe par un "
    "type de moindre précision",
    "evidence.layout_expanded": "pour un grad_output fait d'une seule valeur étendue (expand), "
    "comme .sum() l'envoie",
    "evidence.layout_transposed": "pour un grad_output transposé en mémoire",
    "evidence.layout_strided": "pour un grad_output qui est une valeur sur deux d'un tenseur plus "
    "grand",
    "evidence.layout_rows": "pour un grad_output dont les colonnes sont une même colonne étendue",
    "evidence.layout_channels_last": "pour un grad_output dans l'ordre channels_last",
    "evidence.layout_conjugated": "pour un grad_output conjugué paresseusement",
    "evidence.layout_inputs": "pour des entrées transposées en mémoire",
    "evidence.subset": "quand {names} seulement demande un gradient",
    "evidence.subset_output": "quand {names} seulement demande un gradient, forward renvoie "
    "d'autres nombres",
    "evidence.second": "d {name} : autograd donne {returned} pour la dérivée seconde dans une "
    "direction au hasard, mesuré {measured}",
    "evidence.second_none": "d {name} : autograd ne voit pas de dérivée seconde, mesuré {measured}",
    "evidence.second_grad_output": "comme fonction de grad_output, le gradient varie de "
    "{returned} selon autograd, et de {measured} en réalité",
    "evidence.saved_intermediate": "le tenseur sauvegardé {positions} n'est ni une entrée ni une "
    "sortie de forward, donc autograd le prend pour une constante : sauvegardez les entrées, et "
    "recalculez-le dans backward",
    "evidence.dtype_off": "en {dtype}, le gradient s'écarte de {off}, sa plus grande "
    "valeur est {size}",
    "evidence.not_finite_in": "en {dtype}, {count} valeurs sur {all} sont nan ou inf, là "
    "où la sortie et la dérivée sont finies",
    "evidence.way": "{way} donne un autre gradient que backward appelé à la main",
    "evidence.way_raises": "{way} lève une erreur",
    "way.forward_mode": "le mode direct",
    "evidence.way_not_run": "{way} n'exécute pas ce backward : une erreur plantée ne s'y voit pas",
    "evidence.jvp": "le mode direct donne {jvp} pour <grad_output, J v>, backward {vjp}",
    "evidence.jvp_measured": "le jvp donne {jvp} selon une direction aléatoire, mesuré "
    "{measured} ; {count} sorties sur {all} sont fausses",
    "evidence.jvp_size": "le jvp renvoie {returned} nombres pour {expected} sorties",
    "evidence.vmap_gradient": "{name} : à travers vmap avec in_dims={axis}, autograd donne un "
    "autre gradient qu'à travers un appel après l'autre",
    "evidence.vmap": "vmap avec in_dims={axis} donne d'autres sorties qu'un appel après l'autre",
    "evidence.same_tensors": "les mêmes tenseurs avec d'autres nombres dedans donnent les "
    "gradients d'avant",
    "evidence.superfluous": "quelque chose est renvoyé là où la dérivée est 0, le reste est juste",
    "evidence.lost": "0 est renvoyé là où la dérivée ne l'est pas, le reste est juste",
    "evidence.direction": "dans une direction au hasard : renvoyé {returned}, mesuré {measured} ± "
    "{error}",
    "evidence.direction_entry": "trouvé à la position {index} : renvoyé {returned}, mesuré "
    "{measured} ± {error}",
    "evidence.found_at": "trouvé {point}",
    "evidence.where_equals": "faux là où {name} vaut {at}",
    "evidence.count_wrong": "{count} valeurs de la jacobienne sur {all} sont fausses",
    "evidence.count_wrong_one": "1 valeur de la jacobienne sur {all} est fausse",
    "evidence.ratio": "renvoyé / mesuré = {factor} pour les {count} valeurs",
    "evidence.all_zero": "zéro est renvoyé partout, alors que la sortie en dépend",
    "evidence.or_sizes": "ce qui peut aussi être {names}",
    "evidence.ratio_one": "renvoyé / mesuré = {factor} pour la seule valeur fausse",
    "evidence.ratio_sizes": "renvoyé / mesuré = {factor} avec {shapes}",
    "evidence.factor_is": "le facteur est {formula}",
    "evidence.swapped_argument": "{name} reçoit le gradient de {other}",
    "evidence.of_each_other": "{first} reçoit le gradient de {second}, et {second} celui de "
    "{first}",
    "evidence.or_signs": "ou les deux signes sont faux : chacun des deux gradients est l'opposé de "
    "l'autre",
    "evidence.of_step": "c'est le gradient de {formula}, comme s'il manquait cette étape à forward",
    "evidence.swapped_output": "le grad_output utilisé est celui de la sortie {other} rangs "
    "plus loin",
    "evidence.swapped_two_outputs": "grad_output 0 et grad_output 1 sont échangés",
    "evidence.transposed": "juste si l'on échange {a} et {b}",
    "evidence.times": "et multiplié par {factor}",
    "evidence.times_varying": "et multiplié par un facteur qui varie",
    "evidence.moved": "les valeurs mesurées, {how} le long de {axis}",
    "evidence.permuted": "les valeurs mesurées, à d'autres positions",
    "evidence.outputs": "faux pour la sortie {names} seulement",
    "evidence.part_first": "faux à l'indice 0 de {axis} seulement",
    "evidence.part_last": "faux au dernier indice de {axis} seulement",
    "evidence.part_border": "faux au premier et au dernier indice de {axis} seulement",
    "evidence.part_from": "juste avant l'indice {index} de {axis}, faux à partir de là",
    "evidence.part_until": "faux avant l'indice {index} de {axis}, juste à partir de là",
    "evidence.carried": "ce qui passe de l'un au suivant est perdu",
    "evidence.part_all_but_first": "juste à l'indice 0 de {axis} seulement",
    "evidence.part_all_but_last": "juste au dernier indice de {axis} seulement",
    "evidence.part_even": "faux aux indices pairs de {axis} seulement",
    "evidence.part_odd": "faux aux indices impairs de {axis} seulement",
    "evidence.part_imaginary": "faux dans la partie imaginaire seulement",
    "evidence.part_some": "faux à {count} des {all} indices de {axis} qui ont été mesurés",
    "evidence.part_diagonal": "faux sur la diagonale de {axis} seulement",
    "evidence.part_above": "faux au-dessus de la diagonale de {axis} seulement",
    "evidence.part_below": "faux au-dessous de la diagonale de {axis} seulement",
    "evidence.part_off_diagonal": "juste sur la diagonale de {axis} seulement",
    "evidence.part_sum": "backward doit sommer sur {axis}, et n'en prend pas tout",
    "evidence.repeated": "faux exactement là où plusieurs sorties contribuent",
    "evidence.sums": "les valeurs de grad_output le long de {axes} ont toutes le même effet : "
    "seule leur somme est utilisée",
    "evidence.first_alone": "seule la première valeur de grad_output le long de {axes} est "
    "utilisée, à la place de toutes",
    "evidence.last_alone": "seule la dernière valeur de grad_output le long de {axes} est "
    "utilisée, à la place de toutes",
    "evidence.summed_neighbours": "des voisins en mémoire sont sommés, et non ce qui a été "
    "diffusé : un reshape mélange les axes",
    "evidence.summed_over": "juste si la somme portait sur d'autres axes ; elle porte sur {axes}",
    "evidence.averaged": "renvoyé / mesuré = {factor} : la moyenne de {count} valeurs, au lieu de "
    "leur somme",
    "evidence.coupling": "une sortie dépend d'autres valeurs le long de {measured} ; backward "
    "couple le long de {returned}",
    "evidence.no_axis": "aucun axe",
    "evidence.uncoupled": "une sortie dépend d'autres valeurs le long de {measured} ; backward "
    "les traite comme indépendantes sur une partie de ces axes",
    "evidence.sparse": "il manque {number} à {count} valeurs, les autres sont justes",
    "evidence.along_mean": "ce qui manque, {size} % de la dérivée, est le même le long de {axis} "
    ": une somme sur cet axe s'est perdue",
    "evidence.along_multiple": "ce qui manque, {size} % de la dérivée, est un multiple de {name} "
    "le long de {axis}",
    "evidence.along_both": "ce qui manque, {size} % de la dérivée, est une constante plus un "
    "multiple de {name} le long de {axis}",
    "evidence.residual": "ce qui manque fait {size} % de la dérivée",
    "evidence.residual_constant": "c'est le même pour toutes les valeurs le long de {axis}",
    "evidence.residual_rank": "son rang est {rank}, celui de la dérivée {whole}",
    "evidence.ratio_formula": "renvoyé / mesuré = {formula}",
    "evidence.hidden_output": "il suit le grad_output de la sortie {output}, qui n'a pas de "
    "gradient, et non celui de la sortie qui en a un",
    "evidence.other_mask": "{lost} valeurs manquent et {superfluous} sont de trop, les autres sont "
    "justes : comme avec le masque d'un autre tirage que celui de forward",
    "evidence.formulas": "mesuré : {measured} ; renvoyé : {returned}",
    "evidence.missing": "il manque : {formula}",
    "evidence.skipped": "c'est le gradient de forward sans la dérivée de {name}",
    "evidence.dropped": "c'est le gradient de forward sans ce qui passe par {name} : comme si "
    "l'une de ses entrées était constante",
    "evidence.negated": "c'est le gradient de forward avec l'autre signe pour une entrée de {name}",
    "evidence.slope_at_output": "c'est la dérivée mesurée en x = sortie",
    "evidence.slope_at_input": "si l'on donne la sortie comme x, la dérivée en l'entrée est "
    "renvoyée",
    "evidence.side_above": "faux là où {name} > {at}, juste au-dessous",
    "evidence.side_below": "faux là où {name} < {at}, juste au-dessus",
    "evidence.side_outside": "faux là où |{name}| > {at}, juste à l'intérieur",
    "evidence.side_inside": "faux là où |{name}| < {at}, juste à l'extérieur",
    "evidence.side_band": "faux seulement là où {name} est proche de {at}",
    "evidence.side_out_of_band": "juste seulement là où {name} est proche de {at}",
    "evidence.scaled_output": "chaque sortie a un facteur à elle, de {low} à {high}",
    "evidence.scaled_argument": "chaque valeur a un facteur à elle, de {low} à {high}",
    "evidence.conjugate_both": "c'est le gradient de la fonction conjuguée : la dérivée n'est pas "
    "conjuguée",
    "evidence.conjugate_result": "juste si l'on conjugue le résultat",
    "evidence.conjugate_grad_output": "juste si l'on conjugue d'abord grad_output",
    "evidence.turned": "c'est le gradient de forward avec {name} le long d'un autre axe",
    "evidence.power_rule": "forward est {base}**{name} fois une constante ; ce qui est renvoyé est "
    "la règle des puissances, faite pour {name}**a",
    "evidence.option": "c'est le gradient pour {name} = {other} ; forward a utilisé {value}",
    "evidence.representable": "les {count} valeurs fausses sont toutes des nombres {dtype} exacts",
    "evidence.steps": "forward avance par paliers : la dérivée de toutes les valeurs est 0",
    "evidence.identity": "forward renvoie {name} tel quel : si un autre gradient est voulu, "
    "dites-le avec surrogate=",
    "evidence.offset": "{form} est décalé de {offset} partout, comme là où une petite constante "
    "n'est ajoutée que dans backward",
    "evidence.staircase": "il avance par marches d'environ {size} de sa taille quand les entrées "
    "varient continûment",
    "evidence.units": "les sorties de forward sont en proportion, donc le gradient reste ce qu'il "
    "est ; {count} de ses {all} valeurs ne le font pas",
    "evidence.cancellation": "plus l'argument est petit, moins il reste de chiffres justes : il "
    "s'écarte de {shares} de sa taille, comme là où l'on soustrait des nombres presque égaux",
    "evidence.nearly": "presque juste : aucune valeur ne s'écarte de plus de {size} de sa taille",
    "evidence.not_finite": "{count} valeurs sur {all} sont nan ou inf ; les sorties et les "
    "dérivées sont finies",
    "evidence.edge_above": "forward y est fini, et sa pente à droite est {above}",
    "evidence.edge_below": "forward y est fini, et sa pente à gauche est {below}",
    "evidence.edge_both": "forward y est fini, et ses pentes aussi : {below} à gauche et "
    "{above} à droite",
    "evidence.underflow": "0 est renvoyé pour {count} valeurs dont la dérivée n'est pas 0",
    # D'où viennent les entrées que personne n'a données.
    "found.examples": "pour ses examples()",
    "found.call": "entrées d'un appel dans {location} : {inputs}",
    "found.chosen": "entrées choisies d'après {source} : {inputs} ; pour d'autres : {call}",
    "found.annotations": "les annotations",
    "found.docstring": "la docstring",
    "found.names": "les noms des arguments",
    "found.search": "un essai de petites formes",
    # The checks, the sections of a report, and the verdicts on them.
    "check.forward": "forward",
    "check.calls": "appels",
    "check.values": "valeurs",
    "check.directions": "directions",
    "check.sizes": "tailles",
    "check.special sizes": "tailles particulières",
    "check.values at large": "autres valeurs",
    "check.special values": "valeurs particulières",
    "check.edges": "bords",
    "check.linearity": "linéarité",
    "check.units": "unités",
    "check.layout": "disposition en mémoire",
    "check.unused outputs": "sorties inutilisées",
    "check.subsets": "sous-ensembles",
    "check.second order": "second ordre",
    "check.float32": "float32",
    "check.half precision": "demi-précision",
    "check.ways to run": "modes d'exécution",
    "check.diagnosis": "diagnostic",
    "section.first_order": "premier ordre",
    "section.second_order": "second ordre",
    "section.sizes": "tailles et valeurs particulières",
    "section.precision": "précision",
    "section.ways": "modes d'exécution",
    "verdict.right": "juste",
    "verdict.wrong": "faux",
    "verdict.inconclusive": "indécis",
    "verdict.not_applicable": "sans objet",
    # How a report is shown.
    "show.right": "{function} : juste ({seconds:.2f} s)",
    "show.right_first_order": "{function} : juste au premier ordre, faux pour : {sections} "
    "({seconds:.2f} s)",
    "show.right_warnings": "{function} : juste, avec {count} avertissements ({seconds:.2f} s)",
    "show.right_warnings_one": "{function} : juste, avec un avertissement ({seconds:.2f} s)",
    "show.wrong": "{function} : faux ({count} erreurs, {seconds:.2f} s)",
    "show.wrong_one": "{function} : faux (1 erreur, {seconds:.2f} s)",
    "show.wrong_precision": "{function} : juste en float64, faux dans des dtypes plus petits "
    "({seconds:.2f} s)",
    "show.wrong_rounded": "{function} : faux : un nombre est arrondi en {dtype} au cours du calcul "
    "({seconds:.2f} s)",
    "show.wrong_imprecise": "{function} : faux : de la précision se perd en route "
    "({seconds:.2f} s)",
    "show.wrong_elsewhere": "{function} : juste pour des entrées comme les vôtres, faux pour : "
    "{sections} ({seconds:.2f} s)",
    "show.inconclusive": "{function} : indécis ({seconds:.2f} s)",
    "show.heading": "{cause}",
    "show.heading_point": "{cause}, {point}",
    "show.heading_argument": "{argument} : {cause}",
    "show.heading_argument_point": "{argument} : {cause}, {point}",
    "show.warning": "avertissement : {finding}",
    "show.worst": "pire valeur {entry} : renvoyé {returned}, mesuré {measured} ± {error}",
    "show.advice": "à essayer : {advice}",
    "show.rivals": "possible aussi : {rivals}",
    "show.note": "note : {note}",
    "show.section": "{section} : {verdict}",
    "show.checks": "vérifications : {checks} ({total} comparaisons, {calls} appels de forward et "
    "backward)",
    "show.inputs": "entrées : {inputs}",
    "show.seed": "graine : {seed}",
    "show.reproduction": "pour le voir soi-même :",
    "show.elsewhere": "cela se voit {point} ; voici les entrées données",
    "show.more": "la suite : print(report.details())",
    "show.more_findings": "encore {count} erreurs : print(report.details())",
    "show.map": "{argument} : l'écart entre renvoyé et mesuré, rapporté au plus grand",
    "show.map_blocks": "chaque case est la pire de {rows} sur {columns} valeurs",
    "show.map_none": "{argument} : aucun gradient n'a été renvoyé",
    "show.map_agree": "concorde",
    "show.map_lost": "nan ou inf",
    "show.map_cell": "{entry} : renvoyé {returned}, mesuré {measured} ± {error}",
}
