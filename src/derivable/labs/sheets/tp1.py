# Lab sheet 1: derivatives and differences. The format is described in derivable/labs/source.py.

# %% [sheet]
import torch

from derivable.labs import (
    CallQuestion, Case, Choice, ChoiceQuestion, Mistake, ProgramQuestion, Sheet, Text,
    ValueQuestion,
)
from derivable.labs.typography import number
from derivable.labs.questions.program import Flaw
from derivable.labs.questions.value import Known

sheet = Sheet(
    title=Text("Derivatives by hand and by differences",
               "Dérivées à la main et par différences finies"),
    minutes=(80, 110),
)
LOOSE = 1e-6  # for numbers that may come as Python floats

# %% [markdown] lang="en"
# # Lab 1: derivatives by hand and by differences
#
# Training a model requires derivatives. They can be computed by hand, where mistakes are easily
# made, or approximated by differences of values of the function, which needs no formula. This lab
# answers three questions:
#
# - How precise is a finite difference, and which step $h$ is best?
# - What does the gradient of a function of many variables cost?
# - Is there a way to get all digits right?
#
# Each question is a cell with blanks (`...`), followed by a check. A check takes a second, draws
# new numbers each time, and reports what is wrong. You may call it as often as you like.
#
# Prerequisites: derivatives, Taylor's formula, Python. Time: 80 to 110 minutes.

# %% [markdown] lang="fr"
# # TP 1 : dérivées à la main et par différences finies
#
# L'apprentissage d'un modèle demande des dérivées. On peut les calculer à la main, au risque de se
# tromper, ou les approcher par des différences de valeurs de la fonction, ce qui ne demande aucune
# formule. Ce TP répond à trois questions :
#
# - Quelle est la précision d'une différence finie, et quel pas $h$ faut-il choisir ?
# - Combien coûte le gradient d'une fonction de plusieurs variables ?
# - Peut-on obtenir tous les chiffres justes ?
#
# Chaque question est une cellule à trous (`...`), suivie d'une vérification. Celle-ci prend une
# seconde, tire à chaque fois de nouveaux nombres, et indique ce qui est faux. Vous pouvez l'appeler
# aussi souvent que vous le souhaitez.
#
# Prérequis : dérivées, formule de Taylor, Python. Durée : 80 à 110 minutes.

# %%
import math
import time

import matplotlib.pyplot as plt
import torch

print("PyTorch", torch.__version__)

# %% [markdown] lang="en"
# ## 1. Tensors and derivatives by hand
#
# A tensor is an array of numbers of one type. Operations and functions such as `torch.exp`,
# `torch.log` and `torch.sin` act on each entry. In this lab numbers are `float64` (about 16
# digits); PyTorch's default is `float32` (about 7 digits), and section 4 shows the difference.

# %% [markdown] lang="fr"
# ## 1. Tenseurs et dérivées à la main
#
# Un tenseur est un tableau de nombres d'un même type. Les opérations et les fonctions comme
# `torch.exp`, `torch.log` et `torch.sin` agissent terme à terme. Dans ce TP les nombres sont en
# `float64` (environ 16 chiffres) ; par défaut, PyTorch utilise `float32` (environ 7 chiffres), et
# la partie 4 montre la différence.

# %%
x = torch.tensor([-1.0, 0.5, 2.0], dtype=torch.float64)
print(x.shape, x.dtype)
print(2 * x**2 + torch.exp(x))  # for each entry  # en
print(2 * x**2 + torch.exp(x))  # terme à terme  # fr
print(x[1], x[1].item())  # a tensor without dimensions, then the Python number  # en
print(x[1], x[1].item())  # un tenseur sans dimension, puis le nombre Python  # fr

# %% [markdown] lang="en"
# Four functions are given:
#
# $$x^3 - 4x^2 + 2, \qquad \frac{x}{1 + x^2}, \qquad e^{-x^2/2}, \qquad \log(1 + e^x)$$
#
# Differentiate them on paper, and write the derivatives as functions of a tensor `x` of any shape.

# %% [markdown] lang="fr"
# Quatre fonctions sont données :
#
# $$x^3 - 4x^2 + 2, \qquad \frac{x}{1 + x^2}, \qquad e^{-x^2/2}, \qquad \log(1 + e^x)$$
#
# Les dériver sur papier, puis écrire les dérivées comme fonctions d'un tenseur `x` de forme
# quelconque.

# %%
def cubic(x):
    return x**3 - 4 * x**2 + 2


def ratio(x):
    return x / (1 + x**2)


def gaussian(x):
    return torch.exp(-(x**2) / 2)


def softplus(x):
    return torch.log(1 + torch.exp(x))


# %% question="cubic"
def d_cubic(x):
    # BEGIN SOLUTION
    return 3 * x**2 - 8 * x
    # END SOLUTION

# %% question="ratio"
def d_ratio(x):
    # BEGIN SOLUTION
    return (1 - x**2) / (1 + x**2) ** 2
    # END SOLUTION

# %% question="gaussian"
def d_gaussian(x):
    # BEGIN SOLUTION
    return -x * torch.exp(-(x**2) / 2)
    # END SOLUTION

# %% [markdown] lang="en"
# For the last one, `d_softplus` must also be right at x = 1000 and at x = -1000, although
# `torch.exp` returns `inf` for 1000: which of the equivalent forms of the derivative still gives a
# number there?

# %% [markdown] lang="fr"
# Pour la dernière, `d_softplus` doit aussi être juste en x = 1000 et en x = -1000, bien que
# `torch.exp` renvoie `inf` pour 1000 : parmi les formes équivalentes de la dérivée, laquelle donne
# encore un nombre ?

# %% question="softplus"
def d_softplus(x):
    # BEGIN SOLUTION
    return 1 / (1 + torch.exp(-x))
    # END SOLUTION

# %% [sheet]
A_VECTOR = Text("a vector", "un vecteur")


def some_points(draw):
    return (draw.normal(draw.sizes(1)[0]) * 1.5,)


def far_points(draw):
    signs = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
    return (signs * (800 + 200 * draw.positive(3)),)


def by_hand(key, reference, points, hint, place, mistakes, *more):
    sheet.add(CallQuestion(
        key=key,
        title=Text(f"Derivative of {key}", f"Dérivée de {key}"),
        answers=(f"d_{key}",),
        points=points,
        reference=reference,
        cases=(Case("points", A_VECTOR, some_points), *more),
        hint=hint,
        place=place,
        mistakes=mistakes,
    ))


by_hand(
    "cubic", lambda x: 3 * x**2 - 8 * x, 0.5,
    Text("The derivative of x^n is n x^(n-1), and that of a constant is 0.",
         "La dérivée de x^n est n x^(n-1), et celle d'une constante est 0."),
    Text("the derivative of a polynomial, term by term",
         "la dérivée d'un polynôme, terme par terme"),
    (
        Mistake("3 * x**2 - 8 * x", "3 * x**2 - 8 * x + 2", "points.values",
                Text("the constant is not removed", "la constante n'est pas supprimée")),
        Mistake("3 * x**2 - 8 * x", "3 * x**2 - 4 * x", "points.values",
                Text("the factor 2 of the square is missing", "le facteur 2 du carré manque")),
    ),
)
by_hand(
    "ratio", lambda x: (1 - x**2) / (1 + x**2) ** 2, 1,
    Text("The derivative of u/v has v² as denominator, and a difference of two products as "
         "numerator.",
         "La dérivée de u/v a v² au dénominateur, et une différence de deux produits au "
         "numérateur."),
    Text("the quotient rule, with u = x and v = 1 + x²",
         "la dérivée d'un quotient, avec u = x et v = 1 + x²"),
    (
        Mistake("(1 + x**2) ** 2", "(1 + x**2)", "points.values",
                Text("v is not squared", "v n'est pas au carré")),
        Mistake("(1 - x**2)", "(x**2 - 1)", "points.sign", Text("uv' - u'v", "uv' - u'v")),
        Mistake("(1 - x**2) / (1 + x**2) ** 2", "1 / (2 * x)", "points.values",
                Text("u' over v'", "u' sur v'")),
    ),
)
by_hand(
    "gaussian", lambda x: -x * torch.exp(-(x**2) / 2), 1,
    Text("The derivative of exp(u) is u' exp(u).", "La dérivée de exp(u) est u' exp(u)."),
    Text("the chain rule, with u = -x²/2", "la dérivation en chaîne, avec u = -x²/2"),
    (
        Mistake("-x * ", "", "points.values",
                Text("the inner derivative is missing", "la dérivée intérieure manque")),
        Mistake("-x * ", "x * ", "points.sign", Text("the sign of u'", "le signe de u'")),
        Mistake("-x * ", "-2 * x * ", "points.factor",
                Text("the factor 1/2 of u is forgotten", "le facteur 1/2 de u est oublié")),
    ),
)
by_hand(
    "softplus", torch.sigmoid, 1.5,
    Text("Divide numerator and denominator by exp(x): what remains is finite for x = 1000 and for "
         "x = -1000.",
         "Diviser numérateur et dénominateur par exp(x) : ce qui reste est fini pour x = 1000 et "
         "pour x = -1000."),
    Text("the chain rule, with log(u) and u = 1 + exp(x)",
         "la dérivation en chaîne, avec log(u) et u = 1 + exp(x)"),
    (
        Mistake("1 / (1 + torch.exp(-x))", "torch.exp(x) / (1 + torch.exp(x))", "large.overflow",
                Text("right on paper, inf / inf for large x",
                     "juste sur papier, inf / inf pour x grand")),
        Mistake("1 / (1 + torch.exp(-x))", "1 / (1 + torch.exp(x))", "points.values",
                Text("the inner derivative is missing", "la dérivée intérieure manque")),
    ),
    Case("large", Text("large numbers of both signs", "de grands nombres des deux signes"),
         far_points),
)

# %% [markdown] lang="en"
# ## 2. Two differences
#
# The definition of a derivative suggests the **one-sided difference**; the **central difference**
# evaluates f on both sides of x:
#
# $$D^+_h f(x) = \frac{f(x + h) - f(x)}{h} \qquad\qquad
# D_h f(x) = \frac{f(x + h) - f(x - h)}{2h}$$
#
# Write both. `f` is a Python function that acts on each entry, `x` a tensor, `h` a number.

# %% [markdown] lang="fr"
# ## 2. Deux différences
#
# La définition de la dérivée suggère la **différence décentrée** ; la **différence centrée** évalue
# f de chaque côté de x :
#
# $$D^+_h f(x) = \frac{f(x + h) - f(x)}{h} \qquad\qquad
# D_h f(x) = \frac{f(x + h) - f(x - h)}{2h}$$
#
# Écrire les deux. `f` est une fonction Python qui agit terme à terme, `x` un tenseur, `h` un
# nombre.

# %% question="forward"
def forward_difference(f, x, h):
    # BEGIN SOLUTION
    return (f(x + h) - f(x)) / h
    # END SOLUTION

# %% question="central"
def central_difference(f, x, h):
    # BEGIN SOLUTION
    return (f(x + h) - f(x - h)) / (2 * h)
    # END SOLUTION

# %% [sheet]
def forward_difference(f, x, h):
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def drawn_function(draw):
    a, b = round(draw.uniform(0.5, 2), 2), round(draw.uniform(0.5, 1.5), 2)

    def f(x):
        return a * torch.sin(x) + torch.exp(b * x)

    f.__name__ = f"{a} sin(x) + exp({b} x)"
    return f


def at_a_number(draw):
    return drawn_function(draw), draw.normal() + 0.5, draw.uniform(0.05, 0.3)


def at_points(draw):
    return drawn_function(draw), *some_points(draw), draw.uniform(0.05, 0.3)


DIFFERENCES = (
    Case("vector", A_VECTOR, at_points), Case("number", Text("a number", "un nombre"), at_a_number),
)
FORMULA = Text("the two formulas above this cell", "les deux formules au-dessus de cette cellule")
sheet.add(
    CallQuestion(
        key="forward", title=Text("One-sided difference", "Différence décentrée"),
        answers=("forward_difference",), points=0.5,
        reference=forward_difference, cases=DIFFERENCES,
        hint=Text("f(x + h) calls the function f; check the brackets.",
                  "f(x + h) appelle la fonction reçue ; attention aux parenthèses."),
        place=FORMULA,
        mistakes=(
            Mistake("(f(x + h) - f(x)) / h", "f(x + h) - f(x) / h", "vector.values",
                    Text("brackets are missing in the numerator",
                         "parenthèses oubliées au numérateur")),
            Mistake("(f(x + h) - f(x)) / h", "(f(x) - f(x + h)) / h", "vector.sign",
                    Text("the terms of the difference are exchanged",
                         "les termes de la différence sont échangés")),
            Mistake("(f(x + h) - f(x)) / h", "f(x + h) - f(x)", "vector.factor",
                    Text("not divided by h", "pas de division par h")),
        ),
    ),
    CallQuestion(
        key="central", title=Text("Central difference", "Différence centrée"),
        answers=("central_difference",), points=1, reference=central_difference, cases=DIFFERENCES,
        hint=Text("How far are the two points apart at which f is evaluated?",
                  "Quelle est la distance entre les deux points où f est évaluée ?"),
        place=FORMULA,
        mistakes=(
            Mistake("/ (2 * h)", "/ h", "vector.factor", Text("divided by h", "division par h")),
            Mistake("/ (2 * h)", "/ 2 * h", "vector.factor",
                    Text("brackets are missing in the denominator",
                         "parenthèses oubliées au dénominateur")),
            Mistake("f(x - h)", "f(x)", "vector.values",
                    Text("f(x) in the place of f(x - h)", "f(x) au lieu de f(x - h)")),
        ),
    ),
)

# %% [markdown] lang="en"
# Your four derivatives can now be compared with central differences of the functions. In this way
# a derivative can be checked without knowing the right one.

# %% [markdown] lang="fr"
# Vous pouvez maintenant comparer vos quatre dérivées aux différences centrées des fonctions. C'est
# ainsi que l'on vérifie une dérivée sans connaître la bonne.

# %% [show]
points = torch.linspace(-2, 2, 9, dtype=torch.float64)
pairs = [(cubic, d_cubic), (ratio, d_ratio), (gaussian, d_gaussian), (softplus, d_softplus)]
for f, df in pairs:
    if df(points) is not None and central_difference(f, points, 1e-5) is not None:
        apart = (df(points) - central_difference(f, points, 1e-5)).abs().max()
        print(f"{f.__name__:10} largest difference {apart:.1e}")  # en
        print(f"{f.__name__:10} plus grand écart {apart:.1e}")  # fr

# %% [markdown] lang="en"
# ## 3. The error against h
#
# Write `errors(difference, f, df, x, hs)`: for each number `h` of the list `hs`, the absolute error
# $|\text{difference}(f, x, h) - \text{df}(x)|$. `difference` is one of your two functions, `df` the
# exact derivative, and `x` a tensor without dimensions. The result has one entry for each `h`, in
# their order.

# %% [markdown] lang="fr"
# ## 3. L'erreur en fonction de h
#
# Écrire `errors(difference, f, df, x, hs)` : pour chaque nombre `h` de la liste `hs`, l'erreur
# absolue $|\text{difference}(f, x, h) - \text{df}(x)|$. `difference` est l'une de vos deux
# fonctions, `df` la dérivée exacte, et `x` un tenseur sans dimension. Le résultat contient un terme
# par `h`, dans le même ordre.

# %% question="errors"
def errors(difference, f, df, x, hs):
    # BEGIN SOLUTION
    return torch.stack([(difference(f, x, h) - df(x)).abs() for h in hs])
    # END SOLUTION

# %% [sheet]
def right_errors(difference, f, df, x, hs):
    return torch.stack([(difference(f, x, h) - df(x)).abs() for h in hs])


def minus_sin(x):
    return -torch.sin(x)


def error_inputs(difference):
    def inputs(draw):
        hs = [round(draw.uniform(0.05, 0.5), 3) for _ in range(draw.integer(3, 6))]
        return difference, torch.cos, minus_sin, draw.normal().clamp(-1, 1), hs

    return inputs


sheet.add(CallQuestion(
    key="errors", title=Text("Errors of a difference", "Erreurs d'une différence finie"),
    answers=("errors",), points=2, reference=right_errors,
    cases=(
        Case("forward", Text("the one-sided difference of cos", "la différence décentrée de cos"),
             error_inputs(forward_difference), LOOSE),
        Case("central", Text("the central difference of cos", "la différence centrée de cos"),
             error_inputs(central_difference), LOOSE),
    ),
    hint=Text("A list of one tensor for each h becomes one tensor by torch.stack.",
              "torch.stack transforme une liste contenant un tenseur par h en un seul tenseur."),
    place=Text("section 3, the paragraph above this cell",
               "la partie 3, le paragraphe au-dessus de cette cellule"),
    mistakes=(
        Mistake(".abs()", "", "forward.sign", Text("the sign is kept", "le signe est gardé")),
        Mistake("difference(f, x, h)", "central_difference(f, x, h)", "forward.values",
                Text("always the same difference", "toujours la même différence")),
        Mistake("- df(x)).abs()", "- df(x)).abs() / h", "forward.values",
                Text("divided by h once more", "divisé encore une fois par h")),
        Mistake("torch.stack([", "sum([", "forward.shape",
                Text("the sum of the errors", "la somme des erreurs")),
    ),
))

# %% [show]
x = torch.tensor(1.0, dtype=torch.float64)
hs = [10 ** (-k / 4) for k in range(69)]
if errors(forward_difference, torch.sin, torch.cos, x, hs) is not None:
    plt.loglog(hs, errors(forward_difference, torch.sin, torch.cos, x, hs), label="one-sided")  # en
    plt.loglog(hs, errors(central_difference, torch.sin, torch.cos, x, hs), label="central")  # en
    plt.loglog(hs, errors(forward_difference, torch.sin, torch.cos, x, hs), label="décentrée")  # fr
    plt.loglog(hs, errors(central_difference, torch.sin, torch.cos, x, hs), label="centrée")  # fr
    plt.xlabel("h")
    plt.ylabel("error for sin at 1")  # en
    plt.ylabel("erreur pour sin en 1")  # fr
    plt.legend()
    plt.show()

# %% [markdown] lang="en"
# The curves have the shape of a V. From right to left, the error first decreases along a straight
# line, then it increases irregularly. On the straight part it is about $C h^p$. The
# **order** $p$ is the slope in logarithmic axes, $\log(e_1 / e_2) / \log(h_1 / h_2)$ for the errors
# $e_1$ and $e_2$ at two steps:

# %% [markdown] lang="fr"
# Les courbes ont la forme d'un V. De droite à gauche, l'erreur commence par décroître le long d'une
# droite, puis elle augmente irrégulièrement. Sur la partie droite, elle vaut environ $C h^p$.
# L'**ordre** $p$ est la pente en axes logarithmiques, $\log(e_1 / e_2) / \log(h_1 / h_2)$ pour les
# erreurs $e_1$ et $e_2$ de deux pas :

# %% [show]
if errors(forward_difference, torch.sin, torch.cos, x, hs) is not None:
    for difference in (forward_difference, central_difference):
        e1, e2 = errors(difference, torch.sin, torch.cos, x, [1e-1, 1e-3])
        print(difference.__name__, math.log(e1 / e2) / math.log(1e-1 / 1e-3))

# %% [markdown] lang="en"
# ### A question: where the order comes from
#
# Taylor's formula: $f(x \pm h) = f(x) \pm h f'(x) + \frac{h^2}{2} f''(x) \pm \frac{h^3}{6} f'''(x)
# + \dots$ Why is the central difference of order 2?
#
# - (a) It evaluates f at twice as many points, which doubles the order.
# - (b) The terms in $h^2$ are the same in both values, and cancel in the subtraction.
# - (c) It divides by 2h, which is the square of the denominator of the one-sided difference.

# %% [markdown] lang="fr"
# ### Une question : d'où vient l'ordre
#
# Formule de Taylor : $f(x \pm h) = f(x) \pm h f'(x) + \frac{h^2}{2} f''(x) \pm \frac{h^3}{6}
# f'''(x) + \dots$ Pourquoi la différence centrée est-elle d'ordre 2 ?
#
# - (a) Elle évalue f en deux fois plus de points, ce qui double l'ordre.
# - (b) Les termes en $h^2$ sont les mêmes dans les deux valeurs, et s'annulent dans la
#   soustraction.
# - (c) Elle divise par 2h, qui est le carré du dénominateur de la différence décentrée.

# %% question="why_two"
# BEGIN SOLUTION
why_two = "b"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="why_two", title=Text("Why order 2", "Pourquoi l'ordre 2"),
    answers=("why_two",), points=0.5, choices={
        "a": Choice(False, Text(
            "Both differences evaluate f twice.", "Les deux différences évaluent f deux fois.")),
        "b": Choice(True, Text(
            "What remains is h²/6 f'''(x): a step ten times smaller gives two more digits.",
            "Il reste h²/6 f'''(x) : un pas dix fois plus petit donne deux chiffres de plus.")),
        "c": Choice(False, Text(
            "2h is twice h and not its square, and the order is that of what remains of Taylor's "
            "formula after the division.",
            "2h est le double de h et non son carré ; l'ordre est celui de ce qui reste de la "
            "formule de Taylor après la division.")),
    },
))

# %% [markdown] lang="en"
# ## 4. Rounding, and the best h
#
# A computer keeps a fixed number of digits. The **machine epsilon** of a type of numbers is the
# smallest power of two $\varepsilon$ such that $1 + \varepsilon > 1$ when it is computed in this
# type.
#
# Write `machine_epsilon(dtype)`: begin with $\varepsilon = 1$, and halve it as long as its half
# still satisfies this condition. All numbers must be of this type: `torch.ones((), dtype=dtype)` is
# the number 1 in it.

# %% [markdown] lang="fr"
# ## 4. L'arrondi, et le meilleur h
#
# Un ordinateur garde un nombre fixe de chiffres. L'**epsilon machine** d'un type de nombres est la
# plus petite puissance de deux $\varepsilon$ telle que $1 + \varepsilon > 1$ lorsque le calcul est
# fait dans ce type.
#
# Écrire `machine_epsilon(dtype)` : partir de $\varepsilon = 1$, et le diviser par deux tant que sa
# moitié vérifie encore cette condition. Tous les nombres doivent être de ce type :
# `torch.ones((), dtype=dtype)` est le nombre 1 dans ce type.

# %% question="epsilon"
def machine_epsilon(dtype):
    # BEGIN SOLUTION
    one = torch.ones((), dtype=dtype)
    eps = torch.ones((), dtype=dtype)
    while one + eps / 2 > one:
        eps = eps / 2
    return eps
    # END SOLUTION

# %% [show]
for dtype in (torch.float64, torch.float32, torch.float16):
    print(dtype, machine_epsilon(dtype))

# %% [sheet]
sheet.add(CallQuestion(
    key="epsilon", title=Text("Machine epsilon", "Epsilon machine"),
    answers=("machine_epsilon",), points=1.5, reference=lambda dtype: torch.finfo(dtype).eps,
    cases=tuple(
        Case(str(dtype)[6:], Text("one type of numbers", "un type de nombres"),
             lambda draw, dtype=dtype: (dtype,))
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    ),
    hint=Text("The condition of the loop is about eps / 2, and 1 is a tensor of the type dtype.",
              "La condition de la boucle porte sur eps / 2, et 1 est un tenseur du type dtype."),
    place=Text("section 4, the paragraph above this cell",
               "la partie 4, le paragraphe au-dessus de cette cellule"),
    mistakes=(
        Mistake("while one + eps / 2 > one", "while one + eps > one", "float64.values",
                Text("one halving too many", "une division par deux de trop")),
        Mistake("    one = torch.ones((), dtype=dtype)\n    eps = torch.ones((), dtype=dtype)\n",
                "    one = eps = 1.0\n", "float32.values",
                Text("in Python's numbers, which are always float64",
                     "avec les nombres de Python, toujours en float64")),
        Mistake("while one + eps / 2 > one", "while eps / 2 > 0", "float64.values",
                Text("the smallest positive number instead",
                     "le plus petit nombre positif au lieu de l'epsilon")),
    ),
))

# %% [markdown] lang="en"
# ### A question: a step that is too small
#
# In `float32`, what is `forward_difference(torch.sin, x, 1e-8)` at x = 1? The right value is
# cos(1) = 0.5403...
#
# - (a) 0.5403 to seven digits, as 1e-8 is a very small step.
# - (b) A number with an error of about 1e-8.
# - (c) Exactly 0.

# %% [markdown] lang="fr"
# ### Une question : un pas trop petit
#
# En `float32`, que vaut `forward_difference(torch.sin, x, 1e-8)` en x = 1 ? La bonne valeur est
# cos(1) = 0,5403...
#
# - (a) 0,5403 avec sept chiffres justes, car 1e-8 est un très petit pas.
# - (b) Un nombre avec une erreur d'environ 1e-8.
# - (c) Exactement 0.

# %% question="too_small"
# BEGIN SOLUTION
too_small = "c"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="too_small", title=Text("A step that is too small", "Un pas trop petit"),
    answers=("too_small",), points=0.5, choices={
        "a": Choice(False, Text(
            "Compare 1e-8 with the machine epsilon of float32: what is 1 + 1e-8?",
            "Comparer 1e-8 à l'epsilon machine de float32 : que vaut 1 + 1e-8 ?")),
        "b": Choice(False, Text(
            "That would be the error of Taylor's formula alone. Which number is x + h, once it is "
            "rounded to float32?",
            "Ce serait l'erreur de la seule formule de Taylor. Quel nombre est x + h, une fois "
            "arrondi en float32 ?")),
        "c": Choice(True, Text(
            "1 + 1e-8 is rounded to 1, so f(x + h) and f(x) are the same number.",
            "1 + 1e-8 est arrondi à 1 : f(x + h) et f(x) sont donc le même nombre.")),
    },
))

# %% [markdown] lang="en"
# Each value of f is known up to about $\varepsilon |f(x)|$, and the difference divides this error
# by h. Together with the first remaining term of Taylor's formula, the errors are at most about
#
# $$E^+(h) = \frac{h}{2} |f''(x)| + \frac{2 \varepsilon |f(x)|}{h} \qquad\qquad
# E(h) = \frac{h^2}{6} |f'''(x)| + \frac{\varepsilon |f(x)|}{h}$$
#
# for the one-sided and the central difference. When h decreases, the first term (truncation)
# decreases and the second (rounding) increases. Find on paper the h at which each sum is smallest;
# `best_h` returns both, in this order. Its arguments are the numbers $f(x)$, $f''(x)$, $f'''(x)$,
# which may be negative, and $\varepsilon$.

# %% [markdown] lang="fr"
# Chaque valeur de f est connue à environ $\varepsilon |f(x)|$ près, une erreur que la différence
# divise par h. Avec le premier terme qui reste de la formule de Taylor, les erreurs sont au plus de
# l'ordre de
#
# $$E^+(h) = \frac{h}{2} |f''(x)| + \frac{2 \varepsilon |f(x)|}{h} \qquad\qquad
# E(h) = \frac{h^2}{6} |f'''(x)| + \frac{\varepsilon |f(x)|}{h}$$
#
# pour la différence décentrée et la différence centrée. Quand h diminue, le premier terme
# (troncature) décroît et le second (arrondi) croît. Chercher sur papier le h qui rend chaque somme
# minimale ; `best_h` renvoie les deux, dans cet ordre. Ses arguments sont les nombres $f(x)$,
# $f''(x)$, $f'''(x)$, qui peuvent être négatifs, et $\varepsilon$.

# %% question="best_h"
def best_h(value, second, third, eps):
    # BEGIN SOLUTION
    h_forward = 2 * (eps * abs(value) / abs(second)) ** (1 / 2)
    h_central = (3 * eps * abs(value) / abs(third)) ** (1 / 3)
    return h_forward, h_central
    # END SOLUTION

# %% [sheet]
def right_best_h(value, second, third, eps):
    first = 2 * (eps * abs(value / second)) ** 0.5
    return torch.tensor([first, (3 * eps * abs(value / third)) ** (1 / 3)],
                        dtype=torch.float64).unbind()


def of_sign(sign):
    def inputs(draw):
        value, second, third = (draw.uniform(0.2, 3) for _ in range(3))
        return sign * value, second, sign * third, 10 ** draw.uniform(-16, -5)

    return inputs


sheet.add(CallQuestion(
    key="best_h", title=Text("The best h", "Le meilleur h"), answers=("best_h",), points=2,
    reference=right_best_h, returns=("h_forward", "h_central"),
    cases=(
        Case("positive", Text("positive numbers", "des nombres positifs"), of_sign(1), LOOSE),
        Case("negative", Text("numbers of both signs", "des nombres des deux signes"),
             of_sign(-1), LOOSE),
    ),
    hint=Text("At its smallest value the derivative of E with respect to h is 0. The one-sided "
              "difference gives a square root, the central one a cube root.",
              "Au minimum, la dérivée de E par rapport à h est nulle. La différence décentrée "
              "donne une racine carrée, la centrée une racine cubique."),
    place=Text("the formulas of the two errors above this cell; differentiate them with respect "
               "to h",
               "les formules des deux erreurs au-dessus de cette cellule ; les dériver par rapport "
               "à h"),
    mistakes=(
        Mistake("2 * (eps", "(eps", "positive.values",
                Text("a factor is missing in h_forward", "un facteur manque dans h_forward")),
        Mistake("(3 * eps", "(6 * eps", "positive.values",
                Text("the factor 2 of the derivative of h² is missing",
                     "le facteur 2 de la dérivée de h² manque")),
        Mistake("** (1 / 3)", "** (1 / 2)", "positive.values",
                Text("a square root in the place of a cube root",
                     "une racine carrée au lieu d'une racine cubique")),
        Mistake("abs(value) / abs(third)", "value / abs(third)", "negative.",
                Text("the sign of f(x)", "le signe de f(x)")),
        Mistake("return h_forward, h_central", "return h_central, h_forward", "positive.values",
                Text("the other order", "l'ordre inverse")),
    ),
))

# %% [markdown] lang="en"
# Here are the errors again, in `float64` and in `float32`. The dotted lines mark your `best_h`.

# %% [markdown] lang="fr"
# Voici de nouveau les erreurs, en `float64` et en `float32`. Les lignes pointillées indiquent votre
# `best_h`.

# %% [show]
if best_h(1.0, 1.0, 1.0, 1e-16) is not None and machine_epsilon(torch.float64) is not None:
    fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axis, dtype in zip(axes, (torch.float64, torch.float32), strict=True):
        x = torch.tensor(1.0, dtype=dtype)
        eps = float(machine_epsilon(dtype))
        two = best_h(math.sin(1), -math.sin(1), -math.cos(1), eps)
        both = (forward_difference, central_difference)
        for difference, h, colour in zip(both, two, "rb", strict=True):
            e = errors(difference, torch.sin, torch.cos, x, hs)
            axis.loglog(hs, e, colour, label=difference.__name__)
            axis.axvline(h, color=colour, ls=":")
        axis.set_title(str(dtype))
        axis.set_xlabel("h")
    axes[0].set_ylabel("error for sin at 1")  # en
    axes[0].set_ylabel("erreur pour sin en 1")  # fr
    axes[1].legend()
    plt.show()

# %% [markdown] lang="en"
# ### A question: gradcheck
#
# PyTorch's `gradcheck`, which is used in lab 2, compares a derivative with central differences of
# step 1e-6. It warns if the numbers are not in `float64`. Why?
#
# - (a) In `float32` and with this step, rounding alone causes a relative error of about 10%.
# - (b) Calculations in `float64` are faster.
# - (c) In `float32` the central difference is only of order 1.

# %% [markdown] lang="fr"
# ### Une question : gradcheck
#
# `gradcheck` de PyTorch, que vous verrez au TP 2, compare une dérivée à des différences centrées de
# pas 1e-6. Il émet un avertissement si les nombres ne sont pas en `float64`. Pourquoi ?
#
# - (a) En `float32` et avec ce pas, l'arrondi à lui seul cause une erreur relative d'environ 10 %.
# - (b) Les calculs en `float64` sont plus rapides.
# - (c) En `float32`, la différence centrée n'est que d'ordre 1.

# %% question="why_float64"
# BEGIN SOLUTION
why_float64 = "a"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="why_float64", title=Text("Why float64", "Pourquoi float64"),
    answers=("why_float64",), points=0.5, choices={
        "a": Choice(True, Text(
            "eps / h is 1.2e-7 / 1e-6, about 0.1. In float64 it is 2e-10.",
            "eps / h vaut 1,2e-7 / 1e-6, environ 0,1. En float64, c'est 2e-10.")),
        "b": Choice(False, Text(
            "They take as much time or more, and twice the memory.",
            "Ils prennent autant de temps ou plus, et deux fois plus de mémoire.")),
        "c": Choice(False, Text(
            "The order comes from Taylor's formula, which holds whatever the type. Compute the "
            "second term of E(h) for h = 1e-6.",
            "L'ordre vient de la formule de Taylor, valable quel que soit le type. Calculer le "
            "second terme de E(h) pour h = 1e-6.")),
    },
))

# %% [markdown] lang="en"
# ## 5. More digits without a smaller h
#
# For a smooth function, the error of the central difference has even powers of h only:
# $D_h f = f' + c\,h^2 + O(h^4)$, where $c$ does not depend on $h$. The
# same holds for $D_{h/2} f$, with $h/2$.
#
# Combine $D_h f$ and $D_{h/2} f$ so that $c\,h^2$ disappears and $f'$ remains (**Richardson
# extrapolation**). What remains is of order 4. Call your `central_difference`.

# %% [markdown] lang="fr"
# ## 5. Plus de chiffres sans diminuer h
#
# Pour une fonction régulière, l'erreur de la différence centrée ne contient que des puissances
# paires de h : $D_h f = f' + c\,h^2 + O(h^4)$, où $c$ ne dépend pas de $h$. De même pour
# $D_{h/2} f$, avec $h/2$.
#
# Combiner $D_h f$ et $D_{h/2} f$ pour éliminer $c\,h^2$ et garder $f'$ (**extrapolation de
# Richardson**). L'erreur qui reste est d'ordre 4. Utiliser votre `central_difference`.

# %% question="richardson"
def richardson(f, x, h):
    # BEGIN SOLUTION
    return (4 * central_difference(f, x, h / 2) - central_difference(f, x, h)) / 3
    # END SOLUTION

# %% [sheet]
def right_richardson(f, x, h):
    return (4 * central_difference(f, x, h / 2) - central_difference(f, x, h)) / 3


sheet.add(CallQuestion(
    key="richardson", title=Text("Richardson extrapolation", "Extrapolation de Richardson"),
    answers=("richardson",), points=2, reference=right_richardson, cases=DIFFERENCES,
    hint=Text("With h/2, the error c h² is four times smaller. Find a and b such that "
              "a D(h/2) + b D(h) has a + b = 1 and no h².",
              "Avec h/2, l'erreur c h² est quatre fois plus petite. Chercher a et b tels que "
              "a D(h/2) + b D(h) vérifie a + b = 1, sans terme en h²."),
    place=Text("write the two equations of section 5 one below the other, and eliminate c",
               "écrire l'une sous l'autre les deux équations de la partie 5, et éliminer c"),
    mistakes=(
        Mistake("(4 * central_difference(f, x, h / 2) - central_difference(f, x, h)) / 3",
                "2 * central_difference(f, x, h / 2) - central_difference(f, x, h)",
                "vector.values", Text("the combination for an error of order 1",
                                      "la combinaison pour une erreur d'ordre 1")),
        Mistake(" / 3", "", "vector.factor", Text("not divided by 3", "pas de division par 3")),
        Mistake("h / 2) - central_difference(f, x, h)", "h) - central_difference(f, x, h / 2)",
                "vector.values", Text("the two steps exchanged", "les deux pas échangés")),
    ),
))

# %% [markdown] lang="en"
# ## 6. Many variables
#
# A loss depends on many parameters. The gradient of $f : \mathbb{R}^D \to \mathbb{R}$ has one
# partial derivative for each entry of `x`, of shape (D,): the i-th one is a difference along
# coordinate i, in which only `x[i]` changes.
#
# Write it with one-sided differences. `f(x)` is the same for all of them: `f` must be evaluated
# exactly D + 1 times. The tensor `x` must be unchanged afterwards.

# %% [markdown] lang="fr"
# ## 6. Plusieurs variables
#
# Une perte dépend de nombreux paramètres. Le gradient de $f : \mathbb{R}^D \to \mathbb{R}$ contient
# une dérivée partielle par terme de `x`, de forme (D,) : la i-ème est une différence le long de la
# coordonnée i, où seul `x[i]` change.
#
# L'écrire avec des différences décentrées. `f(x)` est la même pour toutes : `f` doit être évaluée
# exactement D + 1 fois. Le tenseur `x` doit rester inchangé.

# %% question="gradient"
def numerical_gradient(f, x, h):
    # BEGIN SOLUTION
    fx = f(x)
    grad = torch.zeros_like(x)
    for i in range(len(x)):
        step = torch.zeros_like(x)
        step[i] = h
        grad[i] = (f(x + step) - fx) / h
    return grad
    # END SOLUTION

# %% [sheet]
def gradient_flaws(draw, numerical_gradient):
    (d,), h = draw.sizes(1), draw.uniform(0.01, 0.1)
    a, x, points = draw.normal(d), draw.normal(d), []

    def f(x):
        points.append(x.clone())
        return (a * torch.sin(x)).sum() + (x**2).sum() ** 2

    kept, coordinate_steps = x.clone(), h * torch.eye(d, dtype=x.dtype)
    got, count = numerical_gradient(f, x, h), len(points)
    expected = torch.stack([(f(kept + step) - f(kept)) / h for step in coordinate_steps])
    if not isinstance(got, torch.Tensor) or got.shape != (d,):
        what = tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
        yield Flaw("shape", Text(f"expected a tensor of shape ({d},), got {what}.",
                                 f"attendu un tenseur de forme ({d},), reçu {what}."))
        return
    if not torch.allclose(x, kept, rtol=0, atol=1e-12):
        yield Flaw("changed", Text(
            "x is changed by the call: add h to a copy (x.clone()), or add a vector that is 0 but "
            "for entry i.",
            "x est modifié par l'appel : ajouter h à une copie (x.clone()), ou ajouter un vecteur "
            "nul sauf en i."))
        return
    got = got.double()
    right = torch.allclose(got, expected, rtol=1e-5, atol=1e-8)
    if not right and torch.allclose(got, (f(kept + h) - f(kept)) / h):
        yield Flaw("all entries", Text(
            "x + h adds h to every entry; in the i-th partial derivative only x[i] changes.",
            "x + h ajoute h à tous les termes ; pour la i-ème dérivée partielle, seul x[i] "
            "change."))
    elif not right:
        i = int((got - expected).abs().argmax())
        a, b = float(got[i]), float(expected[i])
        yield Flaw("values", Text(
            f"entry {i} is {number(a, 'en')}, expected {number(b, 'en')}, the one-sided difference "
            f"along coordinate {i}.",
            f"le terme {i} vaut {number(a, 'fr')}, attendu {number(b, 'fr')}, la différence "
            f"décentrée le long de la coordonnée {i}."))
    elif count != d + 1:
        yield Flaw("count", Text(
            f"right, with {count} evaluations of f for D = {d}; D + 1 = {d + 1} are enough, if "
            "f(x) is computed before the loop.",
            f"juste, avec {count} évaluations de f pour D = {d} ; D + 1 = {d + 1} suffisent, si "
            "f(x) est calculée avant la boucle."), share=0.6)


sheet.add(ProgramQuestion(
    key="gradient", title=Text("Gradient by differences", "Gradient par différences finies"),
    answers=("numerical_gradient",), points=2, flaws=gradient_flaws,
    hint=Text("A vector of zeros with h at place i, added to x, changes x[i] only.",
              "Un vecteur nul avec h en position i, ajouté à x, ne change que x[i]."),
    place=Text("the definition of a partial derivative: the other variables stay fixed",
               "la définition d'une dérivée partielle : les autres variables restent fixes"),
    mistakes=(
        Mistake("(f(x + step) - fx)", "(f(x + h) - fx)", "all entries",
                Text("h is added to all entries", "h est ajouté à tous les termes")),
        Mistake("(f(x + step) - fx)", "(f(x + step) - f(x))", "count",
                Text("f(x) is computed in the loop", "f(x) est calculée dans la boucle")),
        Mistake("        step = torch.zeros_like(x)\n        step[i] = h\n",
                "        step = 0\n        x[i] += h\n", "changed",
                Text("x is changed in place", "x est modifié sur place")),
        Mistake("        step = torch.zeros_like(x)\n        step[i] = h\n",
                "        step = torch.eye(len(x), dtype=x.dtype)[i]\n", "values",
                Text("a step of length 1", "un pas de longueur 1")),
        Mistake("grad[i] = ", "grad = ", "shape",
                Text("the last partial derivative only", "la dernière dérivée partielle seule")),
    ),
))

# %% [markdown] lang="en"
# ### The same gradient by hand
#
# The loss of a linear model with inputs $x$ (N, D), targets $y$ (N,) and weights $w$ (D,) is
#
# $$\ell(w) = \frac1N \sum_{n=1}^N \Big(\sum_{d=1}^D x_{nd} w_d - y_n\Big)^2$$
#
# Differentiate it with respect to one $w_j$, and write the whole gradient, of shape (D,), without a
# loop: by products of matrices and vectors (`a @ b`, `x.t()`).

# %% [markdown] lang="fr"
# ### Le même gradient à la main
#
# La perte d'un modèle linéaire d'entrées $x$ (N, D), de cibles $y$ (N,) et de poids $w$ (D,) est
#
# $$\ell(w) = \frac1N \sum_{n=1}^N \Big(\sum_{d=1}^D x_{nd} w_d - y_n\Big)^2$$
#
# La dériver par rapport à un seul $w_j$, puis écrire le gradient entier, de forme (D,), sans
# boucle : par des produits de matrices et de vecteurs (`a @ b`, `x.t()`).

# %% question="by_hand"
def loss_gradient(x, y, w):
    # BEGIN SOLUTION
    return 2 / len(x) * x.t() @ (x @ w - y)
    # END SOLUTION

# %% [show]
x, w = torch.randn(200, 400, dtype=torch.float64), torch.randn(400, dtype=torch.float64)
y = torch.randn(200, dtype=torch.float64)
if loss_gradient(x, y, w) is not None:
    start = time.perf_counter()
    slow = numerical_gradient(lambda w: ((x @ w - y) ** 2).mean(), w, 1e-7)
    middle = time.perf_counter()
    fast = loss_gradient(x, y, w)
    end = time.perf_counter()
    if slow is not None:
        print(f"differences: {1e3 * (middle - start):.2f} ms")  # en
        print(f"by hand:     {1e3 * (end - middle):.2f} ms")  # en
        print(f"largest difference {(slow - fast).abs().max():.1e}")  # en
        print(f"différences finies : {1e3 * (middle - start):.2f} ms")  # fr
        print(f"à la main :          {1e3 * (end - middle):.2f} ms")  # fr
        print(f"plus grand écart {(slow - fast).abs().max():.1e}")  # fr

# %% [markdown] lang="en"
# ### Number of evaluations
#
# A network with 8 inputs, 10 hidden units and 1 output has weights of shape (8, 10) and (10, 1) and
# biases of shape (10,) and (1,). It is trained by 80,000 steps, each of which needs one gradient
# with respect to all of them. How many evaluations of the loss would one-sided differences need? (A
# gradient by hand costs about as much as two or three evaluations, whatever the number of
# parameters.)

# %% [markdown] lang="fr"
# ### Nombre d'évaluations
#
# Un réseau à 8 entrées, 10 neurones cachés et 1 sortie a des poids de formes (8, 10) et (10, 1) et
# des biais de formes (10,) et (1,). On l'entraîne par 80 000 pas, dont chacun demande un gradient
# par rapport à tous ces paramètres. Combien d'évaluations de la perte faudrait-il avec des
# différences décentrées ? (Un gradient à la main coûte à peu près deux ou trois évaluations, quel
# que soit le nombre de paramètres.)

# %% question="count"
# BEGIN SOLUTION
evaluations = 80_000 * (8 * 10 + 10 + 10 + 1 + 1)
# END SOLUTION

# %% [sheet]
sheet.add(
    CallQuestion(
        key="by_hand", title=Text("Gradient by hand", "Gradient à la main"),
        answers=("loss_gradient",), points=1.5,
        reference=lambda x, y, w: 2 / len(x) * x.t() @ (x @ w - y),
        cases=(Case("table", Text("a table", "un tableau"), lambda draw: _table(draw)),),
        hint=Text("The partial derivative with respect to w[j] is a sum over n of x[n, j] times "
                  "something: that is a product with x.t().",
                  "La dérivée partielle par rapport à w[j] est une somme sur n de x[n, j] fois "
                  "quelque chose : c'est un produit par x.t()."),
        place=Text("differentiate one square of the sum by the chain rule",
                   "dériver un seul carré de la somme par dérivation en chaîne"),
        mistakes=(
            Mistake("2 / len(x) * ", "2 * ", "table.factor",
                    Text("the factor 1/N is missing", "le facteur 1/N manque")),
            Mistake("2 / len(x) * ", "1 / len(x) * ", "table.factor",
                    Text("the factor 2 is missing", "le facteur 2 manque")),
            Mistake("(x @ w - y)", "(y - x @ w)", "table.sign",
                    Text("the terms of the difference are exchanged",
                         "les termes de la différence sont échangés")),
            Mistake("x.t() @ (x @ w - y)", "(x @ w - y)", "table.shape",
                    Text("the inner derivative is missing", "la dérivée intérieure manque")),
        ),
    ),
    ValueQuestion(
        key="count", title=Text("Number of evaluations", "Nombre d'évaluations"),
        answers=("evaluations",), points=0.5, value=lambda: 80_000 * 102, tolerance=1e-9,
        known=(
            Known("without f(x)", lambda: 80_000 * 101, Text(
                "There are 101 parameters; f(x) itself is evaluated as well.",
                "Il y a 101 paramètres ; il faut aussi évaluer f(x).")),
            Known("no biases", lambda: 80_000 * 91, Text(
                "The biases are parameters as well.", "Les biais sont aussi des paramètres.")),
            Known("central", lambda: 80_000 * 202, Text(
                "That is the number for central differences, 2D for each gradient.",
                "C'est le nombre pour des différences centrées, 2D par gradient.")),
            Known("one step", lambda: 102, Text(
                "That is the number for one gradient.", "C'est le nombre pour un seul gradient.")),
        ),
        hint=Text("D + 1 evaluations for each gradient, where D is the number of parameters.",
                  "D + 1 évaluations par gradient, où D est le nombre de paramètres."),
        place=Text("section 6 for the number of evaluations of one gradient",
                   "la partie 6 pour le nombre d'évaluations d'un gradient"),
        mistakes=(
            Mistake(" + 1 + 1)", " + 1)", "without f(x)",
                    Text("f(x) is not counted", "f(x) n'est pas comptée")),
            Mistake("8 * 10 + 10 + 10 + 1 + 1", "8 * 10 + 10 + 1", "no biases",
                    Text("without biases", "sans les biais")),
            Mistake("(8 * 10 + 10 + 10 + 1 + 1)", "2 * (8 * 10 + 10 + 10 + 1)", "central",
                    Text("central differences", "différences centrées")),
        ),
    ),
)


def _table(draw):
    n, d = draw.sizes(2)
    return draw.normal(n, d), draw.normal(n), draw.normal(d)


# %% [markdown] lang="en"
# ## 7. All digits right
#
# Rounding is harmful because two nearly equal numbers are subtracted. Many functions also accept
# complex numbers, and with $i^2 = -1$ Taylor's formula becomes
#
# $$f(x + ih) = f(x) + ih f'(x) - \frac{h^2}{2} f''(x) - \frac{ih^3}{6} f'''(x) + \dots$$
#
# Where in this formula can $f'(x)$ be read off without a subtraction? Write the **complex step**,
# which needs one evaluation: in PyTorch `x + 1j * h` is a complex tensor, and `z.real` and `z.imag`
# are the two parts of `z`.

# %% [markdown] lang="fr"
# ## 7. Tous les chiffres justes
#
# L'arrondi est nuisible parce que l'on soustrait deux nombres presque égaux. Beaucoup de fonctions
# acceptent aussi les nombres complexes, et avec $i^2 = -1$ la formule de Taylor devient
#
# $$f(x + ih) = f(x) + ih f'(x) - \frac{h^2}{2} f''(x) - \frac{ih^3}{6} f'''(x) + \dots$$
#
# Où peut-on lire $f'(x)$ dans cette formule, sans soustraction ? Écrire le **pas complexe**, avec
# une seule évaluation : dans PyTorch, `x + 1j * h` est un tenseur complexe, et `z.real` et `z.imag`
# sont les deux parties de `z`.

# %% question="complex"
def complex_step(f, x, h):
    # BEGIN SOLUTION
    return f(x + 1j * h).imag / h
    # END SOLUTION

# %% [show]
x = torch.tensor(1.0, dtype=torch.float64)
if complex_step(torch.sin, x, 1e-3) is not None:
    for method in (forward_difference, central_difference, richardson, complex_step):
        if method(torch.sin, x, 1e-3) is not None:
            e = errors(method, torch.sin, torch.cos, x, hs)
            plt.loglog(hs, e.clamp(min=1e-17), label=method.__name__)
    plt.xlabel("h")
    plt.ylabel("error for sin at 1")  # en
    plt.ylabel("erreur pour sin en 1")  # fr
    plt.legend()
    plt.show()
    print(complex_step(torch.sin, x, 1e-100).item(), math.cos(1))

# %% [markdown] lang="en"
# ### A last question
#
# Even with $h = 10^{-100}$ all digits are right. Why does the curve no longer have the
# shape of a V?
#
# - (a) Complex numbers have more digits than `float64`.
# - (b) No two nearly equal numbers are subtracted: the imaginary part holds $h f'(x)$ alone, with
#   all its digits.
# - (c) The complex step has no truncation error.
#
# (In the next labs the derivatives are computed by hand, exactly and for all parameters at once.
# This lab has shown how to check them.)

# %% [markdown] lang="fr"
# ### Une dernière question
#
# Même avec $h = 10^{-100}$, tous les chiffres sont justes. Pourquoi la courbe n'a-t-elle plus la
# forme d'un V ?
#
# - (a) Les nombres complexes ont plus de chiffres que `float64`.
# - (b) On ne soustrait plus deux nombres presque égaux : la partie imaginaire contient $h f'(x)$
#   seul, avec tous ses chiffres.
# - (c) Le pas complexe n'a pas d'erreur de troncature.
#
# (Dans les TP suivants, les dérivées se calculent à la main, exactement et en une fois pour tous
# les paramètres. Celui-ci vous a appris à les vérifier.)

# %% question="no_v"
# BEGIN SOLUTION
no_v = "b"
# END SOLUTION

# %% [sheet]
sheet.add(
    CallQuestion(
        key="complex", title=Text("Complex step", "Pas complexe"), answers=("complex_step",),
        points=1, reference=lambda f, x, h: f(x + 1j * h).imag / h, cases=DIFFERENCES,
        hint=Text("Which terms of the formula are multiples of i?",
                  "Quels termes de la formule sont des multiples de i ?"),
        place=Text("Taylor's formula of section 7, its imaginary part",
                   "la formule de Taylor de la partie 7, sa partie imaginaire"),
        mistakes=(
            Mistake(".imag", ".real", "vector.values", Text("the real part", "la partie réelle")),
            Mistake(" / h", "", "vector.factor", Text("not divided by h", "pas de division par h")),
            Mistake("f(x + 1j * h).imag", "(f(x + 1j * h) - f(x)).real", "vector.values",
                    Text("a difference is computed again", "encore une différence")),
        ),
    ),
    ChoiceQuestion(
        key="no_v", title=Text("Why the curve is not a V",
                               "Pourquoi la courbe n'est plus un V"),
        answers=("no_v",), points=0.5,
        choices={
            "a": Choice(False, Text("A complex128 is a pair of float64 numbers.",
                                    "Un complex128 est une paire de nombres float64.")),
            "b": Choice(True, Text(
                "The truncation error, of order 2, is smaller than the rounding error for h below "
                "about 1e-8, and the rounding error is relative to h f'(x): it does not increase "
                "when h decreases.",
                "L'erreur de troncature, d'ordre 2, est inférieure à l'erreur d'arrondi pour h "
                "inférieur à environ 1e-8, et l'erreur d'arrondi est relative à h f'(x) : elle "
                "n'augmente pas quand h diminue.")),
            "c": Choice(False, Text(
                "It has one, of order 2: look at the right of the chart, and at the term in h³.",
                "Il en a une, d'ordre 2 : regarder la droite de la figure, et le terme en h³.")),
        },
    ),
)
