"""The messages of what an installation has and lacks."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
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
        "not installed; it is in the extra '{extra}'",
        "non installé ; il fait partie de l'extra '{extra}'",
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
say = Catalogue(_TEXTS)
