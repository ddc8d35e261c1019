# Lab sheet 5: attention and layer normalisation. The format: derivable/labs/source.py.

# %% [sheet]
import functools

import torch
from torch.nn import functional as F

from derivable.labs import (
    CallQuestion, Case, Choice, ChoiceQuestion, FunctionQuestion, KnownGradient, Mistake, Sheet,
    Text, TrainedQuestion, TrainingQuestion, ValueQuestion,
)
from derivable.labs.questions.value import Known

sheet = Sheet(
    title=Text("Attention and layer normalisation", "Attention et normalisation de couche"),
    minutes=(90, 120),
)

# %% [markdown] lang="en"
# # Lab 5: attention and layer normalisation
#
# A transformer is built from two functions that lab 2 did not have: layer normalisation, and
# attention, in which each element of a sequence computes a weighted mean of the others. In this
# lab you write both by hand, with their full gradients. You then train one attention layer to
# reproduce a rearrangement that the sheet does not give, and read it from the weights.
#
# Notation: L is the number of queries (`query`), S the number of keys (`key`) and of values
# (`value`), E the number of features of a query or a key, V that of a value.
#
# What you need: labs 2 and 3. Time: 90 to 120 minutes.

# %% [markdown] lang="fr"
# # TP 5 : attention et normalisation de couche
#
# Un transformer se compose de deux fonctions absentes du TP 2 : la normalisation de couche, et
# l'attention, où chaque élément d'une suite calcule une moyenne pondérée des autres. Dans ce TP,
# vous écrivez les deux à la main, avec leurs gradients complets. Vous entraînez ensuite une couche
# d'attention à reproduire un réarrangement que l'énoncé ne donne pas, et vous lisez celui-ci dans
# ses poids.
#
# Notations : L est le nombre de requêtes (`query`), S le nombre de clés (`key`) et de valeurs
# (`value`), E le nombre de composantes d'une requête ou d'une clé, V celui d'une valeur.
#
# Prérequis : les TP 2 et 3. Durée : 90 à 120 minutes.

# %%
import matplotlib.pyplot as plt
import torch
from torch.autograd import Function

from derivable import Context  # that of lab 2  # en
from derivable import Context  # celui du TP 2  # fr

torch.set_num_threads(1)  # the tensors are small: several threads would be slower  # en
torch.set_num_threads(1)  # les tenseurs sont petits : plusieurs threads seraient plus lents  # fr

# %% [markdown] lang="en"
# ## 1. Layer normalisation
#
# Each row of `x`, of shape (N, D), is brought to mean 0 and variance 1 by its own statistics, then
# scaled and shifted by `weight` and `bias`, of shape (D,):
#
# $$\mu = \frac1D \sum_j x_j, \quad v = \frac1D \sum_j (x_j - \mu)^2, \quad
# \hat x_j = \frac{x_j - \mu}{\sqrt{v + \mathrm{eps}}}, \quad o_j = \hat x_j \, w_j + b_j$$
#
# For `backward`, let $r = 1/\sqrt{v + \mathrm{eps}}$ and $g$ = `grad_output` times `weight`, the
# gradient of $\hat x$. An entry $x_j$ acts on **all** $\hat x_i$ of its row in three ways:
# directly (only on $\hat x_j$), through $\mu$, and through $v$. Compute the three contributions
# and express the sum with $r$, $g$, $\hat x$ and means over the row. `eps` is a number: return
# `None` for it.

# %% [markdown] lang="fr"
# ## 1. La normalisation de couche
#
# Chaque ligne de `x`, de forme (N, D), est ramenée à une moyenne 0 et à une variance 1 par ses
# propres statistiques, puis multipliée par `weight` et décalée de `bias`, tous deux de forme
# (D,) :
#
# $$\mu = \frac1D \sum_j x_j, \quad v = \frac1D \sum_j (x_j - \mu)^2, \quad
# \hat x_j = \frac{x_j - \mu}{\sqrt{v + \mathrm{eps}}}, \quad o_j = \hat x_j \, w_j + b_j$$
#
# Pour `backward`, soit $r = 1/\sqrt{v + \mathrm{eps}}$ et $g$ = `grad_output` fois `weight`, le
# gradient de $\hat x$. Un terme $x_j$ agit sur **tous** les $\hat x_i$ de sa ligne de trois
# façons : directement (sur $\hat x_j$ seulement), par $\mu$ et par $v$. Calculer les trois
# contributions, et exprimer leur somme avec $r$, $g$, $\hat x$ et des moyennes sur la ligne. `eps`
# est un nombre : renvoyer `None` pour lui.

# %% question="layer_norm"
class LayerNorm(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        # BEGIN SOLUTION
        mean = x.mean(1, keepdim=True)
        variance = ((x - mean) ** 2).mean(1, keepdim=True)
        r = 1 / torch.sqrt(variance + eps)
        xhat = (x - mean) * r
        ctx.save_for_backward(xhat, r, weight)
        return xhat * weight + bias
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        xhat, r, weight = ctx.saved_tensors
        g = grad_output * weight
        along = (g * xhat).mean(1, keepdim=True)
        grad_x = r * (g - g.mean(1, keepdim=True) - xhat * along)
        grad_weight = (grad_output * xhat).sum(0)
        grad_bias = grad_output.sum(0)
        return grad_x, grad_weight, grad_bias, None
        # END SOLUTION


# %% [markdown] lang="en"
# ### A question
#
# A row is multiplied by 3 (take eps = 0): its normalised row stays the same. What about the
# gradient with respect to that row, for the same `grad_output`?
#
# - (a) It is divided by 3.
# - (b) It stays the same.
# - (c) It is multiplied by 3.

# %% [markdown] lang="fr"
# ### Une question
#
# On multiplie une ligne par 3 (avec eps = 0) : la ligne normalisée ne change pas. Qu'en est-il du
# gradient par rapport à cette ligne, pour le même `grad_output` ?
#
# - (a) Il est divisé par 3.
# - (b) Il ne change pas.
# - (c) Il est multiplié par 3.

# %% question="scaled_row"
# BEGIN SOLUTION
scaled_row = "a"
# END SOLUTION

# %% [sheet]
def rows_to_normalise(draw):
    n, d = draw.integer(2, 3), draw.integer(4, 6)
    x = 2 * draw.normal(n, d) + 1
    return x, draw.normal(d), draw.normal(d), draw.uniform(0.05, 0.5)


sheet.add(
    FunctionQuestion(
        key="layer_norm",
        title=Text("Layer normalisation", "Normalisation de couche"),
        answers=("LayerNorm",),
        points=5,
        reference=lambda x, weight, bias, eps: F.layer_norm(x, x.shape[1:], weight, bias, eps),
        forbidden=frozenset({"layer_norm"}),
        inputs=rows_to_normalise,
        hint=Text("The derivative of v with respect to x_j is 2 (x_j - mean) / D; that of r with "
                  "respect to v is -r³ / 2.",
                  "La dérivée de v par rapport à x_j est 2 (x_j - moyenne) / D ; celle de r par "
                  "rapport à v est -r³ / 2."),
        place=Text("check your formula: the gradient of a row has mean 0, and for eps = 0 its dot "
                   "product with xhat is 0",
                   "contrôler la formule : le gradient d'une ligne est de moyenne 0, et pour eps "
                   "= 0 son produit scalaire avec xhat est nul"),
        mistakes=(
            Mistake("((x - mean) ** 2).mean(1, keepdim=True)", "x.var(1, keepdim=True)",
                    "forward", Text("the variance divides by D - 1",
                                    "la variance divise par D - 1")),
            Mistake("x.mean(1, keepdim=True)", "x.mean(0, keepdim=True)", "forward",
                    Text("the mean of the columns", "la moyenne des colonnes")),
            Mistake("variance + eps)", "variance)", "forward",
                    Text("eps is forgotten", "eps est oublié")),
            Mistake("r * (g - g.mean(1, keepdim=True) - xhat * along)", "r * g", "backward.x",
                    Text("mean and variance are treated as constants",
                         "moyenne et variance traitées comme des constantes")),
            Mistake(" - xhat * along", "", "backward.x",
                    Text("the term of the variance is missing", "le terme de la variance manque")),
            Mistake("(grad_output * xhat).sum(0)", "grad_output.sum(0)", "backward.weight",
                    Text("xhat is missing in grad_weight", "xhat manque dans grad_weight")),
        ),
    ),
    ChoiceQuestion(
        key="scaled_row",
        title=Text("A row multiplied by 3", "Une ligne multipliée par 3"),
        answers=("scaled_row",),
        points=0.5,
        choices={
            "a": Choice(True, Text(
                "f(3 x) = f(x) gives 3 f'(3 x) = f'(x); in the formula, r is divided by 3. A layer "
                "with large outputs thus gets small gradients, and one with small outputs large "
                "ones.",
                "f(3 x) = f(x) donne 3 f'(3 x) = f'(x) ; dans la formule, r est divisé par 3. Une "
                "couche aux grandes sorties reçoit ainsi de petits gradients, et réciproquement.")),
            "b": Choice(False, Text(
                "The output does not change, but a change of 0.1 is now smaller relative to the "
                "row.",
                "La sortie ne change pas, mais une variation de 0,1 est maintenant plus petite par "
                "rapport à la ligne.")),
            "c": Choice(False, Text(
                "Look at r in your formula: what happens to it if v is multiplied by 9?",
                "Regarder r dans la formule : que devient-il si v est multiplié par 9 ?")),
        },
        hint=Text("Differentiate both sides of f(3 x) = f(x).",
                  "Dériver les deux membres de f(3 x) = f(x)."),
        place=Text("the factor r in your backward", "le facteur r dans votre backward"),
    ),
)

# %% [markdown] lang="en"
# ## 2. Scores
#
# In attention, each query is compared with each key by their dot product, the **score**. The scores
# of a query become weights by softmax. How large are scores? If the entries of a query and a key
# are independent, of mean 0 and variance 1, what is the variance of their dot product for E = 64?
# (Compute it, or estimate it from random vectors and round.)

# %% [markdown] lang="fr"
# ## 2. Les scores
#
# Dans l'attention, on compare chaque requête à chaque clé par leur produit scalaire, le **score**.
# Les scores d'une requête deviennent des poids par softmax. De quel ordre sont-ils ? Si les
# composantes d'une requête et d'une clé sont indépendantes, de moyenne 0 et de variance 1, quelle
# est la variance de leur produit scalaire pour E = 64 ? (La calculer, ou l'estimer par des
# vecteurs aléatoires et arrondir.)

# %% question="score_variance"
# BEGIN SOLUTION
score_variance = 64
# END SOLUTION

# %% [show]
torch.manual_seed(0)
print("   E  scale       largest weight    mean of p (1 - p)")  # en
print("   E  échelle     plus grand poids  moyenne de p (1 - p)")  # fr
for E in (4, 64, 1024):
    scores = torch.randn(500, E) @ torch.randn(10, E).t()
    for name, scale in (("1", 1.0), ("1/sqrt(E)", E**-0.5)):
        p = torch.softmax(scores * scale, 1)
        largest, slope = p.max(1).values.mean(), (p * (1 - p)).mean()
        print(f"{E:4d}  {name:10s}  {largest:14.2f}    {slope:17.4f}")

# %% [markdown] lang="en"
# The table has 500 random queries and 10 keys, without and with a division of the scores by
# $\sqrt E$. Why does attention divide?
#
# - (a) So that the weights of a query sum to 1.
# - (b) Without it, the larger E, the closer the weights are to 0 and 1; there the derivative
#   p (1 - p) of softmax is almost 0 and training hardly moves the scores.
# - (c) Without it the exponentials of softmax overflow.

# %% [markdown] lang="fr"
# Le tableau porte sur 500 requêtes aléatoires et 10 clés, sans puis avec division des scores par
# $\sqrt E$. Pourquoi l'attention divise-t-elle ?
#
# - (a) Pour que les poids d'une requête aient pour somme 1.
# - (b) Sans cela, plus E est grand, plus les poids sont proches de 0 et de 1 ; la dérivée p (1 - p)
#   de softmax y est presque nulle, et l'apprentissage ne modifie guère les scores.
# - (c) Sans cela les exponentielles de softmax dépassent la limite de float32.

# %% question="division"
# BEGIN SOLUTION
division = "b"
# END SOLUTION

# %% [sheet]
sheet.add(
    ValueQuestion(
        key="score_variance",
        title=Text("The variance of a score", "La variance d'un score"),
        answers=("score_variance",),
        points=0.5,
        value=lambda: 64.0,
        tolerance=0.06,  # it may be estimated from random vectors
        known=(
            Known("deviation", lambda: 8.0, Text(
                "That is the standard deviation, its square root.",
                "C'est l'écart-type, sa racine carrée.")),
            Known("one term", lambda: 1.0, Text(
                "That is the variance of one product. The score is a sum of 64 of them.",
                "C'est la variance d'un seul produit. Le score est une somme de 64 produits.")),
            Known("square", lambda: 4096.0, Text(
                "The variances of independent terms add up; it is their deviations that do not.",
                "Les variances de termes indépendants s'additionnent : 64 fois 1, et non 64 fois "
                "64.")),
        ),
        hint=Text("The variance of a sum of independent terms is the sum of their variances.",
                  "La variance d'une somme de termes indépendants est la somme de leurs "
                  "variances."),
        place=Text("write the dot product as a sum, and compute the mean of the square of one term",
                   "écrire le produit scalaire comme une somme, et calculer la moyenne du carré "
                   "d'un terme"),
        mistakes=(
            Mistake("64", "8", "deviation", Text("the standard deviation", "l'écart-type")),
            Mistake("64", "1", "one term", Text("one term only", "un seul terme")),
        ),
    ),
    ChoiceQuestion(
        key="division",
        title=Text("Why the division by sqrt(E)", "Pourquoi la division par sqrt(E)"),
        answers=("division",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "Softmax does that for any scores.", "Softmax y suffit, quels que soient les "
                "scores.")),
            "b": Choice(True, Text(
                "Divided by sqrt(E), the scores have variance 1 whatever E is.",
                "Divisés par sqrt(E), les scores ont pour variance 1 quel que soit E.")),
            "c": Choice(False, Text(
                "Softmax subtracts the maximum (lab 3), so it does not overflow. Look at the last "
                "column.",
                "Softmax soustrait le maximum (TP 3), donc rien ne dépasse. Regarder la dernière "
                "colonne.")),
        },
        hint=Text("Compare the rows of the table for E = 1024.",
                  "Comparer les lignes du tableau pour E = 1024."),
        place=Text("the backward of softmax in lab 3, for p close to 0 or 1",
                   "le backward de softmax au TP 3, pour p proche de 0 ou de 1"),
    ),
)

# %% [markdown] lang="en"
# ## 3. Attention
#
# `query` has shape (N, L, E), `key` (N, S, E), `value` (N, S, V). For one sequence of the batch:
#
# $$s = \frac{1}{\sqrt E}\, \mathrm{query} \; \mathrm{key}^\top, \qquad
# W = \mathrm{softmax}(s) \text{ over the keys}, \qquad o = W \; \mathrm{value}$$
#
# so $s$ and $W$ have shape (N, L, S) and the output (N, L, V). `mask`, of shape (L, S) and
# boolean, is True where a key may be seen; elsewhere the score is set to $-\infty$ before softmax:
# `scores.masked_fill(~mask, -torch.inf)`. `t.mT` exchanges the last two dimensions, and `@` works
# on batches.
#
# A **causal** mask lets element l see the elements 0 to l only. Write it for L = S.

# %% [markdown] lang="fr"
# ## 3. L'attention
#
# `query` est de forme (N, L, E), `key` (N, S, E), `value` (N, S, V). Pour une suite du batch :
#
# $$s = \frac{1}{\sqrt E}\, \mathrm{query} \; \mathrm{key}^\top, \qquad
# W = \mathrm{softmax}(s) \text{ sur les clés}, \qquad o = W \; \mathrm{value}$$
#
# $s$ et $W$ sont donc de forme (N, L, S), et la sortie de forme (N, L, V). `mask`, booléen de
# forme (L, S), vaut True là où une clé est visible ; ailleurs, le score est remplacé par $-\infty$
# avant softmax : `scores.masked_fill(~mask, -torch.inf)`. `t.mT` échange les deux dernières
# dimensions, et `@` s'applique à des batchs.
#
# Un masque **causal** ne laisse voir à l'élément l que les éléments 0 à l. L'écrire pour L = S.

# %% question="causal_mask"
def causal_mask(L):
    # BEGIN SOLUTION
    return torch.ones(L, L, dtype=torch.bool).tril()
    # END SOLUTION


# %% [markdown] lang="en"
# In `forward` you may use `torch.softmax(scores, -1)`. In `backward`, go back through the three
# formulas: from `grad_output` to the gradients of `value` and of $W$, from $W$ to $s$ (the backward
# of softmax of lab 3, row by row), from $s$ to those of `query` and `key`. What has to be done for
# the mask?

# %% [markdown] lang="fr"
# Dans `forward`, vous pouvez utiliser `torch.softmax(scores, -1)`. Dans `backward`, remonter les
# trois formules : de `grad_output` aux gradients de `value` et de $W$, de $W$ à $s$ (le backward
# de softmax du TP 3, ligne par ligne), de $s$ à ceux de `query` et de `key`. Que faut-il faire
# pour le masque ?

# %% question="attention"
class Attention(Function):
    @staticmethod
    def forward(ctx, query, key, value, mask):
        # BEGIN SOLUTION
        scores = query @ key.mT / query.size(-1) ** 0.5
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), -1)
        ctx.save_for_backward(query, key, value, weights)
        return weights @ value
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        query, key, value, weights = ctx.saved_tensors
        grad_value = weights.mT @ grad_output
        grad_weights = grad_output @ value.mT
        total = (grad_weights * weights).sum(-1, keepdim=True)
        grad_scores = weights * (grad_weights - total) / query.size(-1) ** 0.5
        grad_query = grad_scores @ key
        grad_key = grad_scores.mT @ query
        return grad_query, grad_key, grad_value, None
        # END SOLUTION


# %% [markdown] lang="en"
# ### A question
#
# With a causal mask, `grad_output` is 0 except in row l = 2 (the third element). Which rows of
# `grad_value` can be different from 0?
#
# - (a) All of them: the mask plays no role in backward.
# - (b) Row 2 only.
# - (c) Rows 0, 1 and 2.

# %% [markdown] lang="fr"
# ### Une question
#
# Avec un masque causal, `grad_output` est nul sauf à la ligne l = 2 (le troisième élément). Quelles
# lignes de `grad_value` peuvent être non nulles ?
#
# - (a) Toutes : le masque n'intervient pas dans backward.
# - (b) La ligne 2 seulement.
# - (c) Les lignes 0, 1 et 2.

# %% question="masked"
# BEGIN SOLUTION
masked_rows = "c"
# END SOLUTION

# %% [sheet]
def attention_inputs(draw):
    e, v = (3, 2) if draw.integer(0, 1) else (2, 3)
    L, S = draw.integer(2, 3), 4
    mask = draw.normal(L, S) > 0
    mask[torch.arange(L), draw.labels(L, L)] = True
    return draw.normal(2, L, e), draw.normal(2, S, e), draw.normal(2, S, v), mask


def without_softmax(divided, weighted):
    """The gradient of query where softmax has no backward, or one without its sum."""

    def gradient(g, query, key, value, mask):
        scale = query.size(-1) ** -0.5
        scores = (query @ key.mT * scale).masked_fill(~mask, -torch.inf)
        grad_scores = g @ value.mT * (torch.softmax(scores, -1) if weighted else 1)
        return grad_scores @ key * (scale if divided else 1)

    return gradient


NO_SOFTMAX = Text(
    "the backward of softmax is missing between the gradient of the weights and that of the "
    "scores.",
    "le backward de softmax manque entre le gradient des poids et celui des scores.")
NO_SUM = Text(
    "in the backward of softmax, the sum over the row is missing.",
    "dans le backward de softmax, la somme sur la ligne manque.")
sheet.add(
    CallQuestion(
        key="causal_mask",
        title=Text("Causal mask", "Masque causal"),
        answers=("causal_mask",),
        points=1,
        reference=lambda L: torch.ones(L, L, dtype=torch.bool).tril(),
        cases=(
            Case("ordinary", Text("a sequence", "une suite"), lambda draw: (draw.integer(3, 9),)),
        ),
        hint=Text("tril() keeps the lower triangle of a matrix, triu() the upper one.",
                  "tril() garde le triangle inférieur d'une matrice, triu() le triangle "
                  "supérieur."),
        place=Text("write the matrix for L = 3 on paper: rows are queries, columns keys",
                   "écrire la matrice pour L = 3 sur papier : les lignes sont les requêtes, "
                   "les colonnes les clés"),
        mistakes=(
            Mistake(".tril()", ".triu()", "ordinary.values",
                    Text("it sees what follows", "il laisse voir la suite")),
            Mistake(".tril()", ".tril(-1)", "ordinary.values",
                    Text("an element does not see itself", "un élément ne se voit pas lui-même")),
        ),
    ),
    FunctionQuestion(
        key="attention",
        title=Text("Attention", "Attention"),
        answers=("Attention",),
        points=6,
        forbidden=frozenset({"scaled_dot_product_attention"}),
        reference=lambda query, key, value, mask: F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask),
        inputs=attention_inputs,
        known=tuple(
            KnownGradient(key, 0, without_softmax(divided, key == "no_sum"), why)
            for divided in (True, False)
            for key, why in (("no_softmax", NO_SOFTMAX), ("no_sum", NO_SUM))
        ),
        hint=Text("Shapes: grad_weights is (N, L, S), like weights; a weight of 0 gives a score "
                  "the gradient 0.",
                  "Formes : grad_weights est (N, L, S), comme weights ; un poids nul donne au "
                  "score un gradient nul."),
        place=Text("the gradients of a product (Linear, lab 2) twice, and that of softmax (lab 3) "
                   "in between",
                   "deux fois les gradients d'un produit (Linear, TP 2), et entre les deux celui "
                   "de softmax (TP 3)"),
        mistakes=(
            Mistake("scores = query @ key.mT / query.size(-1) ** 0.5", "scores = query @ key.mT",
                    "forward.values", Text("no division in forward",
                                           "pas de division dans forward")),
            Mistake("-torch.inf), -1)", "-torch.inf), -2)", "forward",
                    Text("softmax over the queries", "softmax sur les requêtes")),
            Mistake("~mask, -torch.inf", "~mask, 0.0", "forward.values",
                    Text("masked scores are 0, which is a weight", "score masqué égal à 0, ce qui "
                         "donne un poids")),
            Mistake("(grad_weights - total) / query.size(-1) ** 0.5", "(grad_weights - total)",
                    "backward.query.factor",
                    Text("no division in backward", "pas de division dans backward")),
            Mistake("weights * (grad_weights - total)", "grad_weights",
                    "backward.query.no_softmax",
                    Text("the backward of softmax is missing",
                         "le backward de softmax manque")),
            Mistake("weights * (grad_weights - total)", "weights * grad_weights",
                    "backward.query.no_sum",
                    Text("the sum in the backward of softmax is missing",
                         "la somme manque dans le backward de softmax")),
            Mistake("weights.mT @ grad_output", "weights.mT.sign() @ grad_output", "backward.value",
                    Text("the mask in the place of the weights", "le masque au lieu des poids")),
        ),
    ),
    ChoiceQuestion(
        key="masked",
        title=Text("What the mask does to gradients", "Effet du masque sur les gradients"),
        answers=("masked_rows",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "It acts through the saved weights: those of masked keys are 0, and grad_value is "
                "their product with grad_output.",
                "Il intervient par les poids sauvegardés : ceux des clés masquées valent 0, et "
                "grad_value est leur produit avec grad_output.")),
            "b": Choice(False, Text(
                "Output 2 is a weighted mean of several values: which ones?",
                "La sortie 2 est une moyenne pondérée de plusieurs valeurs : lesquelles ?")),
            "c": Choice(True, Text(
                "Output 2 depends on the values 0 to 2 only, so a loss at element 2 sends no "
                "gradient to what comes later.",
                "La sortie 2 ne dépend que des valeurs 0 à 2 : une perte sur l'élément 2 n'envoie "
                "aucun gradient à ce qui vient après.")),
        },
        hint=Text("Row 2 of the causal mask is True for which keys?",
                  "Pour quelles clés la ligne 2 du masque causal vaut-elle True ?"),
        place=Text("your formula of grad_value, with one row of grad_output",
                   "votre formule de grad_value, avec une seule ligne de grad_output"),
    ),
)

# %% [markdown] lang="en"
# ## 4. Does attention depend on the order?
#
# In self-attention, query, key and value come from the same sequence `x`, of shape (L, D). A
# function f is **equivariant** to permutations if rearranging the rows of `x` rearranges those of
# f(x) in the same way. Write a function that measures it: the largest absolute difference between
# `f(x[order])` and `f(x)[order]`, where `order` is a permutation of the rows.

# %% [markdown] lang="fr"
# ## 4. L'attention dépend-elle de l'ordre ?
#
# Dans l'auto-attention, requêtes, clés et valeurs viennent de la même suite `x`, de forme (L, D).
# Une fonction f est **équivariante** par permutation si réarranger les lignes de `x` réarrange
# celles de f(x) de la même façon. Écrire une fonction qui le mesure : la plus grande différence,
# en valeur absolue, entre `f(x[order])` et `f(x)[order]`, où `order` est une permutation des
# lignes.

# %% question="gap"
def equivariance_gap(f, x, order):
    # BEGIN SOLUTION
    return (f(x[order]) - f(x)[order]).abs().max()
    # END SOLUTION


# %% [show]
def self_attention(x):
    mask = torch.ones(len(x), len(x), dtype=torch.bool)
    return Attention.forward(Context(), x[None], x[None], x[None], mask)[0]


def causal_attention(x):
    return Attention.forward(Context(), x[None], x[None], x[None], causal_mask(len(x)))[0]


def with_positions(x):
    return self_attention(x + torch.linspace(-1, 1, len(x))[:, None])


sequence = torch.randn(6, 4)
done = Attention.forward(Context(), *[sequence[None]] * 3, torch.ones(6, 6).bool())
if done is not None and causal_mask(6) is not None:
    for f in (self_attention, causal_attention, with_positions):
        print(f.__name__, equivariance_gap(f, sequence, torch.randperm(6)))

# %% [markdown] lang="en"
# The first gap is 0 up to rounding. A text is given to self-attention without a mask, one row per
# word; then the same words in another order. What are the outputs of the words?
#
# - (a) Other ones: the neighbours of each word have changed.
# - (b) The same for each word, in the new order: the sum over the keys does not depend on their
#   order.
# - (c) The same only if the order is reversed.

# %% [markdown] lang="fr"
# Le premier écart est nul aux arrondis près. On donne un texte à l'auto-attention sans masque, une
# ligne par mot ; puis les mêmes mots dans un autre ordre. Que sont les sorties des mots ?
#
# - (a) D'autres sorties : les voisins de chaque mot ont changé.
# - (b) Les mêmes pour chaque mot, dans le nouvel ordre : la somme sur les clés ne dépend pas de
#   leur ordre.
# - (c) Les mêmes seulement si l'ordre est inversé.

# %% question="order_of_words"
# BEGIN SOLUTION
order_of_words = "b"
# END SOLUTION

# %% [sheet]
def squared(x):
    return x**2


def cumulative(x):
    return x.cumsum(0)


def first_row(x):
    return torch.cat([x[:1], torch.zeros_like(x[1:])])


def function_and_order(f):
    def inputs(draw):
        n = draw.integer(4, 7)
        x = draw.normal(n, 3)
        x[0] = 4 + x[0].abs()
        return f, x, torch.arange(n).roll(draw.integer(1, 2))

    return inputs


sheet.add(
    CallQuestion(
        key="gap",
        title=Text("Permutation equivariance", "Équivariance par permutation"),
        answers=("equivariance_gap",),
        points=1,
        reference=lambda f, x, order: (f(x[order]) - f(x)[order]).abs().max(),
        cases=(
            Case("rows", Text("a function of each row", "une fonction de chaque ligne"),
                 function_and_order(squared)),
            Case("sums", Text("cumulative sums", "des sommes cumulées"),
                 function_and_order(cumulative)),
            Case("first", Text("a function that keeps only the first row",
                               "une fonction qui ne garde que la première ligne"),
                 function_and_order(first_row)),
        ),
        hint=Text("x[order] are the rows of x in another order, f(x)[order] those of f(x).",
                  "x[order] sont les lignes de x dans un autre ordre, f(x)[order] celles de f(x)."),
        place=Text("the last sentence above the cell",
                   "la dernière phrase au-dessus de la cellule"),
        mistakes=(
            Mistake("f(x)[order]", "f(x)", "rows.values",
                    Text("f(x) is not rearranged", "f(x) n'est pas réarrangé")),
            Mistake(".abs().max()", ".max()", "sums.values",
                    Text("without the absolute value", "sans la valeur absolue")),
            Mistake(".max()", ".mean()", "sums.values",
                    Text("the mean difference", "la différence moyenne")),
        ),
    ),
    ChoiceQuestion(
        key="order_of_words",
        title=Text("The same words in another order", "Les mêmes mots dans un autre ordre"),
        answers=("order_of_words",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "Neighbours play no role in the formulas of section 3: each query sees all keys "
                "alike.",
                "Le voisinage n'intervient pas dans les formules de la partie 3 : chaque requête "
                "voit toutes les clés de la même façon.")),
            "b": Choice(True, Text(
                "Attention treats a sequence as a set. What depends on the order has to come in "
                "through positions or a mask.",
                "L'attention traite une suite comme un ensemble. Ce qui dépend de l'ordre doit y "
                "entrer par des positions ou un masque.")),
            "c": Choice(False, Text(
                "The gap was measured for a random order.",
                "L'écart a été mesuré pour un ordre aléatoire.")),
        },
        hint=Text("Read what equivariance_gap(self_attention, ...) measured.",
                  "Relire ce que equivariance_gap(self_attention, ...) a mesuré."),
        place=Text("the definition of equivariance in section 4",
                   "la définition de l'équivariance dans la partie 4"),
    ),
)

# %% [markdown] lang="en"
# ## 5. A secret order
#
# `x` has 200 sequences of 12 random vectors, and `y` the same vectors in another order, the same
# for all sequences. One attention layer is to find it. Since it depends on positions alone,
# `query` and `key` are learned tables with one row per **position**, of shape (12, 8), the same
# for each sequence; `value` is `x`. (The order is in `secret`; the lab is more interesting if you
# do not print it.)

# %% [markdown] lang="fr"
# ## 5. Un ordre secret
#
# `x` contient 200 suites de 12 vecteurs aléatoires, et `y` les mêmes vecteurs dans un autre ordre,
# le même pour toutes les suites. Une couche d'attention doit le trouver. Comme il ne dépend que
# des positions, `query` et `key` sont des tables apprises, avec une ligne par **position**, de
# forme (12, 8), les mêmes pour chaque suite ; `value` est `x`. (L'ordre est dans `secret` ; le TP
# est plus intéressant sans l'afficher.)

# %%
generator = torch.Generator().manual_seed(5)
secret = torch.randperm(12, generator=generator)
x = torch.randn(200, 12, 4, generator=generator)
y = x[:, secret]
query_start = torch.randn(12, 8, generator=generator)
key_start = torch.randn(12, 8, generator=generator)

# %% [markdown] lang="en"
# The loss is the sum of the squared differences of a sequence, averaged over the N sequences:
#
# $$\ell = \frac1N \sum_{n,l,v} (\hat y_{nlv} - y_{nlv})^2$$
#
# Write its gradient yourself. `query.expand(len(x), -1, -1)` repeats the table for each sequence,
# so that it has shape (N, L, E). What does this mean for the gradients that `Attention.backward`
# returns for `query` and `key`? No mask is needed: `everything` is True everywhere.

# %% [markdown] lang="fr"
# La perte est la somme des carrés des écarts d'une suite, en moyenne sur les N suites :
#
# $$\ell = \frac1N \sum_{n,l,v} (\hat y_{nlv} - y_{nlv})^2$$
#
# Écrire son gradient vous-même. `query.expand(len(x), -1, -1)` répète la table pour chaque suite,
# de sorte qu'elle soit de forme (N, L, E). Quelle en est la conséquence pour les gradients que
# `Attention.backward` renvoie pour `query` et `key` ? Aucun masque n'est nécessaire : `everything`
# vaut True partout.

# %% question="train_attention"
def train_attention(x, y, query, key, EPOCHS, EPS):
    cost_history = []
    everything = torch.ones(len(query), len(key), dtype=torch.bool)
    for n_iter in range(EPOCHS):
        ctx = Context()
        queries, keys = query.expand(len(x), -1, -1), key.expand(len(x), -1, -1)
        # BEGIN SOLUTION
        yhat = Attention.forward(ctx, queries, keys, x, everything)
        cost_history.append([n_iter, ((yhat - y) ** 2).sum().item() / len(x)])
        grad_yhat = 2 / len(x) * (yhat - y)
        grad_queries, grad_keys, _, _ = Attention.backward(ctx, grad_yhat)
        query = query - EPS * grad_queries.sum(0)
        key = key - EPS * grad_keys.sum(0)
        # END SOLUTION
    return query, key, cost_history


# %% question="training"
EPOCHS, EPS = 300, 0.3
# BEGIN SOLUTION
query, key, cost_history = train_attention(x, y, query_start, key_start, EPOCHS, EPS)
# END SOLUTION

# %% [sheet]
def attention_start(draw):
    n, e, v = draw.sizes(3)
    length = draw.integer(3, 4)
    tables = (draw.normal(length, e), draw.normal(length, e))
    return draw.normal(n, length, v), draw.normal(n, length, v), tables


def attention_loss(x, y, query, key):
    weights = torch.softmax(query @ key.mT / query.size(-1) ** 0.5, -1)
    return ((weights @ x - y) ** 2).sum() / len(x)


@functools.cache
def sequences_and_tables():
    generator = torch.Generator().manual_seed(5)
    secret = torch.randperm(12, generator=generator)
    x = torch.randn(200, 12, 4, generator=generator)
    tables = [torch.randn(12, 8, generator=generator) for _ in range(2)]
    return x, x[:, secret], tables


sheet.add(
    TrainingQuestion(
        key="train_attention",
        title=Text("The loop of attention", "La boucle de l'attention"),
        answers=("train_attention",),
        points=3,
        loss=attention_loss,
        start=attention_start,
        parameters=("query", "key"),
        hint=Text("grad_queries has shape (N, L, E), query has shape (L, E).",
                  "grad_queries est de forme (N, L, E), query de forme (L, E)."),
        place=Text("lab 2, the question on the bias: what is repeated in forward is summed in "
                   "backward",
                   "le TP 2, la question sur le biais : ce qui est répété dans forward se somme "
                   "dans backward"),
        mistakes=(
            Mistake("grad_queries.sum(0)", "grad_queries", "shape.query",
                    Text("query is not summed over the sequences",
                         "query n'est pas sommé sur les suites")),
            Mistake("grad_queries.sum(0)", "grad_queries.mean(0)", "divided.query",
                    Text("a mean over the sequences", "une moyenne sur les suites")),
            Mistake("2 / len(x) * (yhat - y)", "2 * (yhat - y)", "normalisation.query",
                    Text("1/N is missing in the gradient of the loss",
                         "1/N manque dans le gradient de la perte")),
            Mistake("key - EPS", "key + EPS", "sign.key",
                    Text("a step along the gradient", "un pas dans le sens du gradient")),
            Mistake(".sum().item() / len(x)", ".mean().item()", "history",
                    Text("the loss is a mean over all entries",
                         "la perte est une moyenne sur tous les termes")),
        ),
    ),
    TrainedQuestion(
        key="training",
        title=Text("Training of attention", "Apprentissage de l'attention"),
        answers=("query", "key", "cost_history"),
        points=0.5,
        needs=("attention", "train_attention"),
        loss=attention_loss,
        start=sequences_and_tables,
        rate=0.3,
        steps=300,
        end=(0.002, 0.5),
        hint=Text("One call of train_attention with query_start and key_start.",
                  "Un seul appel de train_attention avec query_start et key_start."),
        place=Text("the signature of train_attention, and what it returns",
                   "la signature de train_attention, et ce qu'elle renvoie"),
        mistakes=(
            Mistake("EPOCHS, EPS)", "EPOCHS, EPS / 100)", "end",
                    Text("a small learning rate", "un petit pas d'apprentissage")),
            Mistake("EPOCHS, EPS)", "30, EPS)", "count", Text("30 steps only", "30 pas seulement")),
            Mistake("EPOCHS, EPS)", "EPOCHS, EPS / 2)", "steps",
                    Text("half of the learning rate", "la moitié du pas d'apprentissage")),
            Mistake("query, key, cost_history = train",
                    "query, key = query_start, key_start\n*_, cost_history = train",
                    "unchanged.query",
                    Text("the trained tables are not kept",
                         "les tables apprises ne sont pas gardées")),
        ),
    ),
)

# %% [show]
if query is not ...:
    weights = torch.softmax(query @ key.t() / 8**0.5, 1)
    before = torch.softmax(query_start @ key_start.t() / 8**0.5, 1)
    fig, axes = plt.subplots(1, 3, figsize=(11, 3.2))
    axes[0].plot([loss for _, loss in cost_history])
    axes[0].set_yscale("log")
    axes[1].imshow(before, cmap="Blues", vmin=0, vmax=1)
    axes[2].imshow(weights, cmap="Blues", vmin=0, vmax=1)
    axes[2].set_xticks(range(12))
    axes[2].set_yticks(range(12))
    titles = ("loss", "weights before", "weights after")  # en
    titles = ("perte", "poids avant", "poids après")  # fr
    for ax, title in zip(axes, titles):
        ax.set_title(title)
    plt.show()

# %% [markdown] lang="en"
# Each row of the picture is a position of `y`, each column a position of `x`. Read (or compute from
# `query` and `key`) the order: a list or tensor of 12 integers, where `order[l]` is the position in
# `x` of what `y` has at position l. The last cell applies it to twelve letters.

# %% [markdown] lang="fr"
# Chaque ligne de l'image est une position de `y`, chaque colonne une position de `x`. Lire (ou
# calculer à partir de `query` et `key`) l'ordre : une liste ou un tenseur de 12 entiers, où
# `order[l]` est la position dans `x` de ce que `y` contient à la position l. La dernière cellule
# l'applique à douze lettres.

# %% question="order"
# BEGIN SOLUTION
order = (query @ key.t()).argmax(1)
# END SOLUTION

# %% [show]
if order is not ...:
    print("".join("RRSFORNEMAST"[int(i) % 12] for i in order))

# %% [sheet]
def secret_order():
    return torch.randperm(12, generator=torch.Generator().manual_seed(5)).double()


sheet.add(ValueQuestion(
    key="order",
    title=Text("The secret order", "L'ordre secret"),
    answers=("order",),
    points=1,
    value=secret_order,
    tolerance=1e-6,
    known=(
        Known("inverse", lambda: secret_order().argsort().double(), Text(
            "This is the inverse order: rows are positions of y, columns positions of x.",
            "C'est l'ordre inverse : les lignes sont les positions de y, les colonnes celles de "
            "x.")),
        Known("from 1", lambda: secret_order() + 1, Text(
            "Positions are counted from 0.", "Les positions se comptent à partir de 0.")),
    ),
    hint=Text("In each row of weights one entry is close to 1; argmax(1) finds its column.",
              "Dans chaque ligne des poids, un terme est proche de 1 ; argmax(1) donne sa "
              "colonne."),
    place=Text("the third picture, from the top row to the bottom row",
               "la troisième image, de la ligne du haut à celle du bas"),
    mistakes=(
        Mistake(".argmax(1)", ".argmax(0)", "inverse",
                Text("the columns are read", "les colonnes sont lues")),
        Mistake("(query @ key.t()).argmax(1)", "(query @ key.t()).argmax(1) + 1", "from 1",
                Text("counted from 1", "comptées à partir de 1")),
        Mistake("query @ key", "query_start @ key_start", "values",
                Text("the weights before training", "les poids avant l'apprentissage")),
    ),
))
