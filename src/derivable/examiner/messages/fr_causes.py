"""The causes in French: "cause.<id>" names the mistake, "advice.<id>" states what to try."""

from __future__ import annotations

CAUSES: dict[str, str] = {
    "cause.forward": "forward calcule autre chose que la référence",
    "advice.forward": "Comparer forward à sa formule : une moyenne au lieu d'une somme, un axe, un "
    "signe.",
    "cause.count": "le nombre de gradients est faux",
    "advice.count": "Renvoyer un gradient par entrée de forward, dans le même ordre ; None pour "
    "celles qui n'en ont pas.",
    "cause.no_ctx": "forward ne prend pas ctx",
    "advice.no_ctx": "Écrire def forward(ctx, ...) : ctx garde ce dont backward a besoin, par "
    "ctx.save_for_backward(...). Ou définir à côté setup_context(ctx, inputs, output).",
    "cause.no_backward": "backward manque",
    "advice.no_backward": "Écrire def backward(ctx, grad_output), une méthode statique qui renvoie "
    "un gradient par entrée de forward.",
    "cause.backward_signature": "backward prend d'autres arguments que ceux qu'il reçoit",
    "advice.backward_signature": "backward reçoit ctx et un grad_output par sortie de forward, "
    "rien d'autre ; sauvegarder les entrées par ctx.save_for_backward et les relire dans "
    "ctx.saved_tensors.",
    "cause.none": "aucun gradient n'est renvoyé, alors que la sortie en dépend",
    "advice.none": "Renvoyer son gradient. Si elle ne doit pas en avoir, passer cette entrée avec "
    "requires_grad=False et les autres avec requires_grad=True.",
    "cause.shape": "le gradient n'a pas la bonne forme",
    "advice.shape": "Un gradient a la forme de son entrée : les comparer ligne par ligne.",
    "cause.keepdim": "le gradient a une dimension de taille 1 de trop",
    "advice.keepdim": "Retirer keepdim=True, ou redonner la forme : .reshape(argument.shape).",
    "cause.dtype": "le gradient n'a pas le bon dtype",
    "advice.dtype": "Calculer dans le dtype de l'entrée, ou convertir avec .to(input.dtype).",
    "cause.raises": "backward lève une erreur",
    "advice.raises": "Appeler backward à la main avec un Context pour voir toute la trace.",
    "cause.in_place": "un tenseur qui ne lui appartient pas est modifié sur place",
    "advice.in_place": "Créer un nouveau tenseur : a * b, et non a.mul_(b). Les entrées que "
    "forward doit modifier demandent ctx.mark_dirty.",
    "cause.state": "les appels partagent un état",
    "advice.state": "Tout garder sur ctx : une classe, un module ou un cache survit à l'appel.",
    "cause.random": "le calcul ne peut pas être répété : le hasard est tiré de nouveau",
    "advice.random": "Tirer une seule fois dans forward, garder le masque sur ctx et s'en servir "
    "dans backward.",
    "cause.not_linear": "backward n'est pas linéaire en grad_output",
    "advice.not_linear": "Un gradient est une matrice fois grad_output : ni abs, ni carré, ni "
    "clip, ni signe, ni constante ne doivent y toucher.",
    "cause.ignores_grad_output": "grad_output n'est pas utilisé",
    "advice.ignores_grad_output": "Multiplier par grad_output : backward renvoie un produit, et "
    "non une dérivée.",
    "cause.sums_grad_output": "seule une somme, une moyenne ou une valeur de grad_output est "
    "utilisée",
    "advice.sums_grad_output": "Chaque sortie a son propre grad_output : multiplier d'abord, "
    "sommer ensuite.",
    "cause.layout": "le résultat n'est juste que pour une disposition en mémoire",
    "advice.layout": "Utiliser .reshape au lieu de .view, et ne jamais compter sur l'ordre en "
    "mémoire.",
    "cause.sign": "le signe est faux",
    "advice.sign": "Regarder l'ordre d'une différence, ou un moins perdu dans la dérivation en "
    "chaîne.",
    "cause.factor": "un facteur constant est faux",
    "advice.factor": "Comparer par quels nombres forward et backward multiplient et divisent : "
    "l'exposant d'une puissance, 1/2, le nombre de valeurs d'une moyenne.",
    "cause.swapped": "c'est le gradient d'un autre argument qui est renvoyé à sa place",
    "advice.swapped": "Renvoyer les gradients dans l'ordre des entrées de forward.",
    "cause.swapped_outputs": "c'est le grad_output d'une autre sortie qui est utilisé",
    "advice.swapped_outputs": "backward reçoit un grad_output par sortie, dans l'ordre où "
    "forward les renvoie.",
    "cause.transposed": "deux axes sont échangés",
    "advice.transposed": "Écrire les formes à côté de chaque facteur du produit ; il manque un .T "
    "à l'un d'eux.",
    "cause.missing_sum": "il manque la somme sur une dimension diffusée (broadcast)",
    "advice.missing_sum": "Ce qui est diffusé dans forward se somme dans backward : "
    ".sum_to_size(argument.shape).",
    "cause.mean_for_sum": "la moyenne est renvoyée là où il faut la somme",
    "advice.mean_for_sum": "Ce qui a été diffusé dans forward se somme dans backward : .sum, et "
    "non .mean.",
    "cause.wrong_axis": "la somme, la moyenne ou la normalisation se fait sur le mauvais axe",
    "advice.wrong_axis": "Utiliser dans backward le même dim que dans forward.",
    "cause.last_step": "forward et backward diffèrent par leur dernière étape",
    "advice.last_step": "Si c'est backward qui est voulu, ajouter l'étape à forward ; si c'est "
    "forward, multiplier backward par la dérivée de sa dernière étape.",
    "cause.slope_at_output": "la pente est prise en la sortie au lieu de l'entrée",
    "advice.slope_at_output": "Sauvegarder l'entrée pour cette formule.",
    "cause.slope_at_input": "la formule prévue pour la sortie est appliquée à l'entrée",
    "advice.slope_at_input": "Sauvegarder la sortie pour cette formule, ou la recalculer.",
    "cause.one_side": "le résultat est faux d'un côté d'un seuil",
    "advice.one_side": "Comparer les conditions et les branches de forward et de backward.",
    "cause.part_only": "une partie seulement est fausse",
    "advice.part_only": "Regarder comment cette partie est indexée, complétée ou parcourue par "
    "une boucle.",
    "cause.missing_term": "un terme de la dérivée manque ou a un mauvais coefficient",
    "advice.missing_term": "Dériver de nouveau avec la règle du produit : chaque endroit où entre "
    "la variable donne un terme.",
    "cause.power": "la puissance n'est pas celle de la dérivée",
    "advice.power": "Dériver de nouveau : la dérivée de x**p est p * x**(p - 1).",
    "cause.constant": "la constante ou la formule n'est pas celle de forward",
    "advice.constant": "Garder la valeur sur ctx dans forward et utiliser celle-là dans "
    "backward ; si forward est une approximation, dériver celle-ci.",
    "cause.positions": "les valeurs sont justes, leurs positions ne le sont pas",
    "advice.positions": "Défaire flip, roll, permute et reshape dans l'ordre inverse.",
    "cause.repeated_positions": "les positions répétées s'écrasent au lieu de s'additionner",
    "advice.repeated_positions": "Utiliser index_add_, scatter_add_ ou "
    "index_put_(accumulate=True).",
    "cause.chain_rule": "un facteur de la dérivation en chaîne manque ou est faux",
    "advice.chain_rule": "Écrire forward pas à pas ; chaque pas donne un facteur de backward.",
    "cause.conjugate": "il manque un conjugué complexe, ou il y en a un de trop",
    "advice.conjugate": "Le gradient de PyTorch est grad_output * derivative.conj().",
    "cause.second_order": "la dérivée première est juste, la seconde est fausse sans avertissement",
    "advice.second_order": "Utiliser des opérations de PyTorch sur les entrées et les sorties : "
    "ni .detach(), ni .data, ni NumPy ; ou marquer backward par @once_differentiable.",
    "cause.precision": "de la précision se perd en route",
    "advice.precision": "Chercher .float(), .half(), un tenseur constant d'un dtype plus petit, "
    "torch.where avec deux nombres Python, qui donne du float32, ou une différence de nombres "
    "presque égaux.",
    "cause.changed_after_saving": "un tenseur sauvegardé est modifié après coup",
    "advice.changed_after_saving": "Sauvegarder un clone, ou ne pas le modifier sur place.",
    "cause.not_finite": "le résultat n'est pas fini là où la dérivée l'est",
    "advice.not_finite": "Prendre une forme qui ne peut pas déborder, comme torch.sigmoid, "
    "torch.xlogy ou y * (1 - y), et torch.where sur les entrées, pas sur les résultats.",
    "cause.needs_input_grad": "le résultat est faux quand certaines entrées seulement demandent "
    "un gradient",
    "advice.needs_input_grad": "Garder une place par entrée ; ctx.needs_input_grad décide "
    "seulement de ce qui est calculé.",
    "cause.sizes": "le résultat n'est juste que pour certaines tailles",
    "advice.sizes": "Chercher les tailles écrites en chiffres, .squeeze() et les tailles égales "
    "par hasard.",
    "cause.option": "le résultat n'est juste que pour certaines options",
    "advice.option": "Garder l'option sur ctx dans forward et l'utiliser dans backward.",
    "cause.jvp": "le jvp, qu'exécute le mode direct, est faux",
    "advice.jvp": "Le jvp est la dérivée de forward fois les tangentes : la dériver comme "
    "backward, sans transposée.",
    "cause.way": "une façon de l'exécuter contredit backward",
    "advice.way": "Comparer cette règle avec backward ; derivable.Function les tire toutes de lui.",
    "cause.surrogate": "un gradient est renvoyé là où la dérivée est 0 : un estimateur direct "
    "(straight-through) ?",
    "advice.surrogate": 'Si c\'est voulu, le déclarer : surrogate = "pourquoi" sur la classe, '
    'ou check(..., surrogate="pourquoi"). Les valeurs ne sont alors pas comparées.',
    "cause.unrecognised": "le résultat est faux, et la cause n'est pas reconnue",
    "advice.unrecognised": "Comparer la pire valeur avec le calcul fait à la main.",
}
