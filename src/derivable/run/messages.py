"""The messages of runs and saved models."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    # folders
    "not_written": (
        "{file} cannot be written ({reason}); name another folder with --out",
        "{file} ne peut être écrit ({reason}) ; indiquez un autre dossier avec --out",
    ),
    "not_made": (
        "the run folder {folder} cannot be made ({reason}); name another with --out",
        "le dossier d'exécution {folder} ne peut être créé ({reason}) ; indiquez-en un autre avec "
        "--out",
    ),
    "holds_files": (
        "the folder {folder} already holds files and a run is never overwritten; name another with "
        "--out, or leave --out away to get a new one under runs/{way}",
        "le dossier {folder} contient déjà des fichiers, et une exécution n'est jamais écrasée ; "
        "indiquez-en un autre avec --out, ou omettez --out pour en créer un sous runs/{way}",
    ),
    "to_go_on": ("; to go on with it: {command}", " ; pour la continuer : {command}"),
    "no_run": (
        "{folder} is no run folder: it holds no {file}",
        "{folder} n'est pas le dossier d'une exécution : il ne contient pas de {file}",
    ),
    "none_finished": (
        "no model of {folder} is finished yet; {command} goes on with it",
        "aucun modèle de {folder} n'est encore terminé ; {command} continue l'exécution",
    ),
    "not_finished": (
        "{model} is not finished in {folder}: there is no {file} yet",
        "{model} n'est pas terminé dans {folder} : il n'y a pas encore de {file}",
    ),
    "other_process": (
        "another process (id {holder}) is writing into {folder}; wait for its end, or name another "
        "folder with --out",
        "un autre processus (id {holder}) écrit dans {folder} ; attendez sa fin, ou indiquez un "
        "autre dossier avec --out",
    ),
    "finished": (
        "{n} of {all} models are finished; to go on: {command}",
        "nombre de modèles terminés : {n} sur {all} ; pour continuer : {command}",
    ),
    "finished_one": (
        "1 of {all} models is finished; to go on: {command}",
        "nombre de modèles terminés : 1 sur {all} ; pour continuer : {command}",
    ),
    "finished_and": (
        "{n} of {all} models are finished, {at}; to go on: {command}",
        "nombre de modèles terminés : {n} sur {all}, {at} ; pour continuer : {command}",
    ),
    "finished_and_one": (
        "1 of {all} models is finished, {at}; to go on: {command}",
        "nombre de modèles terminés : 1 sur {all}, {at} ; pour continuer : {command}",
    ),
    "kept_at": (
        "{model} is kept at step {step:,}",
        "{model} est conservé au pas {step:,}",
    ),
    "kept_at_seed": (
        "{model} from seed {seed} is kept at step {step:,}",
        "{model}, graine {seed}, est conservé au pas {step:,}",
    ),
    # settings
    "unreadable": ("{file} cannot be read ({reason})", "{file} ne peut être lu ({reason})"),
    "no_toml": ("{file} is no TOML: {error}", "{file} n'est pas du TOML : {error}"),
    "nul": (
        "{file} holds a NUL character, which no name can",
        "{file} contient un caractère NUL, ce qu'aucun nom ne peut contenir",
    ),
    "command_settings": (
        "{file}: command must be a text and settings a table",
        "{file} : command doit être un texte et settings une table",
    ),
    "no_utf8": (
        "{value!r} is no UTF-8, so {file} cannot hold it; give the file another name",
        "{value!r} n'est pas de l'UTF-8, et {file} ne peut le contenir ; renommez le fichier",
    ),
    "difference": ("{key} was {then} and is {now}", "{key} était {then} et devient {now}"),
    "other_table": (
        "the table is not that of the run: {changed}; bring back the table, or start a new run",
        "le tableau n'est pas celui de l'exécution : {changed} ; remettez le tableau d'origine, ou "
        "commencez une nouvelle exécution",
    ),
    "other_loss": (
        "{file} is not the file that the loss of the run is out of: {changed}; bring back its "
        "content, or start a new run",
        "{file} n'est pas le fichier d'où vient la perte de l'exécution : {changed} ; remettez son "
        "contenu d'origine, ou commencez une nouvelle exécution",
    ),
    "other_version": (
        "the run is of another version: {changed}; install that one to go on, or run it again with "
        "--config {file}",
        "l'exécution est d'une autre version : {changed} ; installez celle-ci pour continuer, ou "
        "recommencez avec --config {file}",
    ),
    # what is kept
    "earlier": (
        "{file} is of an earlier derivable, which did not keep all that a report shows; {command} "
        "runs it again",
        "{file} vient d'une version antérieure de derivable, qui ne conservait pas tout ce qu'un "
        "rapport montre ; {command} recommence l'exécution",
    ),
    "damaged": (
        "{file} is damaged ({kind}: {error}); remove it and go on with --resume, which makes it "
        "again",
        "{file} est endommagé ({kind} : {error}) ; supprimez-le et continuez avec --resume, qui le "
        "refait",
    ),
    # saved models
    "no_perceptron": (
        "a SavedModel is a multi-layer perceptron as {model} describes it, got the layers "
        "{layers}; keep the tensors of such a network with "
        "safetensors.torch.save_file(network.state_dict(), file)",
        "un SavedModel est un perceptron multicouche tel que le décrit {model}, reçu les couches "
        "{layers} ; enregistrez les tenseurs d'un tel réseau avec "
        "safetensors.torch.save_file(network.state_dict(), file)",
    ),
    "expected": (
        "expected a file that fit --export FILE.safetensors or a run folder made",
        "attendu : un fichier créé par fit --export FILE.safetensors ou dans le dossier d'une "
        "exécution",
    ),
    "and_expected": ("{error}; {expected}", "{error} ; {expected}"),
    "unknown_activation": (
        "its activation {activation!r} is unknown here",
        "son activation {activation!r} est inconnue ici",
    ),
    "no_model": (
        "{file} is no model that derivable saved ({error}); {expected}",
        "{file} n'est pas un modèle enregistré par derivable ({error}) ; {expected}",
    ),
    "says_nothing": ("it says nothing about {name}", "{name} y manque"),
    "no_value": (
        "{place} has no value; --missing median puts the median of the training rows",
        "{place} n'a pas de valeur ; --missing median met la médiane des lignes d'apprentissage",
    ),
    # exports
    "ending": (
        "{file} must end in one of {endings}, which says how the model is written",
        "{file} doit finir par {endings}, ce qui indique comment écrire le modèle",
    ),
    "no_folder": (
        "{file} cannot be written: there is no folder {folder}",
        "{file} ne peut être écrit : le dossier {folder} n'existe pas",
    ),
    "too_large": (
        "{model} has {size:,} weights, too many for a page that people read (at most {most:,}); "
        "export it to a .safetensors or .onnx file",
        "{model} a {size:,} poids, trop pour une page faite pour être lue (au plus {most:,}) ; "
        "exportez-le dans un fichier .safetensors ou .onnx",
    ),
}
say = Catalogue(_TEXTS)
