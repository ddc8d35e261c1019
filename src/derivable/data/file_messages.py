"""The messages of files that hold tables: reading them, and writing one."""

from __future__ import annotations

FILES = {
    # files
    "address": (
        "{path} is an address; derivable reads files and leaves the network alone: download the "
        "table and give the file",
        "{path} est une adresse ; derivable lit des fichiers et n'utilise pas le réseau : "
        "téléchargez le tableau et donnez le fichier",
    ),
    "unreadable": ("{path} cannot be read: {reason}", "{path} ne peut être lu : {reason}"),
    "empty": ("{name} is empty", "{name} est vide"),
    "broken_gzip": (
        "{name} is broken: {error}; fetch or compress it again",
        "{name} est endommagé : {error} ; récupérez-le ou compressez-le de nouveau",
    ),
    "empty_zip": (
        "{name} is a zip archive without a file in it",
        "{name} est une archive zip qui ne contient aucun fichier",
    ),
    "no_file_in_zip": (
        "{name} holds no file '{file}', which --sheet names; {hint}",
        "{name} ne contient pas de fichier '{file}', indiqué par --sheet ; {hint}",
    ),
    "files_in_zip": (
        "{name} holds {count} files; name one with --sheet: {names}",
        "{name} contient {count} fichiers ; indiquez-en un avec --sheet : {names}",
    ),
    "broken_zip": (
        "{name} is a broken zip archive: {error}; fetch it again",
        "{name} est une archive zip endommagée : {error} ; récupérez-la de nouveau",
    ),
    "locked_zip": (
        "{name} cannot be unpacked: {error}; unpack it, and give the file",
        "{name} ne peut être décompressé : {error} ; décompressez-le et donnez le fichier",
    ),
    "zip_in_zip": (
        "{name} is a zip archive in another; unpack the outer one",
        "{name} est une archive zip dans une autre ; décompressez la première",
    ),
    "broken_parquet": (
        "{name} is a broken Parquet file: {reason}",
        "{name} est un fichier Parquet endommagé : {reason}",
    ),
    "whole_form": (
        "{name} can only be read as a whole: it is compressed, a workbook, in UTF-16, or its lines "
        "end in a way of their own",
        "{name} ne peut être lu qu'en entier : il est compressé, c'est un classeur, il est en "
        "UTF-16, ou ses lignes ont des fins inhabituelles",
    ),
    "whole_options": (
        "{name} can only be read as a whole: --sheet, --total drop and --no-header concern all "
        "of it",
        "{name} ne peut être lu qu'en entier : --sheet, --total drop et --no-header portent sur "
        "l'ensemble",
    ),
    "whole_quotes": (
        "{name} can only be read as a whole: cells in quotation marks hold ends of lines",
        "{name} ne peut être lu qu'en entier : des cellules entre guillemets contiennent des fins "
        "de ligne",
    ),
    "whole_width": (
        "{name} can only be read as a whole: some of its columns have neither names nor cells",
        "{name} ne peut être lu qu'en entier : certaines colonnes n'ont ni nom ni cellule",
    ),
    "whole_marks": (
        "{name} can only be read as a whole: the numbers of '{column}' have decimals in some of "
        "its rows only",
        "{name} ne peut être lu qu'en entier : les nombres de '{column}' n'ont de décimales que "
        "dans certaines lignes",
    ),
    "whole_encoding": (
        "{name} can only be read as a whole: parts of it seem to be in different encodings",
        "{name} ne peut être lu qu'en entier : ses parties semblent avoir des encodages différents",
    ),
    "whole_processes": (
        "{name} can be read in parts by {most} processes at most, got {got}",
        "{name} peut être lu par parties par {most} processus au plus, reçu {got}",
    ),
    "whole_median": (
        "{name} can only be read as a whole with --missing median; --missing drop leaves the rows "
        "out",
        "{name} ne peut être lu qu'en entier avec --missing median ; --missing drop omet les "
        "lignes",
    ),
    "whole_classes": (
        "{name} can only be read as a whole: its target '{target}' is one of classes",
        "{name} ne peut être lu qu'en entier : sa cible « {target} » désigne des classes",
    ),
    "workbook_of": ("{name}, a workbook,", "{name}, un classeur,"),
    "broken_workbook": (
        "{name} is a broken workbook: {reason}; save it again",
        "{name} est un classeur endommagé : {reason} ; enregistrez-le de nouveau",
    ),
    "no_sheet": (
        "{name} has no sheet '{sheet}', which --sheet names; {hint}",
        "{name} n'a pas de feuille '{sheet}', indiquée par --sheet ; {hint}",
    ),
    "sheets": (
        "{name} has {count} sheets with cells; name one with --sheet: {names}",
        "{name} a {count} feuilles non vides ; indiquez-en une avec --sheet : {names}",
    ),
    "empty_sheet": ("{name}, sheet '{sheet}' is empty", "{name}, la feuille '{sheet}' est vide"),
    "no_text": (
        "{name} is {what}, not a text table; save it as CSV or Parquet",
        "{name} est {what}, et non un tableau en texte ; enregistrez-le en CSV ou en Parquet",
    ),
    "pdf": ("a PDF document", "un document PDF"),
    "sqlite": ("an SQLite database", "une base de données SQLite"),
    "hdf5": ("an HDF5 file", "un fichier HDF5"),
    "compressed": ("compressed by {by}", "compressé par {by}"),
    "encoding": (
        "{name}, line {line}: the text is neither UTF-8 nor cp1252; save it as UTF-8",
        "{name}, ligne {line} : le texte n'est ni en UTF-8 ni en cp1252 ; enregistrez-le en UTF-8",
    ),
    "zero_bytes": (
        "{name} is no text table: it holds zero bytes; save it as CSV in UTF-8",
        "{name} n'est pas un tableau en texte : il contient des octets nuls ; enregistrez-le en "
        "CSV, en UTF-8",
    ),
    "ask_separator": (
        "{name}: the cells may be separated by {one} or by {other}; say which with --separator "
        "'{first}' or --separator '{second}'",
        "{name} : les cellules peuvent être séparées par {one} ou par {other} ; indiquez le "
        "séparateur avec --separator '{first}' ou --separator '{second}'",
    ),
    "separator_columns": ("{separator} ({n} columns)", "{separator} ({n} colonnes)"),
    "quotation": (
        "{name}, line {line}: the quotation marks do not match ({error}); a quotation mark inside "
        "of a quoted cell is written twice",
        "{name}, ligne {line} : les guillemets ne se correspondent pas ({error}) ; dans une "
        "cellule entre guillemets, un guillemet s'écrit deux fois",
    ),
    "long_cell": (
        "{name}, line {line}: a cell has more than {most:,} characters; shorten it or, if the "
        "quotation mark at its end is missing, add it",
        "{name}, ligne {line} : une cellule a plus de {most:,} caractères ; raccourcissez-la ou, "
        "s'il manque le guillemet qui la termine, ajoutez-le",
    ),
    # lines
    "no_rows": (
        "{name} has names of columns and no rows of numbers below them",
        "{name} a des noms de colonnes, mais aucune ligne de nombres en dessous",
    ),
    "only_comments": (
        "{name} holds lines that begin with # and nothing else",
        "{name} ne contient que des lignes qui commencent par #",
    ),
    "no_line_of_names": (
        "{name} has no {unit} {line} for names of columns, which --header asks for",
        "{name} n'a pas de {unit} {line} pour les noms des colonnes, demandée par --header",
    ),
    "names_in_comment": (
        "{name}: the names of the columns may stand in line {comment}, which begins with #, or in "
        "line {line}; say which with --header {comment} or --header {line}",
        "{name} : les noms des colonnes peuvent être à la ligne {comment}, qui commence par #, ou "
        "à la ligne {line} ; précisez avec --header {comment} ou --header {line}",
    ),
    "ask_names": (
        "{place} looks like data and not like names of columns ({names}): --no-header calls the "
        "columns 'column 1' to 'column {width}', --header {line} takes it for the names",
        "{place} ressemble à des données et non à des noms de colonnes ({names}) : --no-header "
        "nomme les colonnes 'column 1' à 'column {width}', --header {line} la prend pour les noms",
    ),
    "line_of": ("{name}, {unit} {line}", "{name}, {unit} {line}"),
    "ragged": (
        "{name}, line {line} has {here} where line {names_line}, with the names of the columns, "
        "has {names}, separated by {separator}; correct the line, name another character with "
        "--separator, or the line of the names with --header",
        "{name}, la ligne {line} a {here}, alors que la ligne {names_line}, celle des noms des "
        "colonnes, a {names}, en séparant par {separator} ; corrigez la ligne, indiquez un autre "
        "caractère avec --separator, ou la ligne des noms avec --header",
    ),
    # tables that come along, and tables that are written
    "no_california": (
        "California Housing could not be loaded: {failures}. To bring it, put scikit-learn's "
        "{file} into {home}, or set SCIKIT_LEARN_DATA to a folder that holds it; any machine with "
        "a network makes that file with sklearn.datasets.fetch_california_housing().",
        "California Housing n'a pas pu être chargé : {failures}. Pour l'obtenir, placez le fichier "
        "{file} de scikit-learn dans {home}, ou donnez à SCIKIT_LEARN_DATA un dossier qui le "
        "contient ; toute machine avec un accès au réseau crée ce fichier par "
        "sklearn.datasets.fetch_california_housing().",
    ),
    "cache_failed": ("the cache failed ({error})", "échec du cache ({error})"),
    "download_failed": ("the download failed ({error})", "échec du téléchargement ({error})"),
    "no_cache_file": ("there is no {file} in {home}", "il n'y a pas de {file} dans {home}"),
    "cache_shape": (
        "{file} holds a table of shape {shape}",
        "{file} contient un tableau de forme {shape}",
    ),
    "no_answer": ("no answer within {wait:g} seconds", "pas de réponse en {wait:g} secondes"),
    "no_reason": ("no reason given", "sans raison donnée"),
    "diabetes_instead": (
        "{error} scikit-learn's bundled diabetes table is used instead, so the losses below are "
        "not comparable with the lab sheet's.",
        "{error} Le tableau diabetes fourni avec scikit-learn est utilisé à la place ; les pertes "
        "ci-dessous ne sont donc pas comparables à celles de la feuille de TP.",
    ),
    "ending": (
        "the table can be written as .csv or .parquet, and {path} ends otherwise; name {example}, "
        "for example",
        "le tableau peut être écrit en .csv ou en .parquet, et {path} finit autrement ; indiquez "
        "par exemple {example}",
    ),
    "is_there": (
        "{path} is there already and is not overwritten; name another file",
        "{path} existe déjà et n'est pas écrasé ; indiquez un autre fichier",
    ),
    "no_folder": (
        "{path} cannot be written: there is no folder {folder}; make it",
        "{path} ne peut être écrit : le dossier {folder} n'existe pas ; créez-le",
    ),
}
