"""Errors about sheets, scales and copies: what is refused and why, by key, in both languages."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # sheets
    "no_sheet": (
        "there is no sheet {name!r}; the sheets are {names}, and a sheet of your own is a .py file",
        "il n'existe pas de feuille {name!r} ; les feuilles sont {names}, et une feuille "
        "personnelle est un fichier .py",
    ),
    "sheet_name": (
        "{path}: notebooks use the file's name as a variable, so it must be a Python name, such "
        "as my_sheet.py; rename the file",
        "{path} : les notebooks utilisent le nom du fichier comme variable ; ce doit donc être un "
        "nom Python, comme ma_feuille.py : renommer le fichier",
    ),
    "unreadable": ("{path}: {reason}", "{path} : {reason}"),
    "no_utf8": (
        "{path} is no text in UTF-8 ({reason}); save it as UTF-8",
        "{path} n'est pas un texte en UTF-8 ({reason}) ; l'enregistrer en UTF-8",
    ),
    "not_loaded": (
        "the sheet {name!r} cannot be loaded: {error}",
        "la feuille {name!r} ne peut pas être chargée : {error}",
    ),
    "undefined": (
        "{path}: a [sheet] cell must define sheet = Sheet(title=..., ...)",
        "{path} : une cellule [sheet] doit définir sheet = Sheet(title=..., ...)",
    ),
    "unknown_question": (
        "{path}:{line}: no question {key!r} was added to the sheet",
        "{path}:{line} : aucune question {key!r} n'a été ajoutée à la feuille",
    ),
    "no_cell": (
        '{path}: no cell has question="{key}"',
        '{path} : aucune cellule ne porte question="{key}"',
    ),
    "sheet_title": (
        '{path}: title must be Text("English", "français"), got {got!r}',
        '{path} : title doit être Text("English", "français"), reçu {got!r}',
    ),
    "no_points": (
        "{path}: the points of all questions together must be above 0",
        "{path} : le total des points de toutes les questions doit être supérieur à 0",
    ),
    "question": ("{path}: question {key!r}: {reason}", "{path} : question {key!r} : {reason}"),
    "question_twice": (
        "the question {key!r} is there twice",
        "la question {key!r} figure deux fois",
    ),
    "question_key": (
        "its key must be a Python name, because it stands in code and in the scale",
        "sa clé doit être un nom Python, car elle figure dans le code et dans le barème",
    ),
    "question_answers": (
        'answers must be a tuple of names, such as ("w", "b"), got {got!r}',
        'answers doit être un tuple de noms, comme ("w", "b"), reçu {got!r}',
    ),
    "question_points": (
        "points must be a number from 0, got {got!r}",
        "points doit être un nombre positif ou nul, reçu {got!r}",
    ),
    "question_title": (
        'title must be Text("English", "français"), got {got!r}',
        'title doit être Text("English", "français"), reçu {got!r}',
    ),
    "choices": (
        "{key}: one of the choices must be right",
        "{key} : l'un des choix doit être juste",
    ),
    # cells
    "header": (
        '{place}: a cell begins with # %%, # %% [markdown], [sheet] or [show], then lang="fr" or '
        'question="key"; got {got!r}',
        "{place} : une cellule commence par # %%, # %% [markdown], [sheet] ou [show], puis "
        'lang="fr" ou question="clé" ; reçu {got!r}',
    ),
    "cell_lang": (
        '{place}: lang is "en" or "fr", got {got!r}',
        '{place} : lang vaut "en" ou "fr", reçu {got!r}',
    ),
    "marks": (
        "{place}: each {begin} needs one {end} below it",
        "{place} : chaque {begin} demande un {end} plus bas",
    ),
    "statements": (
        "{place}: between {begin} and {end} there must be whole statements: {reason}",
        "{place} : entre {begin} et {end}, il faut des instructions complètes : {reason}",
    ),
    "no_passage": (
        "{path}: the solution of {key!r} has no {passage!r}",
        "{path} : la solution de {key!r} ne contient pas {passage!r}",
    ),
    "wrong_solution": (
        "{key}: the solution is not right: {line}",
        "{key} : la solution n'est pas juste : {line}",
    ),
    "other_mistake": (
        "{key}: {what}: found {found}, expected {expected}",
        "{key} : {what} : trouvé {found}, attendu {expected}",
    ),
    "blank_done": (
        "{key}: the blank is not to be done, but {state}: {line}",
        "{key} : le trou n'est pas à faire, mais {state} : {line}",
    ),
    "cell_fails": (
        "{path}:{line}: this cell fails: {error}",
        "{path}:{line} : cette cellule échoue : {error}",
    ),
    "full": (
        "{out} already has files; name a new folder with --out",
        "{out} contient déjà des fichiers ; indiquer un nouveau dossier avec --out",
    ),
    # scales
    "scale_unreadable": (
        "the scale {path} cannot be read ({reason})",
        "le barème {path} ne peut être lu ({reason})",
    ),
    "scale_toml": (
        "the scale {path} is no TOML file in UTF-8: {error}",
        "le barème {path} n'est pas un fichier TOML en UTF-8 : {error}",
    ),
    "scale_key": (
        "{path}: unknown key {key!r}; a scale has out_of, rounding, partial and the table [points]",
        "{path} : clé inconnue {key!r} ; un barème contient out_of, rounding, partial et la table "
        "[points]",
    ),
    "scale_points": (
        "{path}: points must be a table, [points], got {got!r}",
        "{path} : points doit être une table, [points], reçu {got!r}",
    ),
    "scale_question": (
        "{path}: [points] names {key!r}, which is no question of {sheet}; its questions are "
        "{names}",
        "{path} : [points] nomme {key!r}, qui n'est pas une question de {sheet} ; ses questions "
        "sont {names}",
    ),
    "scale_zero": (
        "{path}: all points are 0; at least one question must be worth more",
        "{path} : tous les points sont nuls ; au moins une question doit en rapporter",
    ),
    "scale_partial": (
        "{path}: partial must be true or false, got {got!r}",
        "{path} : partial doit être true ou false, reçu {got!r}",
    ),
    "scale_out_of": (
        "{path}: out_of must be above 0",
        "{path} : out_of doit être supérieur à 0",
    ),
    "scale_rounding": (
        "{path}: rounding must be at most out_of ({most:g}), got {got:g}",
        "{path} : rounding doit être au plus égal à out_of ({most:g}), reçu {got:g}",
    ),
    "scale_number": (
        "{path}: {key} must be a number, got {got!r}",
        "{path} : {key} doit être un nombre, reçu {got!r}",
    ),
    "scale_size": (
        "{path}: {key} must be 0 or a number from 0.001 to 1000000, got {got!r}",
        "{path} : {key} doit être 0 ou un nombre de 0.001 à 1000000, reçu {got!r}",
    ),
    # copies
    "jobs": ("jobs must be 0 or more, got {got}", "jobs doit être positif ou nul, reçu {got}"),
    "no_source": (
        "there is no {source}; give a folder of copies, a ZIP, or one copy",
        "{source} n'existe pas ; donner un dossier de copies, un ZIP ou une copie",
    ),
    "no_copies": (
        "there is no copy in {source}; copies are .ipynb and .py files, loose, in folders or in "
        "the ZIP from Moodle",
        "aucune copie dans {source} ; les copies sont des fichiers .ipynb et .py, isolés, en "
        "dossiers ou dans le ZIP de Moodle",
    ),
    "no_copy": (
        "{source} is no copy: a folder, a .zip, an .ipynb or a .py is expected",
        "{source} n'est pas une copie : attendu un dossier, un .zip, un .ipynb ou un .py",
    ),
    "zip_size": (
        "more than {files:,} files or {size:,} MB come out of {archive}; unpack it by hand, and "
        "give a folder without what is not to be graded",
        "plus de {files} fichiers ou de {size}\u00a0Mo sortent de {archive} ; le décompresser à "
        "la main, et donner un dossier sans ce qui n'est pas à corriger",
    ),
    "zip_broken": (
        "{archive} cannot be unpacked ({error}); unpack it by hand, and give its folder",
        "{archive} ne peut être décompressé ({error}) ; le décompresser à la main, et donner son "
        "dossier",
    ),
}
refusal = Catalogue(_TEXTS)
