"""The messages of the modules that lie directly in the package."""

from __future__ import annotations

import errno

from derivable.messages import Catalogue, Message

_TEXTS = {
    # protocol.py: models by name
    "lab_rate": ("the lab sheet's", "celui de la feuille de TP"),
    "models_text": (
        "models must be text, such as 'linear,tanh:10' or ['linear', 'relu:32x16'], got {kind}; "
        "descend(network, loss, x, y) trains a network of your own",
        "les modèles s'écrivent en texte, comme 'linear,tanh:10' ou ['linear', 'relu:32x16'], reçu "
        "{kind} ; descend(network, loss, x, y) entraîne votre propre réseau",
    ),
    "no_models": (
        "no model was named; for example {example}",
        "aucun modèle n'est indiqué ; par exemple {example}",
    ),
    "model_twice": (
        "the model {name} is named twice; name each model once",
        "le modèle {name} est indiqué deux fois ; indiquez chaque modèle une seule fois",
    ),
    "no_model": (
        "{word!r} names no model: expected auto, linear, or an activation with its hidden sizes, "
        "such as tanh:10 or relu:32x16; activations are {names}",
        "{word!r} ne désigne aucun modèle ; attendu : auto, linear, ou une activation avec ses "
        "tailles cachées, comme tanh:10 ou relu:32x16 ; les activations sont {names}",
    ),
    # problem.py
    "no_row_counts": (
        "no row counts: each has weight 0 or an ignored label",
        "aucune ligne ne compte : chacune a un poids nul ou une étiquette ignorée",
    ),
    "array_dtype": (
        "an array of numbers is needed, got dtype {dtype}; compare takes tables with columns of "
        "text, as files or data frames",
        "il faut un tableau de nombres, reçu le dtype {dtype} ; compare prend des tableaux aux "
        "colonnes de texte, sous forme de fichiers ou de data frames",
    ),
    "mapped_dtype": (
        "a memory-mapped array must have the network's dtype, {dtype}, got {got}; convert the "
        "network, or write the file in that dtype",
        "un tableau projeté en mémoire doit avoir le dtype du réseau, {dtype}, reçu {got} ; "
        "convertissez le réseau, ou écrivez le fichier dans ce dtype",
    ),
    "sparse": (
        "Problem: {name} is sparse, and dense rows are needed; {name}.{way} makes them",
        "Problem : {name} est creux, et il faut des lignes denses ; {name}.{way} en fait",
    ),
    "no_network": (
        "network must be a Network, got {what}; Network.mlp(3, 10, 1) makes one of sizes, and "
        "Network([Layer(Linear, w=w, b=b), Layer(Tanh), ...]) one of Functions and tensors",
        "network doit être un Network, reçu {what} ; Network.mlp(3, 10, 1) en fait un d'après des "
        "tailles, et Network([Layer(Linear, w=w, b=b), Layer(Tanh), ...]) d'après des Functions et "
        "des tenseurs",
    ),
    "the_class": ("the class {name}", "la classe {name}"),
    "no_parameters": (
        "the network has no parameters to descend with; give it a Linear layer",
        "le réseau n'a aucun paramètre à optimiser ; donnez-lui une couche Linear",
    ),
    "frozen": (
        "the parameter {name} is frozen (requires_grad=False), and descend moves all of them; "
        "network.requires_grad_() thaws the network",
        "le paramètre {name} est figé (requires_grad=False), et descend les déplace tous ; "
        "network.requires_grad_() libère le réseau",
    ),
    "real_parameters": (
        "the parameter {name} is {dtype}, and descend moves real numbers",
        "le paramètre {name} est de type {dtype}, et descend déplace des nombres réels",
    ),
    "and": (" and ", " et "),
    "one_dtype": (
        "the parameters must have one dtype, got {dtypes}; network.double() converts them",
        "les paramètres doivent avoir le même dtype, reçu {dtypes} ; network.double() les "
        "convertit",
    ),
    "rows_needed": (
        "{name} must have shape (N, ...) with N > 0 rows, got {shape}",
        "{name} doit avoir la forme (N, ...) avec N > 0 lignes, reçu {shape}",
    ),
    "other_dtype": (
        "{name} has dtype {got} and the network {dtype}; convert one of them, for example "
        "{name}.to({dtype})",
        "{name} a le dtype {got} et le réseau {dtype} ; convertissez l'un d'eux, par exemple "
        "{name}.to({dtype})",
    ),
    "not_finite": (
        "{name} is not finite: its first NaN or infinite value is in row {row}; drop or fill such "
        "rows first",
        "{name} n'est pas fini : sa première valeur NaN ou infinie est à la ligne {row} ; écartez "
        "ou complétez d'abord de telles lignes",
    ),
    "other_device": (
        "{name} lies on {got} and the network on {device}; put both on one device, for example "
        "{name}.to({device!r}), or let descend(..., device='cuda') move both",
        "{name} est sur {got} et le réseau sur {device} ; mettez les deux sur un même "
        "périphérique, par exemple {name}.to({device!r}), ou laissez descend(..., device='cuda') "
        "déplacer les deux",
    ),
    "device": (
        "device must be cpu, cuda or a CUDA device such as cuda:1, got {got!r}",
        "device doit être cpu, cuda ou un périphérique CUDA comme cuda:1, reçu {got!r}",
    ),
    "no_cuda": (
        "device {got}: PyTorch sees no CUDA device here (torch.cuda.is_available() is False); "
        "leave device out, or install PyTorch for CUDA on a machine that has one",
        "device {got} : PyTorch ne voit aucun périphérique CUDA ici "
        "(torch.cuda.is_available() vaut False) ; omettez device, ou installez PyTorch pour CUDA "
        "sur une machine qui en a un",
    ),
    "few_devices": (
        "device {got}: PyTorch sees {n} CUDA devices here, numbered from 0",
        "device {got} : PyTorch voit {n} périphériques CUDA ici, numérotés à partir de 0",
    ),
    "few_devices_one": (
        "device {got}: PyTorch sees 1 CUDA device here, cuda:0",
        "device {got} : PyTorch voit 1 périphérique CUDA ici, cuda:0",
    ),
    "stays_on_cpu": (
        "this descent does not run on {device}, because {why}; leave device out",
        "cette descente ne s'exécute pas sur {device}, car {why} ; omettez device",
    ),
    "draws": (
        "{name} draws from a random generator of the CPU",
        "{name} tire ses nombres d'un générateur aléatoire du CPU",
    ),
    "shards": (
        "its rows lie in several processes",
        "ses lignes sont dans plusieurs processus",
    ),
    "other_rows": (
        "x and y must have one row for each other, got x {x} and y {y}",
        "x et y doivent avoir autant de lignes, reçu x {x} et y {y}",
    ),
    "labels": (
        "y must hold labels from 0 to {last}, one for each of the {classes} outputs, or {ignored} "
        "for a row that is left out; got {label} in row {row}",
        "y doit contenir des étiquettes de 0 à {last}, une pour chacune des {classes} sorties, ou "
        "{ignored} pour une ligne écartée ; reçu {label} à la ligne {row}",
    ),
    "weight_of_loss": (
        "weight goes with losses that are a sum or mean over rows; repeat the rows of x and y as "
        "often as they count. {why}",
        "weight va avec les pertes qui sont une somme ou une moyenne sur les lignes ; répétez les "
        "lignes de x et y autant de fois qu'elles comptent. {why}",
    ),
    "weight_of_rows": (
        "weight goes with {loss} where each row has one loss, got y of shape {shape}; repeat the "
        "rows of x and y as often as they count",
        "weight va avec {loss} si chaque ligne a une seule perte, reçu y de forme {shape} ; "
        "répétez les lignes de x et y autant de fois qu'elles comptent",
    ),
    "weight_shape": (
        "weight must have shape ({rows},), one number per row of x, got {shape}",
        "weight doit avoir la forme ({rows},), un nombre par ligne de x, reçu {shape}",
    ),
    "weight_value": (
        "weight must be finite and 0 or more, got {got} in row {row}",
        "weight doit être fini et positif ou nul, reçu {got} à la ligne {row}",
    ),
    "weight_zero": (
        "weight is zero in every row; give at least one row a positive weight",
        "weight est nul à toutes les lignes ; donnez un poids positif à une ligne au moins",
    ),
    "not_negative": (
        "{name} must be a number, 0 or more, got {got!r}",
        "{name} doit être un nombre positif ou nul, reçu {got!r}",
    ),
    # row_losses.py
    "class_weights": (
        "CrossEntropy with a weight for each class divides by the weights of the labels, not by "
        "the number of rows; without label_smoothing, rows of weight class_weight[y] have the same "
        "loss",
        "CrossEntropy avec un poids par classe divise par les poids des étiquettes, et non par le "
        "nombre de lignes ; sans label_smoothing, des lignes de poids class_weight[y] ont la même "
        "perte",
    ),
    # trial.py
    "with_hint": ("{error}. {hint}", "{error}. {hint}"),
    "exchanged": (
        "x and y seem to be exchanged: the features come first, then the targets",
        "x et y semblent échangés : les variables d'abord, puis les cibles",
    ),
    "long_labels": (
        "Labels of {loss} are integers: y.long()",
        "Les étiquettes de {loss} sont des entiers : y.long()",
    ),
    "real_targets": (
        "{loss} compares real numbers; labels of classes go with CrossEntropy",
        "{loss} compare des nombres réels ; les étiquettes de classes vont avec CrossEntropy",
    ),
    "first_rows": ("the first rows of x {shape}", "les premières lignes de x {shape}"),
    "table_form": ("{table}, {form}", "{table}, {form}"),
    "layer_of": ("layer {number} of the network, {name}", "la couche {number} du réseau, {name}"),
    "returned": (
        "what layer {number} returns for {table}, {form}",
        "ce que la couche {number} renvoie pour {table}, {form}",
    ),
    "real_predictions": (
        "the network must return real numbers, one prediction per row; for {rows} rows of x "
        "{shape} it returns {form}",
        "le réseau doit renvoyer des nombres réels, une prédiction par ligne ; pour {rows} lignes "
        "de x {shape}, il renvoie {form}",
    ),
    "predictions_with": (
        "predictions, {form}, with the first rows of y {shape}, {dtype}",
        "de prédictions, {form}, avec les premières lignes de y {shape}, {dtype}",
    ),
    "the_loss": ("the loss, {loss}", "la perte, {loss}"),
    "does_not_take": (
        "{who}, does not take {given}: {error}",
        "{who}, n'accepte pas {given} : {error}",
    ),
    "form": ("{shape} of {dtype}", "{shape} de type {dtype}"),
    # network.py
    "one_class": (
        "CrossEntropy compares at least two outputs, one for each class, and the network has one; "
        "give it more, or take BinaryCrossEntropyWithLogits",
        "CrossEntropy compare au moins deux sorties, une par classe, et le réseau en a une ; "
        "donnez-lui-en d'autres, ou prenez BinaryCrossEntropyWithLogits",
    ),
    # loss.py, named.py
    "loss_function": (
        "loss must be a Function class such as MSE, or one with options such as Loss(Huber, "
        "delta=0.5), got {got}",
        "loss doit être une classe Function comme MSE, ou une perte avec options comme Loss(Huber, "
        "delta=0.5), reçu {got}",
    ),
    "no_option": (
        "{function} has no option {name!r}; {there}",
        "{function} n'a pas d'option {name!r} ; {there}",
    ),
    "its_options": ("its options are {names}", "ses options sont {names}"),
    "no_options": ("it has none", "elle n'en a aucune"),
    "option_number": (
        "{option} of {name} must be a number, got {got!r}",
        "{option} de {name} doit être un nombre, reçu {got!r}",
    ),
    "names_none": (
        "{name!r} names no {what}: expected one of {known}; {hint}",
        "{name!r} ne désigne aucune {what} ; attendu : {known} ; {hint}",
    ),
    "loss": ("loss", "perte"),
    "schedule": ("schedule", "évolution du pas d'apprentissage"),
    "loss_of_numbers": (
        "loss for a table whose targets are any numbers",
        "perte pour un tableau aux cibles quelconques",
    ),
    "did_you_mean": ("did you mean {name}?", "vouliez-vous dire {name} ?"),
    "options_like": ("options go like {example}", "les options s'écrivent comme {example}"),
    "others_by_descend": (
        "descend(network, loss, x, y) takes the others",
        "descend(network, loss, x, y) prend les autres",
    ),
    "no_loss_file": (
        "there is no file {path}, which --loss names; its code would be run",
        "il n'y a pas de fichier {path}, indiqué par --loss ; son code serait exécuté",
    ),
    "whole_file": (
        "{path} is a file; name the Function in it that is the loss: {path}:MyLoss",
        "{path} est un fichier ; indiquez la Function qui y est la perte : {path}:MyLoss",
    ),
    "loss_file_fails": (
        "{path}, which --loss names, cannot be run: {error}",
        "{path}, indiqué par --loss, ne peut être exécuté : {error}",
    ),
    "not_defined": (
        "{path} defines no {name!r}; its Functions are {names}",
        "{path} ne définit pas {name!r} ; ses Functions sont {names}",
    ),
    "none": ("none", "aucune"),
    "no_assignment": (
        "{part!r} in {text!r} is no option=value of the {what}; for example {example}",
        "{part!r} dans {text!r} n'est pas de la forme option=valeur ({what}) ; par exemple "
        "{example}",
    ),
    "option_twice": (
        "the option {option} of the {what} {text!r} is given twice",
        "l'option {option} est donnée deux fois dans {text!r} ({what})",
    ),
    # loggers.py
    "needs_tensorboard": (
        "TensorBoardLogger needs the package tensorboard: pip install tensorboard",
        "TensorBoardLogger demande le paquet tensorboard : pip install tensorboard",
    ),
    "needs_mlflow": (
        "MLflowLogger needs the package mlflow: pip install mlflow",
        "MLflowLogger demande le paquet mlflow : pip install mlflow",
    ),
    # shapes.py
    "no_tensor": (
        "{function}: {name} must be a tensor, got {kind}; torch.as_tensor({name}) makes one",
        "{function} : {name} doit être un tenseur, reçu {kind} ; torch.as_tensor({name}) en fait "
        "un",
    ),
    "shape": (
        "{function}: {name} must have {expected}, got {got}; {hint}",
        "{function} : {name} doit avoir {expected}, reçu {got} ; {hint}",
    ),
    # extras.py
    "needs": (
        "{who} needs {names}, which are not installed: {command}",
        "{who} : {names} nécessaires et non installés : {command}",
    ),
    "needs_one": (
        "{who} needs {names}, which is not installed: {command}",
        "{who} : {names} nécessaire et non installé : {command}",
    ),
    "or_instead": ("{text}, or {instead}", "{text}, ou {instead}"),
    "writing_weights": ("writing weights", "écriture des poids"),
    "reading_weights": ("reading weights", "lecture des poids"),
    "method_flow": ("the method flow", "méthode flow"),
    "steps_do_without": ("method='steps' does without", "method='steps' s'en passe"),
    "method_lbfgs": ("the method lbfgs", "méthode lbfgs"),
    "model_auto": ("the model auto", "modèle auto"),
    "losses_chart": ("a chart of the losses", "figure des pertes"),
    "foreign_table": ("a table that is no Table", "tableau qui n'est pas une Table"),
    "this_command": ("this command", "cette commande"),
    "california": ("California Housing", "California Housing"),
    "diabetes": ("the diabetes table", "tableau diabetes"),
    "onnx_model": ("a model written as .onnx", "modèle écrit en .onnx"),
    "run_folder": ("a run folder", "dossier d'exécution"),
    "save_as_csv": ("save the sheet as CSV", "enregistrez la feuille en CSV"),
    # files.py, tensors.py
    "not_written": ("{file} cannot be written ({reason})", "{file} ne peut être écrit ({reason})"),
    "no_file": (
        "{file} cannot be read: there is no such file",
        "{file} ne peut être lu : ce fichier n'existe pas",
    ),
    "no_tensors": (
        "{file} cannot be read as safetensors: {error}",
        "{file} ne peut être lu comme safetensors : {error}",
    ),
}
# What the system says of a file, where its texts are in English.
_REASONS = {
    errno.ENOENT: "Fichier ou dossier inexistant",
    errno.EACCES: "Permission refusée",
    errno.EPERM: "Opération non permise",
    errno.EISDIR: "C'est un dossier",
    errno.ENOTDIR: "Ce n'est pas un dossier",
    errno.EEXIST: "Le fichier existe déjà",
    errno.ENOSPC: "Plus de place sur le disque",
    errno.EROFS: "Système de fichiers en lecture seule",
    errno.ENAMETOOLONG: "Nom de fichier trop long",
}
say = Catalogue(_TEXTS)


def reason_of(error: OSError) -> str:
    """Why the system refuses a file."""
    reason = error.strerror or str(error)
    return Message(reason, _REASONS.get(error.errno or 0, reason))
