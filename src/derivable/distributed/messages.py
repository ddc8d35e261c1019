"""The messages of tables whose rows lie in several processes."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "few_rows": (
        "{rows:,} rows are work for {n} processes at most, got {got}; start fewer",
        "{rows:,} lignes sont du travail pour {n} processus au plus, reçu {got} ; lancez-en moins",
    ),
    "few_rows_one": (
        "{rows:,} rows are work for 1 process, got {got}; start fewer",
        "{rows:,} lignes sont du travail pour 1 processus, reçu {got} ; lancez-en moins",
    ),
    "not_the_same": (
        "{name} must be the same in all {size} processes; process 0 has {first}, process {rank} "
        "has {other}; {advice}",
        "{name} : identique exigé dans les {size} processus ; le processus 0 a {first}, le "
        "processus {rank} a {other} ; {advice}",
    ),
    "columns": ("the columns of the table", "les colonnes du tableau"),
    "one_form": ("give all of them one form", "donnez-leur à tous la même forme"),
    "problem": ("network, loss and penalty", "réseau, perte et pénalité"),
    "one_seed": (
        "initialise the network with one seed, for example",
        "initialisez par exemple le réseau avec une même graine",
    ),
    "settings": ("what is asked for", "ce qui est demandé"),
    "same_settings": (
        "give all of them the same settings",
        "donnez-leur à tous les mêmes réglages",
    ),
    "versions": ("the versions of the packages", "les versions des paquets"),
    "same_versions": ("install the same everywhere", "installez partout les mêmes"),
    "tables": ("the table", "le tableau"),
    "same_table": ("give all of them the same file", "donnez-leur à tous le même fichier"),
    "networks": ("the number of networks", "le nombre de réseaux"),
    "same_networks": ("give all of them the same networks", "donnez-leur à tous les mêmes réseaux"),
    "callbacks": ("what callbacks decide", "ce que décident les callbacks"),
    "by_the_state": (
        "decide by the state alone",
        "décidez d'après l'état seul",
    ),
    "of_process": (
        "process {rank} of {size}: {message}",
        "processus {rank} sur {size} : {message}",
    ),
    "lost": (
        "{who} ended, and the others cannot go on without it; start all of them again, from the "
        "last checkpoint if there is one",
        "{who} s'est arrêté, et les autres ne peuvent continuer sans lui ; relancez-les tous, "
        "depuis le dernier point de reprise s'il y en a un",
    ),
    "process_has": ("process {rank} of {size} has", "le processus {rank} sur {size}"),
    "a_process_has": ("a process has", "un processus"),
}
say = Catalogue(_TEXTS)
