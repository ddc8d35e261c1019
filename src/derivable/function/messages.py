"""The messages of Functions: how one is defined, called, and asked for its gradients."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # definitions
    "signature": (
        "{function}.forward must take ctx first and then its inputs by name, without **keywords; "
        "for example: def forward(ctx, x, alpha=1.0)",
        "{function}.forward doit prendre ctx en premier, puis ses entrées par nom, sans **mots-"
        "clés ; par exemple : def forward(ctx, x, alpha=1.0)",
    ),
    "static": (
        "{function}.{name} must be a @staticmethod",
        "{function}.{name} doit être une @staticmethod",
    ),
    "made": (
        "{function} defines {name}, which derivable makes from forward(ctx, ...) and backward(ctx, "
        "...); delete it, or inherit from torch.autograd.Function",
        "{function} définit {name}, que derivable déduit de forward(ctx, ...) et backward(ctx, "
        "...) ; supprimez-le, ou héritez de torch.autograd.Function",
    ),
    "elementwise": (
        "{function} must define function and slope, both as @staticmethod",
        "{function} doit définir function et slope, chacun comme @staticmethod",
    ),
    "slope": (
        "{function}.slope names {unknown}: expected {first}, output, or an input of function "
        "({options})",
        "{function}.slope nomme {unknown} ; attendu : {first}, output, ou une entrée de function "
        "({options})",
    ),
    "no_others": ("it has no others", "il n'y en a pas d'autre"),
    "nested_output": (
        "{function}.forward returned a {kind} with tensors in it as output {position}, and tensors "
        "in there get no gradient; return one flat tuple of tensors",
        "{function}.forward a renvoyé un objet {kind} contenant des tenseurs comme sortie "
        "{position}, et ces tenseurs n'ont pas de gradient ; renvoyez un seul tuple de tenseurs",
    ),
    "own_graph": (
        "{function}.forward saves a tensor with a graph of its own, made under "
        "torch.enable_grad(), which nothing here can keep; save the inputs, and make the graph in "
        "backward",
        "{function}.forward enregistre un tenseur avec son propre graphe, créé sous "
        "torch.enable_grad(), que rien ici ne peut conserver ; enregistrez les entrées, et créez "
        "le graphe dans backward",
    ),
    # calls
    "bind": (
        "{function}: {error}; it takes {signature}",
        "{function} : {error} ; entrées : {signature}",
    ),
    "used_context": (
        "{function}.forward was given a Context that already served a forward; one Context belongs "
        "to one forward: make a new Context() for each call",
        "{function}.forward a reçu un Context qui a déjà servi à un forward ; un Context est fait "
        "pour un seul forward : créez un nouveau Context() à chaque appel",
    ),
    "empty_context": (
        "{function}.backward was called before forward: this Context is empty; call "
        "{function}.forward(ctx, ...) first, with this same Context",
        "{function}.backward a été appelé avant forward : ce Context est vide ; appelez d'abord "
        "{function}.forward(ctx, ...) avec ce même Context",
    ),
    "other_context": (
        "{function}.backward was given the Context of {other}.forward; give it the one that "
        "{function}.forward(ctx, ...) filled",
        "{function}.backward a reçu le Context de {other}.forward ; donnez-lui celui qu'a rempli "
        "{function}.forward(ctx, ...)",
    ),
    "no_context": (
        "{function}.{rule} takes a ctx first, got {got}; by hand: ctx = Context(), then "
        "{function}.{rule}(ctx, ...); under autograd: {function}.apply(...) without one",
        "{function}.{rule} prend un ctx en premier, reçu {got} ; à la main : ctx = Context(), puis "
        "{function}.{rule}(ctx, ...) ; avec autograd : {function}.apply(...) sans ctx",
    ),
    "the_class": ("the class {name}", "la classe {name}"),
    "an_object": (
        "an object of {name}; the class itself is meant, without brackets: {name}",
        "un objet de {name} ; c'est la classe elle-même, sans parenthèses, qu'il faut : {name}",
    ),
    "saved_before": (
        "this Context already holds what an earlier forward saved; one Context belongs to one "
        "forward: make a new Context() for each call",
        "ce Context contient déjà ce qu'un forward précédent a enregistré ; un Context est fait "
        "pour un seul forward : créez un nouveau Context() à chaque appel",
    ),
    "saves_tensors": (
        "save_for_backward saves tensors, but item {position} is of type {kind}; keep it as an "
        "attribute instead, for example ctx.scale = scale",
        "save_for_backward enregistre des tenseurs, mais l'élément {position} est de type {kind} ; "
        "gardez-le plutôt comme attribut, par exemple ctx.scale = scale",
    ),
    "nothing_saved": (
        "this Context holds no tensors: either backward was called before forward, or forward "
        "saved none; call forward(ctx, ...) first, with this same Context",
        "ce Context ne contient aucun tenseur : soit backward a été appelé avant forward, soit "
        "forward n'en a enregistré aucun ; appelez d'abord forward(ctx, ...) avec ce même Context",
    ),
    "nested_input": (
        "{function}: {name} is a {kind} with a tensor in it that requires grad, and autograd "
        "follows only tensors that are inputs by themselves; let forward take them one by one, or "
        "as *tensors",
        "{function} : {name} est un objet {kind} contenant un tenseur qui demande un gradient, et "
        "autograd ne suit que les tenseurs qui sont eux-mêmes des entrées ; faites-les prendre un "
        "par un par forward, ou comme *tenseurs",
    ),
    # gradients
    "grad_outputs": (
        "{function}.backward takes one grad_output per output of forward: expected {expected}, got "
        "{got}",
        "{function}.backward prend un grad_output par sortie de forward : attendu {expected}, reçu "
        "{got}",
    ),
    "grad_output": (
        "{function}.backward: {name} must be a tensor, got {kind}",
        "{function}.backward : {name} doit être un tenseur, reçu {kind}",
    ),
    "grad_output_shape": (
        "{function}.backward: {name} must have the shape of forward's output, {expected}, got "
        "{got}",
        "{function}.backward : {name} doit avoir la forme de la sortie de forward, {expected}, "
        "reçu {got}",
    ),
    "grad_output_dtype": (
        "{function}.backward: {name} must have the dtype of forward's output, {expected}, got "
        "{got}; convert it with {name}.to({expected})",
        "{function}.backward : {name} doit avoir le dtype de la sortie de forward, {expected}, "
        "reçu {got} ; convertissez-le par {name}.to({expected})",
    ),
    "gradients": (
        "{function}.backward must return one gradient per input ({names}): expected {expected}, "
        "got {got}; return None where there is none",
        "{function}.backward doit renvoyer un gradient par entrée ({names}) : attendu {expected}, "
        "reçu {got} ; renvoyez None s'il n'y en a pas",
    ),
    "gradient_of_none": (
        "{function}.backward: the gradient of {argument} must be None, because it is no tensor, "
        "got {got}",
        "{function}.backward : le gradient de {argument} doit être None, car ce n'est pas un "
        "tenseur, reçu {got}",
    ),
    "gradient": (
        "{function}.backward: the gradient of {argument} must be a tensor or None, got {got}",
        "{function}.backward : le gradient de {argument} doit être un tenseur ou None, reçu {got}",
    ),
    "gradient_shape": (
        "{function}.backward: the gradient of {argument} must have the shape of {argument}, "
        "{expected}, got {got}; sum over the dimensions that were broadcast, for example with "
        ".sum_to_size({argument}.shape)",
        "{function}.backward : le gradient de {argument} doit avoir la forme de {argument}, "
        "{expected}, reçu {got} ; sommez sur les dimensions étendues par broadcasting, par exemple "
        "avec .sum_to_size({argument}.shape)",
    ),
    "gradient_dtype": (
        "{function}.backward: the gradient of {argument} must have the dtype of {argument}, "
        "{expected}, got {got}; convert it with .to({argument}.dtype)",
        "{function}.backward : le gradient de {argument} doit avoir le dtype de {argument}, "
        "{expected}, reçu {got} ; convertissez-le par .to({argument}.dtype)",
    ),
    "gradient_real": (
        "{function}.backward: the gradient of {argument} must have the dtype of {argument}, "
        "{expected}, got {got}; take its .real part",
        "{function}.backward : le gradient de {argument} doit avoir le dtype de {argument}, "
        "{expected}, reçu {got} ; prenez sa partie réelle, .real",
    ),
    # transforms and second order
    "transform": (
        "{function} cannot run under this transform of torch.func: {error}; under transforms, "
        "forward and backward must be made of PyTorch operations that do not look at values (no "
        ".item(), .numpy(), if on a tensor) and change nothing in place",
        "{function} ne peut s'exécuter sous cette transformation de torch.func : {error} ; sous "
        "les transformations, forward et backward doivent être faits d'opérations de PyTorch qui "
        "ne regardent pas les valeurs (ni .item(), ni .numpy(), ni if sur un tenseur) et ne "
        "modifient rien sur place",
    ),
    "once": (
        "{function}.backward is marked with once_differentiable, and second order or forward mode "
        "needs its derivative; write it of PyTorch operations and take the mark off",
        "{function}.backward est marqué once_differentiable, et le second ordre ou le mode direct "
        "demande sa dérivée ; écrivez-le avec des opérations de PyTorch et retirez la marque",
    ),
    "in_place": (
        "{function}.forward changes {names} in place (mark_dirty), which forward mode cannot "
        "follow; let forward return a new tensor",
        "{function}.forward modifie {names} sur place (mark_dirty), ce que le mode direct ne peut "
        "suivre ; faites renvoyer un nouveau tenseur à forward",
    ),
    "hidden": (
        "{function}.forward keeps tensors inside of ctx.{name}, where second order, forward mode "
        "and torch.func cannot follow them; save them with ctx.save_for_backward, or keep them in "
        "a list, tuple or dictionary",
        "{function}.forward garde des tenseurs dans ctx.{name}, où le second ordre, le mode direct "
        "et torch.func ne peuvent les suivre ; enregistrez-les avec ctx.save_for_backward, ou "
        "gardez-les dans une liste, un tuple ou un dictionnaire",
    ),
    "in_place_and_saved": (
        "{function}.forward changes {names} in place and saves an intermediate, which second "
        "order, forward mode and torch.func must compute again from the inputs; save outputs only, "
        "or let forward return a new tensor",
        "{function}.forward modifie {names} sur place et enregistre un intermédiaire, que le "
        "second ordre, le mode direct et torch.func doivent recalculer d'après les entrées ; "
        "n'enregistrez que des sorties, ou faites renvoyer un nouveau tenseur à forward",
    ),
    "not_repeated": (
        "{function}: second order needs the intermediates that forward saved, and when forward ran "
        "again for them {what}; it draws random numbers or keeps state: make that an input, or "
        "save inputs and outputs",
        "{function} : le second ordre demande les intermédiaires que forward a enregistrés, et "
        "lors d'une nouvelle exécution de forward, {what} ; il tire des nombres au hasard ou garde "
        "un état : faites-en une entrée, ou enregistrez les entrées et les sorties",
    ),
    "other_number": (
        "it saved another number of tensors",
        "il a enregistré un autre nombre de tenseurs",
    ),
    "other_values": ("it gave other values", "il a donné d'autres valeurs"),
    "of_torch": (
        "{name} is a torch.autograd.Function; derive it from derivable.Function, and its forward "
        "and backward stay as they are",
        "{name} est une torch.autograd.Function ; dérivez-la de derivable.Function, et ses forward "
        "et backward restent les mêmes",
    ),
}
say = Catalogue(_TEXTS)
