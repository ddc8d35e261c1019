"""What is worth knowing and no mistake, in French."""

from __future__ import annotations

NOTES: dict[str, str] = {
    "note.kinks": "{count} valeurs sont à des points anguleux, où toute valeur entre la dérivée à "
    "gauche et la dérivée à droite est juste",
    "note.kinks_one": "1 valeur est à un point anguleux, où toute valeur entre la dérivée à "
    "gauche et la dérivée à droite est juste",
    "note.nowhere": "{count} valeurs n'ont pas de dérivée mesurable : forward y saute, ou sa "
    "pente y est infinie ; elles ne sont pas comparées",
    "note.nowhere_one": "1 valeur n'a pas de dérivée mesurable : forward y saute, ou sa pente y "
    "est infinie ; elle n'est pas comparée",
    "note.unmeasured": "{count} valeurs sur {all} n'ont pas pu être mesurées assez bien, et "
    "n'ont pas été comparées",
    "note.edge": "{point}, backward renvoie {returned} ; forward y est fini et sa pente infinie : "
    "l'infini de son signe, ou un nombre choisi, fait moins de dégâts",
    "note.no_second_order": "pas de dérivée seconde : {text}",
    "note.once": "backward est marqué @once_differentiable",
    "note.forward_none": "forward renvoie None : il reste à écrire, ou son return manque",
    "note.forward_not_implemented": "forward lève NotImplementedError : il reste à écrire",
    "note.backward_none": "backward ne renvoie rien : il reste à écrire, ou son return manque",
    "note.backward_not_implemented": "backward lève NotImplementedError : il reste à écrire",
    "note.saved_variables": "ctx.saved_variables est l'ancien nom de ctx.saved_tensors",
    "note.nothing_measured": "aucune sortie n'a pu être mesurée pour ces entrées",
    "note.overflow": "{point}, un calcul intermédiaire de forward sort déjà des nombres de son "
    "dtype : que backward y renvoie {returned} ne compte pas",
    "note.overflow_of_autograd": "{point}, autograd à travers les opérations de forward ne donne "
    "pas non plus de gradient fini : que backward y renvoie {returned} ne compte pas",
    "note.moderate_inputs": "pour vos entrées, un calcul intermédiaire de forward sort des nombres "
    "de son dtype : un gradient juste y devient facilement nan, infini ou nul ; l'examen a donc "
    "porté aussi sur {names} de taille modérée",
    "note.not_counted": "pour vos entrées, ceci ne compte pas, car rien n'est faux pour les "
    "entrées modérées : {seen}",
    "note.seen": "{names} : {cause}",
    "note.own_dtype": "forward ne marche pas en float64 : la mesure a la précision de son dtype",
    "note.check_stopped": "la vérification « {check} » n'a pas pu être terminée : {text}",
    "note.budget": "arrêté après leur part de {calls} appels de forward et backward : {checks} ; "
    "budget= en permet davantage",
    "note.timeout": "arrêté après {seconds} s : {checks} ; timeout= en permet davantage",
    "note.raises": "{point}, backward lève une erreur : {text}",
    "note.sparse": "PyTorch construit un tenseur creux à partir de ses valeurs, ce qui n'est "
    "dérivable qu'une fois",
    "note.summed": "{name} : un gradient de forme {returned} est renvoyé pour {expected} ; "
    "autograd le somme, un appel à la main ne le fait pas",
    "note.surrogate": "ce n'est pas la dérivée, à dessein ({why}) : les valeurs ne sont pas "
    "comparées",
    "note.unfinished": "au-delà de vos valeurs, la dérivée renvoyée s'écarte progressivement de "
    "la dérivée mesurée, comme si une itération de forward n'avait pas convergé : cela ne "
    "compte pas",
    "note.unsettled": "{name} : {share} des valeurs n'ont pas pu être mesurées assez bien",
}
