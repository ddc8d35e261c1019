"""What arguments are by contract, and what surrogates are meant to be, in French."""

from __future__ import annotations

CONTRACTS: dict[str, str] = {
    "note.contract": "{name} n'est examiné que là où il est {contract} ({why})",
    "contract.why_declared": "comme déclaré",
    "contract.why_docstring": "selon sa docstring",
    "contract.why_refuses": "forward refuse toute autre valeur",
    "contract.why_comment": "selon un commentaire de son code",
    "contract.why_triangle": "forward ne lit qu'un triangle",
    "contract.why_pairs": "de deux coefficients égaux par symétrie, forward n'en lit qu'un",
    "contract.why_part": "backward renvoie la partie symétrique de la dérivée",
    "contract.symmetric": "symétrique",
    "contract.definite": "symétrique défini positif",
    "contract.lower": "triangulaire inférieur",
    "contract.upper": "triangulaire supérieur",
    "contract.orthogonal": "orthogonal",
    "contract.unit": "de norme 1 selon le dernier axe",
    "contract.simplex": "une distribution selon le dernier axe",
    "contract.log simplex": "le logarithme d'une distribution",
    "contract.one hot": "un codage one-hot",
    "contract.sorted": "croissant selon le dernier axe",
    "contract.distinct": "sans valeurs égales selon le dernier axe",
    "contract.between": "compris entre {low} et {high}",
    "contract.index": "un indice inférieur à {below}",
    "contract.integer": "à valeurs entières",
    "contract.nonzero": "sans valeur nulle",
    "contract.fixed": "de la taille donnée",
    "contract.several": "{first}, {second}",
    "evidence.declare": "si {name} remplit toujours cette condition, la déclarer : "
    'contracts={{"{name}": "{contract}"}} ; il n\'est alors examiné que là',
    "note.surrogate_of": "backward est comparé à la dérivée de {name}, qui est la fonction voulue",
    "evidence.straight_through": "backward transmet grad_output tel quel, comme un estimateur "
    "straight-through : surrogate_of=lambda x: x le compare à cette fonction",
    "evidence.straight_through_clipped": "backward transmet grad_output là où {low} <= {name} <= "
    "{high}, comme un estimateur straight-through tronqué",
    "evidence.spiking": "ce qui est renvoyé est une fonction lisse de {name}, maximale en {at} : "
    "comme pour un neurone à impulsions dont la dérivée est un substitut ; surrogate_of= le "
    "compare à celui-ci",
}
