# Lab sheet 6: second order. The format is described in derivable/labs/source.py.

# %% [sheet]
import functools

import torch

from derivable.labs import (
    CallQuestion, Case, Choice, ChoiceQuestion, FunctionQuestion, Mistake, ProgramQuestion, Sheet,
    Text, TrainingQuestion, ValueQuestion,
)
from derivable.labs.questions.gradchecked import gradcheck_flaw
from derivable.labs.questions.value import Known

sheet = Sheet(title=Text("Second order", "Le second ordre"), minutes=(90, 120))
EIGENVALUES = frozenset({  # functions that find them without products
    f"{package}{name}" for package in ("", "linalg_")
    for name in ("eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals", "lobpcg")
})
LOOSE = 1e-6  # for what is computed from differences, or may come as a Python float

# %% [markdown] lang="en"
# # Lab 6: second order
#
# A descent that converges with one learning rate diverges with one that is slightly larger. Where
# is the limit, and can it be computed before one trains? It depends on the second derivatives of
# the loss. There are too many of them to be written down, so this lab works with the product of
# their matrix and a vector, computed in three ways. At the end the same number explains what the
# training of a network does when its learning rate is large.
#
# Each question is a cell with blanks (`...`), followed by a check, which you may call as often as
# you like.
#
# What you need: labs 1 and 2, matrix products, eigenvalues. Time: 90 to 120 minutes.

# %% [markdown] lang="fr"
# # TP 6 : le second ordre
#
# Une descente qui converge avec un certain pas d'apprentissage diverge avec un pas à peine plus
# grand. Où est la limite, et peut-on la calculer avant l'apprentissage ? Elle dépend des dérivées
# secondes de la perte. Celles-ci sont trop nombreuses pour être écrites : ce TP utilise le produit
# de leur matrice par un vecteur, calculé de trois manières. À la fin, le même nombre explique ce
# qui se passe quand on entraîne un réseau avec un grand pas d'apprentissage.
#
# Chaque question est une cellule à trous (`...`), suivie d'une vérification que vous pouvez appeler
# aussi souvent que vous le souhaitez.
#
# Prérequis : TP 1 et 2, produits de matrices, valeurs propres. Durée : 90 à 120 minutes.

# %%
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_diabetes
from torch.autograd import Function, gradgradcheck

diabetes = load_diabetes()
x = torch.tensor(diabetes.data, dtype=torch.float64)
y = torch.tensor(diabetes.target, dtype=torch.float64).view(-1, 1)
x = (x - x.mean(dim=0)) / x.std(dim=0)
y = (y - y.mean()) / y.std()
print(x.shape, y.shape)

# %% [sheet]
@functools.cache
def table():
    from sklearn.datasets import load_diabetes

    x, y = (torch.tensor(v, dtype=torch.float64) for v in load_diabetes(return_X_y=True))
    return (x - x.mean(dim=0)) / x.std(dim=0), ((y - y.mean()) / y.std()).view(-1, 1)


def largest():
    x, _ = table()
    return torch.linalg.eigvalsh(2 / len(x) * x.t() @ x)[-1]


# %% [markdown] lang="en"
# The table has 442 patients, 10 columns, and how their diabetes has progressed after a year;
# columns and target are standardised, so that no bias is needed.
#
# ## 1. Differences of gradients
#
# The **Hessian** of a loss $\ell(\theta)$ with P parameters is the matrix H of shape (P, P) with
# entries $H_{ij} = \frac{\partial^2 \ell}{\partial \theta_i \partial \theta_j}$. It is the
# derivative of the gradient $g(\theta)$, and $Hv$ is the derivative of the gradient along the
# direction $v$:
#
# $$Hv = \frac{d}{dt}\, g(\theta + t v) \Big|_{t=0}$$
#
# Approximate it by a central difference with step `h`. `gradient` is a function from `theta` (P,)
# to a tensor (P,).

# %% [markdown] lang="fr"
# Le tableau contient 442 patients, 10 colonnes et l'évolution de leur diabète après un an ;
# colonnes et cible sont centrées et réduites, de sorte qu'aucun biais n'est nécessaire.
#
# ## 1. Différences de gradients
#
# La **hessienne** d'une perte $\ell(\theta)$ à P paramètres est la matrice H de forme (P, P) de
# termes $H_{ij} = \frac{\partial^2 \ell}{\partial \theta_i \partial \theta_j}$. C'est la dérivée du
# gradient $g(\theta)$, et $Hv$ est la dérivée du gradient dans la direction $v$ :
#
# $$Hv = \frac{d}{dt}\, g(\theta + t v) \Big|_{t=0}$$
#
# L'approcher par une différence centrée de pas `h`. `gradient` est une fonction qui à `theta` (P,)
# associe un tenseur (P,).

# %% question="differences"
def hvp_by_differences(gradient, theta, v, h):
    # BEGIN SOLUTION
    return (gradient(theta + h * v) - gradient(theta - h * v)) / (2 * h)
    # END SOLUTION

# %% [markdown] lang="en"
# ### A question: what it costs
#
# A network has a million parameters. What is true?
#
# - (a) Its Hessian has a million entries, as each parameter has one second derivative.
# - (b) H has $10^{12}$ entries, and therefore Hv takes at least $10^{12}$ operations.
# - (c) H has $10^{12}$ entries, which fill 8 terabytes; Hv needs two gradients and a few vectors of
#   a million numbers.

# %% [markdown] lang="fr"
# ### Une question : le coût
#
# Un réseau a un million de paramètres. Qu'est-ce qui est vrai ?
#
# - (a) Sa hessienne a un million de termes, car chaque paramètre a une dérivée seconde.
# - (b) H a $10^{12}$ termes, donc Hv demande au moins $10^{12}$ opérations.
# - (c) H a $10^{12}$ termes, qui occupent 8 téraoctets ; Hv demande deux gradients et quelques
#   vecteurs d'un million de nombres.

# %% question="cost"
# BEGIN SOLUTION
cost = "c"
# END SOLUTION

# %% [sheet]
def symmetric(draw, p):
    a = draw.normal(p, p)
    return a + a.t()


def quadratic(draw):
    (p,) = draw.sizes(1)
    h = symmetric(draw, p)

    def gradient(theta):
        return h @ theta

    gradient.__name__ = "A @ theta"
    return gradient, draw.normal(p), 3 * draw.normal(p), draw.uniform(0.01, 0.1)


def not_quadratic(draw):
    (p,) = draw.sizes(1)

    def gradient(theta):
        return theta**3 + theta.sum()

    gradient.__name__ = "theta**3 + theta.sum()"
    return gradient, draw.normal(p), 3 * draw.normal(p), draw.uniform(0.01, 0.1)


sheet.add(
    CallQuestion(
        key="differences", title=Text("Hv by differences", "Hv par différences"),
        answers=("hvp_by_differences",), points=1.5,
        reference=lambda g, theta, v, h: (g(theta + h * v) - g(theta - h * v)) / (2 * h),
        cases=(
            Case("quadratic", Text("the gradient of a quadratic loss",
                                   "le gradient d'une perte quadratique"), quadratic, LOOSE),
            Case("cubic", Text("a gradient that is not linear", "un gradient non linéaire"),
                 not_quadratic, LOOSE),
        ),
        hint=Text("The two points are theta + h v and theta - h v: what lies between them is 2h "
                  "times v.",
                  "Les deux points sont theta + h v et theta - h v : leur écart est 2h fois v."),
        place=Text("the central difference of lab 1, for t -> g(theta + t v) at t = 0",
                   "la différence centrée du TP 1, pour t -> g(theta + t v) en t = 0"),
        mistakes=(
            Mistake("/ (2 * h)", "/ h", "quadratic.factor", Text("divided by h", "division par h")),
            Mistake("theta + h * v) - gradient(theta - h * v", "theta + h) - gradient(theta - h",
                    "quadratic.values", Text("v is not used", "v n'est pas utilisé")),
            Mistake("(gradient(theta + h * v) - gradient(theta - h * v)) / (2 * h)",
                    "(gradient(theta + h * v) - gradient(theta)) / h", "cubic.values",
                    Text("a one-sided difference", "une différence décentrée")),
            Mistake(" / (2 * h)", " / (2 * h * v)", "quadratic.values",
                    Text("divided by v as well", "division par v également")),
        ),
    ),
    ChoiceQuestion(
        key="cost", title=Text("The cost of a product", "Le coût d'un produit"),
        answers=("cost",), points=0.5,
        choices={
            "a": Choice(False, Text(
                "Each pair of parameters has one: the entries outside of the diagonal count too.",
                "Chaque paire de paramètres en a une : les termes hors de la diagonale comptent "
                "aussi.")),
            "b": Choice(False, Text(
                "That holds if H is written down first. How often is the gradient evaluated in "
                "your function?",
                "C'est vrai si l'on écrit d'abord H. Combien de fois votre fonction évalue-t-elle "
                "le gradient ?")),
            "c": Choice(True, Text(
                "All that follows uses H through products with vectors only.",
                "Tout ce qui suit n'utilise H que par des produits avec des vecteurs.")),
        },
    ),
)

# %% [markdown] lang="en"
# ## 2. By hand, for a linear regression
#
# With $\ell(w) = \frac1N \|xw - y\|^2$, weights $w$ of shape (D, 1) and $v$ of the same shape, the
# gradient is $\frac2N x^\top (xw - y)$. Differentiate it along $v$. Write the product without
# computing a matrix (D, D): in which order must the factors be multiplied?

# %% [markdown] lang="fr"
# ## 2. À la main, pour une régression linéaire
#
# Pour $\ell(w) = \frac1N \|xw - y\|^2$, des poids $w$ de forme (D, 1) et $v$ de même forme, le
# gradient est $\frac2N x^\top (xw - y)$. Le dériver dans la direction $v$. Écrire le produit sans
# calculer de matrice (D, D) : dans quel ordre faut-il multiplier les facteurs ?

# %% question="linear"
def hvp_linear(x, v):
    # BEGIN SOLUTION
    return 2 / len(x) * x.t() @ (x @ v)
    # END SOLUTION

# %% [sheet]
def batch_and_direction(draw):
    n, d = draw.sizes(2)
    return draw.normal(n, d), draw.normal(d, 1)


sheet.add(CallQuestion(
    key="linear", title=Text("Hv of a linear regression", "Hv d'une régression linéaire"),
    answers=("hvp_linear",), points=1.5,
    reference=lambda x, v: 2 / len(x) * x.t() @ (x @ v),
    unbuilt=lambda x, v: (len(v), len(v)),
    cases=(Case("table", Text("a table", "un tableau"), batch_and_direction),),
    hint=Text("Replace w by w + t v in the gradient: what is multiplied by t?",
              "Remplacer w par w + t v dans le gradient : qu'est-ce qui est multiplié par t ?"),
    place=Text("the gradient in section 2, and the definition of Hv in section 1",
               "le gradient de la partie 2, et la définition de Hv dans la partie 1"),
    mistakes=(
        Mistake("(x @ v)", "(x @ v - 1)", "table.values",
                Text("a constant of the gradient remains", "une constante du gradient reste")),
        Mistake("2 / len(x) * ", "2 * ", "table.factor",
                Text("the factor 1/N is missing", "le facteur 1/N manque")),
        Mistake("2 / len(x) * ", "1 / len(x) * ", "table.factor",
                Text("the factor 2 is missing", "le facteur 2 manque")),
        Mistake("x.t() @ (x @ v)", "(x @ v)", "table.shape",
                Text("x.t() is missing", "x.t() manque")),
        Mistake("x.t() @ (x @ v)", "x.t() @ x @ v", "table.built",
                Text("the matrix (D, D) is computed first",
                     "la matrice (D, D) est calculée d'abord")),
    ),
))

# %% [markdown] lang="en"
# ## 3. Differentiate the gradient
#
# `torch.autograd.grad(output, theta)` returns a tuple with the gradient of a number `output`. With
# `create_graph=True` the gradient can itself be differentiated. As $v$ does not depend on $\theta$,
# $Hv$ is the gradient of the number $g(\theta) \cdot v$. Write it for any `loss`, a function from
# `theta` (P,) to a number.

# %% [markdown] lang="fr"
# ## 3. Dériver le gradient
#
# `torch.autograd.grad(output, theta)` renvoie un tuple qui contient le gradient d'un nombre
# `output`. Avec `create_graph=True`, le gradient peut être dérivé à son tour. Comme $v$ ne dépend
# pas de $\theta$, $Hv$ est le gradient du nombre $g(\theta) \cdot v$. L'écrire pour une `loss`
# quelconque, une fonction qui à `theta` (P,) associe un nombre.

# %% question="double"
def hvp_autograd(loss, theta, v):
    theta = theta.detach().requires_grad_()
    # BEGIN SOLUTION
    (gradient,) = torch.autograd.grad(loss(theta), theta, create_graph=True)
    (product,) = torch.autograd.grad((gradient * v).sum(), theta)
    return product
    # END SOLUTION

# %% [markdown] lang="en"
# Here is the loss of a network with 10 hidden units on the table, as a function of all its 121
# parameters. Both ways must agree.

# %% [markdown] lang="fr"
# Voici la perte d'un réseau à 10 neurones cachés sur le tableau, comme fonction de ses
# 121 paramètres. Les deux manières doivent donner la même chose.

# %%
def network_loss(theta):
    w1, b1 = theta[:100].view(10, 10), theta[100:110]
    w2, b2 = theta[110:120].view(10, 1), theta[120:]
    yhat = torch.tanh(x @ w1 + b1) @ w2 + b2
    return ((yhat - y) ** 2).mean()


def network_gradient(theta):
    theta = theta.detach().requires_grad_()
    return torch.autograd.grad(network_loss(theta), theta)[0]


# %% [show]
theta, v = torch.randn(2, 121, dtype=torch.float64)
exact = hvp_autograd(network_loss, theta, v)
if exact is not None and hvp_by_differences(network_gradient, theta, v, 1e-4) is not None:
    apart = (exact - hvp_by_differences(network_gradient, theta, v, 1e-4)).abs().max()
    print(f"largest difference {apart:.1e}, largest entry {exact.abs().max():.1e}")  # en
    print(f"plus grand écart {apart:.1e}, plus grand terme {exact.abs().max():.1e}")  # fr

# %% [sheet]
def polynomial(draw):
    p = draw.sizes(1)[0]
    a = symmetric(draw, p)

    def loss(theta):
        return theta @ a @ theta + (theta**3).sum()

    return loss, draw.normal(p), 2 * draw.normal(p)


def one_unit(draw):
    n, p = draw.sizes(2)
    x, y = draw.normal(n, p), draw.normal(n)

    def loss(theta):
        return ((torch.tanh(x @ theta) - y) ** 2).mean()

    return loss, draw.normal(p), 2 * draw.normal(p)


sheet.add(CallQuestion(
    key="double", title=Text("Hv by autograd", "Hv par autograd"), answers=("hvp_autograd",),
    forbidden=frozenset({"hvp", "vhp", "hessian"}), autograd=True,
    points=2.5, reference=lambda loss, theta, v: torch.autograd.functional.hvp(loss, theta, v)[1],
    cases=(
        Case("polynomial", Text("a polynomial loss", "une perte polynomiale"), polynomial),
        Case("unit", Text("the loss of one unit with tanh", "la perte d'un neurone avec tanh"),
             one_unit),
    ),
    hint=Text("Two calls of torch.autograd.grad: of loss(theta) with create_graph=True, then of "
              "the sum of gradient * v.",
              "Deux appels de torch.autograd.grad : pour loss(theta) avec create_graph=True, puis "
              "pour la somme de gradient * v."),
    place=Text("section 3; torch.autograd.grad returns a tuple: (gradient,) = ...",
               "la partie 3 ; torch.autograd.grad renvoie un tuple : (gradient,) = ..."),
    mistakes=(
        Mistake(", create_graph=True", "", "polynomial.RuntimeError",
                Text("create_graph is missing", "create_graph manque")),
        Mistake("(gradient * v).sum()", "gradient * v", "polynomial.RuntimeError",
                Text("v is not summed over", "il manque la somme")),
        Mistake("(gradient * v).sum()", "gradient.sum()", "polynomial.values",
                Text("v is not used", "v n'est pas utilisé")),
        Mistake("return product", "return gradient * v", "polynomial.values",
                Text("the gradient times v", "le gradient fois v")),
    ),
))

# %% [markdown] lang="en"
# ## 4. A backward that can be differentiated
#
# How does autograd differentiate a `backward`? The `backward` of `Tanh` is itself a function, of
# two inputs: $x$ and the gradient that arrives, here called $g$. Its output is
#
# $$g \cdot (1 - \tanh^2 x) \qquad \text{for each entry.}$$
#
# If this function is a `Function` with a `backward` of its own, `Tanh` can be differentiated twice.
# Write it. Its `backward` returns a gradient for `x` and one for `g`.

# %% [markdown] lang="fr"
# ## 4. Un backward que l'on peut dériver
#
# Comment autograd dérive-t-il un `backward` ? Celui de `Tanh` est lui-même une fonction, de deux
# entrées : $x$ et le gradient qui arrive, ici noté $g$. Sa sortie est
#
# $$g \cdot (1 - \tanh^2 x) \qquad \text{terme à terme.}$$
#
# Si cette fonction est une `Function` avec son propre `backward`, `Tanh` peut être dérivée deux
# fois. L'écrire. Son `backward` renvoie un gradient pour `x` et un pour `g`.

# %% question="tanh_grad"
class TanhGrad(Function):
    @staticmethod
    def forward(ctx, x, g):
        # BEGIN SOLUTION
        ctx.save_for_backward(x, g)
        return g * (1 - torch.tanh(x) ** 2)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        x, g = ctx.saved_tensors
        t = torch.tanh(x)
        grad_x = grad_output * g * -2 * t * (1 - t**2)
        grad_g = grad_output * (1 - t**2)
        return grad_x, grad_g
        # END SOLUTION

# %% [sheet]
def two_alike(draw):
    shape = draw.sizes(2)
    return draw.away_from_zero(*shape), draw.away_from_zero(*shape)


sheet.add(FunctionQuestion(
    key="tanh_grad", title=Text("The backward of tanh", "Le backward de tanh"),
    answers=("TanhGrad",), points=3,
    reference=lambda x, g: g * (1 - torch.tanh(x) ** 2), inputs=two_alike,
    hint=Text("With respect to g the output is linear. With respect to x, differentiate 1 - t² "
              "with "
              "t = tanh(x) by the chain rule.",
              "Par rapport à g, la sortie est linéaire. Par rapport à x, dériver 1 - t², où "
              "t = tanh(x), par dérivation en chaîne."),
    place=Text("the formula of section 4, and the derivative of tanh from lab 2",
               "la formule de la partie 4, et la dérivée de tanh du TP 2"),
    mistakes=(
        Mistake("-2 * t * (1 - t**2)", "-2 * t", "backward.x",
                Text("the inner derivative of tanh² is missing",
                     "la dérivée intérieure de tanh² manque")),
        Mistake("g * -2 * t", "g * 2 * t", "backward.x.sign", Text("the sign", "le signe")),
        Mistake("grad_output * g * -2", "grad_output * -2", "backward.x",
                Text("g is missing in grad_x", "g manque dans grad_x")),
        Mistake("grad_g = grad_output * (1 - t**2)", "grad_g = grad_output * g * (1 - t**2)",
                "backward.g", Text("g is still in grad_g", "g reste dans grad_g")),
        Mistake("return grad_x, grad_g", "return grad_x", "backward",
                Text("one gradient for two inputs", "un seul gradient pour deux entrées")),
    ),
))

# %% [markdown] lang="en"
# `Tanh` with this backward is given. `gradgradcheck(function, inputs)` checks second derivatives as
# `gradcheck` does the first ones, with inputs in float64 that require a gradient. Write a function
# that calls it on `tanh` with an `x` of shape (5, 3), and returns what it returns.

# %% [markdown] lang="fr"
# `Tanh` avec ce backward est donnée. `gradgradcheck(fonction, entrées)` vérifie les dérivées
# secondes comme `gradcheck` les premières, pour des entrées en float64 qui demandent un gradient.
# Écrire une fonction qui l'appelle sur `tanh` avec un `x` de forme (5, 3), et renvoie ce qu'il
# renvoie.

# %% question="twice"
class Tanh(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return TanhGrad.apply(x, grad_output)


tanh = Tanh.apply


def check_twice():
    # BEGIN SOLUTION
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    return gradgradcheck(tanh, x)
    # END SOLUTION

# %% [markdown] lang="en"
# ### A question
#
# Another `Tanh` computes its slope in `forward`, `ctx.slope = 1 - torch.tanh(x) ** 2`, and its
# `backward` returns `grad_output * ctx.slope`. Its gradient is right. With this `Tanh` in the
# network of section 3, what does `hvp_autograd` return?
#
# - (a) The right product, since the gradient is right.
# - (b) A wrong product without an error message: for autograd the slope is a constant.
# - (c) Nothing: there is an error, because `ctx.slope` is not a saved tensor.

# %% [markdown] lang="fr"
# ### Une question
#
# Une autre `Tanh` calcule sa pente dans `forward`, `ctx.slope = 1 - torch.tanh(x) ** 2`, et son
# `backward` renvoie `grad_output * ctx.slope`. Son gradient est juste. Avec cette `Tanh` dans le
# réseau de la partie 3, que renvoie `hvp_autograd` ?
#
# - (a) Le bon produit, puisque le gradient est juste.
# - (b) Un produit faux, sans message d'erreur : pour autograd, la pente est une constante.
# - (c) Rien : il y a une erreur, car `ctx.slope` n'est pas un tenseur sauvegardé.

# %% question="slope"
# BEGIN SOLUTION
saved_slope = "b"
# END SOLUTION

# %% [sheet]
def twice_flaws(draw, check_twice):
    flaw = gradcheck_flaw("check_twice", check_twice, "TanhGrad", check="gradgradcheck")
    if flaw is not None:
        yield flaw


sheet.add(
    ProgramQuestion(
        key="twice", title=Text("gradgradcheck", "gradgradcheck"), answers=("check_twice",),
        points=0.5, flaws=twice_flaws,
        hint=Text("torch.randn(5, 3, dtype=torch.float64, requires_grad=True) makes the input.",
                  "torch.randn(5, 3, dtype=torch.float64, requires_grad=True) crée l'entrée."),
        place=Text("gradcheck in lab 2", "gradcheck dans le TP 2"),
        mistakes=(
            Mistake("return gradgradcheck(tanh, x)", "return True", "check_twice not called",
                    Text("gradgradcheck is not called", "gradgradcheck n'est pas appelé")),
            Mistake("return gradgradcheck", "gradgradcheck", "check_twice not true",
                    Text("the result is not returned", "le résultat n'est pas renvoyé")),
        ),
    ),
    ChoiceQuestion(
        key="slope", title=Text("A slope that was saved", "Une pente sauvegardée"),
        answers=("saved_slope",), points=0.5,
        choices={
            "a": Choice(False, Text(
                "The values of the gradient are right. Its dependence on x is what counts here: "
                "forward of a Function runs without recording.",
                "Les valeurs du gradient sont justes. C'est sa dépendance en x qui compte ici : "
                "le forward d'une Function s'exécute sans enregistrement.")),
            "b": Choice(True, Text(
                "gradcheck returns True and gradgradcheck finds it. Save x, and compute the slope "
                "from it in backward.",
                "gradcheck renvoie True, et gradgradcheck le détecte. Sauvegarder x, et en "
                "calculer la pente dans backward.")),
            "c": Choice(False, Text(
                "An attribute of ctx may hold anything; PyTorch ignores it.",
                "Un attribut de ctx peut contenir n'importe quoi ; PyTorch l'ignore.")),
        },
    ),
)

# %% [markdown] lang="en"
# ## 5. Curvature along a direction
#
# Along a line, $\ell(\theta + t v)$ is a function of the number $t$, and its second derivative at
# $t = 0$ is $v^\top H v$. For directions of any length one divides by the squared length:
#
# $$\frac{v^\top H v}{v^\top v}$$
#
# For an eigenvector of H this is its eigenvalue; for all other directions it lies between the
# smallest and the largest eigenvalue. Write `curvature(hvp, v)`, where `hvp` is a function from $v$
# to $Hv$, both of the same shape, (P,) or (D, 1).

# %% [markdown] lang="fr"
# ## 5. La courbure dans une direction
#
# Le long d'une droite, $\ell(\theta + t v)$ est une fonction du nombre $t$, de dérivée seconde
# $v^\top H v$ en $t = 0$. Pour une direction de longueur quelconque, on divise par le carré de sa
# longueur :
#
# $$\frac{v^\top H v}{v^\top v}$$
#
# Pour un vecteur propre de H, c'est sa valeur propre ; pour toute autre direction, c'est un nombre
# compris entre la plus petite et la plus grande valeur propre. Écrire `curvature(hvp, v)`, où `hvp`
# est la fonction qui à $v$ associe $Hv$, tous deux de même forme, (P,) ou (D, 1).

# %% question="curvature"
def curvature(hvp, v):
    # BEGIN SOLUTION
    return (v * hvp(v)).sum() / (v * v).sum()
    # END SOLUTION

# %% [show]
u, v = torch.randn(2, 10, 1, dtype=torch.float64)
if hvp_linear(x, v) is not None and curvature(lambda v: v, v) is not None:
    print("symmetry:", (u * hvp_linear(x, v)).sum(), (v * hvp_linear(x, u)).sum())  # en
    print("symétrie :", (u * hvp_linear(x, v)).sum(), (v * hvp_linear(x, u)).sum())  # fr
    directions = torch.randn(300, 10, 1, dtype=torch.float64)
    drawn = [curvature(lambda v: hvp_linear(x, v), v) for v in directions]
    print(f"300 random directions: {min(drawn):.2f} to {max(drawn):.2f}")  # en
    print(f"300 directions aléatoires : {min(drawn):.2f} à {max(drawn):.2f}")  # fr

# %% [markdown] lang="en"
# ### A question
#
# For the linear regression, $v^\top H v = \frac2N \|xv\|^2$, which is never negative. What follows?
#
# - (a) Wherever the gradient is zero, the loss has its smallest value.
# - (b) Gradient descent converges with every learning rate.
# - (c) The loss is smallest for a single $w$, whatever the table.

# %% [markdown] lang="fr"
# ### Une question
#
# Pour la régression linéaire, $v^\top H v = \frac2N \|xv\|^2$, qui n'est jamais négatif. Qu'en
# déduit-on ?
#
# - (a) Partout où le gradient est nul, la perte atteint sa plus petite valeur.
# - (b) La descente de gradient converge avec n'importe quel pas d'apprentissage.
# - (c) La perte est minimale pour un seul $w$, quel que soit le tableau.

# %% question="convex"
# BEGIN SOLUTION
convex = "a"
# END SOLUTION

# %% [sheet]
def direction_and_product(*shape):
    def inputs(draw):
        p = draw.sizes(1)[0]
        h, v = symmetric(draw, p), 2 * draw.normal(p, *shape)

        def hvp(v):
            return h @ v

        hvp.__name__ = "H @ v"
        return hvp, v

    return inputs


def right_curvature(hvp, v):
    return (v * hvp(v)).sum() / (v * v).sum()


sheet.add(
    CallQuestion(
        key="curvature", title=Text("Curvature along a direction", "Courbure dans une direction"),
        answers=("curvature",), points=1, reference=right_curvature,
        cases=(
            Case("flat", Text("v of shape (P,)", "v de forme (P,)"),
                 direction_and_product(), LOOSE),
            Case("column", Text("v of shape (D, 1)", "v de forme (D, 1)"),
                 direction_and_product(1), LOOSE),
        ),
        hint=Text("(a * b).sum() is the scalar product for any shape.",
                  "(a * b).sum() est le produit scalaire, quelle que soit la forme."),
        place=Text("the quotient in section 5", "le quotient de la partie 5"),
        mistakes=(
            Mistake(" / (v * v).sum()", "", "flat.values",
                    Text("not divided by the squared length",
                         "pas de division par le carré de la longueur")),
            Mistake("(v * v).sum()", "v.norm()", "flat.values",
                    Text("divided by the length", "division par la longueur")),
            Mistake("(v * hvp(v)).sum()", "(hvp(v) * hvp(v)).sum() ** 0.5", "flat.values",
                    Text("the length of Hv in the place of v·Hv",
                         "la longueur de Hv au lieu de v·Hv")),
        ),
    ),
    ChoiceQuestion(
        key="convex", title=Text("Never negative", "Jamais négatif"),
        answers=("convex",), points=0.5,
        choices={
            "a": Choice(True, Text(
                "Such a loss is convex: on every line through that point it has slope 0 there and "
                "does not bend downwards.",
                "Une telle perte est convexe : sur toute droite passant par ce point, sa pente y "
                "est nulle et elle ne se courbe jamais vers le bas.")),
            "b": Choice(False, Text(
                "Think of one parameter, the loss w², and a step of length 10 times the gradient.",
                "Penser à un seul paramètre, à la perte w², et à un pas de 10 fois le gradient.")),
            "c": Choice(False, Text(
                "If two columns of the table are equal, there is v with xv = 0: the loss is "
                "constant along v.",
                "Si deux colonnes du tableau sont égales, il existe v tel que xv = 0 : la perte "
                "est constante le long de v.")),
        },
    ),
)

# %% [markdown] lang="en"
# ## 6. The largest eigenvalue, from products alone
#
# Random directions do not reach the largest curvature. Write $v$ as a sum of eigenvectors of H:
# each product with H multiplies the part along an eigenvector by its eigenvalue, so after many
# products the part whose eigenvalue has the largest absolute value dominates. This is the **power
# method**:
#
# - `steps` times: replace $v$ by $Hv$, then divide it by its length, so that numbers do not
#   overflow;
# - then return the curvature along $v$, which has the sign of the eigenvalue.

# %% [markdown] lang="fr"
# ## 6. La plus grande valeur propre, par des produits seulement
#
# Des directions aléatoires n'atteignent pas la plus grande courbure. Écrivons $v$ comme une somme
# de vecteurs propres de H : chaque produit par H multiplie la composante sur un vecteur propre par
# sa valeur propre. Après de nombreux produits, la composante dont la valeur propre est la plus
# grande en valeur absolue domine. C'est la **méthode de la puissance** :
#
# - répéter `steps` fois : remplacer $v$ par $Hv$, puis le diviser par sa longueur, pour éviter tout
#   dépassement ;
# - renvoyer ensuite la courbure dans la direction $v$, qui a le signe de la valeur propre.

# %% question="power"
def power_method(hvp, v, steps):
    # BEGIN SOLUTION
    for _ in range(steps):
        v = hvp(v)
        v = v / v.norm()
    return curvature(hvp, v)
    # END SOLUTION

# %% [sheet]
def right_power(hvp, v, steps):
    for _ in range(steps):
        v = hvp(v)
        v = v / v.norm()
    return right_curvature(hvp, v)


def dominated(sign, steps):
    """H with one eigenvalue of this sign that is larger than the others in absolute value."""

    def inputs(draw):
        p = draw.sizes(1)[0] + 2
        top = draw.uniform(200, 900)
        rest = top * (0.85 - 1.7 * torch.rand(p - 1, generator=draw.generator).double())
        basis = torch.linalg.qr(draw.normal(p, p))[0]
        values = torch.cat([torch.tensor([sign * top], dtype=torch.float64), rest])
        h = basis @ torch.diag(values) @ basis.t()

        def hvp(v):
            return h @ v

        hvp.__name__ = "H @ v"
        return hvp, draw.normal(p), steps

    return inputs


sheet.add(CallQuestion(
    key="power", title=Text("The power method", "La méthode de la puissance"),
    answers=("power_method",), points=2.5,
    reference=right_power, forbidden=EIGENVALUES,
    cases=(
        Case("positive", Text("a matrix with a large positive eigenvalue",
                              "une matrice avec une grande valeur propre positive"),
             dominated(1, 150), LOOSE),
        Case("negative", Text("a matrix with a large negative eigenvalue",
                              "une matrice avec une grande valeur propre négative"),
             dominated(-1, 150), LOOSE),
        Case("few", Text("a small number of steps, far from the eigenvalue",
                         "un petit nombre de pas, loin de la valeur propre"),
             dominated(1, 2), LOOSE),
    ),
    hint=Text("v.norm() is the length of v. Each turn of the loop begins from the v of the one "
              "before.",
              "v.norm() est la longueur de v. Chaque tour de boucle part du v du tour précédent."),
    place=Text("the two points of section 6", "les deux points de la partie 6"),
    mistakes=(
        Mistake("        v = v / v.norm()\n", "", "positive.overflow",
                Text("v is not divided by its length", "v n'est pas divisé par sa longueur")),
        Mistake("return curvature(hvp, v)", "return hvp(v).norm()", "negative.values",
                Text("the sign is lost", "le signe est perdu")),
        Mistake("range(steps)", "range(3)", "positive.values",
                Text("too few products", "trop peu de produits")),
        Mistake("range(steps)", "range(200)", "few.values",
                Text("steps is not used", "steps n'est pas utilisé")),
        Mistake("    for _ in range(steps):\n        v = hvp(v)\n        v = v / v.norm()\n",
                "    u = v\n    for _ in range(steps):\n        v = hvp(u) / hvp(u).norm()\n",
                "positive.values", Text("the same product again and again",
                                        "toujours le même produit")),
        Mistake("return curvature(hvp, v)", "return v", "positive.shape",
                Text("the vector in the place of the value", "le vecteur au lieu de la valeur")),
    ),
))

# %% [markdown] lang="en"
# Compute `lambda_max`, the largest eigenvalue of the Hessian of the linear regression on the table,
# with `hvp_linear` and 100 steps from `start`.

# %% [markdown] lang="fr"
# Calculer `lambda_max`, la plus grande valeur propre de la hessienne de la régression linéaire sur
# le tableau, avec `hvp_linear` et 100 pas à partir de `start`.

# %% question="lambda_max"
start = torch.randn(10, 1, dtype=torch.float64)
# BEGIN SOLUTION
lambda_max = power_method(lambda v: hvp_linear(x, v), start, 100)
# END SOLUTION

# %% [sheet]
sheet.add(ValueQuestion(
    key="lambda_max", title=Text("lambda_max of the table", "lambda_max du tableau"),
    answers=("lambda_max",), points=0.5, value=largest,
    known=(
        Known("half", lambda: largest() / 2, Text(
            "That is the largest eigenvalue of x.t() @ x / N: the loss is a mean of squares, and "
            "the derivative of a square has a factor 2.",
            "C'est la plus grande valeur propre de x.t() @ x / N : la perte est une moyenne de "
            "carrés, et la dérivée d'un carré a un facteur 2.")),
        Known("sum", lambda: largest() * len(table()[0]), Text(
            "That is N times as much: the loss is a mean over the rows.",
            "C'est N fois plus : la perte est une moyenne sur les lignes.")),
    ),
    hint=Text("power_method takes a function of v alone: lambda v: hvp_linear(x, v).",
              "power_method prend une fonction de v seul : lambda v: hvp_linear(x, v)."),
    place=Text("section 6; v has the shape of the weights, (10, 1)",
               "la partie 6 ; v a la forme des poids, (10, 1)"),
    mistakes=(
        Mistake("hvp_linear(x, v), start", "hvp_linear(x, v) / 2, start", "half",
                Text("without the factor 2", "sans le facteur 2")),
        Mistake("hvp_linear(x, v), start", "2 * x.t() @ x @ v, start", "sum",
                Text("a sum over the rows", "une somme sur les lignes")),
        Mistake("start, 100", "start, 0", "values", Text("no step", "aucun pas")),
    ),
))

# %% [markdown] lang="en"
# ## 7. The limit of the learning rate
#
# For a quadratic loss with minimum $w^*$, the gradient is $H(w - w^*)$, and a step of gradient
# descent gives
#
# $$w_{t+1} - w^* = (I - \text{EPS}\, H)\,(w_t - w^*)$$
#
# If $w_t - w^*$ is an eigenvector of H with eigenvalue $\lambda$, the loss above its minimum is
# $\ell(w_t) - \ell(w^*) = \frac{\lambda}{2} \|w_t - w^*\|^2$. By which factor does a step multiply
# it? Write it as a function of EPS and $\lambda$.

# %% [markdown] lang="fr"
# ## 7. La limite du pas d'apprentissage
#
# Pour une perte quadratique de minimum $w^*$, le gradient est $H(w - w^*)$, et un pas de la
# descente de gradient donne
#
# $$w_{t+1} - w^* = (I - \text{EPS}\, H)\,(w_t - w^*)$$
#
# Si $w_t - w^*$ est un vecteur propre de H de valeur propre $\lambda$, l'écart de la perte à son
# minimum vaut $\ell(w_t) - \ell(w^*) = \frac{\lambda}{2} \|w_t - w^*\|^2$. Par quel facteur un pas
# le multiplie-t-il ? L'écrire comme fonction de EPS et de $\lambda$.

# %% question="factor"
def loss_factor(EPS, eigenvalue):
    # BEGIN SOLUTION
    return (1 - EPS * eigenvalue) ** 2
    # END SOLUTION

# %% [markdown] lang="en"
# The descent converges from every start if this factor is below 1 for each eigenvalue. For which
# learning rates is that so? `limit` is the smallest EPS with which the descent on the table does
# not converge any more.

# %% [markdown] lang="fr"
# La descente converge quel que soit le point de départ si ce facteur est inférieur à 1 pour chaque
# valeur propre. Pour quels pas d'apprentissage est-ce le cas ? `limit` est le plus petit EPS avec
# lequel la descente sur le tableau ne converge plus.

# %% question="limit"
# BEGIN SOLUTION
limit = 2 / lambda_max
# END SOLUTION

# %% [markdown] lang="en"
# Now measure it. Write the loop without autograd: the loss before each step into `cost_history`, as
# a number; then a step of length EPS against the gradient of section 2.

# %% [markdown] lang="fr"
# Il reste à le mesurer. Écrire la boucle sans autograd : la perte avant chaque pas dans
# `cost_history`, sous forme de nombre ; puis un pas de longueur EPS contre le gradient de la partie
# 2.

# %% question="train"
def train(x, y, w, EPOCHS, EPS):
    cost_history = []
    for _ in range(EPOCHS):
        # BEGIN SOLUTION
        error = x @ w - y
        cost_history.append((error**2).mean().item())
        w = w - EPS * 2 / len(x) * x.t() @ error
        # END SOLUTION
    return w, cost_history

# %% [show]
if limit is not ... and len(train(x, y, torch.zeros(10, 1, dtype=x.dtype), 1, 0.1)[1]):
    best = torch.linalg.lstsq(x, y).solution
    top = torch.linalg.eigh(x.t() @ x).eigenvectors[:, -1:]
    part = float(lambda_max / 2 * (top * best).sum() ** 2)
    for share, colour in ((0.97, "tab:green"), (1.0, "tab:orange"), (1.03, "tab:red")):
        EPS = float(share * limit)
        w, losses = train(x, y, torch.zeros(10, 1, dtype=x.dtype), 120, EPS)
        above = torch.tensor(losses) - ((x @ best - y) ** 2).mean()
        plt.semilogy(above, color=colour, label=f"EPS = {share} limit")  # en
        plt.semilogy(above, color=colour, label=f"EPS = {share} limite")  # fr
        factor = float(loss_factor(EPS, lambda_max))
        plt.semilogy([part * factor**t for t in range(120)], "k:")
    plt.xlabel("step")  # en
    plt.xlabel("pas")  # fr
    plt.ylabel("loss above its minimum")  # en
    plt.ylabel("écart de la perte à son minimum")  # fr
    plt.legend()
    plt.show()

# %% [markdown] lang="en"
# The dotted lines are the part along the eigenvector of $\lambda_{max}$, as `loss_factor` predicts
# it. Below the limit, what remains at the end are the directions with small eigenvalues, which
# converge slowly.
#
# ### A question
#
# EPS lies between $1 / \lambda_{max}$ and $2 / \lambda_{max}$. What does the part of $w_t - w^*$
# along the eigenvector of $\lambda_{max}$ do?
#
# - (a) It changes its sign with each step and becomes smaller.
# - (b) It keeps its sign and becomes smaller.
# - (c) It grows, but more slowly than the other parts fall.

# %% [markdown] lang="fr"
# Les pointillés sont la composante sur le vecteur propre de $\lambda_{max}$, telle que la prévoit
# `loss_factor`. Sous la limite, il reste à la fin les directions de petites valeurs propres, qui
# convergent lentement.
#
# ### Une question
#
# EPS est compris entre $1 / \lambda_{max}$ et $2 / \lambda_{max}$. Que fait la composante de
# $w_t - w^*$ sur le vecteur propre de $\lambda_{max}$ ?
#
# - (a) Elle change de signe à chaque pas et diminue.
# - (b) Elle garde son signe et diminue.
# - (c) Elle augmente, mais moins vite que les autres composantes ne diminuent.

# %% question="between"
# BEGIN SOLUTION
between = "a"
# END SOLUTION

# %% [markdown] lang="en"
# When a descent diverges, `descend` of `derivable` computes the same number, from a dozen products:

# %% [markdown] lang="fr"
# Quand une descente diverge, `descend` de `derivable` calcule le même nombre, à partir d'une
# douzaine de produits (le message est en anglais) :

# %% [show]
import derivable
from derivable import Layer, Network, descend
from derivable.errors import DivergedError

if limit is not ...:
    w, b = torch.zeros(10, 1, dtype=x.dtype), torch.zeros(1, 1, dtype=x.dtype)
    network = Network([Layer(derivable.Linear, w=w, b=b)])
    try:
        descend(network, derivable.MSE, x, y, lr=0.3, steps=2000, objective="by hand")
    except DivergedError as error:
        print(error)

# %% [sheet]
def table_and_weights(draw):
    n, d = 20 + draw.integer(1, 9), draw.sizes(1)[0]
    return draw.normal(n, d), draw.normal(n, 1), (draw.normal(d, 1),)


def rate_and_eigenvalue(low, high):
    def inputs(draw):
        eigenvalue = draw.uniform(0.5, 20)
        return draw.uniform(low, high) / eigenvalue, eigenvalue

    return inputs


sheet.add(
    CallQuestion(
        key="factor", title=Text("The factor of a step", "Le facteur d'un pas"),
        answers=("loss_factor",), points=1,
        reference=lambda eps, eigenvalue: (1 - eps * eigenvalue) ** 2,
        cases=(
            Case("small", Text("a small learning rate", "un petit pas d'apprentissage"),
                 rate_and_eigenvalue(0.1, 0.8), LOOSE),
            Case("large", Text("a large learning rate", "un grand pas d'apprentissage"),
                 rate_and_eigenvalue(1.2, 3), LOOSE),
        ),
        hint=Text("(I - EPS H) v = (1 - EPS λ) v for an eigenvector. The loss is a square.",
                  "(I - EPS H) v = (1 - EPS λ) v pour un vecteur propre. La perte est un carré."),
        place=Text("the two formulas of section 7", "les deux formules de la partie 7"),
        mistakes=(
            Mistake(" ** 2", "", "small.values", Text("not squared", "sans le carré")),
            Mistake("1 - EPS * eigenvalue", "1 - EPS", "small.values",
                    Text("the eigenvalue is missing", "la valeur propre manque")),
            Mistake("(1 - EPS * eigenvalue) ** 2", "(1 - 2 * EPS * eigenvalue)", "small.values",
                    Text("the square is cut after its first terms",
                         "le carré est tronqué après ses premiers termes")),
        ),
    ),
    ValueQuestion(
        key="limit", title=Text("The limit", "La limite"), answers=("limit",), points=0.5,
        value=lambda: 2 / largest(),
        known=(
            Known("one", lambda: 1 / largest(), Text(
                "At 1 / lambda_max the factor is 0: that direction converges in one step. Where is "
                "it 1 again?",
                "En 1 / lambda_max, le facteur est nul : cette direction converge en un pas. Où "
                "vaut-il de nouveau 1 ?")),
        ),
        hint=Text("Draw the factor against EPS for a fixed eigenvalue: a parabola. Which "
                  "eigenvalue comes to 1 first?",
                  "Tracer le facteur en fonction de EPS pour une valeur propre fixée : une "
                  "parabole. Quelle valeur propre atteint 1 la première ?"),
        place=Text("solve loss_factor(EPS, lambda_max) = 1 for EPS > 0",
                   "résoudre loss_factor(EPS, lambda_max) = 1 pour EPS > 0"),
        mistakes=(
            Mistake("2 / lambda_max", "1 / lambda_max", "one",
                    Text("half of the limit", "la moitié de la limite")),
            Mistake("2 / lambda_max", "lambda_max / 2", "values", Text("inverted", "inversé")),
        ),
    ),
    TrainingQuestion(
        key="train", title=Text("The loop", "La boucle"), answers=("train",), points=1.5,
        loss=lambda x, y, w: ((x @ w - y) ** 2).mean(), start=table_and_weights, parameters=("w",),
        hint=Text("error = x @ w - y serves for the loss and for the gradient.",
                  "error = x @ w - y sert pour la perte et pour le gradient."),
        place=Text("the gradient in section 2", "le gradient de la partie 2"),
        mistakes=(
            Mistake("w - EPS * 2", "w + EPS * 2", "sign.w",
                    Text("a step along the gradient", "un pas dans le sens du gradient")),
            Mistake("EPS * 2 / len(x)", "EPS * 2", "normalisation.w",
                    Text("the gradient of a sum", "le gradient d'une somme")),
            Mistake("EPS * 2 / len(x)", "limit * 2 / len(x)", "factor.w",
                    Text("another learning rate than the one given",
                         "un autre pas d'apprentissage que celui donné")),
        ),
    ),
    ChoiceQuestion(
        key="between", title=Text("Between 1/λ and 2/λ", "Entre 1/λ et 2/λ"),
        answers=("between",), points=0.5,
        choices={
            "a": Choice(True, Text(
                "1 - EPS λ lies between -1 and 0.", "1 - EPS λ est compris entre -1 et 0.")),
            "b": Choice(False, Text(
                "That is so below 1 / lambda_max. Which sign has 1 - EPS λ here?",
                "C'est le cas sous 1 / lambda_max. Quel est ici le signe de 1 - EPS λ ?")),
            "c": Choice(False, Text(
                "Its size is multiplied by |1 - EPS λ|, which is below 1 here.",
                "Sa taille est multipliée par |1 - EPS λ|, inférieur à 1 ici.")),
        },
    ),
)

# %% [markdown] lang="en"
# ## 8. A network: the Hessian changes on the way
#
# The loss of a network is not quadratic, so its Hessian is another one after each step. Its largest
# eigenvalue at `theta`, here also the largest in absolute value, is called **sharpness**. Write it
# with your `power_method` and `hvp_autograd`; `v` is the start of the power method.

# %% [markdown] lang="fr"
# ## 8. Un réseau : la hessienne change en chemin
#
# La perte d'un réseau n'est pas quadratique : sa hessienne est différente après chaque pas. Sa plus
# grande valeur propre en `theta`, ici aussi la plus grande en valeur absolue, s'appelle *sharpness*
# en anglais. L'écrire avec vos fonctions `power_method` et `hvp_autograd` ; `v` est le vecteur
# initial de la méthode de la puissance.

# %% question="sharpness"
def sharpness(loss, theta, v, steps):
    # BEGIN SOLUTION
    return power_method(lambda v: hvp_autograd(loss, theta, v), v, steps)
    # END SOLUTION

# %% [markdown] lang="en"
# Now the network of section 3 is trained with three learning rates, for 2000 steps each, and the
# sharpness is computed every 80 steps. The dashed lines stand at 2 / EPS. Before you run the cell,
# write down what you expect when a curve reaches its line.

# %% [markdown] lang="fr"
# Le réseau de la partie 3 est maintenant entraîné avec trois pas d'apprentissage, 2000 pas chacun,
# et la plus grande valeur propre est calculée tous les 80 pas. Les tirets sont placés à 2 / EPS.
# Avant d'exécuter la cellule, noter ce que vous attendez lorsqu'une courbe atteint sa ligne.

# %% [show]
torch.manual_seed(0)
start, v = torch.randn(2, 121, dtype=torch.float64)
if sharpness(network_loss, start, v, 1) is not None:
    fig, (above, below) = plt.subplots(2, sharex=True, figsize=(7, 7))
    for EPS, colour in ((0.1, "tab:blue"), (0.2, "tab:orange"), (0.3, "tab:red")):
        theta, losses, sharp = 0.3 * start, [], []
        for _ in range(25):
            sharp.append(float(sharpness(network_loss, theta, v, 20)))
            for _ in range(80):
                theta = theta.detach().requires_grad_()
                loss = network_loss(theta)
                losses.append(loss.item())
                theta = theta - EPS * torch.autograd.grad(loss, theta)[0]
        above.plot(range(0, 2000, 80), sharp, ".-", color=colour, label=f"EPS = {EPS}")
        above.axhline(2 / EPS, color=colour, ls="--")
        below.semilogy(losses, color=colour, lw=1)
    above.set_ylabel("largest eigenvalue")  # en
    above.set_ylabel("plus grande valeur propre")  # fr
    below.set_ylabel("loss")  # en
    below.set_ylabel("perte")  # fr
    below.set_xlabel("step")  # en
    below.set_xlabel("pas")  # fr
    above.legend()
    plt.show()

# %% [markdown] lang="en"
# With EPS = 0.2 and 0.3 the largest eigenvalue rises to 2 / EPS and stays there, while the loss
# goes on falling, not at every step. This is called the *edge of stability* (Cohen et al., 2021).
#
# ### A last question
#
# What explains the chart best?
#
# - (a) The power method cannot find eigenvalues above 2 / EPS.
# - (b) The largest eigenvalue at the end is a property of the table; it does not depend on EPS.
# - (c) Above 2 / EPS the steps oscillate along the eigenvector with growing size. As the loss is
#   not quadratic, they reach places where the largest eigenvalue is smaller, and the oscillation
#   stops.

# %% [markdown] lang="fr"
# Avec EPS = 0.2 et 0.3, la plus grande valeur propre croît jusqu'à 2 / EPS et y reste, tandis que
# la perte continue de baisser, mais pas à chaque pas. On parle de *bord de stabilité* (edge of
# stability, Cohen et al., 2021).
#
# ### Une dernière question
#
# Qu'est-ce qui explique le mieux la figure ?
#
# - (a) La méthode de la puissance ne peut pas trouver de valeurs propres supérieures à 2 / EPS.
# - (b) La plus grande valeur propre à la fin est une propriété du tableau ; elle ne dépend pas de
#   EPS.
# - (c) Au-dessus de 2 / EPS, les pas oscillent le long du vecteur propre, de plus en plus fort.
#   Comme la perte n'est pas quadratique, ils atteignent des points où la plus grande valeur propre
#   est plus petite, et l'oscillation cesse.

# %% question="edge"
# BEGIN SOLUTION
edge = "c"
# END SOLUTION

# %% [sheet]
def bent_loss(draw):
    p = draw.sizes(1)[0] + 2
    values = torch.cat([torch.tensor([20.0]), 8 * torch.rand(p - 1, generator=draw.generator)])
    basis = torch.linalg.qr(draw.normal(p, p))[0]
    a = basis @ torch.diag(values.double()) @ basis.t()

    def loss(theta):
        return theta @ a @ theta / 2 + (theta**3).sum() / 6

    return loss, draw.normal(p).clamp(-2, 2), draw.normal(p), 100


def two_steps(draw):
    return *bent_loss(draw)[:3], 2


def right_sharpness(loss, theta, v, steps):
    hessian = torch.autograd.functional.hessian(loss, theta)
    return right_power(lambda v: hessian @ v, v, steps)


sheet.add(
    CallQuestion(
        key="sharpness", title=Text("Sharpness", "Plus grande valeur propre"),
        answers=("sharpness",), points=1.5, reference=right_sharpness,
        forbidden=EIGENVALUES, autograd=True,
        cases=(
            Case("loss", Text("a loss", "une perte"), bent_loss, LOOSE),
            Case("few", Text("two steps", "deux pas"), two_steps, LOOSE),
        ),
        hint=Text("power_method wants a function of v alone; loss and theta stay fixed.",
                  "power_method attend une fonction de v seul ; loss et theta restent fixes."),
        place=Text("the cell of lambda_max, with another product",
                   "la cellule de lambda_max, avec un autre produit"),
        mistakes=(
            Mistake("v), v, steps", "v), theta, 1", "loss.values",
                    Text("one step only", "un seul pas")),
            Mistake("hvp_autograd(loss, theta, v)", "hvp_autograd(loss, v, v)", "loss.",
                    Text("the Hessian at v in the place of theta", "la hessienne en v et non en "
                         "theta")),
            Mistake("lambda v: hvp_autograd(loss, theta, v), v", "hvp_autograd(loss, theta, v), v",
                    "loss.TypeError", Text("a product in the place of a function",
                                           "un produit au lieu d'une fonction")),
        ),
    ),
    ChoiceQuestion(
        key="edge", title=Text("The edge of stability", "Le bord de stabilité"),
        answers=("edge",), points=0.5,
        choices={
            "a": Choice(False, Text(
                "EPS does not enter it. With EPS = 0.1 it finds values above 10.",
                "EPS n'y intervient pas. Avec EPS = 0.1, elle trouve des valeurs supérieures à "
                "10.")),
            "b": Choice(False, Text(
                "The same network from the same start ends at 2 / EPS for each of two EPS.",
                "Le même réseau, du même départ, finit à 2 / EPS pour chacun des deux EPS.")),
            "c": Choice(True, Text(
                "The minimum that is found depends on the learning rate: with a large one, a "
                "descent can only stay where lambda_max is below 2 / EPS.",
                "Le minimum trouvé dépend donc du pas d'apprentissage : avec un grand pas, une "
                "descente ne peut rester que là où lambda_max est inférieur à 2 / EPS.")),
        },
    ),
)
