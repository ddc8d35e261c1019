"""The messages of networks and layers."""

from __future__ import annotations

from derivable.messages import Catalogue

_TEXTS = {
    "shared_parameter": (
        "two layers share a parameter, whose gradient would be the sum of theirs; give each layer "
        "parameters of its own",
        "deux couches partagent un paramètre, dont le gradient serait la somme des leurs ; donnez "
        "à chaque couche ses propres paramètres",
    ),
    "parameters": (
        "parameters must hold {count} tensors, one per parameter of the network in the order w1, "
        "b1, w2, b2, ...; got {got}",
        "parameters doit contenir {count} tenseurs, un par paramètre du réseau, dans l'ordre w1, "
        "b1, w2, b2, ... ; reçu {got}",
    ),
    "no_input_gradient": (
        "{function}.backward returns no gradient of its input, which the parameters of the layers "
        "before it need",
        "{function}.backward ne renvoie pas de gradient de son entrée, nécessaire aux paramètres "
        "des couches précédentes",
    ),
    "theta": (
        "theta must have shape ({size},), one number per parameter of the network, got {shape}",
        "theta doit avoir la forme ({size},), un nombre par paramètre du réseau, reçu {shape}",
    ),
    "sizes": (
        "a network needs at least two sizes, inputs first and outputs last, all positive integers; "
        "got {got}; for example Network.mlp(8, 10, 1)",
        "un réseau demande au moins deux tailles, les entrées d'abord et les sorties à la fin, "
        "toutes des entiers positifs ; reçu {got} ; par exemple Network.mlp(8, 10, 1)",
    ),
    "activation": (
        "activation must be a Function class such as Tanh or ReLU, got {got}",
        "activation doit être une classe Function comme Tanh ou ReLU, reçu {got}",
    ),
    "seed": (
        "seed must be a whole number, 0 or more and below 2**64, got {got!r}",
        "seed doit être un nombre entier, compris entre 0 inclus et 2**64 exclu, reçu {got!r}",
    ),
    # layer.py
    "layers": (
        "a Network is made of layers, such as Network([Layer(Linear, w=w, b=b), Layer(Tanh)]), got "
        "{got}",
        "un Network est fait de couches, comme Network([Layer(Linear, w=w, b=b), Layer(Tanh)]), "
        "reçu {got}",
    ),
    "layer_function": (
        "a Layer needs a Function class such as Linear, got {got}",
        "une couche (Layer) demande une classe Function comme Linear, reçu {got}",
    ),
    "training_given": (
        "{function}: training is what train() and eval() of a layer or network set; leave it out",
        "{function} : training est fixé par train() et eval() d'une couche ou d'un réseau ; "
        "omettez-le",
    ),
    "given_twice": (
        "{function}: {name} is what the layer before returns, and given as well; leave one of them "
        "out",
        "{function} : {name} est ce que renvoie la couche précédente, et il est donné aussi ; "
        "omettez l'un des deux",
    ),
    "parameter_gradient": (
        "{function}.backward returns None for {name}, which is a parameter of a layer; give it as "
        "a constant: {name}=torch.nn.Buffer(...)",
        "{function}.backward renvoie None pour {name}, qui est un paramètre d'une couche ; donnez-"
        "le comme constante : {name}=torch.nn.Buffer(...)",
    ),
    "one_output": (
        "{function} returns {count} outputs, and a layer hands one tensor to the next; write a "
        "Function that returns one of them",
        "{function} renvoie {count} sorties, et une couche passe un seul tenseur à la suivante ; "
        "écrivez une Function qui en renvoie une",
    ),
}
say = Catalogue(_TEXTS)
