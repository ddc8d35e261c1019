# Lab sheet 2: differentiable functions. The format is described in derivable/labs/source.py.

# %% [sheet]
import torch

from derivable.labs import (
    Choice, ChoiceQuestion, Convention, CurveQuestion, FunctionQuestion, Mistake, ProgramQuestion,
    Sheet, Text, TrainingQuestion,
)
import derivable
from derivable.labs.questions.gradchecked import gradcheck_flaw
from derivable.labs.questions.program import Flaw
from derivable.labs.questions.training import Variant

sheet = Sheet(title=Text("Differentiable functions", "Fonctions dérivables"), minutes=(90, 120))

# %% [markdown] lang="en"
# # Lab 2: differentiable functions
#
# PyTorch computes gradients by composing *functions*, each of which knows two things: how to
# compute its output (`forward`), and how to send a gradient back through it (`backward`). In this
# lab you write four of them by hand, check them, and train three models with them: a linear
# regression, and two networks with one hidden layer.
#
# Each question is a cell with blanks (`...`), followed by a check. A check takes a second, draws
# new sizes and numbers each time, and says what is wrong. You may call it as often as you like.
#
# What you need: chain rule, matrix products, Python. Time: 90 to 120 minutes.

# %% [markdown] lang="fr"
# # TP 2 : fonctions dérivables
#
# PyTorch calcule les gradients en composant des *fonctions*, dont chacune sait faire deux choses :
# calculer sa sortie (`forward`) et faire remonter un gradient (`backward`). Dans ce TP, vous en
# écrivez quatre à la main, vous les vérifiez, puis vous entraînez trois modèles avec elles : une
# régression linéaire et deux réseaux à une couche cachée.
#
# Chaque question est une cellule à trous (`...`), suivie d'une vérification. Celle-ci prend une
# seconde, tire à chaque fois de nouvelles tailles et de nouveaux nombres, et dit ce qui est faux.
# Vous pouvez l'appeler aussi souvent que vous le souhaitez.
#
# Prérequis : dérivation en chaîne, produits de matrices, Python. Durée : 90 à 120 minutes.

# %%
import matplotlib.pyplot as plt
import torch
from torch.autograd import Function, gradcheck

print("PyTorch", torch.__version__)

# %% [markdown] lang="en"
# ## 1. The context
#
# `forward` and `backward` are called one after the other, and `backward` needs what `forward` has
# seen. Both get the same object, `ctx`: `forward` calls `ctx.save_for_backward(a, b)`, and
# `backward` reads `ctx.saved_tensors`, the tuple `(a, b)`. A new context is made for each call of
# `forward`; before anything is saved, `saved_tensors` is the empty tuple.

# %% [markdown] lang="fr"
# ## 1. Le contexte
#
# `forward` et `backward` sont appelées l'une après l'autre, et `backward` a besoin de ce que
# `forward` a vu. Toutes deux reçoivent le même objet, `ctx` : `forward` appelle
# `ctx.save_for_backward(a, b)`, et `backward` lit `ctx.saved_tensors`, le tuple `(a, b)`. On crée
# un nouveau contexte à chaque appel de `forward` ; tant que rien n'est sauvegardé, `saved_tensors`
# est le tuple vide.

# %% question="context"
class Context:
    def __init__(self):
        self._saved_tensors = ()

    def save_for_backward(self, *args):
        # BEGIN SOLUTION
        self._saved_tensors = args
        # END SOLUTION

    @property
    def saved_tensors(self):
        # BEGIN SOLUTION
        return self._saved_tensors
        # END SOLUTION


# %% [sheet]
def context_flaws(draw, context):
    a, b = draw.normal(3, 2), draw.normal(5)
    one, other = context(), context()
    before = one.saved_tensors
    if callable(before):
        yield Flaw("no property", Text(
            "saved_tensors is read without parentheses: it needs @property above it.",
            "saved_tensors se lit sans parenthèses : il faut @property au-dessus."))
        return
    if before is None or len(before):
        yield Flaw("not empty", Text(
            f"before anything is saved, saved_tensors is the empty tuple (); here it is {before}.",
            f"tant que rien n'est sauvegardé, saved_tensors est le tuple vide () ; ici, il vaut "
            f"{before}."))
    one.save_for_backward(a, b)
    saved = one.saved_tensors
    if not isinstance(saved, (tuple, list)) or len(saved) != 2:
        count = len(saved) if isinstance(saved, (tuple, list)) else type(saved).__name__
        yield Flaw("not saved", Text(
            "after save_for_backward(a, b), saved_tensors is the tuple (a, b) of two tensors; here "
            f"it has: {count}. Is it kept on self?",
            "après save_for_backward(a, b), saved_tensors est le tuple (a, b) de deux tenseurs ; "
            f"ici, il contient : {count}. Est-il gardé sur self ?"))
        return
    if saved[0] is not a or saved[1] is not b:
        yield Flaw("copied", Text(
            "saved_tensors has other tensors than those that were saved, or another order.",
            "saved_tensors contient d'autres tenseurs que ceux sauvegardés, ou un autre ordre."))
    if len(other.saved_tensors or ()):
        yield Flaw("shared", Text(
            "two contexts share what they save: keep it on self, not on the class.",
            "deux contextes partagent ce qu'ils sauvegardent : le garder sur self, et non sur la "
            "classe."))


sheet.add(ProgramQuestion(
    key="context",
    title=Text("The context", "Le contexte"),
    answers=("Context",),
    points=2,
    flaws=context_flaws,
    hint=Text("*args in the signature of a method is already a tuple.",
              "*args dans la signature d'une méthode est déjà un tuple."),
    mistakes=(
        Mistake("self._saved_tensors = args", "Context._saved_tensors = args", "",
                Text("saved on the class", "sauvegardé sur la classe")),
        Mistake("self._saved_tensors = args", "self._saved_tensors = args[0]", "not saved",
                Text("only the first tensor is kept", "seul le premier tenseur est gardé")),
    ),
))

# %% [markdown] lang="en"
# ## 2. The mean squared error
#
# For a prediction $\hat y$ and a target $y$, both of shape (N, K), the loss of each column is
#
# $$\ell_k = \frac1N \sum_{n=1}^N (\hat y_{nk} - y_{nk})^2$$
#
# so the output has shape (K,): the mean is over the rows only. `backward` gets `grad_output`, of
# the shape of the output, and returns one gradient for each input, of the shape of that input.

# %% [markdown] lang="fr"
# ## 2. L'erreur quadratique moyenne
#
# Pour une prédiction $\hat y$ et une cible $y$, toutes deux de forme (N, K), la perte de chaque
# colonne est
#
# $$\ell_k = \frac1N \sum_{n=1}^N (\hat y_{nk} - y_{nk})^2$$
#
# La sortie est donc de forme (K,) : la moyenne porte sur les lignes seulement. `backward` reçoit
# `grad_output`, de la forme de la sortie, et renvoie un gradient par entrée, de la forme de cette
# entrée.

# %% question="mse"
class MSE(Function):
    @staticmethod
    def forward(ctx, yhat, y):
        # BEGIN SOLUTION
        ctx.save_for_backward(yhat, y)
        return ((yhat - y) ** 2).mean(0)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        yhat, y = ctx.saved_tensors
        grad_yhat = 2 / yhat.size(0) * (yhat - y) * grad_output
        return grad_yhat, -grad_yhat
        # END SOLUTION


mse = MSE.apply

# %% [sheet]
def prediction_and_target(draw):
    n, k = draw.sizes(2)
    return draw.normal(n, k), draw.normal(n, k)


sheet.add(FunctionQuestion(
    key="mse",
    title=Text("Mean squared error", "Erreur quadratique moyenne"),
    answers=("MSE",),
    points=2.5,
    reference=lambda yhat, y: ((yhat - y) ** 2).mean(0),
    inputs=prediction_and_target,
    hint=Text("The derivative of a mean over N rows has a factor 1/N; the chain rule multiplies by "
              "grad_output.",
              "La dérivée d'une moyenne sur N lignes a un facteur 1/N ; la dérivation en chaîne "
              "multiplie par grad_output."),
    place=Text("differentiate the loss of one column with respect to one entry yhat[n, k]; "
               "section 2 has "
               "the formula of the loss",
               "dériver la perte d'une colonne par rapport à une seule entrée yhat[n, k] ; la "
               "formule de la perte est dans la partie 2"),
    mistakes=(
        Mistake(".mean(0)", ".mean()", "forward.shape",
                Text("the mean over all entries", "la moyenne sur toutes les entrées")),
        Mistake(".mean(0)", ".sum(0)", "forward.factor",
                Text("a sum in the place of the mean", "une somme au lieu de la moyenne")),
        Mistake("2 / yhat.size(0) * ", "2 * ", "backward.yhat.factor",
                Text("the factor 1/N is missing", "le facteur 1/N manque")),
        Mistake("* grad_output", "", "backward.yhat.ignores_grad_output",
                Text("grad_output is not used", "grad_output n'est pas utilisé")),
        Mistake("-grad_yhat", "grad_yhat", "backward.y.sign",
                Text("the gradient of y has the wrong sign",
                     "le gradient de y est du mauvais signe")),
        Mistake("return grad_yhat, -grad_yhat", "return grad_yhat", "backward",
                Text("one gradient for two inputs", "un seul gradient pour deux entrées")),
    ),
))

# %% [markdown] lang="en"
# ## 3. The linear layer
#
# With a batch $x$ of shape (N, D), weights $w$ of shape (D, K) and a bias $b$ of shape (K,), the
# output is $xw + b$, of shape (N, K).

# %% [markdown] lang="fr"
# ## 3. La couche linéaire
#
# Pour un batch $x$ de forme (N, D), des poids $w$ de forme (D, K) et un biais $b$ de forme (K,),
# la sortie est $xw + b$, de forme (N, K).

# %% question="linear"
class Linear(Function):
    @staticmethod
    def forward(ctx, x, w, b):
        # BEGIN SOLUTION
        ctx.save_for_backward(x, w, b)
        return torch.mm(x, w) + b
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        x, w, b = ctx.saved_tensors
        grad_x = torch.mm(grad_output, w.t())
        grad_w = torch.mm(x.t(), grad_output)
        grad_b = grad_output.sum(0).reshape(b.shape)
        return grad_x, grad_w, grad_b
        # END SOLUTION


linear = Linear.apply

# %% [sheet]
def batch_weights_bias(draw):
    n, d, k = draw.sizes(3)
    return draw.normal(n, d), draw.normal(d, k), draw.normal(k)


sheet.add(FunctionQuestion(
    key="linear",
    title=Text("Linear layer", "Couche linéaire"),
    answers=("Linear",),
    points=3.5,
    reference=lambda x, w, b: x @ w + b,
    inputs=batch_weights_bias,
    hint=Text("Write the shapes beside each factor: grad_output is (N, K), grad_x must be (N, D), "
              "grad_w (D, K), grad_b (K,).",
              "Écrire les formes à côté de chaque facteur : grad_output est (N, K), grad_x doit "
              "être (N, D), grad_w (D, K), grad_b (K,)."),
    place=Text("write output[n, k] as a sum, and differentiate it with respect to one entry of "
               "x, of w "
               "and of b",
               "écrire output[n, k] comme une somme, et la dériver par rapport à une seule entrée "
               "de x, de w et de b"),
    mistakes=(
        Mistake("torch.mm(x, w) + b", "torch.mm(x, w)", "forward.values",
                Text("the bias is forgotten in forward", "le biais est oublié dans forward")),
        Mistake("torch.mm(grad_output, w.t())", "torch.mm(grad_output, w)", "backward.RuntimeError",
                Text("w is not transposed in grad_x", "w n'est pas transposé dans grad_x")),
        Mistake("torch.mm(x.t(), grad_output)", "torch.mm(grad_output.t(), x)", "backward.w",
                Text("grad_w is transposed", "grad_w est transposé")),
        Mistake("grad_output.sum(0).reshape(b.shape)", "grad_output", "backward.b.missing_sum",
                Text("grad_b is not summed over the rows",
                     "grad_b n'est pas sommé sur les lignes")),
        Mistake("grad_output.sum(0)", "grad_output.mean(0)", "backward.b.mean_for_sum",
                Text("grad_b is a mean", "grad_b est une moyenne")),
        Mistake("grad_output.sum(0).reshape(b.shape)", "torch.ones_like(b)", "backward.b",
                Text("grad_b does not use grad_output", "grad_b n'utilise pas grad_output")),
        Mistake("return grad_x, grad_w, grad_b", "return grad_w, grad_x, grad_b", "backward",
                Text("two gradients in the wrong order", "deux gradients échangés")),
    ),
))

# %% [markdown] lang="en"
# ### A question
#
# The gradient of the bias is a **sum** over the rows of `grad_output`. Why?
#
# - (a) Because the loss is a mean over the rows, and the sum undoes it.
# - (b) Because the same b[k] is added to each of the N rows: the N contributions of the chain rule
#   add up.
# - (c) It is a convention; a mean would do as well, with another learning rate.

# %% [markdown] lang="fr"
# ### Une question
#
# Le gradient du biais est une **somme** sur les lignes de `grad_output`. Pourquoi ?
#
# - (a) Parce que la perte est une moyenne sur les lignes, que la somme compense.
# - (b) Parce que le même b[k] est ajouté à chacune des N lignes : les N contributions de la
#   dérivation en chaîne s'additionnent.
# - (c) C'est une convention ; une moyenne conviendrait aussi, avec un autre pas d'apprentissage.

# %% question="why_sum"
# BEGIN SOLUTION
why_sum = "b"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="why_sum",
    title=Text("Why the bias gradient is a sum", "Pourquoi le gradient du biais est une somme"),
    answers=("why_sum",),
    points=0.5,
    choices={
        "a": Choice(False, Text(
            "Linear knows nothing of the loss: its backward would be the same for a loss that is a "
            "sum.",
            "Linear ne sait rien de la perte : son backward serait le même pour une perte qui est "
            "une somme.")),
        "b": Choice(True, Text(
            "Whatever is broadcast in forward is summed in backward.",
            "Ce qui est diffusé (broadcast) dans forward se somme dans backward.")),
        "c": Choice(False, Text(
            "With a mean, w and b would move along something that is not the gradient of any loss.",
            "Avec une moyenne, w et b se déplaceraient le long de ce qui n'est le gradient "
            "d'aucune perte.")),
    },
))

# %% [markdown] lang="en"
# ## 4. Two activations
#
# `Tanh` and `ReLU` act on each entry: the output has the shape of the input, and each entry of
# `grad_output` is multiplied by the derivative there. At 0, take 0 for the derivative of ReLU.

# %% [markdown] lang="fr"
# ## 4. Deux activations
#
# `Tanh` et `ReLU` agissent terme à terme : la sortie a la forme de l'entrée, et chaque terme de
# `grad_output` est multiplié par la dérivée en ce point. En 0, prendre 0 pour la dérivée de ReLU.

# %% question="tanh"
class Tanh(Function):
    @staticmethod
    def forward(ctx, x):
        # BEGIN SOLUTION
        ctx.save_for_backward(x)
        return torch.tanh(x)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return grad_output * (1 - torch.tanh(x) ** 2)
        # END SOLUTION


tanh = Tanh.apply

# %% question="relu"
class ReLU(Function):
    @staticmethod
    def forward(ctx, x):
        # BEGIN SOLUTION
        ctx.save_for_backward(x)
        return torch.relu(x)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)
        # END SOLUTION


relu = ReLU.apply

# %% [sheet]
def one_matrix(draw):
    return (draw.away_from_zero(*draw.sizes(2)),)


sheet.add(
    FunctionQuestion(
        key="tanh",
        title=Text("Tanh", "Tanh"),
        answers=("Tanh",),
        points=1.5,
        reference=torch.tanh,
        inputs=one_matrix,
        hint=Text("The derivative of tanh can be written with tanh itself.",
                  "La dérivée de tanh s'écrit avec tanh elle-même."),
        place=Text("the derivative of sinh/cosh, a quotient, with cosh² - sinh² = 1",
                   "la dérivée de sinh/cosh, un quotient, avec cosh² - sinh² = 1"),
        mistakes=(
            Mistake("(1 - torch.tanh(x) ** 2)", "(1 - torch.tanh(x))", "backward.x",
                    Text("the square is missing", "le carré manque")),
            Mistake("(1 - torch.tanh(x) ** 2)", "(1 - x ** 2)", "backward.x",
                    Text("x in the place of tanh(x)", "x au lieu de tanh(x)")),
            Mistake("grad_output * ", "", "backward.x.ignores_grad_output",
                    Text("grad_output is not used", "grad_output n'est pas utilisé")),
        ),
    ),
    FunctionQuestion(
        key="relu",
        title=Text("ReLU", "ReLU"),
        answers=("ReLU",),
        points=1.5,
        reference=torch.relu,
        inputs=one_matrix,
        conventions=(Convention(lambda draw: (torch.zeros(3, 5, dtype=torch.float64),), Text(
            "at x = 0 your backward does not return 0, as PyTorch's relu does. Any value between "
            "the two slopes is a convention; x > 0 gives 0 there, x >= 0 gives 1.",
            "en x = 0, votre backward ne renvoie pas 0, contrairement à relu de PyTorch. Toute "
            "valeur entre les deux pentes est une convention ; x > 0 y donne 0, x >= 0 y donne "
            "1.")),),
        hint=Text("(x > 0) is a tensor of booleans, which counts as 0 and 1 in a product.",
                  "(x > 0) est un tenseur de booléens, qui compte comme 0 et 1 dans un produit."),
        place=Text("draw the function, and its slope on both sides of 0",
                   "dessiner la fonction, et sa pente de chaque côté de 0"),
        mistakes=(
            Mistake("grad_output * (x > 0)", "grad_output * x * (x > 0)", "backward.x",
                    Text("the value in the place of the slope", "la valeur au lieu de la pente")),
            Mistake("grad_output * (x > 0)", "torch.relu(grad_output)", "backward.x",
                    Text("relu of grad_output", "relu de grad_output")),
            Mistake("(x > 0)", "(x < 0)", "backward.x",
                    Text("the other side", "l'autre côté")),
        ),
    ),
)

# %% [markdown] lang="en"
# ### A question: the kink
#
# ReLU has no derivative at 0. What happens if an entry of `x` is exactly 0 in training?
#
# - (a) `backward` returns a value between the two slopes, by convention 0 or 1; the descent goes
#   on, and for random inputs it hardly ever occurs.
# - (b) The gradient is NaN from then on.
# - (c) PyTorch refuses such an input.

# %% [markdown] lang="fr"
# ### Une question : le point anguleux
#
# ReLU n'a pas de dérivée en 0. Que se passe-t-il si un terme de `x` vaut exactement 0 pendant
# l'apprentissage ?
#
# - (a) `backward` renvoie une valeur comprise entre les deux pentes, par convention 0 ou 1 ; la
#   descente continue, et pour des entrées aléatoires cela n'arrive presque jamais.
# - (b) Le gradient vaut NaN à partir de là.
# - (c) PyTorch refuse une telle entrée.

# %% question="kink"
# BEGIN SOLUTION
at_the_kink = "a"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="kink",
    title=Text("At the kink of ReLU", "Au point anguleux de ReLU"),
    answers=("at_the_kink",),
    points=0.5,
    choices={
        "a": Choice(True, Text(
            "Any value from 0 to 1 is a subgradient there; PyTorch's relu takes 0.",
            "Toute valeur de 0 à 1 y est un sous-gradient ; relu de PyTorch prend 0.")),
        "b": Choice(False, Text(
            "Look at your backward: which number does (x > 0) give at 0?",
            "Regarder votre backward : quel nombre (x > 0) donne-t-il en 0 ?")),
        "c": Choice(False, Text(
            "Try it: ReLU.apply(torch.zeros(1)).", "Essayer : ReLU.apply(torch.zeros(1)).")),
    },
))

# %% [markdown] lang="en"
# ## 5. gradcheck
#
# PyTorch's `gradcheck(function, inputs)` compares `backward` with differences of `forward`. It
# wants inputs in float64 that require a gradient, and returns True or raises an error.
#
# Write two functions that return what `gradcheck` returns: for `mse` with `yhat` and `y` of shape
# (10, 5), and for `linear` with `x` (13, 5), `w` (5, 7) and `b` (7,).

# %% [markdown] lang="fr"
# ## 5. gradcheck
#
# `gradcheck(fonction, entrées)` de PyTorch compare `backward` à des différences finies de
# `forward`. Il attend des entrées en float64 qui demandent un gradient, et renvoie True ou lève
# une erreur.
#
# Écrire deux fonctions qui renvoient ce que renvoie `gradcheck` : pour `mse` avec `yhat` et `y` de
# forme (10, 5), et pour `linear` avec `x` (13, 5), `w` (5, 7) et `b` (7,).

# %% question="gradcheck"
def check_mse():
    # BEGIN SOLUTION
    yhat = torch.randn(10, 5, requires_grad=True, dtype=torch.float64)
    y = torch.randn(10, 5, requires_grad=True, dtype=torch.float64)
    return gradcheck(mse, (yhat, y))
    # END SOLUTION


def check_linear():
    # BEGIN SOLUTION
    x = torch.randn(13, 5, requires_grad=True, dtype=torch.float64)
    w = torch.randn(5, 7, requires_grad=True, dtype=torch.float64)
    b = torch.randn(7, requires_grad=True, dtype=torch.float64)
    return gradcheck(linear, (x, w, b))
    # END SOLUTION


# %% [sheet]
def gradcheck_flaws(draw, check_mse, check_linear):
    checks = ("check_mse", check_mse, "MSE"), ("check_linear", check_linear, "Linear")
    for check in checks:
        flaw = gradcheck_flaw(*check)
        if flaw is not None:
            yield flaw


sheet.add(ProgramQuestion(
    key="gradcheck",
    title=Text("gradcheck", "gradcheck"),
    answers=("check_mse", "check_linear"),
    points=1,
    needs=("mse", "linear"),
    flaws=gradcheck_flaws,
    hint=Text("torch.randn(10, 5, requires_grad=True, dtype=torch.float64) makes such an input.",
              "torch.randn(10, 5, requires_grad=True, dtype=torch.float64) crée une telle entrée."),
    mistakes=(
        Mistake("return gradcheck(mse, (yhat, y))", "return True", "check_mse not called",
                Text("True in the place of a call", "True au lieu d'un appel")),
        Mistake("return gradcheck(linear, ", "gradcheck(linear, ", "check_linear not true",
                Text("the result is not returned", "le résultat n'est pas renvoyé")),
        Mistake("gradcheck(mse, ", "gradcheck(torch.nn.functional.mse_loss, ", "check_mse other",
                Text("another function is checked", "une autre fonction est vérifiée")),
    ),
))

# %% [markdown] lang="en"
# ### A question
#
# `gradcheck` says True. Which mistake can still be there?
#
# - (a) A gradient with the wrong sign.
# - (b) A wrong value at inputs that were not tried, such as another shape, or x < 0.
# - (c) A factor 2 that is missing.

# %% [markdown] lang="fr"
# ### Une question
#
# `gradcheck` renvoie True. Quelle erreur peut encore être là ?
#
# - (a) Un gradient de mauvais signe.
# - (b) Une valeur fausse pour des entrées qui n'ont pas été essayées, comme une autre forme, ou
#   x < 0.
# - (c) Un facteur 2 oublié.

# %% question="unseen"
# BEGIN SOLUTION
not_seen = "b"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="unseen",
    title=Text("What gradcheck does not see", "Ce que gradcheck ne voit pas"),
    answers=("not_seen",),
    points=0.5,
    choices={
        "a": Choice(False, Text(
            "That is what a difference of forward shows at once.",
            "C'est ce qu'une différence finie de forward montre tout de suite.")),
        "b": Choice(True, Text(
            "It looks at one point. It also runs under autograd, which sums a gradient over a "
            "broadcast dimension for you; by hand nobody does.",
            "Il regarde un seul point. De plus, il passe par autograd, qui somme pour vous un "
            "gradient sur une dimension diffusée ; à la main, personne ne le fait.")),
        "c": Choice(False, Text(
            "A factor changes every value, which gradcheck compares.",
            "Un facteur change toutes les valeurs, que gradcheck compare.")),
    },
))

# %% [markdown] lang="en"
# ## 6. Linear regression by gradient descent
#
# California Housing: 20,640 districts, 8 columns, and the median value of a house, in 100,000
# dollars. The columns are standardised; the first 80% of the rows train, the others test.

# %% [markdown] lang="fr"
# ## 6. Régression linéaire par descente de gradient
#
# California Housing : 20 640 îlots, 8 colonnes, et la valeur médiane d'une maison, en centaines de
# milliers de dollars. Les colonnes sont centrées et réduites ; les premiers 80 % des lignes servent
# à l'apprentissage, les autres au test.

# %%
# the function of sklearn.datasets, also without a network  # en
# la fonction de sklearn.datasets, même sans réseau  # fr
from derivable.labs import fetch_california_housing

housing = fetch_california_housing()
x = torch.tensor(housing["data"], dtype=torch.float)
y = torch.tensor(housing["target"], dtype=torch.float).view(-1, 1)
x = (x - x.mean(dim=0)) / x.std(dim=0)

x_train, x_test = x[: int(0.8 * len(x))], x[int(0.8 * len(x)) :]
y_train, y_test = y[: int(0.8 * len(y))], y[int(0.8 * len(y)) :]
print(x_train.shape, x_test.shape)

# %% [markdown] lang="en"
# Write the loop: in each turn, `forward` of `Linear` and of `MSE` with a new `Context` each, the
# loss into `cost_history` as `[n_iter, loss]`, `backward` in reverse order from `grad_output =
# torch.tensor(1.0)`, and a step of length `EPS` against the gradient. No autograd: the methods are
# called directly, as in `Linear.forward(ctx_linear, x, w, b)`.

# %% [markdown] lang="fr"
# Écrire la boucle : à chaque tour, `forward` de `Linear` et de `MSE` avec un nouveau `Context`
# chacun, la perte dans `cost_history` sous la forme `[n_iter, perte]`, `backward` dans l'ordre
# inverse à partir de `grad_output = torch.tensor(1.0)`, puis un pas de longueur `EPS` contre le
# gradient. Sans autograd : on appelle les méthodes directement, comme dans
# `Linear.forward(ctx_linear, x, w, b)`.

# %% question="train_linear"
def train_linear(x, y, w, b, EPOCHS, EPS):
    cost_history = []
    for n_iter in range(EPOCHS):
        # BEGIN SOLUTION
        ctx_linear, ctx_mse = Context(), Context()
        yhat = Linear.forward(ctx_linear, x, w, b)
        loss = MSE.forward(ctx_mse, yhat, y)
        cost_history.append([n_iter, loss.item()])
        grad_yhat, _ = MSE.backward(ctx_mse, torch.tensor(1.0))
        _, grad_w, grad_b = Linear.backward(ctx_linear, grad_yhat)
        w = w - EPS * grad_w
        b = b - EPS * grad_b
        # END SOLUTION
    return w, b, cost_history


# %% [sheet]
def mean_squared(yhat, y):
    return ((yhat - y) ** 2).mean()


def linear_start(draw):
    n, d, _ = draw.sizes(3)
    return draw.normal(n, d), draw.normal(n, 1), (draw.normal(d, 1), draw.normal(1, 1))


sheet.add(TrainingQuestion(
    key="train_linear",
    title=Text("The loop of the linear regression", "La boucle de la régression linéaire"),
    answers=("train_linear",),
    points=2,
    loss=lambda x, y, w, b: mean_squared(x @ w + b, y),
    start=linear_start,
    parameters=("w", "b"),
    pairs=True,
    definitions={name: getattr(derivable, name) for name in ("Context", "Linear", "MSE")},
    hint=Text("grad_yhat comes out of MSE.backward and goes into Linear.backward.",
              "grad_yhat sort de MSE.backward et entre dans Linear.backward."),
    place=Text("section 6, the paragraph above this cell, has the order of the calls",
               "la partie 6, juste au-dessus de cette cellule, donne l'ordre des appels"),
    mistakes=(
        Mistake("w - EPS * grad_w", "w + EPS * grad_w", "sign.w",
                Text("a step along the gradient", "un pas dans le sens du gradient")),
        Mistake("w - EPS * grad_w", "w - grad_w", "no_rate.w",
                Text("no learning rate", "pas de pas d'apprentissage")),
        Mistake("b = b - EPS * grad_b", "b = b - EPS * grad_b.mean()/2", "factor.b",
                Text("half of the step for b", "la moitié du pas pour b")),
        Mistake("        b = b - EPS * grad_b\n", "", "unchanged.b",
                Text("b is not updated", "b n'est pas mis à jour")),
    ),
))

# %% [markdown] lang="en"
# Now the real training: 80,000 steps with `EPS = 1e-5`, from small random weights. It takes about
# half a minute. Then the loss on the test rows, as a number.
#
# The bias begins as a row (1, 1) here. By hand, a gradient of shape (K,) moves a row (1, K), too,
# because PyTorch broadcasts it. Autograd is stricter, and asks for the shape of b.

# %% [markdown] lang="fr"
# Maintenant le véritable apprentissage : 80 000 pas avec `EPS = 1e-5`, à partir de petits poids
# aléatoires. Il dure environ une demi-minute. Puis la perte sur les lignes de test, un nombre.
#
# Le biais commence ici par une ligne (1, 1). À la main, un gradient de forme (K,) déplace aussi une
# ligne (1, K) : PyTorch le répète (broadcast). Autograd est plus strict et demande la forme de b.

# %% question="linear_curve"
EPOCHS, EPS = 80000, 1e-5
cost_final = []
w_start = torch.randn(x.size(1), 1) * 0.01
b_start = torch.zeros(1, 1)
# BEGIN SOLUTION
w, b, cost_history = train_linear(x_train, y_train, w_start, b_start, EPOCHS, EPS)
yhat = Linear.forward(Context(), x_test, w, b)
test_loss = MSE.forward(Context(), yhat, y_test).item()
# END SOLUTION

# %% [show]
if cost_history is not ...:
    print("test loss", test_loss)  # en
    print("perte de test", test_loss)  # fr
    cost_final.append(["linear", test_loss])  # en
    cost_final.append(["linéaire", test_loss])  # fr
    plt.plot([n for n, _ in cost_history], [loss for _, loss in cost_history])
    plt.xlabel("step")  # en
    plt.xlabel("itération")  # fr
    plt.ylabel("loss")  # en
    plt.ylabel("perte")  # fr
    plt.show()

# %% [sheet]
CURVE = (
    Mistake("EPOCHS, EPS)", "EPOCHS, 10 * EPS)", "curve.rate",
            Text("ten times the learning rate", "dix fois le pas d'apprentissage")),
)
sheet.add(CurveQuestion(
    key="linear_curve",
    title=Text("Training of the linear regression", "Apprentissage de la régression linéaire"),
    answers=("cost_history", "test_loss"),
    points=1,
    model="linear",
    rate=1e-5,
    needs=("context", "mse", "linear", "train_linear"),
    hint=Text("Look at cost_history[0] and cost_history[-1], and at EPS.",
              "Regarder cost_history[0] et cost_history[-1], ainsi que EPS."),
    mistakes=CURVE,
))

# %% [markdown] lang="en"
# ## 7. Two networks
#
# One hidden layer of 10 units: `Linear`, an activation, `Linear`, `MSE`. The gradient goes back
# through all four. `activation` is a Function such as `Tanh` or `ReLU`.

# %% [markdown] lang="fr"
# ## 7. Deux réseaux
#
# Une couche cachée de 10 neurones : `Linear`, une activation, `Linear`, `MSE`. Le gradient remonte
# à travers les quatre. `activation` est une Function comme `Tanh` ou `ReLU`.

# %% question="train_network"
def train_network(x, y, w1, b1, w2, b2, EPOCHS, EPS, activation=Tanh):
    cost_history = []
    for n_iter in range(EPOCHS):
        # BEGIN SOLUTION
        ctx1, ctx_act, ctx2, ctx_mse = Context(), Context(), Context(), Context()
        z = Linear.forward(ctx1, x, w1, b1)
        h = activation.forward(ctx_act, z)
        yhat = Linear.forward(ctx2, h, w2, b2)
        loss = MSE.forward(ctx_mse, yhat, y)
        cost_history.append([n_iter, loss.item()])
        grad_yhat, _ = MSE.backward(ctx_mse, torch.tensor(1.0))
        grad_h, grad_w2, grad_b2 = Linear.backward(ctx2, grad_yhat)
        grad_z = activation.backward(ctx_act, grad_h)
        _, grad_w1, grad_b1 = Linear.backward(ctx1, grad_z)
        w1, b1 = w1 - EPS * grad_w1, b1 - EPS * grad_b1
        w2, b2 = w2 - EPS * grad_w2, b2 - EPS * grad_b2
        # END SOLUTION
    return w1, b1, w2, b2, cost_history


# %% [sheet]
def network_start(draw):
    n, d, h = draw.sizes(3)
    parameters = (draw.normal(d, h, scale=0.5), draw.normal(1, h), draw.normal(h, 1),
                  draw.normal(1, 1))
    return draw.normal(n, d), draw.normal(n, 1), parameters


sheet.add(TrainingQuestion(
    key="train_network",
    title=Text("The loop of the networks", "La boucle des réseaux"),
    answers=("train_network",),
    points=2,
    loss=lambda x, y, w1, b1, w2, b2: mean_squared(torch.tanh(x @ w1 + b1) @ w2 + b2, y),
    start=network_start,
    parameters=("w1", "b1", "w2", "b2"),
    pairs=True,
    definitions={name: getattr(derivable, name)
                 for name in ("Context", "Linear", "MSE", "Tanh", "ReLU")},
    variants=(Variant(
        "activation=ReLU", {"activation": derivable.ReLU},
        lambda x, y, w1, b1, w2, b2: mean_squared(torch.relu(x @ w1 + b1) @ w2 + b2, y),
    ),),
    hint=Text("Four forwards, four backwards in reverse order; each backward takes what the one "
              "before it returned first.",
              "Quatre forward, quatre backward dans l'ordre inverse ; chaque backward prend ce que "
              "le précédent a renvoyé en premier."),
    place=Text("section 7; draw the chain x, z, h, yhat, loss with the gradient of each below it",
               "la partie 7 ; dessiner la chaîne x, z, h, yhat, loss avec le gradient de chacun "
               "en dessous"),
    mistakes=(
        Mistake("Linear.backward(ctx1, grad_z)", "Linear.backward(ctx1, grad_h)", "gradient.w1",
                Text("the gradient does not pass through the activation",
                     "le gradient ne passe pas par l'activation")),
        Mistake("activation.backward(ctx_act, grad_h)", "Tanh.backward(ctx_act, grad_h)",
                "variant.activation=ReLU",
                Text("Tanh in the place of activation", "Tanh au lieu de activation")),
        Mistake("w1 - EPS * grad_w1", "w1", "unchanged.w1",
                Text("w1 is not updated", "w1 n'est pas mis à jour")),
        Mistake("w2 - EPS * grad_w2", "w2 + EPS * grad_w2", "sign.w2",
                Text("a step along the gradient for w2",
                     "un pas dans le sens du gradient pour w2")),
    ),
))

# %% [markdown] lang="en"
# Train `tanh` and `relu` with 10 hidden units, 80,000 steps and `EPS = 1e-4`; about a minute each.

# %% [markdown] lang="fr"
# Entraîner `tanh` et `relu` avec 10 neurones cachés, 80 000 pas et `EPS = 1e-4` ; environ une
# minute chacun.

# %% question="tanh_curve"
EPS = 1e-4
input_dim, hidden_dim, output_dim = x.size(1), 10, 1


def small_weights():
    return (
        torch.randn(input_dim, hidden_dim) * 0.01,
        torch.zeros(1, hidden_dim),
        torch.randn(hidden_dim, output_dim) * 0.01,
        torch.zeros(1, output_dim),
    )


# BEGIN SOLUTION
*weights, cost_tanh = train_network(x_train, y_train, *small_weights(), EPOCHS, EPS, Tanh)
w1, b1, w2, b2 = weights
h = Tanh.forward(Context(), Linear.forward(Context(), x_test, w1, b1))
yhat = Linear.forward(Context(), h, w2, b2)
test_tanh = MSE.forward(Context(), yhat, y_test).item()
# END SOLUTION

# %% question="relu_curve"
# BEGIN SOLUTION
*weights, cost_relu = train_network(x_train, y_train, *small_weights(), EPOCHS, EPS, ReLU)
w1, b1, w2, b2 = weights
h = ReLU.forward(Context(), Linear.forward(Context(), x_test, w1, b1))
yhat = Linear.forward(Context(), h, w2, b2)
test_relu = MSE.forward(Context(), yhat, y_test).item()
# END SOLUTION

# %% [sheet]
sheet.add(
    CurveQuestion(
        key="tanh_curve", title=Text("Training of tanh(10)", "Apprentissage de tanh(10)"),
        answers=("cost_tanh", "test_tanh"), points=0.5, model="tanh", rate=1e-4,
        needs=("context", "mse", "linear", "tanh", "train_network"),
    ),
    CurveQuestion(
        key="relu_curve", title=Text("Training of relu(10)", "Apprentissage de relu(10)"),
        answers=("cost_relu", "test_relu"), points=0.5, model="relu", rate=1e-4,
        needs=("context", "mse", "linear", "relu", "train_network"),
    ),
)

# %% [markdown] lang="en"
# ## 8. The comparison
#
# Draw the three curves in one chart, with a logarithmic loss axis, and the three test losses as
# bars. `cost_final` has a list `[name, test loss]` for each model.

# %% [markdown] lang="fr"
# ## 8. La comparaison
#
# Tracer les trois courbes sur une même figure, avec un axe des pertes logarithmique, puis les trois
# pertes de test en barres. `cost_final` contient une liste `[nom, perte de test]` par modèle.

# %% question="bars"
# BEGIN SOLUTION
cost_final = [["linear", test_loss], ["tanh", test_tanh], ["relu", test_relu]]
for history in (cost_history, cost_tanh, cost_relu):
    plt.plot([n for n, _ in history], [loss for _, loss in history])
plt.yscale("log")
plt.legend([name for name, _ in cost_final])
plt.show()
plt.bar([name for name, _ in cost_final], [loss for _, loss in cost_final])
plt.show()
# END SOLUTION

# %% [sheet]
def bars_flaws(draw, cost_final):
    if not isinstance(cost_final, list) or len(cost_final) != 3:
        yield Flaw("not three", Text("expected three entries [name, test loss].",
                                     "attendu trois entrées [nom, perte de test]."))
        return
    losses = [float(row[1]) for row in cost_final]
    if not all(0 < loss < 1e6 for loss in losses):
        yield Flaw("no losses", Text(f"the losses are {losses}, expected positive numbers.",
                                     f"les pertes valent {losses}, attendu des nombres positifs."))


sheet.add(ProgramQuestion(
    key="bars", title=Text("Curves and bars", "Courbes et barres"), answers=("cost_final",),
    points=0.5, flaws=bars_flaws,
    hint=Text("plt.bar(names, losses)", "plt.bar(noms, pertes)"),
))

# %% [markdown] lang="en"
# ## 9. The same steps in a second
#
# `descend` of `derivable` takes the same 80,000 steps from the same weights. The two curves must
# coincide; how long did yours take?

# %% [markdown] lang="fr"
# ## 9. Les mêmes pas en une seconde
#
# `descend` de `derivable` fait les mêmes 80 000 pas à partir des mêmes poids. Les deux courbes
# doivent coïncider ; combien de temps a pris la vôtre ?

# %% [show]
import derivable
from derivable import Layer, Network, descend

if cost_history is not ...:
    network = Network([Layer(derivable.Linear, w=w_start, b=b_start)])
    run = descend(network, derivable.MSE, x_train, y_train, lr=1e-5, steps=EPOCHS)
    mine = torch.tensor([loss for _, loss in cost_history])
    apart = ((mine - run.losses[: len(mine)]).abs() / mine).max()
    print(f"{run.seconds:.2f} s; largest relative difference {apart:.1e}")  # en
    print(f"{run.seconds:.2f} s ; plus grand écart relatif {apart:.1e}")  # fr
    plt.plot(mine, lw=4, alpha=0.4, label="by hand")  # en
    plt.plot(mine, lw=4, alpha=0.4, label="à la main")  # fr
    plt.plot(run.losses, lw=1, label="descend")
    plt.legend()
    plt.show()

# %% [markdown] lang="en"
# ## 10. Ten seeds instead of one number
#
# The sheet's weights are drawn at random, so each training ends elsewhere. Ten of them show how far
# apart: is the difference between tanh and relu larger than that?

# %% [markdown] lang="fr"
# ## 10. Dix graines au lieu d'un nombre
#
# Les poids initiaux sont tirés au hasard : chaque apprentissage finit donc ailleurs. Dix d'entre
# eux montrent l'écart : la différence entre tanh et relu est-elle plus grande ?

# %% [show]
for name, function in (("tanh", derivable.Tanh), ("relu", derivable.ReLU)):
    test_losses = []
    for seed in range(10):
        network = Network.mlp(x.size(1), 10, 1, activation=function, seed=seed)
        run = descend(network, derivable.MSE, x_train, y_train, lr=1e-4, steps=EPOCHS)
        with torch.no_grad():
            test_losses.append(float(((run.network(x_test) - y_test) ** 2).mean()))
    print(f"{name}: {min(test_losses):.3f} – {max(test_losses):.3f}")
