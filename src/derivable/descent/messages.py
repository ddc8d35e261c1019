"""The messages of descents."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # how far from exact steps
    "exact": ("exact", "exact"),
    "within": (
        "within {deviation:.0e} of exact steps",
        "à {deviation:.0e} près des pas exacts",
    ),
    "unmeasured": ("not measured against exact steps", "non comparé aux pas exacts"),
    "with_note": ("{text}; {note}", "{text} ; {note}"),
    "first_interrupted": (
        "the first {steps:,} steps were interrupted before they were measured",
        "les {steps:,} premiers pas ont été interrompus avant d'être mesurés",
    ),
    "of_its_own": (
        "steps of its own, not of gradient descent",
        "des pas propres à la méthode, et non ceux de la descente de gradient",
    ),
    "interrupted": ("interrupted before it was measured", "interrompu avant d'être mesuré"),
    "no_flow": (
        "the flow was not used: {trouble}",
        "l'équation différentielle n'a pas servi : {trouble}",
    ),
    "costs_more": ("it costs more than the steps", "elle coûte plus que les pas"),
    "not_finite": (
        "its loss or parameters are not finite",
        "sa perte ou ses paramètres ne sont pas finis",
    ),
    "not_small": (
        "lr * lambda_max is {curvature:.2g}, which is not small",
        "lr · lambda_max vaut {curvature:.2g}, ce qui n'est pas petit",
    ),
    "would_deviate": (
        "it would deviate by {deviation:.0e}, and {tolerance:.0e} was asked",
        "elle dévierait de {deviation:.0e}, et {tolerance:.0e} était demandé",
    ),
    # learning rates
    "rate": (
        "lr {lr:g}: half of the largest at which the loss never rose in {steps} steps, from 1 / "
        "{largest:.3g} down, where {largest:.3g} is how much a linear model's loss curves",
        "lr {lr:g} : la moitié du plus grand avec lequel la perte n'a jamais augmenté en {steps} "
        "pas, à partir de 1 / {largest:.3g}, la plus grande valeur propre de la hessienne d'un "
        "modèle linéaire",
    ),
    "rate_on_rows": (
        "lr {lr:g}: half of the largest at which the loss never rose in {steps} steps on {rows:,} "
        "rows, from 1 / {largest:.3g} down, where {largest:.3g} is how much a linear model's loss "
        "curves",
        "lr {lr:g} : la moitié du plus grand avec lequel la perte n'a jamais augmenté en {steps} "
        "pas sur {rows:,} lignes, à partir de 1 / {largest:.3g}, la plus grande valeur propre de "
        "la hessienne d'un modèle linéaire",
    ),
}
say = Catalogue(_TEXTS)
