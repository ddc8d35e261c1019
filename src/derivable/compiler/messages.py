"""The messages of compiling."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "compiling": (
        "compiling loops for this processor, about {seconds:.0f} s, {how_often}",
        "compilation de boucles pour ce processeur, environ {seconds:.0f}\u00a0s, {how_often}",
    ),
    "once": ("once on this machine", "une fois sur cette machine"),
    "each_time": (
        "in each process, because {folder} cannot be written; NUMBA_CACHE_DIR names another folder",
        "dans chaque processus, car {folder} n'est pas accessible en écriture ; NUMBA_CACHE_DIR "
        "indique un autre dossier",
    ),
}
say = Catalogue(_TEXTS)
