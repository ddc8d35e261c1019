"""Every text of the grading, in both languages."""

from __future__ import annotations

from derivable.labs.grading.incidents import Incident, Kind
from derivable.labs.text import colon
from derivable.messages import NB, Text

NOT_DEFINED = Text("{names}: not defined in this copy.", f"{{names}}{NB}: absent de cette copie.")
NOT_REACHED_BY = Text(
    "{names}: the code that computes this answer stopped with an error.",
    f"{{names}}{NB}: le code qui calcule cette réponse s'est arrêté sur une erreur.",
)
NOT_COMPUTED = Text(
    "The check of this answer was ended by {error}.",
    "La vérification de cette réponse a été interrompue par {error}.",
)
NOT_CHECKED = Text(
    "The process ended while this answer was checked ({reason}).",
    "Le processus s'est arrêté pendant la vérification de cette réponse ({reason}).",
)
NOT_REACHED = Text(
    "This answer was not checked: the copy ended its process too often.",
    "Cette réponse n'a pas été vérifiée{NB}: la copie a arrêté son processus trop de fois.".replace(
        "{NB}", NB
    ),
)
TOO_LARGE = Text("{name} has more than {size} MB.", f"{{name}} dépasse {{size}}{NB}Mo.")
EMPTY = Text("{name} is empty.", "{name} est vide.")
NO_COPY = Text("There is no copy that can be run.", "Il n'y a pas de copie exécutable.")

SKIPPED = Text(
    "This statement was skipped, because the process ended in it.",
    "Cette instruction a été sautée, car le processus s'y est arrêté.",
)
INCIDENTS = {
    Kind.NO_FILE: Text(
        "No notebook and no .py file was handed in.", "Aucun notebook ni fichier .py n'a été rendu."
    ),
    Kind.CHOSEN: Text(
        "Graded is {text}, in which most of the answers are.",
        "Le fichier corrigé est {text}, qui contient le plus de réponses.",
    ),
    Kind.BROKEN_ZIP: Text("{text} cannot be unpacked.", "{text} ne peut pas être décompressé."),
    Kind.UNREADABLE: Text(
        "The file cannot be run: {text}", f"Le fichier ne peut pas être exécuté{NB}: {{text}}"
    ),
    Kind.SYNTAX: Text("{text}", "{text}"),
    Kind.ERROR: Text("{text}", "{text}"),
    Kind.MISSING: Text(
        "This module is not there when copies are graded: {text}",
        f"Ce module n'est pas disponible pendant la correction{NB}: {{text}}",
    ),
    Kind.EXIT: Text(
        "sys.exit was called; the rest was run all the same.",
        "sys.exit a été appelé{NB}; la suite a été exécutée quand même.".replace("{NB}", NB),
    ),
    Kind.TIME: Text(
        "Ended after {amount} s, the limit for one cell.",
        f"Arrêté au bout de {{amount}}{NB}s, la limite pour une cellule.",
    ),
    Kind.ALL_TIME: Text(
        "All cells together took more than {amount} s: from here on only definitions were run.",
        f"L'ensemble des cellules a dépassé {{amount}}{NB}s{NB}: à partir d'ici, seules les "
        "définitions ont été exécutées.",
    ),
    Kind.CUT: Text(
        "The loop or the descent was ended after {amount} turns, which is enough for grading.",
        "La boucle ou la descente a été arrêtée après {amount} tours, ce qui suffit pour la "
        "correction.",
    ),
    Kind.OUTPUT: Text(
        "More than {amount} MB were printed.", f"Plus de {{amount}}{NB}Mo ont été affichés."
    ),
    Kind.ENDED: Text(
        "The process ended here ({reason}); this statement was skipped.",
        f"Le processus s'est arrêté ici ({{reason}}){NB}; cette instruction a été sautée.",
    ),
    Kind.QUESTION_ENDED: Text(
        "The process ended while {text} was checked ({reason}).",
        "Le processus s'est arrêté pendant la vérification de {text} ({reason}).",
    ),
    Kind.GIVEN_UP: Text(
        "The process ended more than {amount} times; nothing further was tried.",
        "Le processus s'est arrêté plus de {amount} fois{NB}; rien d'autre n'a été tenté.".replace(
            "{NB}", NB
        ),
    ),
    Kind.STRAY: Text(
        "The copy left {amount} processes behind, which were ended.",
        "La copie a laissé {amount} processus, qui ont été arrêtés.",
    ),
}
REASONS = {
    "time": Text("it took too long", "trop de temps"),
    "memory": Text("it used too much memory", "trop de mémoire"),
    "folder": Text("it wrote too much to its folder", "trop de données écrites"),
    "processes": Text("it started too many processes", "trop de processus"),
    "reports": Text("it sent too much", "trop de messages"),
    "exit": Text("exit status {number}", "code de sortie {number}"),
    "signal": Text("signal {number}", "signal {number}"),
}


def place_in(lang: str, cell: int, line: int) -> str:
    """A cell and a line, as far as they are known: `cell 3, line 5`."""
    parts = [PAGES["cell"].to(lang, number=cell)] if cell else []
    parts += [PAGES["line"].to(lang, number=line)] if line else []
    return ", ".join(parts)


def in_words_of(incident: Incident, lang: str) -> str:
    """What happened, in a sentence with its place; for kinds without a reason or a size."""
    known = incident.kind is not Kind.ENDED or incident.reason
    text = (INCIDENTS[incident.kind] if known else SKIPPED).to(
        lang,
        text=incident.text,
        amount=f"{incident.amount:g}",
        reason=reason_in(lang, incident.reason),
    )
    place = place_in(lang, incident.cell, incident.line)
    return f"{place}{colon(lang)}{text}" if place else text


def reason_in(lang: str, reason: str) -> str:
    """How a process ended, in words: `signal 9` is a key of REASONS and a number."""
    key, _, number = reason.partition(" ")
    return REASONS[key].to(lang, number=number) if key in REASONS else reason


UNPROTECTED = {
    "limits": Text(
        "This system has no limits of memory, processor time and size of files.",
        "Ce système n'a pas de limites de mémoire, de temps processeur ni de taille de fichier.",
    ),
    "memory": Text(
        "This system does not keep to the limit of memory.",
        "Ce système ne respecte pas la limite de mémoire.",
    ),
    "strays": Text(
        "On this system processes that leave the group of the copy are not ended.",
        "Sur ce système, les processus qui quittent le groupe de la copie ne sont pas arrêtés.",
    ),
}


SCALE = {
    "title": Text("The scale of {sheet}", "Le barème de {sheet}"),
    "out_of": Text("The mark for all points.", "La note pour la totalité des points."),
    "rounding": Text(
        "Marks are multiples of this number, rounded half up; 0 for no rounding.",
        f"Les notes sont des multiples de ce nombre, au plus proche{NB}; 0 pour ne pas arrondir.",
    ),
    "partial": Text(
        "Whether an answer that is right in part gives its share of the points.",
        "Si une réponse juste en partie donne sa part des points.",
    ),
    "points": Text(
        "The points of each question; 0 leaves a question out of the mark.",
        f"Les points de chaque question{NB}; 0 retire une question de la note.",
    ),
}
PROGRESS = Text("copies", "copies")
STOPPED = Text(
    "stopped; {done} of {count} copies are graded and kept. The same command goes on from there.",
    f"arrêté{NB}; {{done}} copies sur {{count}} sont corrigées et conservées. La même commande "
    "reprend à cet endroit.",
)
# Moodle's own words; in French its identifiers have no space.
IDENTIFIER = Text("Participant {number}", "Participant{number}")
SUBMITTED = Text("Submitted for grading", "Remis pour évaluation")
YES = Text("Yes", "Oui")
PAGES = {
    "cell": Text("cell {number}", "cellule {number}"),
    "line": Text("line {number}", "ligne {number}"),
    "lines": Text("lines {lines}", "lignes {lines}"),
    "partly": Text("right in part", "juste en partie"),
    "participant": Text("Participant {number}", "Participant {number}"),
    "copy": Text("Copy", "Copie"),
    "question": Text("Question", "Question"),
    "found": Text("Result", "Résultat"),
    "points": Text("Points", "Points"),
    "unread": Text(
        "Still to be read by a person, and without points until then: {names}.",
        f"Encore à lire par l'enseignant, sans points jusque-là{NB}: {{names}}.",
    ),
    "curve_alt": Text(
        "The losses of this copy: {first} at first, {last} after {steps} steps.",
        f"Les pertes de cette copie{NB}: {{first}} au début, {{last}} après {{steps}} pas.",
    ),
    "curve_yours": Text("your losses", "vos pertes"),
    "curve_range": Text("the range for other seeds", "l'intervalle pour d'autres graines"),
    "curve_axes": Text("Loss over steps.", "Perte en fonction du pas."),
    "run_title": Text("How the copy was run", "L'exécution de la copie"),
    "run": Text(
        "The copy was run from its first cell to its last, in a new process. An error ends its "
        "cell; the others are run all the same. What comes after the last answer and cannot change "
        "one is left out. Only what is defined at the end is checked.",
        f"La copie a été exécutée de la première à la dernière cellule, dans un nouveau processus. "
        f"Une erreur arrête sa cellule{NB}; les autres sont exécutées quand même. Ce qui suit la "
        "dernière réponse et ne peut en changer aucune est laissé de côté. Seul ce qui est défini "
        "à la fin est vérifié.",
    ),
    "errors": Text("Errors", "Erreurs"),
    "cuts": Text("Ended early", "Arrêté avant la fin"),
    "after_a_cut": Text(
        "An error below a loop that was ended can be a consequence of that. Errors by themselves "
        "cost no points.",
        "Une erreur sous une boucle arrêtée peut en être une conséquence. Les erreurs en "
        "elles-mêmes ne coûtent pas de points.",
    ),
    "others": Text("Further notes", "Autres remarques"),
    "no_incidents": Text("There was no error.", "Aucune erreur."),
    "how": Text(
        "The {total} points of the scale make {out_of}.",
        "Les {total} points du barème donnent {out_of}.",
    ),
    "how_rounded": Text(
        "The {total} points of the scale make {out_of}; marks are rounded to {rounding}.",
        f"Les {{total}} points du barème donnent {{out_of}}{NB}; les notes sont arrondies à "
        "{rounding}.",
    ),
    "copies": Text("copies", "copies"),
    "mean": Text("mean", "moyenne"),
    "median": Text("median", "médiane"),
    "extremes": Text("lowest and highest", "la plus basse et la plus haute"),
    "files": Text(
        "A page for each copy is in copies/, and marks.csv has the columns of Moodle's grading "
        "worksheet.",
        "Chaque copie a sa page dans copies/, et marks.csv a les colonnes de la feuille "
        "d'évaluation de Moodle.",
    ),
    "problems_title": Text("To be looked at", "À regarder"),
    "to_be_read": Text("To be read: {names}", f"À lire{NB}: {{names}}"),
    "table_title": Text("The class", "La classe"),
    "student": Text("Student", "Étudiant"),
    "grade": Text("Mark", "Note"),
    "share_of_points": Text("share of the points", "part des points"),
    "signs": Text(
        "✓ right, ± right in part, ✗ wrong or error, … to be done, ✎ to be read; with the points. "
        "⚠ the run of the copy should be looked at.",
        "✓ juste, ± juste en partie, ✗ faux ou erreur, … à faire, ✎ à lire, suivi des points. "
        "⚠ exécution de la copie à regarder.",
    ),
    "distribution": Text("Distribution of the marks", "Distribution des notes"),
    "distribution_alt": Text(
        "Number of copies by mark: {counts}", f"Nombre de copies par note{NB}: {{counts}}"
    ),
    "distribution_caption": Text(
        "Number of copies by mark; the lower limit belongs to a bar.",
        f"Nombre de copies par note{NB}; la borne inférieure est comprise.",
    ),
    "mistakes_title": Text("Which mistake how often", "Les erreurs et leur fréquence"),
    "no_mistakes": Text("No mistake was found.", "Aucune erreur n'a été trouvée."),
    "how_often": Text("Copies", "Copies"),
    "mistake": Text(
        "Mistake, as its copy explains it", "Erreur, telle qu'elle est expliquée à une copie"
    ),
    "more": Text("and {count} more", "et {count} de plus"),
    "similar_title": Text("Copies with much in common", "Copies qui se ressemblent"),
    "similar": Text(
        "The copies of a line have much code in common that the sheet does not give and that is "
        "rare in the class; names, numbers and the order of cells do not count. There can be good "
        "reasons for that, such as work in pairs. The share is relative to the shorter of two "
        "copies; in a group of more, two of them may have less in common.",
        "Les copies d'une même ligne ont beaucoup de code en commun qui ne vient pas de la feuille "
        "et qui est rare dans la classe, sans compter les noms, les nombres ni l'ordre des "
        "cellules. Il peut y avoir de bonnes raisons, comme un travail en binôme. La part est "
        f"relative à la plus courte de deux copies{NB}; dans un groupe de plus de deux, certaines "
        "peuvent avoir moins en commun.",
    ),
    "more_groups": Text("Further groups: {count}", f"Autres groupes{NB}: {{count}}"),
    "no_pairs": Text(
        "No two copies have much in common that is rare in the class.",
        "Aucune paire de copies n'a beaucoup en commun qui soit rare dans la classe.",
    ),
    "no_sandbox": Text(
        "Each copy ran in a process of its own with limits of time, memory and disk. That is no "
        "sandbox: code that is written to get around the limits can do what its user can do.",
        "Chaque copie a été exécutée dans son propre processus, avec des limites de temps, de "
        f"mémoire et de disque. Ce n'est pas un bac à sable{NB}: du code écrit pour contourner ces "
        "limites peut faire tout ce que peut faire son utilisateur.",
    ),
}
