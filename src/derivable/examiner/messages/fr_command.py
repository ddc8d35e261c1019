"""The messages of the command, of `examine` and of the pytest plugin, in French."""

from __future__ import annotations

COMMAND: dict[str, str] = {
    # What did not run of a program.
    "run.failed": "{location} : {error} ; ce qui précède cette ligne est examiné",
    "run.failed_cell": "{location} : {error} ; les autres cellules ont été exécutées",
    "run.exit": "{location} : le programme s'est terminé lui-même avec {code} ; ce qui précède est "
    "examiné",
    "run.timeout": "{name} a été arrêté après {seconds} s, à {location} (--run-timeout) ; ce "
    "qu'il a appelé jusque-là est examiné",
    "run.long_loop": "{name} a été arrêté dans sa première longue boucle, à {location} "
    "(--setup-only)",
    "run.gradcheck": "{location} : gradcheck échoue ; la suite a été exécutée",
    "run.missing": "{location} : le module {module} manque ; la suite a été exécutée",
    "run.missing_of": "{module} manque : {count} sous-modules non examinés ({names})",
    "run.missing_of_one": "{module} manque : 1 sous-module non examiné ({names})",
    "run.not_imported": "{count} sous-modules non examinés ({names}) : {module}",
    "run.not_imported_one": "1 sous-module non examiné ({names}) : {module}",
    "run.encoding": "{name} ne déclare pas d'encodage et n'est pas en UTF-8 : lu en {encoding}",
    # What the command prints.
    "cli.right": "juste",
    "cli.wrong": "faux",
    "cli.inconclusive": "indécis",
    "cli.not_examined": "non examiné",
    "cli.count_right": "juste : {count}",
    "cli.count_wrong": "faux : {count}",
    "cli.count_inconclusive": "indécis : {count}",
    "cli.count_not_examined": "non examiné : {count}",
    "cli.needs_inputs": "pas appelée, et aucune entrée trouvée qui convienne{refusal} ; "
    'donner ses entrées : --input "{inputs}"',
    "cli.called": "entrées : l'appel à {location}",
    "cli.called_kinds": "entrées : {count} sortes d'appels, le premier à {location}",
    "cli.called_by": "appelée par {test}",
    "cli.called_by_more": "appelée par {test} et {count} autres",
    "cli.running": "exécution de {name}, pendant {seconds} s au plus",
    "cli.no_functions": "aucune Function n'y est définie",
    "cli.nothing_called": "rien n'a été appelé que l'on puisse examiner",
    "cli.more": "la suite : --details",
    "cli.more_findings": "encore {count} erreurs : --details",
}
