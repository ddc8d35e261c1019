"""The help of commands and options in French; the English stands where they are defined.

A key is a command, a command followed by "short" for its line in a list of commands, an option, or
a command with one of its options, where several commands have different ones by one name.
"""

from __future__ import annotations

HELP = {
    "derivable": (
        "Fonctions dérivables écrites à la main : les écrire, les prouver justes, descendre avec "
        "elles.\n\nPour commencer : derivable compare, ou derivable check FILE.py"
    ),
    "--version": "Afficher la version et quitter.",
    "--help": "Afficher cette aide et quitter.",
    "--lang": "La langue des messages, de l'aide et des pages.  [par défaut : DERIVABLE_LANG, "
    "sinon en]",
    "--json": "Afficher un seul document JSON.",
    # check
    "check": (
        "Examiner chaque backward que TARGET définit et appelle, et dire pourquoi il est faux.\n\n"
        "TARGET est script.py, notebook.ipynb, package.module ou un paquet ; avec :Nom, une seule "
        "de ses Functions. Ce qui suit -- est passé au programme. Cette commande EXÉCUTE LE CODE "
        "de la cible, comme python script.py : n'examinez pas ce que vous n'exécuteriez pas. Ce "
        "que ce code affiche va sur stderr, ses fenêtres ne sont pas montrées, et personne ne "
        "répond à ses input().\n\n"
        "Une Function est examinée avec --input, sinon avec les entrées que le code lui a données "
        "et avec ses propres examples(), une méthode statique qui renvoie une liste de tuples "
        "d'entrées, sinon avec des entrées trouvées d'après son forward. Si le code s'arrête ou "
        "échoue, ce qu'il a appelé avant est examiné, et la ligne est indiquée.\n\n"
        "Le code de sortie est 1 si quelque chose est faux ; sinon 3 si une cible ne peut être "
        "chargée ; sinon 2 si rien n'a pu être examiné ; sinon 0."
    ),
    "check short": "Examiner chaque backward d'un fichier, et dire pourquoi il est faux.",
    "--module": "Exécuter ce module comme python -m, et examiner ce qu'il appelle.",
    "--input": 'Les entrées par nom : "x:13x5 w:5x7:float32 labels:13:int<7 p:13:0.1..0.9 '
    'alpha=0.1". Plusieurs, pour des Functions aux entrées différentes.  [par défaut : celles que '
    "le code utilise]",
    "--run-timeout": "Durée maximale d'exécution du code d'une cible ; ce qu'il a appelé jusque-là "
    "est examiné.",
    "--setup-only": "Arrêter le code d'une cible à sa première longue boucle : plus de 200 appels "
    "d'une même Function.",
    "check --seed": "Graine des entrées et de ce qui est examiné au hasard.",
    "--level": "Ce qui échoue. lab : le premier ordre, avec des entrées comme celles du code, à la "
    "main comme avec autograd ; standard : tout sauf le second ordre et les avertissements ; "
    "strict : tout.",
    "--budget": "Nombre maximal d'appels de forward et backward par examen.  [par défaut : 40 000, "
    "moins pour un forward de nombreuses opérations]",
    "--timeout": "Durée maximale de calcul par examen, en secondes.",
    "--surrogate": "Functions dont le backward n'est volontairement pas la dérivée, comme "
    "'package.*STE'.",
    "--contract": "Ce qu'un argument est toujours, comme A=symmetric ou p=0..1.",
    "--reference": "Un fichier de Functions justes de mêmes noms : forward est aussi comparé.",
    "--examples": "Un fichier qui appelle derivable.declare(...) : exemples, contrats, substituts.",
    "--compile": "Examiner aussi sous torch.compile.",
    "--strict": "Ce qui est indécis ou non examiné échoue aussi.",
    "--details": "Tout ce qui a été trouvé, et comment le voir.",
    "--format": "github : des annotations sur les lignes d'une pull request.",
    # compare and fit
    "compare": (
        "Entraîner plusieurs modèles sur un tableau, et les comparer.\n\n"
        "Le tableau est FILE (CSV, TSV, Parquet ; aussi .gz) avec sa cible --target, ou celui du "
        "TP. Par exemple : derivable compare maisons.csv --target prix\n\n"
        "Le protocole du TP (lab) : variables centrées et réduites sur toutes les lignes, les "
        "premiers 80 % des lignes pour l'apprentissage et les derniers 20 % pour le test, avec lr "
        "1e-5 pour le modèle linéaire et 1e-4 pour les réseaux. Le protocole rigoureux (sound), "
        "pour FILE : lignes mélangées d'après la graine, 80 % pour l'apprentissage ; variables et "
        "cibles centrées et réduites d'après les lignes d'apprentissage, pertes dans l'unité de la "
        "cible. Dans les deux cas : poids 0.01 * randn, et descente de gradient sur toutes les "
        "lignes de --loss, par défaut l'erreur quadratique moyenne.\n\n"
        "Écrit les réglages, metrics.json, history.csv, les poids (safetensors) et les figures "
        "(PNG et SVG) dans un nouveau dossier. Après une interruption, --resume continue."
    ),
    "compare short": "Entraîner plusieurs modèles sur un tableau, et les comparer.",
    "fit": (
        "Entraîner un modèle sur un tableau, et l'exporter.\n\n"
        "Par exemple : derivable fit maisons.csv --target prix --export model.safetensors"
    ),
    "fit short": "Entraîner un modèle sur un tableau, et l'exporter.",
    "--models": "Modèles séparés par des virgules : linear, tanh:10, silu:32x16, ... (toute "
    "Function élément par élément), et auto, choisi d'après des lignes mises de côté.",
    "fit --model": "auto, choisi d'après des lignes mises de côté : un modèle linéaire, des "
    "réseaux ou un mélange ; ou linear, tanh:10, silu:32x16, ... (toute Function élément par "
    "élément), qui suit --steps.",
    "--export": "Écrire le modèle dans FILE.safetensors (pour predict), FILE.py (PyTorch seul) ou "
    "FILE.onnx ; peut être répété.",
    "--target": "La colonne de FILE à prédire, ou plusieurs : a,b. Les autres sont les variables.",
    "--task": "La cible est-elle faite de nombres ou de classes.  [par défaut : reconnu]",
    "--ignore": "Colonnes de FILE à écarter : a,b, ou --ignore a --ignore b ; #3 est la troisième.",
    "--missing": "Cellules sans valeur : une erreur, écarter leurs lignes, ou mettre la médiane "
    "d'apprentissage.",
    "--missing-category": "Une cellule vide d'une colonne de texte est une catégorie à part.",
    "--one-hot": "Faire une variable de chaque valeur de ces colonnes ; sans nom, de toutes celles "
    "de texte.",
    "--merge-spellings": "Les valeurs de texte qui ne diffèrent que par la casse ou les espaces "
    "sont la même.",
    "--rename-duplicates": "Une seconde colonne de même nom s'appelle 'nom (2)'.",
    "--split": "Les 20 % des lignes de FILE pour le test : des lignes mélangées, ou les dernières.",
    "--parts": "Si des processus lancés par torchrun lisent FILE ensemble, chacun certaines de "
    "ses lignes.  [par défaut : si FILE a 64 Mo]",
    "--decimal": "Le séparateur décimal.  [par défaut : reconnu]",
    "--separator": "Ce qui sépare les cellules : ',', ';', tab, ...  [par défaut : reconnu]",
    "--na": "Une écriture d'une valeur manquante, outre vide, NA, NaN, null, - et semblables ; "
    "d'une seule colonne par COLONNE=TEXTE.",
    "--header": "La ligne qui contient les noms des colonnes.  [par défaut : reconnue]",
    "--no-header": "Aucune ligne ne contient de noms : column 1, column 2, ...",
    "--units": "La ligne sous les noms : l'écarter, ou la prendre pour des données.  [par défaut : "
    "reconnu]",
    "--total": "Lignes qui semblent être des totaux ou des remarques : les écarter, ou les prendre "
    "pour des données.  [par défaut : demander]",
    "--sheet": "La feuille d'un classeur, ou le fichier d'une archive zip, s'il y en a plusieurs.",
    "--dates": "Ce qui vient d'abord dans une date comme 08/11/2024.  [par défaut : reconnu]",
    "--data": "Un tableau sans fichier : California Housing (cache de scikit-learn ou "
    "téléchargement), ou diabetes.  [par défaut : california]",
    "--lr": "Pas d'apprentissage, ou auto pour un pas convenable.  [par défaut : celui du TP ; "
    "auto pour FILE]",
    "--protocol": "Comment le tableau est partagé et mis à l'échelle.  [par défaut : lab ; sound "
    "pour FILE]",
    "--steps": "Pas de descente de gradient pour chaque modèle.  [par défaut : 80 000 ; moins pour "
    "FILE, si cela prendrait plus d'une minute]",
    "--seed": "Graine des poids initiaux et du mélange.",
    "--method": "Méthode de descente : auto, steps, spectral, flow, momentum, nesterov, adam ou "
    "lbfgs.",
    "--batch-size": "Pas sur N lignes chacun, tirées de nouveau à chaque époque ; avec --method "
    "steps, momentum, nesterov ou adam.  [par défaut : toutes les lignes]",
    "--loss": "Ce qui est minimisé : mse, l1, huber, huber:delta=0.5 ou logcosh ; pour des classes "
    "crossentropy, crossentropy:label_smoothing=0.1 ; ou votre propre Function, fichier.py:MaPerte,"
    " dont le fichier est exécuté.  [par défaut : mse ; crossentropy pour des classes]",
    "--class-weight": "Pondérer les lignes pour que toutes les classes comptent autant.  [par "
    "défaut : toutes les lignes comptent autant]",
    "--penalty": "Pénalité L2 : L / 2 fois le carré de la norme des poids s'ajoute à la perte.",
    "--schedule": "Évolution du pas d'apprentissage : cosine:warm_up=100,least=0, "
    "step:every=1000,factor=0.1 ou warm-up:warm_up=100.  [par défaut : constant]",
    "--early-stopping": "Mettre de côté des lignes d'apprentissage, et finir là où la perte y est "
    "la plus basse.",
    "--patience": "Évaluations, une tous les 100 pas, sans perte plus basse sur ces lignes.  [par "
    "défaut : 10]",
    "--validation": "Part des lignes d'apprentissage mises de côté.  [par défaut : 0.1]",
    "--device": "Où les modèles descendent : cpu, cuda ou cuda:1 ; sur un périphérique CUDA avec "
    "--method auto, steps, momentum, nesterov ou adam.  [par défaut : cpu]",
    "--config": "Prendre des options dans un fichier, comme le run.toml d'une exécution ; celles "
    "données ici l'emportent.",
    "--resume": "Continuer l'exécution d'un dossier ; avec des pas exacts, au bit près.",
    "--out": "Où écrire l'exécution ; un dossier vide ou nouveau.  [par défaut : "
    "runs/<données>-<numéro>]",
    "--quiet": "Pas d'avancement ; seulement le résultat.",
    "--seeds": "Entraîner avec autant de graines, et donner la moyenne et la dispersion.",
    # data
    "data": "Les tableaux qui ne demandent aucun fichier : California Housing et diabetes.",
    "data short": "Où sont les tableaux ; en récupérer ou en exporter un.",
    "data where": "Où California Housing est cherché, et s'il y est.",
    "data fetch": "Mettre California Housing dans le cache de scikit-learn ; attend dix secondes "
    "une réponse.",
    "data export": "Écrire un tableau dans un fichier : les variables, puis la cible.",
    "data export --data": "Quel tableau.",
    # doctor
    "doctor": (
        "Examiner les versions, les extras, les threads, le compilateur, son cache, les données et "
        "les dossiers.\n\nLe code de sortie est 1 si quelque chose est défaillant."
    ),
    "doctor short": "Ce qu'a cette installation et ce qui lui manque, et que faire.",
    # lab
    "lab": "Feuilles de TP à trous, vérifications dans la cellule, et copies notées.",
    "lab short": "Feuilles de TP : les faire, les distribuer, les noter.",
    "lab list": "Les feuilles fournies.",
    "lab new": (
        "Écrire les notebooks de SHEET : à trous, avec les solutions, et une page pour "
        "l'enseignant.\n\nSHEET est l'une de celles de derivable lab list, ou votre propre "
        "fichier ; cette commande EXÉCUTE LE CODE de ce fichier."
    ),
    "lab new --out": "Où écrire ; un dossier nouveau ou vide.  [par défaut : SHEET]",
    "--fixes": "Les vérifications montrent une solution après la quatrième réponse fausse.",
    "lab try": (
        "Essayer SHEET avant les étudiants : ses solutions, ses trous et ses erreurs typiques.\n\n"
        "Le code de sortie est 1 si une vérification ne répond pas ce que dit la feuille."
    ),
    "lab grade": (
        "Noter COPIES : un dossier, le ZIP de Moodle, un notebook ou un fichier .py.\n\n"
        "Cette commande EXÉCUTE LE CODE DES COPIES, chacune dans un processus à part, avec des "
        "limites de temps, de mémoire, de taille de fichiers et de sortie, dans un dossier "
        "temporaire, sans votre environnement. Ce n'est pas un bac à sable : si vous n'avez pas "
        "confiance dans les copies, notez dans un conteneur sans réseau.\n\n"
        "FOLDER contient ensuite index.html (la classe d'un coup d'œil), copies/ (une page par "
        "copie) et marks.csv, avec les colonnes de Moodle. Noter de nouveau donne les mêmes "
        "notes ; une notation interrompue continue."
    ),
    "lab grade --sheet": "La feuille, par son nom ou son fichier.",
    "--scale": "Le barème en TOML.  [par défaut : celui de la feuille]",
    "lab grade --out": "Où vont les notes et les pages.",
    "--jobs": "Copies exécutées en même temps.  [par défaut : le nombre de processeurs]",
    # predict
    "predict": (
        "Prédire les cibles d'un tableau, dans leur unité, avec MODEL.\n\n"
        "MODEL est un fichier .safetensors de fit --export ou du dossier d'une exécution, ou un "
        "tel dossier avec --model NAME. Les colonnes de FILE sont trouvées par leur nom, dans un "
        "ordre quelconque ; la cible n'est pas nécessaire. Les prédictions sont en CSV, une ligne "
        "pour chaque ligne de FILE, dans son ordre, à côté de ses colonnes et écrites comme FILE : "
        "séparateur, séparateur décimal, et marque d'ordre des octets si un tableur l'attend. Pour "
        "une cible de classes, ce sont la classe la plus probable et la probabilité de chacune.\n\n"
        "Par exemple : derivable predict model.safetensors nouveau.csv --out predictions.csv"
    ),
    "predict short": "Prédire avec un modèle enregistré sur un nouveau tableau.",
    "predict --model": "Lequel, si MODEL est le dossier d'une exécution.",
    "predict --out": "Écrire les prédictions dans ce fichier, et non sur stdout.",
    "--alone": "Écrire les prédictions sans les colonnes de FILE.",
    "predict --missing": "Cellules sans valeur : une erreur, ou mettre la médiane des lignes "
    "d'apprentissage.",
    "--unseen": "Une valeur de texte que le modèle n'a pas rencontrée : une erreur, ou aucune de "
    "celles qu'il connaît.",
    "predict --quiet": "Ne rien dire du fichier lu.",
    # report
    "report": (
        "Écrire de nouveau la page, les figures et les chiffres du dossier RUN, d'après ce qui y "
        "est conservé.\n\nUne exécution non terminée montre les modèles qui le sont."
    ),
    "report short": "Écrire de nouveau la page, les figures et les chiffres d'une exécution.",
}

# Click's own texts, by the English that click asks for.
CLICK = {
    "Usage:": "Utilisation :",
    "Options": "Options ",
    "Commands": "Commandes ",
    "Missing command.": "Il manque une commande.",
    "Missing argument": "Il manque l'argument",
    "Missing option": "Il manque l'option",
    "Missing parameter": "Il manque le paramètre",
    "Missing {param_type}": "Il manque : {param_type}",
    "Missing parameter: {param_name}": "Il manque le paramètre {param_name}",
    "Got unexpected extra argument ({args})": "Argument inattendu ({args})",
    "Got unexpected extra arguments ({args})": "Arguments inattendus ({args})",
    "No such option {name!r}.": "Il n'y a pas d'option {name!r}.",
    "No such command {name!r}.": "Il n'y a pas de commande {name!r}.",
    "Did you mean {possibility}?": "Vouliez-vous dire {possibility} ?",
    "(Did you mean one of: {possibilities}?)": "(Peut-être {possibilities} ?)",
    "Option {name!r} does not take a value.": "L'option {name!r} ne prend pas de valeur.",
    "Option {name!r} requires an argument.": "L'option {name!r} demande une valeur.",
    "Option {name!r} requires {nargs} arguments.": "L'option {name!r} demande {nargs} valeurs.",
    "Argument {name!r} takes {nargs} values.": "L'argument {name!r} prend {nargs} valeurs.",
    "Invalid value: {message}": "Valeur incorrecte : {message}",
    "Invalid value for {param_hint}: {message}": "Valeur incorrecte pour {param_hint} : {message}",
    "{value!r} is not {choice}.": "{value!r} n'est pas {choice}.",
    "{value!r} is not one of {choices}.": "{value!r} n'est pas l'une des valeurs {choices}.",
    "{value} is not in the range {range}.": "{value} n'est pas dans l'intervalle {range}.",
    "{value!r} is not a valid {number_type}.": "{value!r} n'est pas un nombre valide.",
    "{value!r} is not a valid boolean. Recognized values: {states}": (
        "{value!r} n'est pas un booléen. Valeurs reconnues : {states}"
    ),
    "default: {default}": "par défaut : {default}",
    "required": "obligatoire",
    "env var: {var}": "variable d'environnement : {var}",
    "Show this message and exit.": HELP["--help"],
    "Show the version and exit.": HELP["--version"],
    "Try '{command} {option}' for help.": "Essayez '{command} {option}' pour l'aide.",
    "Choose from:\n\t{choices}": "À choisir parmi :\n\t{choices}",
}
