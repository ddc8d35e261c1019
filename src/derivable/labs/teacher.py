"""The page for the teacher: how long, what is asked, which mistakes, and how to grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from derivable.labs.feedback import Feedback
from derivable.labs.page import PageTexts, page
from derivable.labs.questions.choice import TextQuestion
from derivable.labs.sheet import Sheet
from derivable.messages import Text
from derivable.report.parts import parts
from derivable.templates import Macros

_TEXTS = {
    "title": Text("{title}: for the teacher", "{title} : pour l'enseignant"),
    "summary": Text(
        "{low} to {high} minutes, {count} questions, {points} points.",
        "{low} à {high} minutes, {count} questions, {points} points.",
    ),
    "files": Text("What is in this folder", "Contenu de ce dossier"),
    "student": Text(
        "the students' notebook, with blanks and checks",
        "le notebook des étudiants, avec trous et vérifications",
    ),
    "solutions": Text(
        "the same with solutions, with the marks of nbgrader and otter",
        "le même avec les solutions, et les marques de nbgrader et d'otter",
    ),
    "scale": Text(
        "the scale: points, mark, rounding; edit it before grading",
        "le barème : points, note, arrondi ; à modifier avant la notation",
    ),
    "own": Text(
        "the sheet itself; students need it beside their notebook",
        "la feuille elle-même ; les étudiants en ont besoin à côté de leur notebook",
    ),
    "before": Text("Before the session", "Avant la séance"),
    "install": Text(
        "On the students' machines: Python 3.11 or newer, Jupyter, and pip install derivable. The "
        "checks run in the notebook, without a server or a network.",
        "Sur les machines des étudiants : Python 3.11 ou plus récent, Jupyter, et pip install "
        "derivable. Les vérifications s'exécutent dans le notebook, sans serveur ni réseau.",
    ),
    "data": Text(
        "The table of California Housing has no licence that allows us to hand it out. "
        "scikit-learn downloads it at the first use (0.4 MB, into ~/scikit_learn_data). Without a "
        "network, copy that folder to the machines and set SCIKIT_LEARN_DATA to it; derivable data "
        "where says whether it is found. Without the table the sheet uses diabetes, which comes "
        "with scikit-learn, and the checks know it as well.",
        "La table California Housing n'a pas de licence qui nous permette de la distribuer. "
        "scikit-learn la télécharge à la première utilisation (0,4 Mo, dans ~/scikit_learn_data). "
        "Sans réseau, copier ce dossier sur les machines et lui faire pointer SCIKIT_LEARN_DATA ; "
        "derivable data where dit si elle est trouvée. Sans cette table, la feuille utilise "
        "diabetes, fournie avec scikit-learn, que les vérifications connaissent aussi.",
    ),
    "bundled": Text(
        "All data comes with scikit-learn; no network is needed.",
        "Toutes les données sont fournies avec scikit-learn ; aucun réseau n'est nécessaire.",
    ),
    "help": Text(
        "A check says what is wrong; from the second wrong answer on it gives a hint, from the "
        "third on the place of the formula. It never shows a solution, unless the notebook is made "
        "with --fixes: then after the fourth.",
        "Une vérification dit ce qui est faux ; à partir de la deuxième réponse fausse, elle donne "
        "un indice, à partir de la troisième, l'endroit de la formule. Elle ne montre jamais de "
        "solution, sauf si le notebook est créé avec --fixes : alors après la quatrième.",
    ),
    "questions": Text("Questions and points", "Questions et points"),
    "question": Text("question", "question"),
    "answers": Text("answers", "réponses"),
    "points": Text("points", "points"),
    "by_hand": Text("read by a person", "lu par une personne"),
    "mistakes": Text(
        "Typical mistakes, and what the feedback says",
        "Erreurs typiques, et ce que dit le retour",
    ),
    "mistakes_how": Text(
        "These were run when this page was made: the solution with one passage changed, and the "
        "feedback as students read it. Sizes and numbers are drawn anew at each call.",
        "Ces erreurs ont été exécutées à la création de cette page : la solution avec un passage "
        "modifié, et le retour tel que les étudiants le lisent. Tailles et nombres sont tirés de "
        "nouveau à chaque appel.",
    ),
    "expected": Text("Look for: {text}", "Attendu : {text}"),
    "grading": Text("How to grade", "Comment noter"),
    "grading_how": Text(
        "Put the copies into a folder, or take the ZIP that Moodle hands out (all submissions), "
        "then:",
        "Mettre les copies dans un dossier, ou prendre le ZIP que fournit Moodle (tous les travaux "
        "remis), puis :",
    ),
    "grading_out": Text(
        "marks/index.html is the class at a glance, with links to a page for each copy; "
        "marks/marks.csv has Moodle's columns. Grading again gives the same marks, and goes on "
        "where it was interrupted. Changing the scale does not run the copies again.",
        "marks/index.html donne la classe d'un coup d'œil, avec un lien vers la page de chaque "
        "copie ; marks/marks.csv a les colonnes de Moodle. Noter de nouveau donne les mêmes "
        "notes, et reprend là où l'on s'est arrêté. Changer le barème n'exécute pas de nouveau les "
        "copies.",
    ),
    "sandbox": Text(
        "Grading runs the code of the copies: in processes of their own, with limits of time, "
        "memory and output, in temporary folders and without your environment variables. This is "
        "no sandbox. Where you do not trust the copies, grade in a container without a network.",
        "La notation exécute le code des copies : dans des processus séparés, avec des limites de "
        "temps, de mémoire et de sortie, dans des dossiers temporaires et sans vos variables "
        "d'environnement. Ce n'est pas un bac à sable. Si vous n'avez pas confiance dans les "
        "copies, noter dans un conteneur sans réseau.",
    ),
}


teacher_parts = Macros("labs/teacher.html")


@dataclass(frozen=True)
class Seen:
    """A typical mistake with the feedback on it."""

    what: str
    feedback: Feedback


def teacher_page(
    sheet: Sheet, lang: str, files: Mapping[str, str], seen: Mapping[str, Sequence[Seen]]
) -> str:
    """The page as HTML.

    files  what is in the folder: `student`, `solutions`, `scale`, perhaps `own`, by file name
    seen   the typical mistakes of each question
    """
    words = PageTexts(_TEXTS, lang)
    title = words("title", title=sheet.title.to(lang))
    low, high = sheet.minutes
    summary = words(
        "summary", low=low, high=high, count=len(sheet.questions), points=words.number(sheet.points)
    )
    named = [(name, words(key)) for name, key in files.items()]
    sections = [
        teacher_parts.head(title, summary),
        parts.section(words("files"), teacher_parts.files(named)),
        parts.section(words("before"), _before(words, sheet)),
        parts.section(words("questions"), _questions(words, sheet)),
        parts.section(words("mistakes"), Markup().join(_mistakes(words, sheet, seen))),
        parts.section(words("grading"), _grading(words, sheet, files)),
    ]
    return page(title, lang, sections)


def _before(words: PageTexts, sheet: Sheet) -> Markup:
    housing = any("california" in cell.text for cell in sheet.cells)
    return parts.paragraphs(map(words, ("install", "data" if housing else "bundled", "help")))


def _questions(words: PageTexts, sheet: Sheet) -> Markup:
    rows = []
    for question in sheet.questions.values():
        note = words("by_hand") if isinstance(question, TextQuestion) else ""
        points = words.number(question.points)
        rows.append((words.of(question.title), note, question.names, points))
    return teacher_parts.questions(map(words, ("question", "answers", "points")), rows)


def _mistakes(
    words: PageTexts, sheet: Sheet, seen: Mapping[str, Sequence[Seen]]
) -> Iterator[Markup]:
    yield parts.note(words("mistakes_how"))
    for question in sheet.questions.values():
        of_question, expected = seen.get(question.key, ()), ""
        if isinstance(question, TextQuestion):
            expected = words("expected", text=question.expected.to(words.lang))
        elif not of_question:
            continue
        lines = [(words.of(one.what), map(words.of, one.feedback.lines)) for one in of_question]
        yield teacher_parts.mistakes(words.of(question.title), expected, lines)


def _grading(words: PageTexts, sheet: Sheet, files: Mapping[str, str]) -> Markup:
    scale = next(name for name, key in files.items() if key == "scale")
    own = next((name for name, key in files.items() if key == "own"), sheet.name)
    how = f"--sheet {own} --lang {words.lang} --scale {scale} --out marks/"
    command = f"derivable lab grade copies/ {how}"
    return teacher_parts.grading(
        words("grading_how"), command, words("grading_out"), words("sandbox")
    )
