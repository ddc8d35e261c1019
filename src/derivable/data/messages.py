"""The messages of tables: what is wrong with one, with the option that helps.

`file_messages.py` has those of files, `stated_messages.py` those of what was recognised and noted.
"""

from __future__ import annotations

from derivable.data.file_messages import FILES
from derivable.data.stated_messages import STATED
from derivable.messages import Catalogue

_TEXTS = {
    # parts of messages
    "problems": ("{name} has {n} problems: {text}", "{name} a {n} problèmes : {text}"),
    "did_you_mean": ("did you mean '{name}'?", "vouliez-vous dire '{name}' ?"),
    "it_has": ("it has {names}", "ce qu'il contient : {names}"),
    "quoted_more": ("{names} and {n} more", "{names} et {n} autres"),
    "place": (
        "{name}, {unit} {line}, column '{column}'",
        "{name}, {unit} {line}, colonne '{column}'",
    ),
    "or_without": (
        ", or leave it out with {ignore}",
        ", ou écartez-la avec {ignore}",
    ),
    "cell_is": ("{place}: {cell} {wrong}", "{place} : {cell} {wrong}"),
    "cell_is_correct": (
        "{place}: {cell} {wrong}; correct it, or {ways}",
        "{place} : {cell} {wrong} ; corrigez la cellule, ou {ways}",
    ),
    # options
    "one_of": (
        "{name} must be one of {words}; got {got!r}",
        "{name} doit être l'une des valeurs {words} ; reçu {got!r}",
    ),
    "either_of": ("{name} must be {words}, got {got!r}", "{name} doit être {words}, reçu {got!r}"),
    "or": (" or ", " ou "),
    "no_test_rows": (
        "{name} has {rows} rows, too few to draw those that train and those that test; leave out "
        "--parts",
        "{name} a {rows} lignes, trop peu pour tirer celles qui apprennent et celles qui testent ; "
        "omettez --parts",
    ),
    "lab_of_parts": (
        "the lab's protocol takes rows in their order and needs all of them in each process; leave "
        "out --protocol lab, or --parts",
        "le protocole du TP prend les lignes dans leur ordre et les demande toutes dans chaque "
        "processus ; omettez --protocol lab, ou --parts",
    ),
    "header_number": (
        "header must be the number of a line, from 1 on, and goes without no_header; got {got!r}",
        "header doit être le numéro d'une ligne, à partir de 1, et ne va pas avec no_header ; "
        "reçu {got!r}",
    ),
    "separator": (
        "the separator must be one character such as ',', ';' or tab, got {got!r}",
        "le séparateur doit être un seul caractère, comme ',', ';' ou tab, reçu {got!r}",
    ),
    "sheet_of_none": (
        "--sheet names a part of a workbook or an archive; {name} is none",
        "--sheet désigne une partie d'un classeur ou d'une archive ; {name} n'en est pas",
    ),
    "no_target": (
        "which column of {name} is to be predicted? Name it with --target; the table has {names}",
        "quelle colonne de {name} faut-il prédire ? Indiquez-la avec --target ; le tableau "
        "contient {names}",
    ),
    "target_twice": (
        "the target '{name}' is named twice; name each --target once",
        "la cible '{name}' est indiquée deux fois ; indiquez chaque --target une seule fois",
    ),
    "target_ignored": (
        "'{name}' is named by --target and by --ignore; name it in one of them",
        "'{name}' est indiqué par --target et par --ignore ; gardez une seule des deux options",
    ),
    "no_features": (
        "{name} has no column besides {names}, so there is nothing to predict from; if its "
        "columns were not told apart, name what separates them with --separator",
        "{name} n'a pas d'autre colonne que {names} : il ne reste aucune variable ; si les "
        "colonnes n'ont pas été séparées, indiquez le séparateur avec --separator",
    ),
    "names_of_columns": (
        "{name} must be the name of a column, or several such as ['a', 'b'], got {got!r}",
        "{name} doit être le nom d'une colonne, ou plusieurs comme ['a', 'b'], reçu {got!r}",
    ),
    "spelling_of_none": (
        "{name} must be a spelling of a missing value, or several such as ['?', '-999'], got "
        "{got!r}",
        "{name} doit être une graphie de valeur manquante, ou plusieurs comme ['?', '-999'], reçu "
        "{got!r}",
    ),
    "no_column_of_option": (
        "{name} has no column '{column}', which {option} names; {hint}",
        "{name} n'a pas de colonne '{column}', indiquée par {option} ; {hint}",
    ),
    "no_column": (
        "{name} has no column '{column}', which is needed; {hint}",
        "{name} n'a pas de colonne '{column}', qui est nécessaire ; {hint}",
    ),
    "classes_of_one": (
        "--task {task} goes with one --target, got {count}; name one of them",
        "--task {task} demande une seule cible --target, reçu {count} ; indiquez-en une",
    ),
    # columns
    "unnamed": (
        "{name}: {column} has no name (is it an index?); give it one in the first line, or leave "
        "it out with --ignore '{column}'",
        "{name} : {column} n'a pas de nom (est-ce un index ?) ; nommez-la dans la première ligne, "
        "ou écartez-la avec --ignore '{column}'",
    ),
    "twins": (
        "{name}: the name '{column}' stands over columns {before} and {place}; name each column "
        "differently, or --rename-duplicates calls the last one '{last}', or --ignore '#{place}' "
        "leaves it out",
        "{name} : le nom '{column}' est celui des colonnes {before} et {place} ; donnez à chacune "
        "un nom différent, ou bien --rename-duplicates nomme la dernière '{last}', ou --ignore "
        "'#{place}' l'écarte",
    ),
    "twin_needed": (
        "{name}: the name '{column}' stands over several columns, of which one is needed; give "
        "the others another name",
        "{name} : plusieurs colonnes portent le nom '{column}', et l'une d'elles est nécessaire ; "
        "donnez un autre nom aux autres",
    ),
    "empty_columns": (
        "{name}: no row has a value in {names}; {ignore} leaves out what is empty",
        "{name} : aucune ligne n'a de valeur dans {names} ; {ignore} écarte ce qui est vide",
    ),
    "type": (
        "{name}, column '{column}': its type is {type}, where numbers or text are expected",
        "{name}, colonne '{column}' : son type est {type}, alors que des nombres ou du texte sont "
        "attendus",
    ),
    "no_columns": (
        "this does not describe the columns of a table ({kind}: {error}); expected what "
        "Columns.to_dict gives",
        "ceci ne décrit pas les colonnes d'un tableau ({kind} : {error}) ; attendu : ce que "
        "renvoie Columns.to_dict",
    ),
    # cells
    "not_a_number": ("is not a number; correct the cell", "n'est pas un nombre ; corrigez-la"),
    "not_with_sign": (
        "is not a number with '{sign}', as the column had; write it so",
        "n'est pas un nombre avec '{sign}', comme dans la colonne d'origine ; écrivez-le ainsi",
    ),
    "no_truth": (
        "is neither true nor false; correct the cell",
        "n'est ni vrai ni faux ; corrigez la cellule",
    ),
    "unseen": (
        "is none of the values that were met before: {values}; --unseen ignore reads such a cell "
        "as none of these",
        "n'est aucune des valeurs déjà rencontrées : {values} ; --unseen ignore lit une telle "
        "cellule comme aucune d'elles",
    ),
    "no_date_of": ("is no {date}", "n'est pas une {date}"),
    "no_half": (
        "is a time without AM or PM, which others of the column have",
        "est une heure sans AM ni PM, que d'autres cellules de la colonne ont",
    ),
    "short_year": (
        "has a year of two digits, and the column had years of four",
        "a une année de deux chiffres, alors que la colonne en avait de quatre",
    ),
    "correct_cell": ("{wrong}; correct the cell", "{wrong} ; corrigez la cellule"),
    "correct_or_ignore": (
        "{wrong}; correct the cell, or {ignore} leaves the column out",
        "{wrong} ; corrigez la cellule, ou {ignore} écarte la colonne",
    ),
    "infinite": ("is infinite", "est infini"),
    "formula_error": (
        "is the error of a spreadsheet's formula",
        "est l'erreur d'une formule de tableur",
    ),
    "date_not_number": (
        "is a date or a time, not a number",
        "est une date ou une heure, et non un nombre",
    ),
    "has_sign": ("carries the sign '{sign}'", "porte le signe '{sign}'"),
    "no_number": ("is not a number", "n'est pas un nombre"),
    "text_of_regression": (
        "is text, and --task regression needs numbers",
        "est du texte, et --task regression demande des nombres",
    ),
    "text_of_targets": (
        "is text, and several targets must be numbers",
        "est du texte, et plusieurs cibles doivent être des nombres",
    ),
    "one_of_cells": (
        "{wrong}, one of {n} cells of the column that are no numbers",
        "{wrong}, comme {n} cellules de la colonne, qui ne sont pas des nombres",
    ),
    "ask_date": (
        "{place}: {cell} can be read as {one} or as {other}; say which comes first, day or month, "
        "with --dates dmy or --dates mdy",
        "{place} : {cell} peut se lire {one} ou {other} ; indiquez ce qui vient d'abord, le jour "
        "ou le mois, avec --dates dmy ou --dates mdy",
    ),
    "ask_year": (
        "{place}: {cell} has a year of two digits, and the year may come first in this column; if "
        "it comes last, say what comes first with --dates dmy or --dates mdy; if it comes first, "
        "write it with four digits, or {ignore} leaves the column out",
        "{place} : {cell} a une année de deux chiffres, et dans cette colonne l'année peut venir "
        "en premier ; si elle vient en dernier, indiquez ce qui vient d'abord avec --dates dmy ou "
        "--dates mdy ; si elle vient en premier, écrivez-la avec quatre chiffres, ou {ignore} "
        "écarte la colonne",
    ),
    "no_day": ("no date", "aucune date"),
    "not_decimal": (
        "{place}: {cell} is not a number with a {mark}, which was asked for; leave --decimal away "
        "to let each column be found out{way}",
        "{place} : {cell} n'est pas un nombre avec {mark}, comme demandé ; omettez --decimal pour "
        "que chaque colonne soit reconnue{way}",
    ),
    "point_mark": ("decimal point", "un point décimal"),
    "comma_mark": ("decimal comma", "une virgule décimale"),
    "both_marks": (
        "{name}, column '{column}' has decimal points and decimal commas: {one}, {other}; write "
        "all in one way{way}",
        "{name}, la colonne '{column}' a des points et des virgules avant les décimales : {one}, "
        "{other} ; écrivez tout de la même façon{way}",
    ),
    "cell_in": ("{cell} in {unit} {line}", "{cell} à la {unit} {line}"),
    "ask_decimal": (
        "{place}: '{cell}' can be read as {decimal} or as {whole}; say which mark stands before "
        "the decimals, with --decimal . or --decimal ,",
        "{place} : '{cell}' peut se lire {decimal} ou {whole} ; indiquez le séparateur décimal "
        "avec --decimal . ou --decimal ,",
    ),
    "out_of_range": (
        "{place}: {cell} lies outside the range of 64-bit numbers; write the column in another "
        "unit{way}",
        "{place} : {cell} dépasse l'étendue des nombres de 64 bits ; écrivez la colonne dans une "
        "autre unité{way}",
    ),
    "square_too_large": (
        "{name}, column '{column}' holds {value:g}, whose square is beyond 64-bit numbers; write "
        "it in another unit, or leave it out with {ignore}",
        "{name}, la colonne '{column}' contient {value:g}, dont le carré dépasse les nombres de "
        "64 bits ; écrivez-la dans une autre unité, ou écartez-la avec {ignore}",
    ),
    # what helps
    "way_target": ("choose another --target", "choisissez une autre cible --target"),
    "way_ignore": ("{ignore} leaves the column out", "{ignore} écarte la colonne"),
    "way_ignore_many": ("{ignore} leaves the columns out", "{ignore} écarte les colonnes"),
    "way_ignore_values": (
        "{ignore} leaves out what has more than {most} values",
        "{ignore} écarte ce qui a plus de {most} valeurs",
    ),
    "way_na": (
        "{way}, or {words} takes these for missing",
        "{way}, ou {words} les prend pour des valeurs manquantes",
    ),
    "way_na_one": (
        "{way}, or {words} takes it for missing",
        "{way}, ou {words} le prend pour une valeur manquante",
    ),
    "way_units": (
        "{way}, or --units skip leaves {unit} {line} out",
        "{way}, ou --units skip écarte la {unit} {line}",
    ),
    "way_classes": (
        "{way}, or --task classification takes its values for classes",
        "{way}, ou --task classification prend ses valeurs pour des classes",
    ),
    "way_one_hot": (
        "--one-hot makes a feature of each value of {names}",
        "--one-hot fait une variable de chaque valeur de {names}",
    ),
    "text_cell": ("{place}: {cell} is text; {ways}", "{place} : {cell} est du texte ; {ways}"),
    "categories": (
        "{place}: there are categories; {ways}",
        "{place} : il y a des catégories ; {ways}",
    ),
    # values that are missing
    "missing": (
        "{place} has no value (missing: {where}); --missing drop leaves such rows out, --missing "
        "median puts the median of the column",
        "{place} n'a pas de valeur (manquantes : {where}) ; --missing drop écarte de telles "
        "lignes, --missing median met la médiane de la colonne",
    ),
    "missing_targets": (
        "{place} has no value (missing: {where}); --missing drop leaves such rows out",
        "{place} n'a pas de valeur (manquantes : {where}) ; --missing drop écarte de telles lignes",
    ),
    "missing_in": ("{n:,} in '{column}'", "{n:,} dans '{column}'"),
    "missing_more": (
        "{where}, more in {n:,} others",
        "{where}, d'autres dans {n:,} autres colonnes",
    ),
    "missing_more_one": (
        "{where}, more in 1 other",
        "{where}, d'autres dans 1 autre colonne",
    ),
    "all_missing": (
        "{name}: no row has a value in every column; --missing median puts the median of the "
        "column, {ignore} leaves out the column with the most holes",
        "{name} : aucune ligne n'a de valeur dans toutes les colonnes ; --missing median met la "
        "médiane de la colonne, {ignore} écarte la colonne qui en a le moins",
    ),
    # what cannot be compared
    "few_rows": (
        "{name} has {rows} to use; at least {fewest} are needed, four to train and one to test",
        "{name} : {rows} à utiliser ; il en faut au moins {fewest}, quatre pour l'apprentissage "
        "et une pour le test",
    ),
    "nothing_to_learn": (
        "{name}: the target '{target}' is {value} in every row, so there is nothing to learn; "
        "choose another --target",
        "{name} : la cible '{target}' vaut {value} à chaque ligne, il n'y a donc rien à apprendre "
        "; choisissez une autre cible --target",
    ),
    "all_constant": (
        "{name}: each feature has one value in every row, so there is nothing to predict from; "
        "bring a column that varies",
        "{name} : chaque variable a la même valeur à toutes les lignes, aucune ne permet donc de "
        "prédire ; ajoutez une colonne qui varie",
    ),
    "gives_answer": (
        "{name}: the feature '{feature}' is the target '{target}'{how}, so it gives the answer "
        "away; leave it out with {ignore}",
        "{name} : la variable '{feature}' est la cible '{target}'{how}, et donne donc la réponse "
        "; écartez-la avec {ignore}",
    ),
    "too_many_classes": (
        "{name}: the target '{target}' has {classes:,} different values in {rows}, too many for "
        "classes; choose another --target",
        "{name} : la cible '{target}' a {classes:,} valeurs différentes pour {rows}, trop pour "
        "des classes ; choisissez une autre cible --target",
    ),
    "one_class_trains": (
        "the rows that train are all '{value}' in '{name}', because --split last takes the first "
        "80% of the rows; leave it out, or sort the rows",
        "les lignes d'apprentissage valent toutes '{value}' dans '{name}', car --split last prend "
        "les premiers 80 % des lignes ; omettez cette option, ou triez les lignes",
    ),
    "too_many_weights": (
        "{model} has {weights:,} weights for {rows} of {name}, so it can overfit; choose smaller "
        "--models, such as linear or tanh:2, leave columns out with --ignore, or bring more rows",
        "{model} a {weights:,} poids pour {rows} de {name} et peut donc surapprendre ; choisissez "
        "des --models plus petits, comme linear ou tanh:2, écartez des colonnes avec --ignore, ou "
        "ajoutez des lignes",
    ),
    "question_total": ("{name}, {question}", "{name}, {question}"),
}
say = Catalogue(_TEXTS, FILES, STATED)
