"""The texts of the examiner's errors, and of what the pytest plugin reports, in French."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "error.tensors_inside": "{function} : une entrée calcule avec les tenseurs d'un objet {kind}, "
    "qui sont aussi des entrées et ne peuvent pas y être remplacés ; examinez une fonction de ces "
    "tenseurs qui construit l'objet {kind} et appelle {function}",
    # Parts of several messages.
    "error.none": "aucun",
    "error.did_you_mean": "vouliez-vous dire {name} ?",
    "error.the_reference": "la référence",
    "error.surrogate_of": "surrogate_of",
    "error.refusal": " : {error} à ({shapes}) : {text}",
    # Targets, and the inputs that they take.
    "error.not_callable": "check examine une Function, un objet appelable ou un module ; reçu : "
    "{kind}",
    "error.no_float": "{function} : aucune entrée n'est un tenseur à virgule flottante, il n'y a "
    "donc pas de gradient à examiner ; en donner au moins une, par exemple torch.randn(4, 3)",
    "error.no_inputs_found": "aucune entrée trouvée pour laquelle {function} s'exécute{refusal} ; "
    "donner ses entrées : check({function}, torch.randn(4, 3), ...)",
    "error.no_call_kept": "{name} : les entrées d'aucun de ses appels n'ont pu être conservées ; "
    "en donner : check({name}, torch.randn(4, 3), ...)",
    "error.forward_raises": "{function}.forward lève {error} pour les entrées données : {text} ; "
    "donner des entrées pour lesquelles il s'exécute",
    "error.no_such_input": "{function}.forward n'a pas d'entrée {argument!r} ; ses entrées : "
    "{names}",
    "error.gradient_elsewhere": "le gradient de l'entrée {input} est sur {found}, et l'entrée sur "
    "{device} ; créez-le là, par exemple avec torch.zeros_like(x)",
    "error.input_missing": "{function} : l'entrée {argument} manque",
    "error.operator_takes": "entrées de {name} : {names} ; reçu : {count} entrées, et par mot-clé "
    "{keywords}",
    "error.operator_takes_one": "entrées de {name} : {names} ; reçu : 1 entrée, et par mot-clé "
    "{keywords}",
    "error.operator_without_backward": "{name} n'a pas de backward ; en enregistrer un avec "
    "register_autograd, ou examiner les fonctions qui l'appellent pour des entrées sans gradient",
    "error.plain_class": "{name} est une classe ordinaire, qu'autograd n'exécute pas ; l'examiner "
    "à la main, ou en faire une torch.autograd.Function",
    "error.not_one_number": "{name} : la valeur doit être un seul nombre ; forme reçue : {shape}",
    "error.sparse_layout": "{function} : {argument} est au format {layout} à {axes} axes ; les "
    "tenseurs creux sont examinés aux formats sparse_coo, ou sparse_csr et sparse_csc à 2 axes : "
    "le convertir, ou le donner dense",
    "error.sparse_output": "{function}.forward renvoie un tenseur au format {layout} ; seules les "
    "sorties denses sont examinées : renvoyer .to_dense(), ou examiner la fonction qui l'utilise",
    # Functions to compare with, contracts, declarations, settings.
    "error.surrogate_shapes": "surrogate_of renvoie les formes {returned}, et {function}.forward "
    "{expected} ; donner une fonction des mêmes entrées, aux sorties de mêmes formes",
    "error.given_raises": "{what} lève {error} pour les entrées de {function} : {text} ; les "
    "entrées doivent être les mêmes",
    "error.contract_unknown": "contrat de {argument} : {got!r} ; valeurs possibles : {names}, "
    "index(5), fixed(0), 0..1, ou plusieurs d'entre elles reliées par +",
    "error.contract_form": "un contrat s'écrit ARGUMENT=CONTRAT, par exemple A=symmetric ; reçu : "
    "{got!r}",
    "error.contract_argument": "{function} n'a pas d'entrée {argument!r} à laquelle appliquer un "
    "contrat ; ses entrées : {names}",
    "error.contract_type": "{function} : {argument} a un contrat, et est de type {kind} ; seuls "
    "les tenseurs ont des contrats",
    "error.contract_broken": "{function} : la valeur donnée de {argument} ne respecte pas son "
    "contrat ({contract}) ; en donner une qui le respecte, ou un autre contrat",
    "error.nothing_declared": "declare demande au moins un argument parmi examples=, contracts=, "
    "surrogate= et surrogate_of=",
    "error.no_declarations": "le fichier de déclarations {path} n'existe pas",
    "error.no_reference": "--reference : le fichier {path} n'existe pas",
    "error.surrogate_form": "un substitut s'écrit MOTIF=RAISON, par exemple package.*STE ; reçu : "
    "{got!r}",
    "surrogate.declared": "déclaré hors du code",
    "error.budget": "budget doit être un nombre d'appels positif ; reçu : {got}",
    "error.timeout": "timeout doit être un nombre de secondes positif ; reçu : {got}",
    "error.level": "level doit être l'une des valeurs {names} ; reçu : {got!r}",
    "error.no_setting": "il n'y a pas de réglage {name!r} ; les réglages : {names}",
    # --input.
    "error.input_form": "formes attendues : nom:forme, nom:forme:dtype ou nom=valeur, par exemple "
    '"x:13x5 w:5x7:float32 s: labels:13:int<7 p:13x5:0.1..0.9 alpha=0.1"',
    "error.input_empty": "--input est vide ; {form}",
    "error.input_unreadable": "--input : {word!r} est illisible ; {form}",
    "error.input_value": "--input : la valeur de {name} est illisible dans {word!r} ; donner un "
    "nombre, True, None, un mot, ou un tuple sans espaces",
    "error.input_dtype": "--input : {got!r} dans {word!r} n'est pas un dtype ; les dtypes : "
    "{names}",
    "error.input_limit": "--input : il faut une borne aux entiers : {word}<7 tire {name} de 0 à 6",
    "error.input_below": "--input : < est réservé aux entiers, comme dans labels:13:int<7 ; pour "
    "des nombres entre deux bornes, écrire {right}",
    "error.input_range": "--input : {word!r} est illisible ; un intervalle s'écrit bas..haut, par "
    "exemple 0.1..0.9, dans un dtype à virgule flottante",
    "error.input_unknown": "il n'y a pas d'entrée {name!r} ; les entrées : {names}",
    "error.input_repeated": "{name} est donné {count} fois",
    "error.input_left_out": "les entrées sont {names} ; données : {given} seulement",
    # Files, modules and programs.
    "error.target_missing": "L'argument 'TARGET...' manque.",
    "error.no_file": "le fichier {path} n'existe pas",
    "error.no_package": "{path} est un dossier, et non un package ; nommer un fichier de ce "
    "dossier",
    "error.no_python_file": "{path} n'est pas un fichier Python ; son nom doit finir par .py, ou "
    "par .ipynb pour un notebook",
    "error.no_notebook": "{path} n'est pas un notebook lisible",
    "error.no_target": "{name!r} n'est ni un fichier ni un module ; formes attendues : file.py, "
    "notebook.ipynb, package.module, ou l'une d'elles suivie de :Nom",
    "error.no_module": "le module {module} est introuvable depuis ce dossier",
    "error.no_module_but": "le module {module} est introuvable depuis ce dossier ; {hint}",
    "error.no_main_module": "aucun module {module} à exécuter depuis ce dossier",
    "error.no_function": "{location} n'a pas de Function {name} ; {hint}",
    "error.defines": "Functions définies : {names}",
    "error.other_module": "{path} : un autre module {module} a été trouvé avant, dans {other}",
    "error.import_timeout": "l'import de {name} n'est pas terminé après {seconds} s "
    "(--run-timeout)",
    "error.module_not_installed": "le module {module} n'est pas installé",
    "error.input_called": "input() est appelé trop souvent, et aucune réponse n'est donnée ici",
    # The pytest plugin.
    "plugin.no_inputs": "aucune entrée pour elle",
    "plugin.not_examined": "{name} : non examinée, {reason}",
    "plugin.right_now": "{name} est juste à présent : à retirer de la liste {list}",
    "plugin.listed": "{cause} : dans la liste {list}",
    "plugin.nothing_called": "derivable : ces tests n'ont appelé aucune Function définie hors de "
    "PyTorch",
    "error.listed_unknown": "{list} contient {name}, et cette Function n'existe pas ; trouvées par "
    "--derivable : {names} ; corriger le nom ou le retirer de la liste",
}
