"""The messages of the command line, without its help, which is in `help_messages.py`."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # mistakes in a call
    "nul": (
        "an argument holds a NUL character, which no name can",
        "un argument contient un caractère NUL, ce qu'aucun nom ne peut contenir",
    ),
    "no_command": (
        "There is no command {name!r}.{hint}",
        "Il n'y a pas de commande {name!r}.{hint}",
    ),
    "did_you_mean": (" Did you mean {name}?", " Vouliez-vous dire {name} ?"),
    "try_help": (" Try {command} --help.", " Essayez {command} --help."),
    "neither_rate": (
        "{word!r} is neither a positive number nor auto",
        "{word!r} n'est ni un nombre positif ni auto",
    ),
    "two_tables": (
        "there are two tables, {file} and --data {data}; name one",
        "il y a deux tableaux, {file} et --data {data} ; indiquez-en un",
    ),
    "one_hot_takes": (
        "--one-hot takes {word} for the name of a column; put FILE before it",
        "--one-hot prend {word} pour le nom d'une colonne ; mettez FILE avant cette option",
    ),
    "no_file_to_read": (
        "{option} says how to read a file, and none is named; for example houses.csv --target "
        "price",
        "{option} indique comment lire un fichier, et aucun n'est donné ; par exemple maisons.csv "
        "--target prix",
    ),
    "for_example": ("{error}; for example: {command}", "{error} ; par exemple : {command}"),
    "no_steps": (
        "{option} goes with a model that takes steps, and auto is chosen by rows held out; name "
        "one, such as --model tanh:10",
        "{option} va avec un modèle qui fait des pas, et auto est choisi d'après des lignes mises "
        "de côté ; indiquez un modèle, comme --model tanh:10",
    ),
    "one_model": (
        "fit trains one model, got {models}; compare trains several",
        "fit entraîne un seul modèle, reçu {models} ; compare en entraîne plusieurs",
    ),
    "resume_out": (
        "--resume goes on in the run's own folder; leave out --out",
        "--resume continue dans le dossier de l'exécution ; omettez --out",
    ),
    "resume_config": (
        "--resume takes its settings from the run; leave out --config",
        "--resume prend les réglages de l'exécution ; omettez --config",
    ),
    "no_run": (
        "{folder} is no run folder: it holds no {file}",
        "{folder} n'est pas le dossier d'une exécution : il ne contient pas de {file}",
    ),
    "other_settings": (
        "the run was begun with other settings: {changed}; leave such options out to go on with "
        "it, or start a new run",
        "l'exécution a commencé avec d'autres réglages : {changed} ; omettez ces options pour la "
        "continuer, ou commencez-en une nouvelle",
    ),
    "other_command": (
        "{file} is of derivable {one}, not of derivable {other}",
        "{file} est de derivable {one}, et non de derivable {other}",
    ),
    "no_option": (
        "{file} sets {key!r}, which is no option of {command}; {hint}",
        "{file} fixe {key!r}, qui n'est pas une option de {command} ; {hint}",
    ),
    "option_hint": ("did you mean {name}?", "vouliez-vous dire {name} ?"),
    "see_help": ("see --help", "voir --help"),
    "overwrites": (
        "--out {out} would overwrite what is read; name another file",
        "--out {out} écraserait ce qui est lu ; indiquez un autre fichier",
    ),
    "model_of_file": (
        "--model goes with a run folder, and {model} is none",
        "--model va avec le dossier d'une exécution, et {model} n'en est pas un",
    ),
    "models_of_run": (
        "{model} is a run of {names}; name one of them with --model",
        "{model} contient les modèles {names} ; indiquez-en un avec --model",
    ),
    # interruptions
    "interrupted": ("interrupted", "interrompu"),
    "and_kept": ("{text}; {kept}", "{text} ; {kept}"),
    "kept_in": (
        "{error}; what was found before is kept in {folder}",
        "{error} ; ce qui a été trouvé avant est conservé dans {folder}",
    ),
    "stopping": (
        "stopping after this block; once more to stop now",
        "arrêt après ce bloc ; encore une fois pour arrêter tout de suite",
    ),
    "stopped_now": (
        "stopped; what was kept before is in the run folder",
        "arrêté ; ce qui avait été conservé est dans le dossier de l'exécution",
    ),
    # notes
    "note": ("Note: {note}", "Remarque : {note}"),
    "notes": ("{count} notes:", "{count} remarques :"),
    "looking": (
        "Looking for the table; a download gets ten seconds",
        "Recherche du tableau ; un téléchargement a dix secondes",
    ),
    "not_used": ("not used: {names}", "non utilisées : {names}"),
    "predictions": ("{n:,} predictions in {out}", "{n:,} prédictions dans {out}"),
    "predictions_one": ("1 predictions in {out}", "1 prédiction dans {out}"),
    "unfinished": (
        "{n} more of its models are not finished.",
        "{n} autres de ses modèles ne sont pas terminés.",
    ),
    "unfinished_one": (
        "1 more of its models is not finished.",
        "1 autre de ses modèles n'est pas terminé.",
    ),
    # results
    "head_train": ("train loss", "perte appr."),
    "head_test": ("test loss", "perte test"),
    "head_seconds": ("seconds", "secondes"),
    "steps_of": ("{steps:,} steps, ", "{steps:,} pas, "),
    "protocol": (
        "protocol {protocol}: {train:,} training and {test:,} test rows of {data}, {steps}{seeds}",
        "protocole {protocol} : {train:,} lignes d'apprentissage et {test:,} de test de {data}, "
        "{steps}{seeds}",
    ),
    "seed": ("seed {first}", "graine {first}"),
    "seeds": ("seeds {first} to {last}", "graines {first} à {last}"),
    "of_model": ("{model}: {how}", "{model} : {how}"),
    "loss": ("loss: {loss}", "perte : {loss}"),
    "weighted": (
        "{loss}, rows weighted so that all classes count the same",
        "{loss}, lignes pondérées pour que toutes les classes comptent autant",
    ),
    "penalised": (
        "{loss}; train loss with an L2 penalty of {penalty:g}",
        "{loss} ; perte d'apprentissage avec une pénalité L2 de {penalty:g}",
    ),
    "chosen": ("{choice} ({reason})", "{choice} ({reason})"),
    "lbfgs": ("{choice}; {n:,} gradients of L-BFGS", "{choice} ; {n:,} gradients de L-BFGS"),
    "lbfgs_one": ("{choice}; 1 gradient of L-BFGS", "{choice} ; 1 gradient de L-BFGS"),
    "how": (
        "{method}, {objective}, {n:,} gradients; {estimate}",
        "{method}, {objective}, {n:,} gradients ; {estimate}",
    ),
    "how_one": (
        "{method}, {objective}, 1 gradient; {estimate}",
        "{method}, {objective}, 1 gradient ; {estimate}",
    ),
    "stopped": ("{how}; stopped: {why}", "{how} ; arrêté : {why}"),
    "not_compiled": ("{how}; not compiled: {why}", "{how} ; non compilé : {why}"),
    "rate": ("lr {lr:g}, {reason}", "lr {lr:g}, {reason}"),
    "chart_file": ("chart   {file}", "figure   {file}"),
    "report_file": ("report  {file}", "rapport  {file}"),
    "run_folder": ("run     {file}", "dossier  {file}"),
    "model_file": ("model   {file}", "modèle   {file}"),
    # derivable data
    "named_by": ("named by SCIKIT_LEARN_DATA", "indiqué par SCIKIT_LEARN_DATA"),
    "own_cache": (
        "scikit-learn's own; SCIKIT_LEARN_DATA is not set",
        "celui de scikit-learn ; SCIKIT_LEARN_DATA n'est pas défini",
    ),
    "bytes": ("{size:,} bytes", "{size:,} octets"),
    "not_there": (
        "not there; derivable data fetch brings it",
        "absent ; derivable data fetch le récupère",
    ),
    "folder": ("folder      {folder} ({by})", "dossier     {folder} ({by})"),
    "california": ("california  {file}: {found}", "california  {file} : {found}"),
    "diabetes": (
        "diabetes    comes with scikit-learn",
        "diabetes    fourni avec scikit-learn",
    ),
    "cache_unwritable": (
        "California Housing was downloaded, and {file} cannot be written; set SCIKIT_LEARN_DATA to "
        "a folder that can",
        "California Housing a été téléchargé, mais {file} ne peut être écrit ; donnez à "
        "SCIKIT_LEARN_DATA un dossier accessible en écriture",
    ),
    "rows_in": ("{data}  {rows:,} rows in {file}", "{data}  {rows:,} lignes dans {file}"),
    "to_use": (
        "to use it: derivable compare {file} --target '{target}'",
        "pour l'utiliser : derivable compare {file} --target '{target}'",
    ),
    # derivable lab
    "sheet": (
        "{name:5} {title:45} {count:2} questions, {low} to {high} min",
        "{name:5} {title:45} {count:2} questions, {low} à {high} min",
    ),
    "graded": (
        "copies: {copies}; mean {mean}, median {median} of {most}",
        "copies : {copies} ; moyenne {mean}, médiane {median} sur {most}",
    ),
    "serious": (
        "copies with a problem: {found} ({names})",
        "copies avec un problème : {found} ({names})",
    ),
    "to_be_read": (
        "answers that a person reads: {found}; the marks are without them",
        "réponses à lire par une personne : {found} ; les notes sont sans elles",
    ),
    "alike": (
        "groups of copies that are alike: {found}",
        "groupes de copies qui se ressemblent : {found}",
    ),
    "index.html": ("class   {place}", "classe  {place}"),
    "marks.csv": ("marks   {place}", "notes   {place}"),
    "copies/": ("copies  {place}", "copies  {place}"),
    # derivable doctor
    "to_do": ("{text}; to do: {what}", "{text} ; à faire : {what}"),
    "state": ("{state}: {text}", "{state} : {text}"),
}
say = Catalogue(_TEXTS)
