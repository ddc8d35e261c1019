"""Errors about sheets, scales and copies: what is refused and why, by key, in both languages."""

from __future__ import annotations

from derivable.errors import DataError, DerivableError, SettingError
from derivable.labs.text import NB, Text

_TEXT = 'Text("English", "français")'
_REFUSALS: dict[str, Text] = {
    # sheets
    "no_sheet": Text(
        "there is no sheet {name!r}; the sheets are {names}, and a sheet of your own is a .py file",
        f"il n'existe pas de feuille {{name!r}}{NB}; les feuilles sont {{names}}, et une feuille "
        "personnelle est un fichier .py",
    ),
    "sheet_name": Text(
        "{path}: notebooks use the file's name as a variable, so it must be a Python name, such as "
        "my_sheet.py; rename the file",
        f"{{path}}{NB}: les notebooks utilisent le nom du fichier comme variable{NB}; ce doit "
        f"donc être un nom Python, comme ma_feuille.py{NB}: renommer le fichier",
    ),
    "unreadable": Text("{path}: {reason}", f"{{path}}{NB}: {{reason}}"),
    "no_utf8": Text(
        "{path} is no text in UTF-8 ({reason}); save it as UTF-8",
        f"{{path}} n'est pas un texte en UTF-8 ({{reason}}){NB}; l'enregistrer en UTF-8",
    ),
    "not_loaded": Text(
        "the sheet {name!r} cannot be loaded: {error}",
        f"la feuille {{name!r}} ne peut pas être chargée{NB}: {{error}}",
    ),
    "undefined": Text(
        "{path}: a [sheet] cell must define sheet = Sheet(title=..., ...)",
        f"{{path}}{NB}: une cellule [sheet] doit définir sheet = Sheet(title=..., ...)",
    ),
    "unknown_question": Text(
        "{path}:{line}: no question {key!r} was added to the sheet",
        f"{{path}}:{{line}}{NB}: aucune question {{key!r}} n'a été ajoutée à la feuille",
    ),
    "no_cell": Text(
        '{path}: no cell has question="{key}"',
        f'{{path}}{NB}: aucune cellule ne porte question="{{key}}"',
    ),
    "sheet_title": Text(
        f"{{path}}: title must be {_TEXT}, got {{got!r}}",
        f"{{path}}{NB}: title doit être {_TEXT}, reçu {{got!r}}",
    ),
    "no_points": Text(
        "{path}: the points of all questions together must be above 0",
        f"{{path}}{NB}: le total des points de toutes les questions doit être supérieur à 0",
    ),
    "question": Text(
        "{path}: question {key!r}: {reason}", f"{{path}}{NB}: question {{key!r}}{NB}: {{reason}}"
    ),
    "question_twice": Text(
        "the question {key!r} is there twice", "la question {key!r} figure deux fois"
    ),
    "question_key": Text(
        "its key must be a Python name, because it stands in code and in the scale",
        "sa clé doit être un nom Python, car elle figure dans le code et dans le barème",
    ),
    "question_answers": Text(
        'answers must be a tuple of names, such as ("w", "b"), got {got!r}',
        'answers doit être un tuple de noms, comme ("w", "b"), reçu {got!r}',
    ),
    "question_points": Text(
        "points must be a number from 0, got {got!r}",
        "points doit être un nombre positif ou nul, reçu {got!r}",
    ),
    "question_title": Text(
        f"title must be {_TEXT}, got {{got!r}}", f"title doit être {_TEXT}, reçu {{got!r}}"
    ),
    "choices": Text(
        "{key}: one of the choices must be right",
        f"{{key}}{NB}: l'un des choix doit être juste",
    ),
    # cells
    "header": Text(
        "{place}: a cell begins with # %%, # %% [markdown], [sheet] or [show], then "
        'lang="fr" or question="key"; got {got!r}',
        f"{{place}}{NB}: une cellule commence par # %%, # %% [markdown], [sheet] ou [show], "
        f'puis lang="fr" ou question="clé"{NB}; reçu {{got!r}}',
    ),
    "cell_lang": Text(
        '{place}: lang is "en" or "fr", got {got!r}',
        f'{{place}}{NB}: lang vaut "en" ou "fr", reçu {{got!r}}',
    ),
    "marks": Text(
        "{place}: each {begin} needs one {end} below it",
        f"{{place}}{NB}: chaque {{begin}} demande un {{end}} plus bas",
    ),
    "statements": Text(
        "{place}: between {begin} and {end} there must be whole statements: {reason}",
        f"{{place}}{NB}: entre {{begin}} et {{end}}, il faut des instructions complètes{NB}: "
        "{reason}",
    ),
    "no_passage": Text(
        "{path}: the solution of {key!r} has no {passage!r}",
        f"{{path}}{NB}: la solution de {{key!r}} ne contient pas {{passage!r}}",
    ),
    "cell_fails": Text(
        "{path}:{line}: this cell fails: {error}",
        f"{{path}}:{{line}}{NB}: cette cellule échoue{NB}: {{error}}",
    ),
    "full": Text(
        "{out} already has files; name a new folder with --out",
        f"{{out}} contient déjà des fichiers{NB}; indiquer un nouveau dossier avec --out",
    ),
    # scales
    "scale_unreadable": Text(
        "the scale {path} cannot be read ({reason})", "le barème {path} ne peut être lu ({reason})"
    ),
    "scale_toml": Text(
        "the scale {path} is no TOML file in UTF-8: {error}",
        f"le barème {{path}} n'est pas un fichier TOML en UTF-8{NB}: {{error}}",
    ),
    "scale_key": Text(
        "{path}: unknown key {key!r}; a scale has out_of, rounding, partial and the table [points]",
        f"{{path}}{NB}: clé inconnue {{key!r}}{NB}; un barème contient out_of, rounding, partial "
        "et la table [points]",
    ),
    "scale_points": Text(
        "{path}: points must be a table, [points], got {got!r}",
        f"{{path}}{NB}: points doit être une table, [points], reçu {{got!r}}",
    ),
    "scale_question": Text(
        "{path}: [points] names {key!r}, which is no question of {sheet}; its questions are "
        "{names}",
        f"{{path}}{NB}: [points] nomme {{key!r}}, qui n'est pas une question de {{sheet}}{NB}; "
        "ses questions sont {names}",
    ),
    "scale_zero": Text(
        "{path}: all points are 0; at least one question must be worth more",
        f"{{path}}{NB}: tous les points sont nuls{NB}; au moins une question doit en rapporter",
    ),
    "scale_partial": Text(
        "{path}: partial must be true or false, got {got!r}",
        f"{{path}}{NB}: partial doit être true ou false, reçu {{got!r}}",
    ),
    "scale_out_of": Text(
        "{path}: out_of must be above 0", f"{{path}}{NB}: out_of doit être supérieur à 0"
    ),
    "scale_rounding": Text(
        "{path}: rounding must be at most out_of ({most:g}), got {got:g}",
        f"{{path}}{NB}: rounding doit être au plus égal à out_of ({{most:g}}), reçu {{got:g}}",
    ),
    "scale_number": Text(
        "{path}: {key} must be a number, got {got!r}",
        f"{{path}}{NB}: {{key}} doit être un nombre, reçu {{got!r}}",
    ),
    "scale_size": Text(
        "{path}: {key} must be 0 or a number from 0.001 to 1000000, got {got!r}",
        f"{{path}}{NB}: {{key}} doit être 0 ou un nombre de 0.001 à 1000000, reçu {{got!r}}",
    ),
    # copies
    "jobs": Text("jobs must be 0 or more, got {got}", "jobs doit être positif ou nul, reçu {got}"),
    "no_source": Text(
        "there is no {source}; give a folder of copies, a ZIP, or one copy",
        f"{{source}} n'existe pas{NB}; donner un dossier de copies, un ZIP ou une copie",
    ),
    "no_copies": Text(
        "there is no copy in {source}; copies are .ipynb and .py files, loose, in folders or in "
        "the ZIP from Moodle",
        f"aucune copie dans {{source}}{NB}; les copies sont des fichiers .ipynb et .py, isolés, "
        "en dossiers ou dans le ZIP de Moodle",
    ),
    "no_copy": Text(
        "{source} is no copy: a folder, a .zip, an .ipynb or a .py is expected",
        f"{{source}} n'est pas une copie{NB}: attendu un dossier, un .zip, un .ipynb ou un .py",
    ),
    "zip_size": Text(
        "more than {files:,} files or {size:,} MB come out of {archive}; unpack it by hand, and "
        "give a folder without what is not to be graded",
        f"plus de {{files}} fichiers ou de {{size}}{NB}Mo sortent de {{archive}}{NB}; le "
        "décompresser à la main, et donner un dossier sans ce qui n'est pas à corriger",
    ),
    "zip_broken": Text(
        "{archive} cannot be unpacked ({error}); unpack it by hand, and give its folder",
        f"{{archive}} ne peut être décompressé ({{error}}){NB}; le décompresser à la main, et "
        "donner son dossier",
    ),
}


def reason_of(key: str, /, **gaps: object) -> str:
    """The text of this key in the language of messages, its gaps filled."""
    return _REFUSALS[key].to(None, **gaps)


def refused(key: str, /, **gaps: object) -> DerivableError:
    """The SettingError of this key, in the language of messages."""
    return SettingError(reason_of(key, **gaps))


def refused_data(key: str, /, **gaps: object) -> DerivableError:
    """The DataError of this key, in the language of messages."""
    return DataError(reason_of(key, **gaps))
