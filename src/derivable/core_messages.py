"""The messages of the modules that lie directly in the package."""

from __future__ import annotations

import errno

from derivable.messages import Catalogue, Message

_TEXTS = {
    # protocol.py: models by name
    "lab_rate": ("the lab sheet's", "celui de la feuille de TP"),
    "models_text": (
        "models must be text, such as 'linear,tanh:10' or ['linear', 'relu:32x16'], got {kind}; "
        "descend(network, loss, x, y) trains a network of your own",
        "les modèles s'écrivent en texte, comme 'linear,tanh:10' ou ['linear', 'relu:32x16'], reçu "
        "{kind} ; descend(network, loss, x, y) entraîne votre propre réseau",
    ),
    "no_models": (
        "no model was named; for example {example}",
        "aucun modèle n'est indiqué ; par exemple {example}",
    ),
    "model_twice": (
        "the model {name} is named twice; name each model once",
        "le modèle {name} est indiqué deux fois ; indiquez chaque modèle une seule fois",
    ),
    "no_model": (
        "{word!r} names no model: expected auto, linear, or an activation with its hidden sizes, "
        "such as tanh:10 or relu:32x16; activations are {names}",
        "{word!r} ne désigne aucun modèle ; attendu : auto, linear, ou une activation avec ses "
        "tailles cachées, comme tanh:10 ou relu:32x16 ; les activations sont {names}",
    ),
    # files.py, tensors.py
    "not_written": ("{file} cannot be written ({reason})", "{file} ne peut être écrit ({reason})"),
    "no_file": (
        "{file} cannot be read: there is no such file",
        "{file} ne peut être lu : ce fichier n'existe pas",
    ),
    "no_tensors": (
        "{file} cannot be read as safetensors: {error}",
        "{file} ne peut être lu comme safetensors : {error}",
    ),
    # doctor.py
    "note": ("note", "remarque"),
    "broken": ("broken", "défaillant"),
    "this_folder": ("this folder", "ce dossier"),
    "compiler": ("compiler", "compilateur"),
    "compiler_cache": ("compiler's cache", "cache du compilateur"),
    "threads": ("threads", "threads"),
    "data_cache": ("data cache", "cache des données"),
    "not_examined": (
        "could not be examined ({kind}: {error})",
        "n'a pas pu être examiné ({kind} : {error})",
    ),
    "report_this": (
        "report this, with what stands here",
        "signalez-le, avec ce qui est écrit ici",
    ),
    "version_in": ("{version} in {folder}", "{version} dans {folder}"),
    "install_python": (
        "install Python 3.11 or newer",
        "installez Python 3.11 ou une version plus récente",
    ),
    "not_installed": ("not installed", "non installé"),
    "not_installed_extra": (
        "not installed; it is the extra '{extra}'",
        "non installé ; c'est l'extra '{extra}'",
    ),
    "not_imported": (
        "{version} cannot be imported ({kind}: {error})",
        "{version} ne peut être importé ({kind} : {error})",
    ),
    "too_old": ("{version}, and {least} is needed", "{version}, et il faut {least}"),
    "processors": (
        "PyTorch uses {used}; this process may use {usable} processors",
        "PyTorch en utilise {used} ; ce processus peut utiliser {usable} processeurs",
    ),
    "set_threads": ("set OMP_NUM_THREADS={usable}", "définissez OMP_NUM_THREADS={usable}"),
    "numba_compiles": ("Numba compiles", "Numba compile"),
    "store_unwritable": (
        "{folder} cannot be written, so that loops are compiled again in each process",
        "{folder} n'est pas accessible en écriture : les boucles sont compilées de nouveau dans "
        "chaque processus",
    ),
    "set_store": (
        "set NUMBA_CACHE_DIR to a folder that can",
        "donnez à NUMBA_CACHE_DIR un dossier accessible en écriture",
    ),
    "no_california_file": (
        "no {file} in {folder}; the bundled diabetes table stands in",
        "pas de {file} dans {folder} ; le tableau diabetes fourni le remplace",
    ),
    "fetch": (
        "derivable data fetch, or set SCIKIT_LEARN_DATA",
        "derivable data fetch, ou définissez SCIKIT_LEARN_DATA",
    ),
    "cache_unwritable": (
        "{folder} cannot be written, so that no download is kept",
        "{folder} n'est pas accessible en écriture : aucun téléchargement n'est conservé",
    ),
    "set_cache": (
        "set SCIKIT_LEARN_DATA to a folder that can",
        "donnez à SCIKIT_LEARN_DATA un dossier accessible en écriture",
    ),
    "runs_under": (
        "runs can be written under {folder}",
        "des exécutions peuvent être écrites dans {folder}",
    ),
    "unwritable": (
        "{folder} cannot be written ({reason})",
        "{folder} n'est pas accessible en écriture ({reason})",
    ),
    "other_folder": (
        "go to another folder, or name one with --out",
        "changez de dossier, ou indiquez-en un avec --out",
    ),
}
# What the system says of a file, where its texts are in English.
_REASONS = {
    errno.ENOENT: "Fichier ou dossier inexistant",
    errno.EACCES: "Permission refusée",
    errno.EPERM: "Opération non permise",
    errno.EISDIR: "C'est un dossier",
    errno.ENOTDIR: "Ce n'est pas un dossier",
    errno.EEXIST: "Le fichier existe déjà",
    errno.ENOSPC: "Plus de place sur le disque",
    errno.EROFS: "Système de fichiers en lecture seule",
    errno.ENAMETOOLONG: "Nom de fichier trop long",
}
say = Catalogue(_TEXTS)


def reason_of(error: OSError) -> str:
    """Why the system refuses a file."""
    reason = error.strerror or str(error)
    return Message(reason, _REASONS.get(error.errno or 0, reason))
