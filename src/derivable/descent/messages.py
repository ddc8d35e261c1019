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
        "all steps were taken one by one, without the flow: {trouble}",
        "tous les pas ont été faits un à un, sans l'équation différentielle : {trouble}",
    ),
    "costs_more": ("it costs more than the steps", "elle coûte plus que les pas"),
    "not_finite": (
        "its loss or parameters are not finite",
        "sa perte ou ses paramètres ne sont pas finis",
    ),
    "not_small": (
        "lr * lambda_max is {sharpness:.2g}, which is not small",
        "lr · lambda_max vaut {sharpness:.2g}, ce qui n'est pas petit",
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
    "changes": ("{name} changes with every step", "{name} change à chaque pas"),
    "is_of": ("x is of {dtype}", "x est de type {dtype}"),
    "no_rate": (
        "no learning rate can be found by trial, because {why}; name one, for example lr=1e-2",
        "aucun pas d'apprentissage ne peut être trouvé par essais, car {why} ; donnez-en un, par "
        "exemple lr=1e-2",
    ),
    "only_on_cpu": (
        "method {method!r} runs on the CPU; on {device} run steps, momentum, nesterov and adam",
        "la méthode {method!r} s'exécute sur le CPU ; sur {device} s'exécutent steps, momentum, "
        "nesterov et adam",
    ),
    "needs_rate": (
        "method {method!r} needs a learning rate; for example lr=1e-4",
        "la méthode {method!r} demande un pas d'apprentissage ; par exemple lr=1e-4",
    ),
    "schedule_rate": (
        "the schedule {schedule!r} must give a learning rate of 0 or more, got {lr} at step "
        "{step:,} of {steps:,}",
        "l'évolution {schedule!r} doit donner un pas d'apprentissage positif ou nul, reçu {lr} au "
        "pas {step:,} sur {steps:,}",
    ),
    # settings
    "and": (" and ", " et "),
    "count": (
        "{name} must be a whole number, {least} or more, got {got!r}",
        "{name} doit être un nombre entier, au moins {least}, reçu {got!r}",
    ),
    "positive": (
        "{name} must be a positive number, got {got!r}",
        "{name} doit être un nombre positif, reçu {got!r}",
    ),
    "share": (
        "{name} must be 0 or more and below 1, got {got!r}",
        "{name} doit être compris entre 0 inclus et 1 exclu, reçu {got!r}",
    ),
    "betas": (
        "betas must be two numbers, got {got!r}",
        "betas doit contenir deux nombres, reçu {got!r}",
    ),
    "nesterov": (
        "momentum must be above 0 for Nesterov, got 0; GradientDescent() is without",
        "momentum doit être supérieur à 0 pour Nesterov, reçu 0 ; GradientDescent() est sans "
        "inertie",
    ),
    "method": (
        "method must be one of {names}, or an object such as Momentum(0.9); got {got!r}",
        "method doit être l'une des valeurs {names}, ou un objet comme Momentum(0.9) ; reçu "
        "{got!r}",
    ),
    "batch_size": (
        "--batch-size goes with a method that takes steps on part of the table, {known}; got "
        "method {name!r}; for example --method adam",
        "--batch-size demande une méthode qui fait des pas sur une partie du tableau, {known} ; "
        "reçu la méthode {name!r} ; par exemple --method adam",
    ),
    "batches": (
        "batches go with no named objective; got batch_size={size} and objective {objective!r}",
        "les lots n'acceptent pas d'objectif nommé ; reçu batch_size={size} et l'objectif "
        "{objective!r}",
    ),
    "objective_of_steps": (
        "objective {name!r} takes exact steps and goes with method 'steps' only; others take one "
        "of {names}",
        "l'objectif {name!r} fait des pas exacts et ne va qu'avec la méthode 'steps' ; les autres "
        "prennent l'un de {names}",
    ),
    "objective": (
        "objective must be one of {names}, or a class of objectives or steppers; got {got!r}",
        "objective doit être l'une des valeurs {names}, ou une classe d'objectifs ou de steppers ; "
        "reçu {got!r}",
    ),
    "no_single_steps": (
        "{names} of the network changes with every step, and method {method!r} takes no single "
        "steps; take 'steps' or an optimiser",
        "{names} du réseau change à chaque pas, et la méthode {method!r} ne fait pas de pas "
        "séparés ; prenez 'steps' ou un optimiseur",
    ),
    "schedule_method": (
        "a schedule of the learning rate goes with methods that take every step, 'steps' or an "
        "optimiser, got method {method!r}",
        "une évolution du pas d'apprentissage demande une méthode qui fait chaque pas, 'steps' ou "
        "un optimiseur, reçu la méthode {method!r}",
    ),
    "periodic": (
        "{name} is to be called after so many steps, and method {method!r} takes no single steps; "
        "take 'steps' or an optimiser, or leave the callback's `every` out",
        "{name} doit être appelé tous les tant de pas, et la méthode {method!r} ne fait pas de pas "
        "séparés ; prenez 'steps' ou un optimiseur, ou omettez le `every` du callback",
    ),
    "of_validation": (
        "the validation rows of EarlyStopping(x, y): {error}",
        "les lignes de validation de EarlyStopping(x, y) : {error}",
    ),
    "on_block": (
        "on_block must be a callable that takes a State, or several of them, got {kind}",
        "on_block doit être un objet appelable qui prend un State, ou plusieurs, reçu {kind}",
    ),
    "on_block_class": (
        "on_block must be a callback, got the class {name}; make one: {name}(...)",
        "on_block doit être un callback, reçu la classe {name} ; créez-en un : {name}(...)",
    ),
    "unnamed_method": (
        "the method {name} has no name; give its class one: name: ClassVar[str] = 'mine'",
        "la méthode {name} n'a pas de nom ; donnez-en un à sa classe : "
        "name: ClassVar[str] = 'mine'",
    ),
    "networks": (
        "descend_many needs a list of Networks, one for each descent, got {kind}",
        "descend_many demande une liste de Networks, un par descente, reçu {kind}",
    ),
    "every": (
        "{name}.every must be a whole number, 1 or more, got {got!r}",
        "{name}.every doit être un nombre entier, au moins 1, reçu {got!r}",
    ),
    "spectral": (
        "method 'spectral' is for a network of one Linear layer and MSE, whose loss is quadratic; "
        "method 'auto' chooses among those that suit this network",
        "la méthode 'spectral' est faite pour un réseau d'une couche Linear et MSE, dont la perte "
        "est quadratique ; la méthode 'auto' choisit parmi celles qui conviennent à ce réseau",
    ),
    # going on from a checkpoint
    "no_checkpoint": (
        "{file} is no checkpoint of a descent: {error}",
        "{file} n'est pas un point de reprise d'une descente : {error}",
    ),
    "start": (
        "start must be a Checkpoint, such as run.checkpoint or Checkpoint.load(file), got {kind}",
        "start doit être un Checkpoint, comme run.checkpoint ou Checkpoint.load(file), reçu {kind}",
    ),
    "start_objective": (
        "the checkpoint is of objective {then!r}, got objective {now!r}; leave objective out to go "
        "on from it",
        "le point de reprise est de l'objectif {then!r}, reçu l'objectif {now!r} ; omettez "
        "objective pour continuer",
    ),
    "start_loss": (
        "the checkpoint is of the loss {then}, got {now}; give that loss to go on from it, or "
        "begin with its parameters: network.with_theta(checkpoint.theta)",
        "le point de reprise est de la perte {then}, reçu {now} ; donnez cette perte pour "
        "continuer, ou commencez avec ses paramètres : network.with_theta(checkpoint.theta)",
    ),
    "start_penalty": (
        "the checkpoint is of penalty {then:g}, got {now:g}; give that penalty to go on from it, "
        "or begin with its parameters: network.with_theta(checkpoint.theta)",
        "le point de reprise est de la pénalité {then:g}, reçu {now:g} ; donnez cette pénalité "
        "pour continuer, ou commencez avec ses paramètres : network.with_theta(checkpoint.theta)",
    ),
    "start_parameters": (
        "the checkpoint has {then} parameters and the network {now}; start from a checkpoint of "
        "this network",
        "le point de reprise a {then} paramètres et le réseau {now} ; partez d'un point de reprise "
        "de ce réseau",
    ),
    "start_step": (
        "the checkpoint is at step {step:,}, beyond steps={steps:,}; ask for more steps",
        "le point de reprise est au pas {step:,}, au-delà de steps={steps} ; demandez plus de pas",
    ),
    "start_method": (
        "the checkpoint is of method {then!r}, got method {now!r}; leave method out to go on from "
        "it",
        "le point de reprise est de la méthode {then!r}, reçu la méthode {now!r} ; omettez method "
        "pour continuer",
    ),
    "start_foreign": (
        "the checkpoint is of method {then!r}, which is none of the library's; give the method "
        "again to go on from it",
        "le point de reprise est de la méthode {then!r}, qui n'est pas de la bibliothèque ; "
        "redonnez la méthode pour continuer",
    ),
    "start_setting": (
        "the checkpoint is of method {method!r} with {name}={then!r}, got {name}={now!r}; leave "
        "method out to go on from it",
        "le point de reprise est de la méthode {method!r} avec {name}={then!r}, reçu "
        "{name}={now!r} ; omettez method pour continuer",
    ),
    # how a descent ends
    "least_after": (
        "the validation loss was least after {step:,} steps, {loss:.6g}",
        "la perte de validation était la plus basse après {step:,} pas, {loss:.6g}",
    ),
    "diverged": (
        "the descent diverged: the loss is {loss} at step {step} with lr={lr}, after {first:.6g} "
        "at step 0; {way}",
        "la descente a divergé : la perte vaut {loss} au pas {step} avec lr={lr}, après "
        "{first:.6g} au pas 0 ; {way}",
    ),
    "stable_rate": (
        "the loss curves by up to {sharpest:.3g} where it starts, so a stable lr is below "
        "{reach:.3g} / {sharpest:.3g} = {stable:.2g}",
        "au départ, la plus grande valeur propre de la hessienne vaut {sharpest:.3g}, et lr est "
        "stable en dessous de {reach:.3g} / {sharpest:.3g} = {stable:.2g}",
    ),
    "smaller_rate": (
        "try a smaller lr, for example {lr}",
        "essayez un lr plus petit, par exemple {lr}",
    ),
    "not_finite_at_start": (
        "the loss is {loss} before the first step, which no lr changes: what the network computes "
        "from this table with its initial parameters is not finite; start from others, or take "
        "another activation or loss",
        "la perte vaut {loss} avant le premier pas, ce qu'aucun lr ne change : ce que le réseau "
        "calcule de ce tableau avec ses paramètres initiaux n'est pas fini ; partez d'autres "
        "paramètres, ou prenez une autre activation ou une autre perte",
    ),
    "diverges": (
        "the descent diverges: the loss is not finite at step {step} with lr={lr}, after "
        "{first:.6g} at step 0; it converges for every lr below {stable:.3g}",
        "la descente diverge : la perte n'est plus finie au pas {step} avec lr={lr}, après "
        "{first:.6g} au pas 0 ; elle converge pour tout lr inférieur à {stable:.3g}",
    ),
}
say = Catalogue(_TEXTS)
