# Lab sheet 3: classification. The format is described in derivable/labs/source.py.

# %% [sheet]
import functools
import math

import torch
from torch.nn import functional as F

from derivable.labs import (
    CallQuestion, Case, Choice, ChoiceQuestion, FunctionQuestion, KnownGradient, Mistake, Sheet,
    Text, TrainedQuestion, TrainingQuestion, ValueQuestion,
)
from derivable.labs.questions.value import Known

sheet = Sheet(title=Text("Classification", "Classification"), minutes=(90, 120))

# %% [markdown] lang="en"
# # Lab 3: classification
#
# A network outputs real numbers; a classifier needs probabilities, and a loss that compares them
# with a label. In this lab you write softmax and cross-entropy by hand, see a correct formula
# return `nan`, repair it, and train a classifier of handwritten digits. The gradient that makes
# this possible fits on one line.
#
# Notation: N rows, K classes. The scores of one row, before they become probabilities, are called
# **logits**; `logits` has shape (N, K). `labels`, of shape (N,), has the class of each row, an
# integer from 0 to K - 1.
#
# What you need: lab 2. Time: 90 to 120 minutes.

# %% [markdown] lang="fr"
# # TP 3 : classification
#
# Un réseau produit des nombres réels ; un classifieur a besoin de probabilités, et d'une perte qui
# les compare à une étiquette. Dans ce TP, vous écrivez à la main la fonction softmax et l'entropie
# croisée, vous constatez qu'une formule exacte peut renvoyer `nan`, vous la corrigez, puis vous
# entraînez un classifieur de chiffres manuscrits. Le gradient qui rend tout cela possible tient en
# une ligne.
#
# Notations : N lignes, K classes. Les scores d'une ligne, avant leur transformation en
# probabilités, s'appellent les **logits** ; `logits` est de forme (N, K). `labels`, de forme (N,),
# contient la classe de chaque ligne, un entier de 0 à K - 1.
#
# Prérequis : le TP 2. Durée : 90 à 120 minutes.

# %%
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch.autograd import Function

from derivable import Context, Linear  # those of lab 2  # en
from derivable import Context, Linear  # ceux du TP 2  # fr

torch.set_num_threads(1)  # the tensors are small: several threads would be slower  # en
torch.set_num_threads(1)  # les tenseurs sont petits : plusieurs threads seraient plus lents  # fr

# %% [markdown] lang="en"
# ## 1. Softmax
#
# Softmax turns each row $z$ of the logits into probabilities:
#
# $$p_i = \frac{e^{z_i}}{\sum_{j} e^{z_j}}$$
#
# Each output depends on all logits of its row, so a row has a Jacobian $\partial p_i/\partial z_j$
# of K x K entries. `backward` does not build it: it needs, for each row, only the product
#
# $$\frac{\partial \ell}{\partial z_j} = \sum_i g_i \, \frac{\partial p_i}{\partial z_j}$$
#
# where $g$ is that row of `grad_output`. Differentiate $\partial p_i/\partial z_j$ (two cases, $i =
# j$ and $i \ne j$), insert it and simplify: what remains are operations on each entry and one sum
# per row. Write the formula of $p$ with `torch.exp`.

# %% [markdown] lang="fr"
# ## 1. La fonction softmax
#
# Softmax transforme chaque ligne $z$ des logits en probabilités :
#
# $$p_i = \frac{e^{z_i}}{\sum_{j} e^{z_j}}$$
#
# Chaque sortie dépend de tous les logits de sa ligne : une ligne a donc une jacobienne
# $\partial p_i/\partial z_j$ de K x K termes. `backward` ne la construit pas ; il lui suffit, pour
# chaque ligne, du produit
#
# $$\frac{\partial \ell}{\partial z_j} = \sum_i g_i \, \frac{\partial p_i}{\partial z_j}$$
#
# où $g$ est la ligne correspondante de `grad_output`. Calculer $\partial p_i/\partial z_j$ (deux
# cas, $i = j$ et $i \ne j$), remplacer et simplifier : il reste des opérations terme à terme et une
# somme par ligne. Écrire la formule de $p$ avec `torch.exp`.

# %% question="softmax"
class Softmax(Function):
    @staticmethod
    def forward(ctx, logits):
        # BEGIN SOLUTION
        e = torch.exp(logits)
        p = e / e.sum(1, keepdim=True)
        ctx.save_for_backward(p)
        return p
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        (p,) = ctx.saved_tensors
        return p * (grad_output - (grad_output * p).sum(1, keepdim=True))
        # END SOLUTION


# %% [sheet]
def unweighted_sum(g, logits):
    return torch.softmax(logits, 1) * (g - g.sum(1, keepdim=True))


def diagonal(g, logits):
    p = torch.softmax(logits, 1)
    return g * p * (1 - p)


def ordinary(draw):
    return (draw.normal(*draw.sizes(2)),)


sheet.add(FunctionQuestion(
    key="softmax",
    title=Text("Softmax", "Softmax"),
    answers=("Softmax",),
    points=3.5,
    reference=lambda logits: torch.softmax(logits, 1),
    forbidden=frozenset({"softmax"}),
    inputs=ordinary,
    known=(
        KnownGradient("unweighted_sum", 0, unweighted_sum, Text(
            "the probabilities are missing in the sum over the row: each of its terms is "
            "multiplied by its own p.",
            "les probabilités manquent dans la somme sur la ligne : chacun de ses termes est "
            "multiplié par son p.")),
        KnownGradient("diagonal", 0, diagonal, Text(
            "only the case i = j of the Jacobian is there; each logit also changes the other "
            "probabilities of its row.",
            "seul le cas i = j de la jacobienne est là ; chaque logit modifie aussi les autres "
            "probabilités de sa ligne.")),
    ),
    hint=Text("One of the two cases of the derivative has an additional term; the sum over i of "
              "the others is the same for every j.",
              "L'un des deux cas de la dérivée a un terme de plus ; la somme sur i des autres est "
              "la même pour tout j."),
    place=Text("differentiate the quotient in section 1 with respect to z_j, and express the "
               "result with "
               "p only; sum(1, keepdim=True) keeps shape (N, 1)",
               "dériver le quotient de la partie 1 par rapport à z_j, et exprimer le résultat avec "
               "p seulement ; sum(1, keepdim=True) garde la forme (N, 1)"),
    mistakes=(
        Mistake("e.sum(1, keepdim=True)", "e.sum()", "forward",
                Text("the sum over all rows", "la somme sur toutes les lignes")),
        Mistake("e.sum(1, keepdim=True)", "e.sum(0)", "forward",
                Text("the sum over the rows instead of the classes",
                     "la somme sur les lignes au lieu des classes")),
        Mistake("e.sum(1, keepdim=True)", "e.sum(1)", "forward",
                Text("keepdim is missing", "keepdim manque")),
        Mistake("p * (grad_output - (grad_output * p).sum(1, keepdim=True))",
                "grad_output * p * (1 - p)", "backward.logits.diagonal",
                Text("only the diagonal of the Jacobian",
                     "seulement la diagonale de la jacobienne")),
        Mistake("(grad_output - (grad_output * p).sum(1, keepdim=True))",
                "(grad_output - grad_output.sum(1, keepdim=True))",
                "backward.logits.unweighted_sum",
                Text("p is missing in the sum", "p manque dans la somme")),
        Mistake("(grad_output * p).sum(1, keepdim=True)", "(grad_output * p).sum()",
                "backward.logits", Text("one sum for all rows",
                                        "une somme pour toutes les lignes")),
    ),
))

# %% [markdown] lang="en"
# ### A question
#
# If the same constant is added to all logits of a row, the probabilities do not change (multiply
# the numerator and the denominator by $e^c$). What follows for the gradient of any loss of $p$
# with respect to the logits of that row?
#
# - (a) All its entries are 0.
# - (b) Its entries are equal.
# - (c) Its entries sum to 0.

# %% [markdown] lang="fr"
# ### Une question
#
# Si l'on ajoute une même constante à tous les logits d'une ligne, les probabilités ne changent pas
# (multiplier le numérateur et le dénominateur par $e^c$). Qu'en résulte-t-il pour le gradient d'une
# perte quelconque de $p$ par rapport aux logits de cette ligne ?
#
# - (a) Tous ses termes sont nuls.
# - (b) Ses termes sont égaux.
# - (c) La somme de ses termes est nulle.

# %% question="constant"
# BEGIN SOLUTION
constant = "c"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="constant",
    title=Text("A constant added to the logits", "Une constante ajoutée aux logits"),
    answers=("constant",),
    points=0.5,
    choices={
        "a": Choice(False, Text(
            "A change of one logit alone does change p. Only one direction leaves p as it is: the "
            "same change for all.",
            "La variation d'un seul logit change bien p. Une seule direction laisse p inchangé : "
            "la même variation pour tous.")),
        "b": Choice(False, Text(
            "Then the loss would change in the direction (1, ..., 1), which is the one in which it "
            "stays constant.",
            "La perte varierait alors dans la direction (1, ..., 1), celle justement où elle reste "
            "constante.")),
        "c": Choice(True, Text(
            "The derivative in the direction (1, ..., 1) is the sum of the entries, and the loss "
            "is constant in that direction. You meet this again in section 6.",
            "La dérivée dans la direction (1, ..., 1) est la somme des termes, et la perte est "
            "constante dans cette direction. On le retrouve dans la partie 6.")),
    },
    hint=Text("The derivative of the loss in a direction d is the dot product of the gradient and "
              "d.",
              "La dérivée de la perte dans une direction d est le produit scalaire du gradient et "
              "de d."),
    place=Text("write the loss as a function of c alone, and its derivative at c = 0 by the chain "
               "rule",
               "écrire la perte comme fonction de c seule, et sa dérivée en c = 0 par la "
               "dérivation en chaîne"),
))

# %% [markdown] lang="en"
# ## 2. A correct formula that fails
#
# The logarithm of the denominator of softmax is called **log-sum-exp**. Here it is as the formula
# has it, at three rows of logits. Your softmax is applied to the same rows.

# %% [markdown] lang="fr"
# ## 2. Une formule exacte qui échoue
#
# Le logarithme du dénominateur de softmax s'appelle **log-sum-exp**. Le voici tel que la formule
# l'écrit, pour trois lignes de logits. Votre softmax est appliqué aux mêmes lignes.

# %%
def naive_logsumexp(logits):
    return torch.log(torch.exp(logits).sum(1))


# %% [show]
for shift in (0, 100, -200):
    z = torch.tensor([[1.0, 2.0, 3.0]]) + shift
    p = Softmax.forward(Context(), z)
    print(z.tolist(), " log-sum-exp", naive_logsumexp(z).tolist(), " softmax", p)

# %% [markdown] lang="en"
# By section 1, softmax should be the same in all three lines. But numbers in float32 end at about
# $3.4 \cdot 10^{38}$, and $e^{89}$ is beyond that. Subtract some $m$ from all logits of a row
# before `exp`, and correct the result for it:
#
# $$\log\sum_j e^{z_j} = m + \log\sum_j e^{z_j - m}$$
#
# Which $m$ makes sure, for each row, that no exponential overflows **and** that the sum is never 0?
# Write `logsumexp`, from (N, K) to (N,). Then write `stable_softmax` with it: take the logarithm of
# $p_i$ first. The check tries large, very negative and equal logits, and rows that are far apart.

# %% [markdown] lang="fr"
# D'après la partie 1, softmax devrait être le même sur les trois lignes. Mais en float32 les
# nombres s'arrêtent vers $3{,}4 \cdot 10^{38}$, et $e^{89}$ est déjà au-delà. On soustrait un
# certain $m$ à tous les logits d'une ligne avant `exp`, et on compense :
#
# $$\log\sum_j e^{z_j} = m + \log\sum_j e^{z_j - m}$$
#
# Quel $m$ garantit, pour chaque ligne, qu'aucune exponentielle ne dépasse cette limite **et** que
# la somme ne s'annule jamais ? Écrire `logsumexp`, de (N, K) vers (N,). Écrire ensuite
# `stable_softmax` à l'aide de celle-ci : prendre d'abord le logarithme de $p_i$. La vérification
# essaie des logits grands, très négatifs, égaux, et des lignes très éloignées les unes des autres.

# %% question="logsumexp"
def logsumexp(logits):
    # BEGIN SOLUTION
    m = logits.max(1, keepdim=True).values
    return m[:, 0] + torch.log(torch.exp(logits - m).sum(1))
    # END SOLUTION


# %% question="stable_softmax"
def stable_softmax(logits):
    # BEGIN SOLUTION
    return torch.exp(logits - logsumexp(logits)[:, None])
    # END SOLUTION


# %% [sheet]
def shifted(low, high):
    return lambda draw: (draw.normal(*draw.sizes(2)) + draw.uniform(low, high),)


def equal_logits(draw):
    n, k = draw.sizes(2)
    return (torch.full((n, k), draw.uniform(-5, 5), dtype=torch.float64),)


def rows_apart(draw):
    n, k = draw.sizes(2)
    return (draw.normal(n, k) + torch.linspace(-2000, 2000, n, dtype=torch.float64)[:, None],)


ORDINARY = Case("ordinary", Text("ordinary logits", "des logits ordinaires"), ordinary)
LARGE = Case("large", Text("large logits, near 1,000", "de grands logits, autour de 1 000"),
             shifted(900, 1100), 1e-6)
NEGATIVE = Case("negative", Text("very negative logits, near -1,000",
                                 "des logits très négatifs, autour de -1 000"),
                shifted(-1100, -900), 1e-6)
APART = Case("apart", Text("rows that are far apart, from -2,000 to 2,000",
                           "des lignes très éloignées, de -2 000 à 2 000"), rows_apart, 1e-6)
sheet.add(
    CallQuestion(
        key="logsumexp",
        title=Text("Log-sum-exp", "Log-sum-exp"),
        answers=("logsumexp",),
        points=3,
        reference=lambda logits: torch.logsumexp(logits, 1),
        forbidden=frozenset({"logsumexp"}),
        cases=(
            ORDINARY, LARGE, NEGATIVE,
            Case("equal", Text("equal logits", "des logits égaux"), equal_logits),
            APART,
            Case("wide", Text("logits from -800 to 800 in one row",
                              "des logits de -800 à 800 dans une même ligne"),
                 lambda draw: (torch.tensor([[0.0, 800.0, -800.0], [-800.0, 0.0, 5.0]],
                                            dtype=torch.float64) + draw.uniform(-1, 1),)),
        ),
        hint=Text("logits.max(1, keepdim=True).values has shape (N, 1).",
                  "logits.max(1, keepdim=True).values est de forme (N, 1)."),
        place=Text("the formula of section 2: the largest exponent z_j - m has to be neither large "
                   "nor very negative",
                   "la formule de la partie 2 : le plus grand exposant z_j - m ne doit être ni "
                   "grand, ni très négatif"),
        mistakes=(
            Mistake("return m[:, 0] + torch.log(torch.exp(logits - m).sum(1))",
                    "return torch.log(torch.exp(logits).sum(1))", "large.overflow",
                    Text("the naive formula", "la formule naïve")),
            Mistake("m[:, 0] + ", "", "ordinary",
                    Text("m is not added again", "m n'est pas rajouté")),
            Mistake("m[:, 0] + ", "m + ", "ordinary.shape",
                    Text("m of shape (N, 1) added to (N,)", "m de forme (N, 1) ajouté à (N,)")),
            Mistake("logits.max(1, keepdim=True).values",
                    "logits.max().expand(len(logits), 1)", "apart",
                    Text("one maximum for all rows", "un seul maximum pour toutes les lignes")),
            Mistake("logits.max(1, keepdim=True).values", "logits.mean().expand(len(logits), 1)",
                    "apart", Text("the mean is subtracted", "la moyenne est soustraite")),
            Mistake("logits.max(1, keepdim=True).values", "logits.abs().max(1, True).values",
                    "negative", Text("the largest absolute value",
                                     "la plus grande valeur absolue")),
        ),
    ),
    CallQuestion(
        key="stable_softmax",
        title=Text("Stable softmax", "Softmax stable"),
        answers=("stable_softmax",),
        points=1,
        reference=lambda logits: torch.softmax(logits, 1),
        forbidden=frozenset({"softmax", "log_softmax"}),
        cases=(ORDINARY, LARGE, NEGATIVE, APART),
        hint=Text("log p_i is a difference of two things that you can compute.",
                  "log p_i est une différence de deux quantités que l'on sait calculer."),
        place=Text("the logarithm of the quotient in section 1; [:, None] turns (N,) into (N, 1)",
                   "le logarithme du quotient de la partie 1 ; [:, None] transforme (N,) en "
                   "(N, 1)"),
        mistakes=(
            Mistake("torch.exp(logits - logsumexp(logits)[:, None])",
                    "torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)", "large.overflow",
                    Text("the quotient of section 1", "le quotient de la partie 1")),
            Mistake("torch.exp(logits - logsumexp(logits)[:, None])",
                    "logits - logsumexp(logits)[:, None]", "ordinary",
                    Text("the logarithm is returned", "le logarithme est renvoyé")),
        ),
    ),
)

# %% [markdown] lang="en"
# ## 3. Cross-entropy
#
# The loss of one row is minus the logarithm of the probability of its label; the loss of the batch
# is the mean over the rows:
#
# $$\ell = -\frac1N \sum_{n=1}^N \log p_{n, y_n}$$
#
# Write it as one function of the logits, with `logsumexp`: $\log p$ is computed directly, and never
# as the logarithm of a probability. The output is a number, of shape (). `labels` are integers and
# have no gradient: `backward` returns `None` for them.
#
# For the gradient, differentiate the loss of one row with respect to one logit $z_j$, first for
# $j = y_n$, then for $j \ne y_n$. `logits[rows, labels]`, with `rows = torch.arange(N)`, is the
# entry of each row at its label, of shape (N,).

# %% [markdown] lang="fr"
# ## 3. L'entropie croisée
#
# La perte d'une ligne est l'opposé du logarithme de la probabilité de son étiquette ; celle du
# batch est la moyenne sur les lignes :
#
# $$\ell = -\frac1N \sum_{n=1}^N \log p_{n, y_n}$$
#
# L'écrire comme une seule fonction des logits, avec `logsumexp` : $\log p$ se calcule directement,
# jamais comme le logarithme d'une probabilité. La sortie est un nombre, de forme (). Les étiquettes
# `labels` sont des entiers et n'ont pas de gradient : `backward` renvoie `None` pour elles.
#
# Pour le gradient, dériver la perte d'une ligne par rapport à un seul logit $z_j$, d'abord pour
# $j = y_n$, puis pour $j \ne y_n$. `logits[rows, labels]`, avec `rows = torch.arange(N)`, est le
# terme de chaque ligne à la place de son étiquette, de forme (N,).

# %% question="cross_entropy"
class CrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, labels):
        # BEGIN SOLUTION
        ctx.save_for_backward(logits, labels)
        rows = torch.arange(len(labels))
        return (logsumexp(logits) - logits[rows, labels]).mean()
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        logits, labels = ctx.saved_tensors
        rows = torch.arange(len(labels))
        grad_logits = stable_softmax(logits)
        grad_logits[rows, labels] -= 1
        return grad_output * grad_logits / len(labels), None
        # END SOLUTION


# %% [sheet]
def logits_and_labels(draw):
    n, k = draw.sizes(2)
    return draw.normal(n, k), draw.labels(n, k)


sheet.add(FunctionQuestion(
    key="cross_entropy",
    title=Text("Cross-entropy", "Entropie croisée"),
    answers=("CrossEntropy",),
    points=4.5,
    forbidden=frozenset({"cross_entropy", "nll_loss"}),
    reference=F.cross_entropy,
    also=(lambda draw: (
        200 * torch.eye(3, 5, dtype=torch.float64) + draw.normal(3, 5), draw.labels(3, 5)),
        lambda draw: (draw.normal(5, 3, scale=400.0), draw.labels(5, 3))),
    inputs=logits_and_labels,
    hint=Text("The loss of one row is logsumexp(z) - z[y]. The derivative of the first term with "
              "respect to z_j is a known function.",
              "La perte d'une ligne est logsumexp(z) - z[y]. La dérivée du premier terme par "
              "rapport à z_j est une fonction connue."),
    place=Text("differentiate log-sum-exp (section 2) and compare with softmax (section 1); the "
               "mean over "
               "N rows brings a factor",
               "dériver log-sum-exp (partie 2) et comparer avec softmax (partie 1) ; la moyenne "
               "sur N lignes apporte un facteur"),
    mistakes=(
        Mistake(".mean()", ".sum()", "forward",
                Text("a sum in the place of the mean", "une somme au lieu de la moyenne")),
        Mistake("logits[rows, labels]).mean()", "logits[:, labels]).mean()", "forward",
                Text("logits[:, labels], which has shape (N, N)",
                     "logits[:, labels], qui est de forme (N, N)")),
        Mistake("        grad_logits[rows, labels] -= 1\n", "", "backward.logits",
                Text("the label is not used in backward",
                     "l'étiquette n'est pas utilisée dans backward")),
        Mistake("grad_logits[rows, labels] -= 1", "grad_logits[rows, labels] += 1",
                "backward.logits", Text("1 is added at the label", "1 est ajouté à l'étiquette")),
        Mistake(" / len(labels), None", ", None", "backward.logits",
                Text("the factor 1/N is missing", "le facteur 1/N manque")),
        Mistake("grad_output * grad_logits", "grad_logits", "backward.logits.ignores_grad_output",
                Text("grad_output is not used", "grad_output n'est pas utilisé")),
    ),
))

# %% [markdown] lang="en"
# ### Two questions
#
# A row (N = 1, K = 3) has the probabilities $p = (0.7,\ 0.2,\ 0.1)$ and the label 1 (classes are
# counted from 0). What is the gradient of the loss with respect to its three logits? Answer with a
# list of three numbers.
#
# And why is the loss one function, rather than three in a row, `Softmax`, then `Log`, then a mean?
#
# - (a) It is only faster: the chain of three always gives the same numbers.
# - (b) The two have different gradients, and only that of the single function is exact.
# - (c) If the probability of the label underflows to 0, the chain of three computes infinity times
#   0 in backward, which is NaN; the single function never divides by $p$.

# %% [markdown] lang="fr"
# ### Deux questions
#
# Une ligne (N = 1, K = 3) a pour probabilités $p = (0{,}7 ;\ 0{,}2 ;\ 0{,}1)$ et pour étiquette 1
# (les classes sont comptées à partir de 0). Quel est le gradient de la perte par rapport à ses
# trois logits ? Répondre par une liste de trois nombres.
#
# Et pourquoi écrire la perte comme une seule fonction, plutôt que comme trois à la suite,
# `Softmax`, puis `Log`, puis une moyenne ?
#
# - (a) C'est seulement plus rapide : les trois à la suite donnent toujours les mêmes nombres.
# - (b) Les deux ont des gradients différents, et seul celui de la fonction unique est exact.
# - (c) Si la probabilité de l'étiquette est arrondie à 0, les trois fonctions à la suite calculent
#   l'infini fois 0 dans backward, soit NaN ; la fonction unique ne divise jamais par $p$.

# %% question="grad_row"
# BEGIN SOLUTION
grad_row = [0.7, -0.8, 0.1]
# END SOLUTION

# %% question="one_function"
# BEGIN SOLUTION
one_function = "c"
# END SOLUTION

# %% [sheet]
sheet.add(
    ValueQuestion(
        key="grad_row",
        title=Text("The gradient of one row", "Le gradient d'une ligne"),
        answers=("grad_row",),
        points=0.5,
        value=lambda: torch.tensor([0.7, -0.8, 0.1]),
        known=(
            Known("opposite", lambda: torch.tensor([-0.7, 0.8, -0.1]), Text(
                "A step against this gradient would lower the logit of the label.",
                "Un pas contre ce gradient ferait baisser le logit de l'étiquette.")),
            Known("label", lambda: torch.tensor([-0.3, 0.2, 0.1]), Text(
                "That is the gradient for the label 0: classes are counted from 0.",
                "C'est le gradient pour l'étiquette 0 : les classes sont comptées à partir de "
                "0.")),
            Known("probability", lambda: torch.tensor([0.0, -5.0, 0.0]), Text(
                "That is the gradient with respect to p. The logits come before softmax.",
                "C'est le gradient par rapport à p. Les logits viennent avant softmax.")),
        ),
        hint=Text("Its three entries sum to 0.", "La somme de ses trois termes est nulle."),
        place=Text("your CrossEntropy.backward, for N = 1",
                   "votre CrossEntropy.backward, pour N = 1"),
        mistakes=(
            Mistake("[0.7, -0.8, 0.1]", "[-0.7, 0.8, -0.1]", "opposite",
                    Text("the opposite sign", "le signe opposé")),
            Mistake("[0.7, -0.8, 0.1]", "[-0.3, 0.2, 0.1]", "label",
                    Text("classes counted from 1", "classes comptées à partir de 1")),
        ),
    ),
    ChoiceQuestion(
        key="one_function",
        title=Text("Why one function", "Pourquoi une seule fonction"),
        answers=("one_function",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "With exact numbers, yes. Think of the logits (0, 200) and the label 0 in float32.",
                "Avec des nombres exacts, oui. Penser aux logits (0, 200) et à l'étiquette 0 en "
                "float32.")),
            "b": Choice(False, Text(
                "By the chain rule the two gradients are the same formula. What differs is how "
                "rounding acts on the way.",
                "D'après la dérivation en chaîne, les deux gradients sont la même formule. Seul "
                "diffère l'effet des arrondis en cours de calcul.")),
            "c": Choice(True, Text(
                "On paper the 1/p of the logarithm cancels the p of softmax. In the chain of "
                "three, the machine multiplies infinity by 0.",
                "Sur le papier, le 1/p du logarithme et le p de softmax se simplifient. Dans les "
                "trois fonctions à la suite, la machine multiplie l'infini par 0.")),
        },
        hint=Text("Compute both for the logits (0, 200) and the label 0, in float32.",
                  "Calculer les deux pour les logits (0, 200) et l'étiquette 0, en float32."),
        place=Text("section 2, and the derivative of the logarithm at 0",
                   "la partie 2, et la dérivée du logarithme en 0"),
    ),
)

# %% [markdown] lang="en"
# ## 4. Handwritten digits
#
# The `digits` of scikit-learn: 1,797 images of 8 x 8 pixels, 10 classes. A row has the 64 pixels of
# one image, from 0 (white) to 1 (black). The first 80% of the rows train, the others test.

# %% [markdown] lang="fr"
# ## 4. Des chiffres manuscrits
#
# Les `digits` de scikit-learn : 1 797 images de 8 x 8 pixels, 10 classes. Une ligne contient les 64
# pixels d'une image, de 0 (blanc) à 1 (noir). Les premiers 80 % des lignes servent à
# l'apprentissage, les autres au test.

# %%
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float)
y = torch.tensor(digits.target)
x_train, x_test = x[: int(0.8 * len(x))], x[int(0.8 * len(x)) :]
y_train, y_test = y[: int(0.8 * len(y))], y[int(0.8 * len(y)) :]
print(x_train.shape, y_train.shape, x_test.shape)

# %% [show]
fig, axes = plt.subplots(1, 10, figsize=(10, 1.4))
for image, label, ax in zip(x, y, axes):
    ax.imshow(image.reshape(8, 8), cmap="gray_r")
    ax.set_title(int(label))
    ax.axis("off")
plt.show()

# %% [markdown] lang="en"
# The model is softmax regression: `Linear`, then `CrossEntropy`. Before you train: with all weights
# and biases equal to 0, all logits are 0. What is the loss, for 10 classes? It needs no data.

# %% [markdown] lang="fr"
# Le modèle est la régression softmax : `Linear`, puis `CrossEntropy`. Avant l'apprentissage : si
# tous les poids et les biais sont nuls, tous les logits sont nuls. Combien vaut la perte, pour 10
# classes ? Aucune donnée n'est nécessaire.

# %% question="loss_before"
# BEGIN SOLUTION
loss_before = 2.302585
# END SOLUTION

# %% [sheet]
sheet.add(ValueQuestion(
    key="loss_before",
    title=Text("The loss before training", "La perte avant l'apprentissage"),
    answers=("loss_before",),
    points=0.5,
    value=lambda: math.log(10),
    tolerance=0.01,
    known=(
        Known("probability", lambda: 0.1, Text(
            "That is the probability of each class. The loss is minus its logarithm.",
            "C'est la probabilité de chaque classe. La perte est l'opposé de son logarithme.")),
        Known("negative", lambda: -math.log(10), Text(
            "A probability is at most 1, so its logarithm is at most 0; the loss has a minus sign.",
            "Une probabilité vaut au plus 1, donc son logarithme au plus 0 ; la perte a un signe "
            "moins.")),
        Known("decimal", lambda: 1.0, Text(
            "That is the decimal logarithm; here it is the natural one.",
            "C'est le logarithme décimal ; il s'agit ici du logarithme népérien.")),
        Known("zero", lambda: 0.0, Text(
            "A loss of 0 would mean that each label has probability 1.",
            "Une perte nulle signifierait que chaque étiquette a la probabilité 1.")),
    ),
    hint=Text("If all logits are equal, what is each probability?",
              "Si tous les logits sont égaux, combien vaut chaque probabilité ?"),
    place=Text("sections 1 and 3, with all logits equal to 0",
               "les parties 1 et 3, avec tous les logits nuls"),
    mistakes=(
        Mistake("2.302585", "0.1", "probability", Text("the probability", "la probabilité")),
        Mistake("2.302585", "1.0", "decimal", Text("decimal logarithm", "logarithme décimal")),
    ),
))

# %% [markdown] lang="en"
# Now the loop, as in lab 2: `Linear.forward`, `CrossEntropy.forward`, the loss into `cost_history`
# as `[n_iter, loss]` before the update, the two `backward` in reverse order from
# `torch.tensor(1.0)`, and a step of length `EPS`. `b` has shape (K,).

# %% [markdown] lang="fr"
# Puis la boucle, comme au TP 2 : `Linear.forward`, `CrossEntropy.forward`, la perte dans
# `cost_history` sous la forme `[n_iter, perte]` avant la mise à jour, les deux `backward` dans
# l'ordre inverse à partir de `torch.tensor(1.0)`, et un pas de longueur `EPS`. `b` est de forme
# (K,).

# %% question="train_softmax"
def train_softmax(x, y, w, b, EPOCHS, EPS):
    cost_history = []
    for n_iter in range(EPOCHS):
        # BEGIN SOLUTION
        ctx_linear, ctx_loss = Context(), Context()
        logits = Linear.forward(ctx_linear, x, w, b)
        loss = CrossEntropy.forward(ctx_loss, logits, y)
        cost_history.append([n_iter, loss.item()])
        grad_logits, _ = CrossEntropy.backward(ctx_loss, torch.tensor(1.0))
        _, grad_w, grad_b = Linear.backward(ctx_linear, grad_logits)
        w = w - EPS * grad_w
        b = b - EPS * grad_b
        # END SOLUTION
    return w, b, cost_history


# %% [markdown] lang="en"
# Train from zeros, 300 steps with `EPS = 0.5`; it takes a second or two.

# %% [markdown] lang="fr"
# Entraîner à partir de zéros, 300 pas avec `EPS = 0.5` ; cela dure une seconde ou deux.

# %% question="training"
EPOCHS, EPS = 300, 0.5
w_start, b_start = torch.zeros(64, 10), torch.zeros(10)
# BEGIN SOLUTION
w, b, cost_history = train_softmax(x_train, y_train, w_start, b_start, EPOCHS, EPS)
# END SOLUTION

# %% [show]
if cost_history is not ...:
    plt.plot([n for n, _ in cost_history], [loss for _, loss in cost_history])
    plt.xlabel("step")  # en
    plt.xlabel("itération")  # fr
    plt.ylabel("loss")  # en
    plt.ylabel("perte")  # fr
    plt.show()

# %% [sheet]
def softmax_start(draw):
    n, d, k = draw.sizes(3)
    return draw.normal(n, d), draw.labels(n, k), (draw.normal(d, k, scale=0.5), draw.normal(k))


@functools.cache
def digits_from_zeros():
    from sklearn.datasets import load_digits

    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float), torch.tensor(digits.target)
    rows = int(0.8 * len(x))
    return x[:rows], y[:rows], (torch.zeros(64, 10), torch.zeros(10))


def softmax_loss(x, y, w, b):
    return F.cross_entropy(x @ w + b, y)


sheet.add(
    TrainingQuestion(
        key="train_softmax",
        title=Text("The loop of softmax regression", "La boucle de la régression softmax"),
        answers=("train_softmax",),
        points=3,
        loss=softmax_loss,
        start=softmax_start,
        parameters=("w", "b"),
        hint=Text("CrossEntropy.backward returns two values; the first goes into Linear.backward.",
                  "CrossEntropy.backward renvoie deux valeurs ; la première entre dans "
                  "Linear.backward."),
        place=Text("the loop of the linear regression of lab 2: only the loss is another one",
                   "la boucle de la régression linéaire du TP 2 : seule la perte change"),
        mistakes=(
            Mistake("w - EPS * grad_w", "w + EPS * grad_w", "sign.w",
                    Text("a step along the gradient", "un pas dans le sens du gradient")),
            Mistake("w - EPS * grad_w", "w - grad_w", "no_rate.w",
                    Text("no learning rate", "pas de pas d'apprentissage")),
            Mistake("        b = b - EPS * grad_b\n", "", "unchanged.b",
                    Text("b is not updated", "b n'est pas mis à jour")),
            Mistake("CrossEntropy.forward(ctx_loss, logits, y)",
                    "CrossEntropy.forward(ctx_loss, stable_softmax(logits), y)", "gradient.w",
                    Text("the softmax is taken twice", "softmax est appliqué deux fois")),
            Mistake("        w = w - EPS * grad_w\n        b = b - EPS * grad_b\n",
                    "        w = w - EPS * grad_w\n        b = b - EPS * grad_b\n"
                    "        cost_history[-1][1] = CrossEntropy.forward(\n"
                    "            Context(), Linear.forward(Context(), x, w, b), y).item()\n",
                    "history_after",
                    Text("the loss after the update", "la perte après la mise à jour")),
        ),
    ),
    TrainedQuestion(
        key="training",
        title=Text("Training on digits", "Apprentissage sur digits"),
        answers=("w", "b", "cost_history"),
        points=0.5,
        needs=("cross_entropy", "train_softmax"),
        loss=softmax_loss,
        start=digits_from_zeros,
        rate=0.5,
        steps=300,
        end=(0.188, 0.196),
        hint=Text("One call of train_softmax with x_train, y_train, w_start, b_start, EPOCHS, EPS.",
                  "Un seul appel de train_softmax avec x_train, y_train, w_start, b_start, EPOCHS, "
                  "EPS."),
        place=Text("the signature of train_softmax, and what it returns",
                   "la signature de train_softmax, et ce qu'elle renvoie"),
        mistakes=(
            Mistake("EPOCHS, EPS)", "EPOCHS, EPS / 10)", "end",
                    Text("a tenth of the learning rate", "un dixième du pas d'apprentissage")),
            Mistake("w_start, b_start, EPOCHS", "w_start + torch.randn(64, 10), b_start, EPOCHS",
                    "start", Text("random weights at the start", "des poids initiaux aléatoires")),
            Mistake("w, b, cost_history = train",
                    "w, b = w_start, b_start\n*_, cost_history = train", "unchanged.w",
                    Text("the trained parameters are not kept",
                         "les paramètres appris ne sont pas gardés")),
        ),
    ),
)

# %% [markdown] lang="en"
# ## 5. What the classifier gets wrong
#
# The predicted class of a row is that of its largest logit. `accuracy` is the share of the rows
# (between 0 and 1) whose predicted class is the label. `confusion` counts: entry `[i, j]`, of shape
# (K, K) and of integers, is the number of rows with label i and predicted class j; `classes` is K,
# even if some class does not occur.

# %% [markdown] lang="fr"
# ## 5. Ce que le classifieur ne reconnaît pas
#
# La classe prédite d'une ligne est celle de son plus grand logit. `accuracy` est la proportion des
# lignes (entre 0 et 1) dont la classe prédite est l'étiquette. `confusion` compte : le terme
# `[i, j]`, d'un tableau d'entiers de forme (K, K), est le nombre de lignes d'étiquette i et de
# classe prédite j ; `classes` vaut K, même si une classe n'apparaît pas.

# %% question="accuracy"
def accuracy(logits, labels):
    # BEGIN SOLUTION
    return (logits.argmax(1) == labels).double().mean()
    # END SOLUTION


# %% question="confusion"
def confusion(predicted, labels, classes):
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    # BEGIN SOLUTION
    for i, j in zip(labels, predicted):
        counts[i, j] += 1
    # END SOLUTION
    return counts


# %% [show]
if w is not ...:
    logits = Linear.forward(Context(), x_test, w, b)
    counts = confusion(logits.argmax(1), y_test, 10)
    print("test accuracy:", accuracy(logits, y_test))  # en
    print("taux de bonnes réponses sur le test :", accuracy(logits, y_test))  # fr
    print(counts)

# %% [sheet]
def predicted_and_labels(draw):
    n, k = 20, draw.integer(3, 6)
    labels = draw.labels(n, k)
    other = (labels + draw.labels(n, 3)) % k
    return other, labels, k


def with_unused_class(draw):
    predicted, labels, k = predicted_and_labels(draw)
    return predicted, labels, k + 1


def confusion_reference(predicted, labels, classes):
    return torch.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, -1)


def scores_and_labels(draw):
    logits = draw.normal(draw.integer(15, 25), draw.integer(3, 6))
    order = draw.labels(len(logits), len(logits))
    labels = logits.argmax(1)
    return logits, torch.where(order < 6, (labels + 1) % logits.size(1), labels)


sheet.add(
    CallQuestion(
        key="accuracy",
        title=Text("Accuracy", "Taux de bonnes réponses"),
        answers=("accuracy",),
        points=1,
        reference=lambda logits, labels: (logits.argmax(1) == labels).double().mean(),
        cases=(Case("ordinary", Text("random logits", "des logits aléatoires"), scores_and_labels,
                    1e-6),),
        hint=Text("argmax(1) gives the class of the largest logit of each row.",
                  "argmax(1) donne la classe du plus grand logit de chaque ligne."),
        place=Text("section 5; a boolean tensor has a mean after .double()",
                   "la partie 5 ; un tenseur de booléens a une moyenne après .double()"),
        mistakes=(
            Mistake("logits.argmax(1)", "logits.argmax(0)", "ordinary",
                    Text("the maximum over the rows", "le maximum sur les lignes")),
            Mistake(".mean()", ".sum()", "ordinary.values",
                    Text("the number of right answers", "le nombre de bonnes réponses")),
            Mistake(" == labels", " != labels", "ordinary.values",
                    Text("the share of wrong answers", "la proportion d'erreurs")),
        ),
    ),
    CallQuestion(
        key="confusion",
        title=Text("Confusion matrix", "Matrice de confusion"),
        answers=("confusion",),
        points=1,
        reference=confusion_reference,
        cases=(
            Case("ordinary", Text("20 rows", "20 lignes"), predicted_and_labels),
            Case("unused", Text("a class that does not occur", "une classe qui n'apparaît pas"),
                 with_unused_class),
        ),
        hint=Text("Go over the rows with zip(labels, predicted), and add 1 at one place each.",
                  "Parcourir les lignes avec zip(labels, predicted), et ajouter 1 à un endroit à "
                  "chaque fois."),
        place=Text("section 5: rows of the matrix are labels, columns are predictions",
                   "la partie 5 : les lignes de la matrice sont les étiquettes, les colonnes les "
                   "prédictions"),
        mistakes=(
            Mistake("counts[i, j] += 1", "counts[j, i] += 1", "ordinary.values",
                    Text("rows and columns exchanged", "lignes et colonnes échangées")),
            Mistake("counts[i, j] += 1", "counts[i, j] = 1", "ordinary.values",
                    Text("it marks and does not count", "elle marque sans compter")),
            Mistake("for i, j in zip(labels, predicted):\n        counts[i, j] += 1",
                    "counts[labels, predicted] += 1", "ordinary.values",
                    Text("an indexed +=, which counts each place once",
                         "un += indexé, qui ne compte chaque place qu'une fois")),
        ),
    ),
)

# %% [show]
if w is not ...:
    p = torch.softmax(logits, 1)
    wrong = (logits.argmax(1) != y_test).nonzero()[:, 0]
    wrong = wrong[p[wrong].max(1).values.argsort(descending=True)][:8]
    fig, axes = plt.subplots(1, 8, figsize=(10, 1.8))
    for n, ax in zip(wrong, axes):
        ax.imshow(x_test[n].reshape(8, 8), cmap="gray_r")
        ax.set_title(f"{int(y_test[n])} → {int(p[n].argmax())}\n{p[n].max():.0%}")
        ax.axis("off")
    fig.suptitle("The errors of which the model is most certain", y=1.25)  # en
    fig.suptitle("Les erreurs dont le modèle est le plus sûr", y=1.25)  # fr
    plt.show()

# %% [markdown] lang="en"
# ## 6. Ten pictures
#
# Column k of `w` has one weight per pixel: it can be drawn as an image. Red pixels raise the logit
# of class k, blue ones lower it. The last line printed is the largest absolute value among the
# sums of the **rows** of `w`, one sum for each pixel.

# %% [markdown] lang="fr"
# ## 6. Dix images
#
# La colonne k de `w` contient un poids par pixel : on peut la dessiner comme une image. Les pixels
# rouges augmentent le logit de la classe k, les bleus le diminuent. La dernière ligne affichée est
# la plus grande valeur absolue des sommes des **lignes** de `w`, une somme par pixel.

# %% [show]
if w is not ...:
    fig, axes = plt.subplots(1, 10, figsize=(10, 1.4))
    for k, ax in enumerate(axes):
        ax.imshow(w[:, k].reshape(8, 8), cmap="RdBu_r", vmin=-1.5, vmax=1.5)
        ax.set_title(k)
        ax.axis("off")
    plt.show()
    print(f"{w.abs().max():.2f}  {w.sum(1).abs().max():.1e}")

# %% [markdown] lang="en"
# Single weights have moved by more than 1, and yet all these sums are still 0, up to rounding. Why?
#
# - (a) The rows of `grad_logits` sum to 0, hence also those of $x^\top$ `grad_logits`; and `w`
#   started at 0.
# - (b) The pixels are scaled to the range from 0 to 1.
# - (c) By chance: half of the weights are positive, half negative.

# %% [markdown] lang="fr"
# Certains poids ont varié de plus de 1, et pourtant toutes ces sommes sont encore nulles, aux
# arrondis près. Pourquoi ?
#
# - (a) La somme de chaque ligne de `grad_logits` est nulle, donc aussi celle de chaque ligne de
#   $x^\top$ `grad_logits` ; et `w` est parti de 0.
# - (b) Les pixels sont ramenés entre 0 et 1.
# - (c) Par hasard : la moitié des poids est positive, l'autre négative.

# %% question="sum_of_rows"
# BEGIN SOLUTION
sum_of_rows = "a"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="sum_of_rows",
    title=Text("The sums of the rows of w", "Les sommes des lignes de w"),
    answers=("sum_of_rows",),
    points=0.5,
    choices={
        "a": Choice(True, Text(
            "It is the question of section 1, seen after 300 steps: what cannot change the loss is "
            "never moved by gradient descent.",
            "C'est la question de la partie 1, vue après 300 pas : la descente de gradient ne se "
            "déplace jamais dans une direction où la perte est constante.")),
        "b": Choice(False, Text(
            "With other pixels the sums would be 0 as well: try x_train * 3 + 1.",
            "Avec d'autres pixels les sommes seraient nulles aussi : essayer x_train * 3 + 1.")),
        "c": Choice(False, Text(
            "64 sums that all vanish to six digits are no chance. Look at the sum over the "
            "classes of one gradient.",
            "64 sommes nulles à six chiffres près ne sont pas un hasard. Regarder la somme sur les "
            "classes d'un gradient.")),
    },
    hint=Text("Compute the sums of the rows of grad_w after one step.",
              "Calculer les sommes des lignes de grad_w après un pas."),
    place=Text("the question of section 1, and grad_w of Linear (lab 2)",
               "la question de la partie 1, et grad_w de Linear (TP 2)"),
))
