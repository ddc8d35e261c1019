"""The messages of what was recognised in a table, and of what the reader should know of it."""

from __future__ import annotations

STATED = {
    # counts
    "n_row": ("{n:,} rows", "{n:,} lignes"),
    "n_row_one": ("1 row", "1 ligne"),
    "n_training_row": ("{n:,} training rows", "{n:,} lignes d'apprentissage"),
    "n_training_row_one": ("1 training row", "1 ligne d'apprentissage"),
    "n_column": ("{n:,} columns", "{n:,} colonnes"),
    "n_column_one": ("1 column", "1 colonne"),
    "n_cell": ("{n:,} cells", "{n:,} cellules"),
    "n_cell_one": ("1 cell", "1 cellule"),
    "n_feature": ("{n:,} features", "{n:,} variables"),
    "n_feature_one": ("1 feature", "1 variable"),
    "n_class": ("{n:,} classes", "{n:,} classes"),
    "n_class_one": ("1 class", "1 classe"),
    # what a line of a file is called
    "line": ("line", "ligne"),
    "lines": ("lines", "lignes"),
    "row": ("row", "ligne"),
    "rows": ("rows", "lignes"),
    # how a file is written
    "parquet": ("{name}: Parquet", "{name} : Parquet"),
    "constant_in_sample": (
        "Left out, because they have one value in {rows:,} rows from all over the file: {names}.",
        "Écartées, car d'une seule valeur dans {rows:,} lignes prises dans tout le fichier : "
        "{names}.",
    ),
    "in_parts_one": (
        "read in parts; what the columns are was found in {sample:,} rows from all over the file",
        "lu par parties ; la nature des colonnes a été trouvée d'après {sample:,} lignes prises "
        "dans tout le fichier",
    ),
    "in_parts": (
        "each of {n} processes reads its part; what the columns are was found in {sample:,} rows "
        "from all over the file",
        "chacun des {n} processus lit sa part ; la nature des colonnes a été trouvée d'après "
        "{sample:,} lignes prises dans tout le fichier",
    ),
    "opened": ("{name}: {how}", "{name} : {how}"),
    "how_text": (
        "{encoding}, cells separated by {separator}",
        "{encoding}, cellules séparées par {separator}",
    ),
    "workbook": ("workbook", "classeur"),
    "sheet_of": ("{name}, sheet '{sheet}'", "{name}, feuille '{sheet}'"),
    "commas": ("commas", "des virgules"),
    "semicolons": ("semicolons", "des points-virgules"),
    "tabs": ("tabs", "des tabulations"),
    "bars": ("bars", "des barres verticales"),
    "size": ("{opening}, {rows} of {columns}", "{opening}, {rows} de {columns}"),
    "decimal_point": ("decimal point", "point décimal"),
    "decimal_comma": ("decimal comma", "virgule décimale"),
    "mark_in": ("{mark} in {columns}", "{mark} dans {columns}"),
    "thousands_points": ("points between thousands", "points entre les milliers"),
    "thousands_commas": ("commas between thousands", "virgules entre les milliers"),
    "thousands_blanks": ("blanks between thousands", "espaces entre les milliers"),
    # what stands around the rows
    "preamble": (
        "{unit} {first} to {last} before the names are left out",
        "{unit} {first} à {last}, avant les noms, écartées",
    ),
    "preamble_one": (
        "{unit} {first} before the names is left out",
        "{unit} {first}, avant les noms, écartée",
    ),
    "header_takes": (
        "{text} (--header {first} takes {unit} {first} for them)",
        "{text} (--header {first} prend la {unit} {first} pour les noms)",
    ),
    "commented": (
        "the names are those of line {line}, which begins with #",
        "les noms sont ceux de la ligne {line}, qui commence par #",
    ),
    "no_names": (
        "no line of names: the columns are called 'column 1' to 'column {width}'",
        "pas de ligne de noms : les colonnes s'appellent 'column 1' à 'column {width}'",
    ),
    "units": (
        "{place} holds units ({words}) and is left out (--units keep takes it for data)",
        "{place} : unités ({words}), écartées (--units keep les prend pour des données)",
    ),
    "unit_place": ("{unit} {line}", "{unit} {line}"),
    "total_question": (
        "{where} seem to be no data ({why}): --total drop leaves them out, --total keep takes them "
        "for data",
        "{where} : sans doute pas des données ({why}) ; --total drop les écarte, --total keep les "
        "prend pour des données",
    ),
    "total_question_one": (
        "{where} seems to be no data ({why}): --total drop leaves it out, --total keep takes it "
        "for data",
        "{where} : sans doute pas une donnée ({why}) ; --total drop l'écarte, --total keep la "
        "prend pour une donnée",
    ),
    "total_left_out": ("{where} left out ({why})", "{where} écartées ({why})"),
    "total_left_out_one": ("{where} left out ({why})", "{where} écartée ({why})"),
    "where": ("{unit} {numbers}", "{unit} {numbers}"),
    "and": (" and ", " et "),
    "sum_of_others": (
        "each of its numbers is the sum of the others in its column",
        "chacun de ses nombres est la somme des autres de sa colonne",
    ),
    "word_in": ("'{cell}' in '{column}'", "'{cell}' dans '{column}'"),
    "alone": ("{cell} alone", "{cell} seul"),
    "blank_rows": (
        "{n:,} rows without any value left out.",
        "{n:,} lignes sans aucune valeur écartées.",
    ),
    "blank_rows_one": (
        "1 row without any value left out.",
        "1 ligne sans aucune valeur écartée.",
    ),
    # how columns are read
    "read_with": ("'{name}' is read {how}", "'{name}' se lit {how}"),
    "without_sign": (
        "without the sign '{sign}', its scale unchanged",
        "sans le signe '{sign}', sans changer d'échelle",
    ),
    "with_brackets": (
        "with parentheses as a minus",
        "avec les parenthèses comme signe moins",
    ),
    "reads_truth": ("'{name}' reads {meaning}", "'{name}' lit {meaning}"),
    "truth_as": ("{word} as {value:g}", "{word} comme {value:g}"),
    "unmet": (
        "'{name}' has {cells} with a value that was not met before ({first}), read as none",
        "'{name}' : {cells} d'une valeur jamais rencontrée ({first}), lue comme aucune",
    ),
    "became": ("'{name}' became {features}", "'{name}' devient {features}"),
    "became_absent": (
        "'{name}' became {features}, one of these for missing cells",
        "'{name}' devient {features}, dont une pour les cellules vides",
    ),
    "is_date": (
        "'{name}' is a {date}, read as {parts}",
        "'{name}' est une {date}, lue comme {parts}",
    ),
    "date_ymd": ("date (year, month, day)", "date (année, mois, jour)"),
    "date_dmy": ("date (day, month, year)", "date (jour, mois, année)"),
    "date_mdy": ("date (month, day, year)", "date (mois, jour, année)"),
    "date_named": ("date with the name of the month", "date avec le nom du mois"),
    "date_of_calendar": ("date of the calendar", "date du calendrier"),
    "date_clock": ("time of day", "heure du jour"),
    "short_years": (
        "(years of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068)",
        "(années de deux chiffres : 69 à 99 valent 1969 à 1999, 00 à 68 valent 2000 à 2068)",
    ),
    "part_days": ("elapsed days", "jours écoulés"),
    "part_year": ("the year", "l'année"),
    "part_hours": ("hours", "heures"),
    "part_weekday": ("day of the week", "jour de la semaine"),
    "part_month": ("month", "mois"),
    "part_hour": ("hour", "heure"),
    "cyclic": ("{parts} as sine and cosine", "{parts} en sinus et cosinus"),
    "no_parts": ("nothing, because it is constant", "rien, car elle est constante"),
    "is_classes": (
        "'{name}' is a target of {classes}: {values}",
        "'{name}' est une cible à {classes} : {values}",
    ),
    "is_called": (
        "column {place}, '{twin}', is called '{name}'",
        "la colonne {place}, '{twin}', s'appelle '{name}'",
    ),
    # rows and columns that are left out
    "rows_missing": (
        "{n:,} rows with a missing value left out of {all:,}.",
        "{n:,} lignes avec une valeur manquante écartées sur {all:,}.",
    ),
    "rows_missing_one": (
        "1 row with a missing value left out of {all:,}.",
        "1 ligne avec une valeur manquante écartée sur {all:,}.",
    ),
    "rows_no_target": (
        "{n:,} rows with a missing target left out of {all:,}.",
        "{n:,} lignes sans cible écartées sur {all:,}.",
    ),
    "rows_no_target_one": (
        "1 row with a missing target left out of {all:,}.",
        "1 ligne sans cible écartée sur {all:,}.",
    ),
    "filled": (
        "{n:,} missing values filled with the median of the column.",
        "{n:,} valeurs manquantes remplacées par la médiane de la colonne.",
    ),
    "filled_one": (
        "1 missing value filled with the median of the column.",
        "1 valeur manquante remplacée par la médiane de la colonne.",
    ),
    "constant": (
        "Left out, because they have one value in every row: {names}.",
        "Écartées, car de même valeur à toutes les lignes : {names}.",
    ),
    # options that changed nothing
    "unused_text": (
        "{option} changed nothing: no column that is used is text.",
        "{option} n'a rien changé : aucune colonne utilisée n'est du texte.",
    ),
    "unused_missing": (
        "--missing {rule} changed nothing: no cell is missing.",
        "--missing {rule} n'a rien changé : aucune valeur ne manque.",
    ),
    "unused_category": (
        "--missing-category changed nothing: no category is missing.",
        "--missing-category n'a rien changé : aucune catégorie ne manque.",
    ),
    "unused_rename": (
        "--rename-duplicates changed nothing: each name stands over one column.",
        "--rename-duplicates n'a rien changé : chaque nom est celui d'une seule colonne.",
    ),
    "unused_dates": (
        "--dates changed nothing: no column that is used holds dates.",
        "--dates n'a rien changé : aucune colonne utilisée ne contient de dates.",
    ),
    "unused_decimal": (
        "--decimal changed nothing: no number is written with a decimal mark.",
        "--decimal n'a rien changé : aucun nombre n'est écrit avec un séparateur décimal.",
    ),
    "unused_total": (
        "--total drop changed nothing: no row seems to be a total.",
        "--total drop n'a rien changé : aucune ligne ne semble être un total.",
    ),
    "unused_na": (
        "{na} changed nothing: no cell holds it.",
        "{na} n'a rien changé : aucune cellule ne le contient.",
    ),
    # what a person would ask about
    "more_notes": ("{n:,} more notes of this kind.", "{n:,} autres remarques de cette sorte."),
    "more_notes_one": ("1 more note of this kind.", "1 autre remarque de cette sorte."),
    "leading_zeros": (
        "'{name}' has leading zeros, as a code has; it is read as numbers, and {ways}",
        "'{name}' commence par des zéros, comme un code ; la colonne est lue comme des nombres, et "
        "{ways}",
    ),
    "like_identifier": (
        "'{name}' has another whole number in nearly each row, as an identifier has; "
        "{ignore} leaves it out.",
        "'{name}' a un nombre entier différent à presque chaque ligne, comme un identifiant ; "
        "{ignore} l'écarte.",
    ),
    "like_code": (
        "'{name}' is named like a code and is read as a number; {ways}",
        "'{name}' porte le nom d'un code et est lu comme un nombre ; {ways}",
    ),
    "may_be_codes": (
        "'{name}' holds {distinct} different whole numbers, which may be codes; {ways}",
        "'{name}' contient {distinct} nombres entiers différents, qui peuvent être des codes ; "
        "{ways}",
    ),
    "way_category": (
        "{one_hot} makes a category of each, {ignore} leaves it out.",
        "{one_hot} fait de chacun une catégorie, {ignore} écarte la colonne.",
    ),
    "way_out": ("{ignore} leaves it out.", "{ignore} l'écarte."),
    "many_digits": (
        "'{name}' has more digits than 64-bit numbers keep; it is rounded.",
        "'{name}' a plus de chiffres que n'en gardent les nombres de 64 bits ; la colonne est "
        "arrondie.",
    ),
    "numbers_rows": (
        "The feature '{name}' numbers the rows; {ignore} leaves it out.",
        "La variable '{name}' numérote les lignes ; {ignore} l'écarte.",
    ),
    "repeats": (
        "The feature '{feature}' repeats '{first}'; {ignore} leaves it out.",
        "La variable '{feature}' répète '{first}' ; {ignore} l'écarte.",
    ),
    "spellings": (
        "{values} in '{name}' differ in case or blanks only and are categories of their own; "
        "--merge-spellings makes one of them.",
        "{values} dans '{name}' ne diffèrent que par la casse ou les espaces et sont des "
        "catégories distinctes ; --merge-spellings en fait une seule.",
    ),
    "sentinel": (
        "'{name}' is {value:g} in {rows} and lies between {low:g} and {high:g} elsewhere; if that "
        "means missing: {na}.",
        "'{name}' vaut {value:g} pour {rows}, et se trouve ailleurs entre {low:g} et {high:g} ; si "
        "cela signifie une valeur manquante : {na}.",
    ),
    "nearly_target": (
        "The feature '{name}' alone gives the target '{target}' with R² = {r2:.5f}; if it is not "
        "known before the target, {ignore} leaves it out.",
        "La variable '{name}' seule donne la cible '{target}' avec R² = {r2:.5f} ; si elle n'est "
        "pas connue avant la cible, {ignore} l'écarte.",
    ),
    "only_feature": (
        "The only feature, '{feature}', is the target '{target}'{how}.",
        "La seule variable, '{feature}', est la cible '{target}'{how}.",
    ),
    "times": (" times {factor:.6g}", " multipliée par {factor:.6g}"),
    "times_plus": (
        " times {factor:.6g}, plus {shift:.6g}",
        " multipliée par {factor:.6g}, plus {shift:.6g}",
    ),
    "times_minus": (
        " times {factor:.6g}, minus {shift:.6g}",
        " multipliée par {factor:.6g}, moins {shift:.6g}",
    ),
    "in_order": (
        "The rows are in order of '{name}', as a time series is; --split last tests on the last "
        "20% of them, where shuffled rows test between rows that train.",
        "Les lignes sont dans l'ordre de '{name}', comme une série temporelle ; --split last teste "
        "sur les derniers 20 % d'entre elles, alors que des lignes mélangées testent entre des "
        "lignes d'apprentissage.",
    ),
    "magnitudes": (
        "The target '{target}' spans {orders} orders of magnitude ({low:g} to {high:g}), so its "
        "largest rows make most of the squared error; --loss l1 counts them less.",
        "La cible '{target}' s'étend sur {orders} ordres de grandeur ({low:g} à {high:g}) : ses "
        "plus grandes lignes font l'essentiel de l'erreur quadratique ; --loss l1 leur donne moins "
        "de poids.",
    ),
    "few_test_rows": (
        "Only {n:,} rows of {all} test, so the test loss is a rough figure{others}.",
        "Seules {n:,} lignes sur {all} testent : la perte de test n'est qu'indicative{others}.",
    ),
    "few_test_rows_one": (
        "Only 1 row of {all} tests, so the test loss is a rough figure{others}.",
        "Une seule ligne sur {all} teste : la perte de test n'est qu'indicative{others}.",
    ),
    "another_seed": (
        "; another --seed draws other rows",
        " ; une autre graine --seed tire d'autres lignes",
    ),
    "whole_numbers": (
        "The target '{name}' holds {count} whole numbers, {values}, which are taken for classes; "
        "--task regression takes them for numbers.",
        "La cible '{name}' contient {count} nombres entiers, {values}, pris pour des classes ; "
        "--task regression les prend pour des nombres.",
    ),
    "rare_classes": (
        "Fewer than {rare} rows of '{name}' are {values}, too few to learn from and to test on.",
        "Moins de {rare} lignes de '{name}' valent {values}, trop peu pour apprendre et tester.",
    ),
    "late_classes": (
        "No row that trains is {values} in '{name}', because --split last takes the first 80% of "
        "the rows; rows of this kind are never recognised.",
        "Aucune ligne d'apprentissage ne vaut {values} dans '{name}', car --split last prend les "
        "premiers 80 % des lignes ; de telles lignes ne sont jamais reconnues.",
    ),
    "many_weights": (
        "{model} has {weights:,} weights for {rows} of {name}, so it can overfit; smaller --models "
        "have fewer.",
        "{model} a {weights:,} poids pour {rows} de {name} et peut donc surapprendre ; des "
        "--models plus petits en ont moins.",
    ),
}
