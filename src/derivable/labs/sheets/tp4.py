# Lab sheet 4: convolution and pooling. The format is described in derivable/labs/source.py.

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
    title=Text("Convolution and pooling", "Convolution et pooling"), minutes=(100, 120)
)

# %% [markdown] lang="en"
# # Lab 4: convolution and pooling
#
# In lab 3 the classifier had one weight per pixel and class. If an image moves by one pixel, each
# weight multiplies another pixel. A convolution uses the same few weights at every place of the
# image. In this lab you write it by hand, with its three gradients, then padding and pooling, and
# you train a small network on the digits. At the end both classifiers are tested on images shifted
# by one pixel.
#
# Notation: a batch of images `x` has shape (N, C, H, W): N images, C channels, H rows and W columns
# of pixels. `weight`, of shape (K, C, h, w), has K filters of h x w entries per channel, and `bias`
# has shape (K,).
#
# What you need: labs 2 and 3. Time: 100 to 120 minutes.

# %% [markdown] lang="fr"
# # TP 4 : convolution et pooling
#
# Au TP 3, le classifieur avait un poids par pixel et par classe. Si l'image se décale d'un pixel,
# chaque poids multiplie un autre pixel. Une convolution utilise les mêmes quelques poids en tout
# endroit de l'image. Dans ce TP, vous l'écrivez à la main avec ses trois gradients, puis le
# padding et le pooling, et vous entraînez un petit réseau sur les chiffres. À la fin, les deux
# classifieurs sont testés sur des images décalées d'un pixel.
#
# Notations : un batch d'images `x` est de forme (N, C, H, W) : N images, C canaux, H lignes et W
# colonnes de pixels. `weight`, de forme (K, C, h, w), contient K filtres de h x w termes par canal,
# et `bias` est de forme (K,).
#
# Prérequis : les TP 2 et 3. Durée : 100 à 120 minutes.

# %%
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch.autograd import Function

from derivable import Context, Linear, ReLU  # those of lab 2  # en
from derivable import Context, Linear, ReLU  # ceux du TP 2  # fr
from derivable.functions import CrossEntropy  # that of lab 3  # en
from derivable.functions import CrossEntropy  # celle du TP 3  # fr

torch.set_num_threads(1)  # the tensors are small: several threads would be slower  # en
torch.set_num_threads(1)  # les tenseurs sont petits : plusieurs threads seraient plus lents  # fr

# %% [markdown] lang="en"
# ## 1. One image, one filter
#
# An image $x$ of shape (H, W), a filter $w$ of shape (h, w). Each output is the sum of the products
# of the filter with one **window** of the image, the one that begins at row i and column j:
#
# $$o_{ij} = \sum_{a=0}^{h-1} \sum_{b=0}^{w-1} x_{i+a,\,j+b} \, w_{ab}$$
#
# The windows lie entirely inside the image, and all of them are used. Which shape has $o$? Write
# this with loops, or with slices.

# %% [markdown] lang="fr"
# ## 1. Une image, un filtre
#
# Soit une image $x$ de forme (H, W) et un filtre $w$ de forme (h, w). Chaque sortie est la somme
# des produits du filtre avec une **fenêtre** de l'image, celle qui commence à la ligne i et à la
# colonne j :
#
# $$o_{ij} = \sum_{a=0}^{h-1} \sum_{b=0}^{w-1} x_{i+a,\,j+b} \, w_{ab}$$
#
# Les fenêtres sont tout entières dans l'image, et toutes sont utilisées. Quelle est la forme de
# $o$ ? L'écrire avec des boucles, ou avec des tranches (slices).

# %% question="correlate"
def correlate(image, kernel):
    H, W = image.shape
    h, w = kernel.shape
    # BEGIN SOLUTION
    output = torch.zeros(H - h + 1, W - w + 1, dtype=image.dtype)
    for i in range(H - h + 1):
        for j in range(W - w + 1):
            output[i, j] = (image[i : i + h, j : j + w] * kernel).sum()
    return output
    # END SOLUTION


# %% [sheet]
def image_and_kernel(draw):
    h, w = draw.integer(2, 3), draw.integer(1, 2)
    return draw.normal(draw.integer(4, 6), draw.integer(7, 9)), draw.normal(h, w)


def image_of_kernel_size(draw):
    return draw.normal(4, 3), draw.normal(4, 3)


sheet.add(CallQuestion(
    key="correlate",
    title=Text("One image, one filter", "Une image, un filtre"),
    answers=("correlate",),
    points=2,
    reference=lambda image, kernel: F.conv2d(image[None, None], kernel[None, None])[0, 0],
    forbidden=frozenset({"conv2d"}),
    cases=(
        Case("ordinary", Text("an image and a smaller filter", "une image et un filtre plus petit"),
             image_and_kernel),
        Case("one window", Text("a filter as large as the image",
                                "un filtre aussi grand que l'image"), image_of_kernel_size),
    ),
    hint=Text("The last window begins at row H - h, and rows are counted from 0.",
              "La dernière fenêtre commence à la ligne H - h, et les lignes se comptent à partir "
              "de 0."),
    place=Text("the formula of section 1: for which i does row i + h - 1 still exist?",
               "la formule de la partie 1 : pour quels i la ligne i + h - 1 existe-t-elle "
               "encore ?"),
    mistakes=(
        Mistake("torch.zeros(H - h + 1, W - w + 1", "torch.zeros(H, W", "ordinary.shape",
                Text("an output as large as the image", "une sortie aussi grande que l'image")),
        Mistake("torch.zeros(H - h + 1, W - w + 1, dtype=image.dtype)\n"
                "    for i in range(H - h + 1):\n        for j in range(W - w + 1):",
                "torch.zeros(H - h, W - w, dtype=image.dtype)\n"
                "    for i in range(H - h):\n        for j in range(W - w):", "ordinary.shape",
                Text("the last window is forgotten", "la dernière fenêtre est oubliée")),
        Mistake("* kernel)", "* kernel.flip(0, 1))", "ordinary.values",
                Text("the filter is turned round", "le filtre est retourné")),
        Mistake(".sum()", ".mean()", "ordinary.factor",
                Text("a mean over the window", "une moyenne sur la fenêtre")),
    ),
))

# %% [markdown] lang="en"
# ## 2. All windows at once
#
# For a batch the loops over i and j are slow. It is better to copy all windows into one tensor
# first, of shape (N, C, H', W', h, w) with $H' = H - h + 1$ and $W' = W - w + 1$:
#
# $$o_{ncijab} = x_{n,\,c,\,i+a,\,j+b}$$
#
# The loops go over the few (a, b) of the filter: for fixed a and b, the right-hand side is a slice
# of `x` of H' x W' pixels. In `backward`, a pixel has been copied into several windows. What
# happens to its contributions to the gradient? (`h` and `w` are integers: `None` is returned for
# each.)

# %% [markdown] lang="fr"
# ## 2. Toutes les fenêtres à la fois
#
# Pour un batch, les boucles sur i et j sont lentes. Mieux vaut d'abord copier toutes les fenêtres
# dans un seul tenseur, de forme (N, C, H', W', h, w) avec $H' = H - h + 1$ et $W' = W - w + 1$ :
#
# $$o_{ncijab} = x_{n,\,c,\,i+a,\,j+b}$$
#
# Les boucles portent sur les quelques (a, b) du filtre : pour a et b fixés, le membre de droite est
# une tranche de `x` de H' x W' pixels. Dans `backward`, un pixel a été copié dans plusieurs
# fenêtres. Que deviennent ses contributions au gradient ? (`h` et `w` sont des entiers : on renvoie
# `None` pour chacun.)

# %% question="windows"
class Windows(Function):
    @staticmethod
    def forward(ctx, x, h, w):
        ctx.save_for_backward(x)
        N, C, H, W = x.shape
        rows, columns = H - h + 1, W - w + 1
        output = torch.zeros(N, C, rows, columns, h, w, dtype=x.dtype)
        for a in range(h):
            for b in range(w):
                # BEGIN SOLUTION
                output[..., a, b] = x[:, :, a : a + rows, b : b + columns]
                # END SOLUTION
        return output

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        _, _, rows, columns, h, w = grad_output.shape
        grad_x = torch.zeros_like(x)
        for a in range(h):
            for b in range(w):
                # BEGIN SOLUTION
                grad_x[:, :, a : a + rows, b : b + columns] += grad_output[..., a, b]
                # END SOLUTION
        return grad_x, None, None


# %% [sheet]
def images_and_size(draw):
    n = draw.integer(1, 2)
    rows = draw.integer(3, 4)
    return draw.normal(n, 3 - n, rows, 7 - rows), 2, 3


def all_windows(x, h, w):
    return x.unfold(2, h, 1).unfold(3, w, 1)


sheet.add(FunctionQuestion(
    key="windows",
    title=Text("All windows", "Toutes les fenêtres"),
    answers=("Windows",),
    points=3,
    reference=all_windows,
    inputs=images_and_size,
    hint=Text("backward uses the same slice as forward, on the other side of the assignment.",
              "backward utilise la même tranche que forward, de l'autre côté de l'affectation."),
    place=Text("lab 2, the question on the bias: what is used several times in forward is summed "
               "in backward",
               "le TP 2, la question sur le biais : ce qui sert plusieurs fois dans forward se "
               "somme dans backward"),
    mistakes=(
        Mistake("x[:, :, a : a + rows, b : b + columns]", "x[:, :, :rows, :columns]",
                "forward.values", Text("the slice does not move", "la tranche ne se déplace pas")),
        Mistake("x[:, :, a : a + rows, b : b + columns]", "x[:, :, a : a + h, b : b + w]",
                "forward.RuntimeError",
                Text("a slice of the size of the filter", "une tranche de la taille du filtre")),
        Mistake("b : b + columns] += grad", "b : b + columns] = grad", "backward.x",
                Text("overwritten and not added", "écrasé au lieu d'être ajouté")),
        Mistake("+= grad_output[..., a, b]", "+= grad_output[..., h - 1 - a, w - 1 - b]",
                "backward.x", Text("a and b run the other way", "a et b parcourus à l'envers")),
    ),
))

# %% [markdown] lang="en"
# ## 3. The convolution
#
# With the windows, a convolution is a linear layer: each output is a weighted sum of the C x h x w
# entries of one window, with the K filters in the place of the K columns of `w`, and the same
# weights for all windows:
#
# $$o_{nkij} = b_k + \sum_{c,a,b} \mathrm{windows}_{ncijab} \; \mathrm{weight}_{kcab}$$
#
# `torch.einsum` writes such sums. Each letter is an index, the tensors are multiplied, and the sum
# is over the letters that are missing after the arrow:
#
# `torch.einsum("ncijab,kcab->nkij", windows, weight)`
#
# In `backward`, write the gradients of `weight`, of `bias` and of the windows in this way (check
# the letters: what must come out, and which ones are summed?). `Windows.backward` leads from the
# windows to `x`; its context is an attribute of `ctx`.

# %% [markdown] lang="fr"
# ## 3. La convolution
#
# Une fois les fenêtres copiées, une convolution est une couche linéaire : chaque sortie est une
# somme pondérée des C x h x w termes d'une fenêtre, où les K filtres remplacent les K colonnes de
# `w`, avec les mêmes poids pour toutes les fenêtres :
#
# $$o_{nkij} = b_k + \sum_{c,a,b} \mathrm{windows}_{ncijab} \; \mathrm{weight}_{kcab}$$
#
# `torch.einsum` sert à écrire de telles sommes. Chaque lettre est un indice, les tenseurs sont
# multipliés, et la somme porte sur les lettres absentes après la flèche :
#
# `torch.einsum("ncijab,kcab->nkij", windows, weight)`
#
# Dans `backward`, écrire de cette façon les gradients de `weight`, de `bias` et des fenêtres
# (vérifier les lettres : que doit-on obtenir, et sur lesquelles somme-t-on ?). `Windows.backward`
# mène des fenêtres à `x` ; son contexte est un attribut de `ctx`.

# %% question="conv2d"
class Conv2d(Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.windows = Context()
        windows = Windows.forward(ctx.windows, x, weight.size(2), weight.size(3))
        ctx.save_for_backward(windows, weight)
        # BEGIN SOLUTION
        output = torch.einsum("ncijab,kcab->nkij", windows, weight)
        return output + bias[:, None, None]
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        windows, weight = ctx.saved_tensors
        # BEGIN SOLUTION
        grad_weight = torch.einsum("nkij,ncijab->kcab", grad_output, windows)
        grad_bias = grad_output.sum((0, 2, 3))
        grad_windows = torch.einsum("nkij,kcab->ncijab", grad_output, weight)
        grad_x, _, _ = Windows.backward(ctx.windows, grad_windows)
        return grad_x, grad_weight, grad_bias
        # END SOLUTION


# %% [sheet]
def images_and_filters(draw):
    h, k = draw.integer(1, 2), draw.integer(3, 4)
    return draw.normal(2, 2, 2, 3), draw.normal(k, 2, h, 3 - h), draw.normal(k)


sheet.add(FunctionQuestion(
    key="conv2d",
    title=Text("Convolution", "Convolution"),
    answers=("Conv2d",),
    points=3.5,
    reference=F.conv2d,
    forbidden=frozenset({"conv2d"}),
    inputs=images_and_filters,
    hint=Text("grad_weight has the letters kcab: n, i and j are summed. bias[:, None, None] has "
              "shape (K, 1, 1).",
              "grad_weight porte les lettres kcab : on somme sur n, i et j. bias[:, None, None] "
              "est de forme (K, 1, 1)."),
    place=Text("the gradients of Linear in lab 2, with windows in the place of x; each gradient "
               "has the letters of its tensor",
               "les gradients de Linear au TP 2, où les fenêtres remplacent x ; chaque gradient "
               "porte les lettres de son tenseur"),
    mistakes=(
        Mistake(" + bias[:, None, None]", "", "forward.values",
                Text("the bias is forgotten", "le biais est oublié")),
        Mistake("bias[:, None, None]", "bias", "forward",
                Text("the bias is added to the columns", "le biais est ajouté aux colonnes")),
        Mistake("grad_output.sum((0, 2, 3))", "grad_output.sum(0)", "backward.bias",
                Text("the bias gradient is summed over the images only",
                     "le gradient du biais n'est sommé que sur les images")),
        Mistake("grad_output.sum((0, 2, 3))", "grad_output.mean((0, 2, 3))", "backward.bias",
                Text("a mean for the bias", "une moyenne pour le biais")),
        Mistake('torch.einsum("nkij,ncijab->kcab", grad_output, windows)',
                'torch.einsum("nkij,ncijab->kcab", grad_output, windows) / len(windows)',
                "backward.weight",
                Text("a mean over the images", "une moyenne sur les images")),
        Mistake("return grad_x, grad_weight", "return grad_windows, grad_weight", "backward",
                Text("the gradient of the windows is returned",
                     "le gradient des fenêtres est renvoyé")),
    ),
))

# %% [markdown] lang="en"
# ## 4. Padding
#
# Each convolution makes the image smaller, and border pixels are in few windows. Padding first adds
# `padding` rows and columns of zeros on each of the four sides (`padding` is at least 1).

# %% [markdown] lang="fr"
# ## 4. Le padding
#
# Chaque convolution réduit l'image, et les pixels du bord ne sont que dans peu de fenêtres. Le
# padding ajoute d'abord `padding` lignes et colonnes de zéros sur chacun des quatre côtés
# (`padding` vaut au moins 1).

# %% question="pad"
class Pad(Function):
    @staticmethod
    def forward(ctx, x, padding):
        ctx.padding = padding
        # BEGIN SOLUTION
        N, C, H, W = x.shape
        output = torch.zeros(N, C, H + 2 * padding, W + 2 * padding, dtype=x.dtype)
        output[:, :, padding:-padding, padding:-padding] = x
        return output
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        # BEGIN SOLUTION
        p = ctx.padding
        return grad_output[:, :, p:-p, p:-p], None
        # END SOLUTION


# %% [sheet]
def images_and_padding(draw):
    n, h = draw.integer(1, 2), draw.integer(2, 4)
    return draw.normal(n, 3 - n, h, h + 1), draw.integer(1, 3)


sheet.add(FunctionQuestion(
    key="pad",
    title=Text("Padding", "Padding"),
    answers=("Pad",),
    points=1,
    reference=lambda x, padding: F.pad(x, (padding,) * 4),
    inputs=images_and_padding,
    hint=Text("t[p:-p] is t without its first p and its last p entries.",
              "t[p:-p] est t sans ses p premiers ni ses p derniers termes."),
    place=Text("which entries of the output depend on x? Only their gradients go back",
               "quels termes de la sortie dépendent de x ? Seuls leurs gradients remontent"),
    mistakes=(
        Mistake("H + 2 * padding, W + 2 * padding", "H + padding, W + padding", "forward",
                Text("padding counted once", "padding compté une seule fois")),
        Mistake("grad_output[:, :, p:-p, p:-p]", "grad_output", "backward",
                Text("the border is not removed", "le bord n'est pas retiré")),
        Mistake("p:-p, p:-p], None", "p:-p, p:-p]", "backward",
                Text("None for padding is missing", "None pour padding manque")),
    ),
))

# %% [markdown] lang="en"
# ## 5. The gradient of x is a convolution
#
# In `Conv2d.backward` the gradient of `x` was collected from the windows. The same numbers come
# out of one more convolution: of `grad_output`, padded with $h - 1$ zeros above and below and with
# $w - 1$ zeros on the left and on the right, with the filters turned round (`weight.flip(2, 3)`)
# and with the first two dimensions exchanged, since it leads from K channels to C.
#
# Write it with your `Conv2d.forward`, a new `Context()` and a bias of zeros.
# `torch.nn.functional.pad(t, (left, right, top, bottom))` takes one number of zeros for each side.

# %% [markdown] lang="fr"
# ## 5. Le gradient de x est une convolution
#
# Dans `Conv2d.backward`, le gradient de `x` se recueille à partir des fenêtres. Une convolution de
# plus donne les mêmes nombres : celle de `grad_output`, bordé de $h - 1$ lignes de zéros en haut
# et en bas et de $w - 1$ colonnes de zéros à gauche et à droite, par les filtres retournés
# (`weight.flip(2, 3)`) et dont on échange les deux premières dimensions, puisqu'elle mène de K
# canaux à C.
#
# L'écrire avec votre `Conv2d.forward`, un nouveau `Context()` et un biais nul.
# `torch.nn.functional.pad(t, (gauche, droite, haut, bas))` prend un nombre de zéros pour chaque
# côté.

# %% question="full_convolution"
def full_convolution(grad_output, weight):
    K, C, h, w = weight.shape
    # BEGIN SOLUTION
    padded = torch.nn.functional.pad(grad_output, (w - 1, w - 1, h - 1, h - 1))
    turned = weight.flip(2, 3).transpose(0, 1)
    return Conv2d.forward(Context(), padded, turned, torch.zeros(C, dtype=weight.dtype))
    # END SOLUTION


# %% [markdown] lang="en"
# Why are the filters turned round?
#
# - (a) It is the definition of a convolution in mathematics, and PyTorch follows it in backward.
# - (b) The backward of a product with `weight` is a product with its inverse, and turning it round
#   is the inverse.
# - (c) Pixel m enters output m - a with the factor `weight[a]`: when a increases, the index of the
#   output decreases.

# %% [markdown] lang="fr"
# Pourquoi les filtres sont-ils retournés ?
#
# - (a) C'est la définition de la convolution en mathématiques, et PyTorch la suit dans backward.
# - (b) Le backward d'un produit par `weight` est un produit par son inverse, et le retourner
#   revient à l'inverser.
# - (c) Le pixel m intervient dans la sortie m - a avec le facteur `weight[a]` : quand a augmente,
#   l'indice de la sortie diminue.

# %% question="turned"
# BEGIN SOLUTION
turned_because = "c"
# END SOLUTION

# %% [sheet]
def grad_and_filters(draw):
    x, weight, bias = images_and_filters(draw)
    return draw.normal(*F.conv2d(x, weight).shape), weight


def gradient_of_x(grad_output, weight):
    return F.conv_transpose2d(grad_output, weight)


sheet.add(
    CallQuestion(
        key="full_convolution",
        title=Text("The gradient of x as a convolution", "Le gradient de x comme convolution"),
        answers=("full_convolution",),
        points=1.5,
        reference=gradient_of_x,
        cases=(Case("ordinary", Text("a random grad_output", "un grad_output aléatoire"),
                    grad_and_filters),),
        hint=Text("transpose(0, 1) exchanges K and C; pad names the columns first, then the rows.",
                  "transpose(0, 1) échange K et C ; pad reçoit les colonnes d'abord, puis les "
                  "lignes."),
        place=Text("section 5 has the three steps; the result has the shape of x, H = H' + h - 1",
                   "la partie 5 donne les trois étapes ; le résultat a la forme de x, "
                   "H = H' + h - 1"),
        mistakes=(
            Mistake("weight.flip(2, 3)", "weight", "ordinary.values",
                    Text("the filters are not turned round", "les filtres ne sont pas retournés")),
            Mistake("(w - 1, w - 1, h - 1, h - 1)", "(w, w, h, h)", "ordinary.shape",
                    Text("one zero too many on each side", "un zéro de trop de chaque côté")),
            Mistake(".transpose(0, 1)", "", "ordinary",
                    Text("K and C are not exchanged", "K et C ne sont pas échangés")),
        ),
    ),
    ChoiceQuestion(
        key="turned",
        title=Text("Why the filters are turned round", "Pourquoi les filtres sont retournés"),
        answers=("turned_because",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "No convention decides a derivative: it follows from the formula of section 1.",
                "Aucune convention ne fixe une dérivée : elle découle de la formule de la "
                "partie 1.")),
            "b": Choice(False, Text(
                "backward multiplies by the transpose, never by an inverse (compare grad_x of "
                "Linear). The transpose of this product is what is turned round.",
                "backward multiplie par la transposée, jamais par un inverse (comparer avec grad_x "
                "de Linear). C'est la transposée de ce produit qui fait apparaître le "
                "retournement.")),
            "c": Choice(True, Text(
                "The gradient at m is the sum over a of weight[a] times grad_output[m - a]; "
                "outside of the output it counts as 0, hence the padding.",
                "Le gradient en m est la somme sur a de weight[a] fois grad_output[m - a] ; hors "
                "de la sortie, celui-ci compte pour 0, d'où le padding.")),
        },
        hint=Text("Take one dimension, H = 5 and h = 3, and list the outputs in which x[2] enters.",
                  "Prendre une seule dimension, H = 5 et h = 3, et énumérer les sorties où "
                  "intervient x[2]."),
        place=Text("the formula of section 1, with m = i + a",
                   "la formule de la partie 1, avec m = i + a"),
    ),
)

# %% [markdown] lang="en"
# ## 6. Pooling
#
# Pooling reduces each square of `size` x `size` pixels to one number: its maximum or its mean. The
# squares do not overlap, and H and W are multiples of `size`. Two functions are given: `squares`
# has one row of `size * size` entries per square, and `image` is its inverse.
#
# `values, places = t.max(-1)` gives the maxima over the last dimension and their indices.
# `t.scatter_(-1, places[..., None], values[..., None])` writes each value into the last dimension
# of `t`, at the given index.

# %% [markdown] lang="fr"
# ## 6. Le pooling
#
# Le pooling réduit chaque carré de `size` x `size` pixels à un nombre : son maximum ou sa moyenne.
# Les carrés ne se chevauchent pas, et H et W sont des multiples de `size`. Deux fonctions sont
# fournies : `squares` donne une ligne de `size * size` termes par carré, et `image` est son
# inverse.
#
# `values, places = t.max(-1)` donne les maximums sur la dernière dimension et leurs indices.
# `t.scatter_(-1, places[..., None], values[..., None])` écrit chaque valeur dans la dernière
# dimension de `t`, à l'indice donné.

# %%
def squares(x, size):
    N, C, H, W = x.shape
    x = x.reshape(N, C, H // size, size, W // size, size)
    return x.transpose(3, 4).flatten(4)  # (N, C, H / size, W / size, size * size)


def image(rows, size):
    x = rows.unflatten(4, (size, size)).transpose(3, 4)
    return x.flatten(4, 5).flatten(2, 3)  # (N, C, H, W)


# %% question="max_pool"
class MaxPool(Function):
    @staticmethod
    def forward(ctx, x, size):
        ctx.size = size
        # BEGIN SOLUTION
        values, places = squares(x, size).max(-1)
        ctx.save_for_backward(places)
        return values
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        size = ctx.size
        grad_rows = torch.zeros(*grad_output.shape, size * size, dtype=grad_output.dtype)
        # BEGIN SOLUTION
        (places,) = ctx.saved_tensors
        grad_rows.scatter_(-1, places[..., None], grad_output[..., None])
        # END SOLUTION
        return image(grad_rows, size), None


# %% question="avg_pool"
class AvgPool(Function):
    @staticmethod
    def forward(ctx, x, size):
        ctx.size = size
        # BEGIN SOLUTION
        return squares(x, size).mean(-1)
        # END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        size = ctx.size
        grad_rows = torch.zeros(*grad_output.shape, size * size, dtype=grad_output.dtype)
        # BEGIN SOLUTION
        grad_rows += grad_output[..., None] / size**2
        # END SOLUTION
        return image(grad_rows, size), None


# %% [markdown] lang="en"
# ### A question
#
# With `MaxPool`, a pixel that is not the maximum of its square gets the gradient 0. What does that
# mean?
#
# - (a) It is an approximation: the true derivative is small but not 0.
# - (b) A small change of that pixel does not change the output, so its derivative is exactly 0. In
#   another image, or after a step, another pixel may be the maximum.
# - (c) The filter that computed that pixel is no longer trained.

# %% [markdown] lang="fr"
# ### Une question
#
# Avec `MaxPool`, un pixel qui n'est pas le maximum de son carré reçoit le gradient 0. Qu'est-ce que
# cela signifie ?
#
# - (a) C'est une approximation : la vraie dérivée est petite, mais non nulle.
# - (b) Une petite variation de ce pixel ne change pas la sortie, donc sa dérivée est exactement 0.
#   Pour une autre image, ou après un pas, le maximum peut être un autre pixel.
# - (c) Le filtre qui a calculé ce pixel n'est plus entraîné.

# %% question="not_maximum"
# BEGIN SOLUTION
not_maximum = "b"
# END SOLUTION

# %% [sheet]
def images_to_pool(draw):
    size = draw.in_turn(2, 3, 4)
    n = draw.integer(1, 2)
    return draw.normal(n, 3 - n, size, size if size == 4 else 2 * size), size


def spread(grad_output, x, size):
    return grad_output.repeat_interleave(size, 2).repeat_interleave(size, 3)


sheet.add(
    FunctionQuestion(
        key="max_pool",
        title=Text("Max pooling", "Max pooling"),
        answers=("MaxPool",),
        points=2.5,
        forbidden=frozenset({"max_pool2d"}),
        reference=F.max_pool2d,
        inputs=images_to_pool,
        known=(
            KnownGradient("spread", 0, spread, Text(
                "every entry of a square gets the gradient; it belongs to the place of the maximum "
                "alone, and the others get 0.",
                "tous les termes d'un carré reçoivent le gradient ; il revient à la seule place du "
                "maximum, et les autres reçoivent 0.")),
            KnownGradient("shared", 0, lambda g, x, size: spread(g, x, size) / size**2, Text(
                "the gradient is shared among the entries of a square, as that of a mean; it "
                "belongs to the place of the maximum alone.",
                "le gradient est partagé entre les termes d'un carré, comme celui d'une moyenne ; "
                "il revient à la seule place du maximum.")),
        ),
        hint=Text("Save the places of the maxima: backward writes there, and nowhere else.",
                  "Sauvegarder les places des maximums : backward écrit là, et nulle part "
                  "ailleurs."),
        place=Text("section 6, the line with scatter_; places and grad_output have the same shape",
                   "la partie 6, la ligne avec scatter_ ; places et grad_output ont la même forme"),
        mistakes=(
            Mistake("squares(x, size).max(-1)", "squares(x, size).max(-2)", "forward",
                    Text("the maximum over the columns", "le maximum sur les colonnes")),
            Mistake("grad_rows.scatter_(-1, places[..., None], grad_output[..., None])",
                    "grad_rows += grad_output[..., None]", "backward.x.spread",
                    Text("all entries get the gradient", "tous les termes reçoivent le gradient")),
            Mistake("grad_rows.scatter_(-1, places[..., None], grad_output[..., None])",
                    "grad_rows.scatter_(-1, places[..., None], 1.0)",
                    "backward.x.ignores_grad_output",
                    Text("1 in the place of grad_output", "1 au lieu de grad_output")),
            Mistake("grad_output[..., None])\n", "grad_output[..., None] / size**2)\n",
                    "backward.x.factor",
                    Text("the gradient is divided among the entries",
                         "le gradient est partagé entre les termes")),
        ),
    ),
    FunctionQuestion(
        key="avg_pool",
        title=Text("Average pooling", "Average pooling"),
        answers=("AvgPool",),
        points=1.5,
        forbidden=frozenset({"avg_pool2d"}),
        reference=F.avg_pool2d,
        inputs=images_to_pool,
        hint=Text("Each entry of a square has the same derivative.",
                  "Chaque terme d'un carré a la même dérivée."),
        place=Text("differentiate the mean of size * size numbers with respect to one of them",
                   "dériver la moyenne de size * size nombres par rapport à l'un d'eux"),
        mistakes=(
            Mistake(".mean(-1)", ".sum(-1)", "forward.factor",
                    Text("a sum in the place of the mean", "une somme au lieu de la moyenne")),
            Mistake(" / size**2", "", "backward.x.factor",
                    Text("the factor is missing", "le facteur manque")),
            Mistake(" / size**2", " / 4", "backward.x.factor",
                    Text("4 in the place of size * size", "4 au lieu de size * size")),
            Mistake(" / size**2", " / size", "backward.x.factor",
                    Text("divided by size only", "divisé par size seulement")),
        ),
    ),
    ChoiceQuestion(
        key="not_maximum",
        title=Text("Pixels that are not the maximum", "Les pixels qui ne sont pas le maximum"),
        answers=("not_maximum",),
        points=0.5,
        choices={
            "a": Choice(False, Text(
                "Change that pixel by 0.001 and compute the output again: it is the same number.",
                "Modifier ce pixel de 0,001 et recalculer la sortie : c'est le même nombre.")),
            "b": Choice(True, Text(
                "The gradient of the filter is the sum over all windows and images, and each image "
                "contributes its maximum.",
                "Le gradient du filtre est la somme sur toutes les fenêtres et toutes les images, "
                "et chaque image apporte la contribution de son maximum.")),
            "c": Choice(False, Text(
                "The same filter also computed the pixel that is the maximum: its weights are "
                "shared.",
                "Le même filtre a aussi calculé le pixel qui est le maximum : ses poids sont "
                "partagés.")),
        },
        hint=Text("Take a square with the entries 1, 2, 3, 7, and change the 3 a little.",
                  "Prendre un carré de termes 1, 2, 3, 7, et modifier un peu le 3."),
        place=Text("the definition of the derivative as a limit, for this pixel alone",
                   "la définition de la dérivée comme limite, pour ce seul pixel"),
    ),
)

# %% [markdown] lang="en"
# ## 7. A small network
#
# The digits again, now as images of shape (1, 8, 8). The network:
#
# `Pad` by 2, `Conv2d` with 12 filters of 5 x 5, `ReLU`, `MaxPool` over the whole image (size 8),
# `Linear` from 12 to 10, `CrossEntropy`.
#
# Each filter responds to one pattern, and only its largest response in the image is kept.
#
# First count: how many parameters (weights and biases) has this convolution, from 1 to 12 channels
# of 8 x 8 pixels? And how many would a `Linear` have that computes the same 12 x 8 x 8 outputs
# from the same 64 pixels? Answer with `[conv, linear]`.

# %% [markdown] lang="fr"
# ## 7. Un petit réseau
#
# De nouveau les chiffres, maintenant sous forme d'images (1, 8, 8). Le réseau :
#
# `Pad` de 2, `Conv2d` avec 12 filtres 5 x 5, `ReLU`, `MaxPool` sur l'image entière (taille 8),
# `Linear` de 12 vers 10, `CrossEntropy`.
#
# Chaque filtre répond à un motif, et seule sa plus grande réponse dans l'image est conservée.
#
# D'abord un décompte : combien de paramètres (poids et biais) cette convolution a-t-elle, de 1 à 12
# canaux de 8 x 8 pixels ? Et combien en aurait une couche `Linear` qui calculerait les mêmes
# 12 x 8 x 8 sorties à partir des mêmes 64 pixels ? Répondre par `[conv, linear]`.

# %% question="parameters"
# BEGIN SOLUTION
parameters = [312, 49920]
# END SOLUTION

# %% [sheet]
sheet.add(ValueQuestion(
    key="parameters",
    title=Text("How many parameters", "Combien de paramètres"),
    answers=("parameters",),
    points=0.5,
    value=lambda: torch.tensor([312.0, 49920.0]),
    tolerance=1e-6,
    known=(
        Known("no bias", lambda: torch.tensor([300.0, 49152.0]), Text(
            "These are the weights. The biases are missing: one per filter, one per output of "
            "Linear.",
            "Ce sont les poids. Il manque les biais : un par filtre, un par sortie de Linear.")),
        Known("bias per place", lambda: torch.tensor([1068.0, 49920.0]), Text(
            "A convolution has one bias per filter, the same for all places.",
            "Une convolution a un biais par filtre, le même en tout endroit.")),
        Known("exchanged", lambda: torch.tensor([49920.0, 312.0]), Text(
            "The convolution comes first.", "La convolution vient en premier.")),
    ),
    hint=Text("weight has shape (12, 1, 5, 5). The w of that Linear has one row per input, one "
              "column per output.",
              "weight est de forme (12, 1, 5, 5). Le w de ce Linear a une ligne par entrée et une "
              "colonne par sortie."),
    place=Text("the shapes in section 3 for the convolution, and in lab 2 for Linear",
               "les formes de la partie 3 pour la convolution, et du TP 2 pour Linear"),
    mistakes=(
        Mistake("[312, 49920]", "[300, 49152]", "no bias",
                Text("without the biases", "sans les biais")),
        Mistake("[312, 49920]", "[1068, 49920]", "bias per place",
                Text("one bias per output", "un biais par sortie")),
    ),
))

# %%
digits = load_digits()
x = torch.tensor(digits.images / 16, dtype=torch.float)[:, None]
y = torch.tensor(digits.target)
x_train, x_test = x[: int(0.8 * len(x))], x[int(0.8 * len(x)) :]
y_train, y_test = y[: int(0.8 * len(y))], y[int(0.8 * len(y)) :]
print(x_train.shape, x_test.shape)

# %% [markdown] lang="en"
# Write the loop: six `forward`, then the `backward` in reverse order down to `Conv2d` (the
# gradient of the images is not needed). `MaxPool` returns shape (N, K, 1, 1); `flatten(1)` makes
# (N, K) of it, and its backward is a `reshape`. `CrossEntropy.backward` returns several values, of
# which the first is needed: `grad_logits, *_ = ...`.

# %% [markdown] lang="fr"
# Écrire la boucle : six `forward`, puis les `backward` dans l'ordre inverse jusqu'à `Conv2d` (le
# gradient des images n'est pas nécessaire). `MaxPool` renvoie la forme (N, K, 1, 1) ; `flatten(1)`
# en fait (N, K), et son backward est un `reshape`. `CrossEntropy.backward` renvoie plusieurs
# valeurs, dont on garde la première : `grad_logits, *_ = ...`.

# %% question="train_conv"
def train_conv(x, y, weight, bias, w, b, EPOCHS, EPS):
    cost_history = []
    for n_iter in range(EPOCHS):
        ctx_pad, ctx_conv, ctx_relu = Context(), Context(), Context()
        ctx_pool, ctx_linear, ctx_loss = Context(), Context(), Context()
        # BEGIN SOLUTION
        z = Conv2d.forward(ctx_conv, Pad.forward(ctx_pad, x, 2), weight, bias)
        h = MaxPool.forward(ctx_pool, ReLU.forward(ctx_relu, z), 8)
        logits = Linear.forward(ctx_linear, h.flatten(1), w, b)
        loss = CrossEntropy.forward(ctx_loss, logits, y)
        cost_history.append([n_iter, loss.item()])
        grad_logits, *_ = CrossEntropy.backward(ctx_loss, torch.ones_like(loss))
        grad_h, grad_w, grad_b = Linear.backward(ctx_linear, grad_logits)
        grad_relu, _ = MaxPool.backward(ctx_pool, grad_h.reshape(h.shape))
        grad_z = ReLU.backward(ctx_relu, grad_relu)
        _, grad_weight, grad_bias = Conv2d.backward(ctx_conv, grad_z)
        weight, bias = weight - EPS * grad_weight, bias - EPS * grad_bias
        w, b = w - EPS * grad_w, b - EPS * grad_b
        # END SOLUTION
    return weight, bias, w, b, cost_history


# %% [markdown] lang="en"
# A step on all 1,437 images is long. Instead, each step uses a **mini-batch** of 50 images: its
# gradient is only an estimate of that of the whole loss, but 29 steps cost as much as one.
# `in_batches` is given: it calls `train` for one step on each batch, and goes over the images
# `passes` times. `train_linear`, the softmax regression of lab 3, is for comparison.
#
# Train `train_conv` from the initial parameters of the cell below; it takes a few seconds.

# %% [markdown] lang="fr"
# Un pas sur les 1 437 images est long. Chaque pas utilise plutôt un **mini-batch** de 50 images :
# son gradient n'est qu'une estimation de celui de la perte entière, mais 29 pas coûtent autant
# qu'un seul. `in_batches` est fournie : elle appelle `train` pour un pas sur chaque mini-batch, et
# parcourt `passes` fois les images. `train_linear`, la régression softmax du TP 3, sert de
# comparaison.
#
# Entraîner avec `train_conv` à partir des paramètres initiaux de la cellule ci-dessous ; cela dure
# quelques secondes.

# %%
def in_batches(train, x, y, parameters, passes, EPS, size=50):
    losses = []
    for _ in range(passes):
        for n in range(0, len(x), size):
            *parameters, history = train(x[n : n + size], y[n : n + size], *parameters, 1, EPS)
            losses.append(history[0][1])
    return *parameters, losses


def train_linear(x, y, w, b, EPOCHS, EPS):
    cost_history = []
    for n_iter in range(EPOCHS):
        ctx_linear, ctx_loss = Context(), Context()
        logits = Linear.forward(ctx_linear, x.flatten(1), w, b)
        loss = CrossEntropy.forward(ctx_loss, logits, y)
        cost_history.append([n_iter, loss.item()])
        grad_logits, *_ = CrossEntropy.backward(ctx_loss, torch.ones_like(loss))
        _, grad_w, grad_b = Linear.backward(ctx_linear, grad_logits)
        w, b = w - EPS * grad_w, b - EPS * grad_b
    return w, b, cost_history


# %% question="training"
torch.manual_seed(0)
passes, EPS = 30, 0.3
weight, bias = torch.randn(12, 1, 5, 5) * 0.3, torch.zeros(12)
w, b = torch.randn(12, 10) * 0.1, torch.zeros(10)
start = (weight, bias, w, b)
# BEGIN SOLUTION
weight, bias, w, b, losses = in_batches(train_conv, x_train, y_train, start, passes, EPS)
# END SOLUTION

# %% [sheet]
def conv_start(draw):
    n, k, classes = draw.integer(7, 9), draw.integer(2, 3), draw.integer(4, 6)
    bias = torch.linspace(-6, 0, k) + draw.normal(k, scale=0.1)  # some filters find nothing
    parameters = (draw.normal(k, 1, 5, 5, scale=0.5), bias, draw.normal(k, classes),
                  draw.normal(classes))
    return draw.normal(n, 1, 8, 8), draw.labels(n, classes), parameters


def conv_loss(x, y, weight, bias, w, b):
    z = F.conv2d(x, weight, bias, padding=2)
    return F.cross_entropy(F.max_pool2d(F.relu(z), 8).flatten(1) @ w + b, y)


@functools.cache
def digits_and_filters():
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.images / 16, dtype=torch.float)[:, None]
    y = torch.tensor(digits.target)
    rows, state = int(0.8 * len(x)), torch.get_rng_state()
    torch.manual_seed(0)
    weight, w = torch.randn(12, 1, 5, 5) * 0.3, torch.randn(12, 10) * 0.1
    torch.set_rng_state(state)
    return x[:rows], y[:rows], (weight, torch.zeros(12), w, torch.zeros(10))


sheet.add(
    TrainingQuestion(
        key="train_conv",
        title=Text("The loop of the network", "La boucle du réseau"),
        answers=("train_conv",),
        points=2.5,
        loss=conv_loss,
        start=conv_start,
        parameters=("weight", "bias", "w", "b"),
        hint=Text("Write the chain of forwards as one line per function; the backwards are the "
                  "same lines from the last to the first.",
                  "Écrire la chaîne des forward à raison d'une ligne par fonction ; les backward "
                  "sont les mêmes lignes, de la dernière à la première."),
        place=Text("train_network of lab 2; grad_h.reshape(h.shape) is the backward of flatten",
                   "train_network du TP 2 ; grad_h.reshape(h.shape) est le backward de flatten"),
        mistakes=(
            Mistake("Conv2d.backward(ctx_conv, grad_z)", "Conv2d.backward(ctx_conv, grad_relu)",
                    "gradient.weight",
                    Text("the gradient does not pass through ReLU",
                         "le gradient ne passe pas par ReLU")),
            Mistake("bias - EPS * grad_bias", "bias", "unchanged.bias",
                    Text("bias is not updated", "bias n'est pas mis à jour")),
            Mistake("weight - EPS * grad_weight", "weight + EPS * grad_weight", "sign.weight",
                    Text("a step along the gradient", "un pas dans le sens du gradient")),
            Mistake("b - EPS * grad_b\n", "b - grad_b\n", "no_rate.b",
                    Text("no learning rate for b", "pas de pas d'apprentissage pour b")),
        ),
    ),
    TrainedQuestion(
        key="training",
        title=Text("Training of the network", "Apprentissage du réseau"),
        answers=("weight", "bias", "w", "b", "losses"),
        points=0.5,
        needs=("conv2d", "pad", "max_pool", "train_conv"),
        loss=conv_loss,
        start=digits_and_filters,
        rate=0.3,
        steps=870,
        batch=50,
        end=(0.02, 0.2),
        hint=Text("One call of in_batches; it returns the four parameters, then the losses.",
                  "Un seul appel de in_batches ; elle renvoie les quatre paramètres, puis les "
                  "pertes."),
        place=Text("the signature of in_batches; train is train_conv, parameters is start",
                   "la signature de in_batches ; train est train_conv, parameters est start"),
        mistakes=(
            Mistake("passes, EPS)", "passes, EPS / 100)", "end",
                    Text("a small learning rate", "un petit pas d'apprentissage")),
            Mistake("passes, EPS)", "1, EPS)", "count",
                    Text("one pass only", "un seul passage")),
            Mistake("weight, bias, w, b, losses = in_batches", "*_, losses = in_batches",
                    "unchanged.weight",
                    Text("the trained parameters are not kept",
                         "les paramètres appris ne sont pas gardés")),
        ),
    ),
)

# %% [markdown] lang="en"
# ## 8. One pixel to the side
#
# The test images are now shifted by one pixel to the left or to the right, which you would hardly
# notice. Neither model was trained on shifted images.

# %% [markdown] lang="fr"
# ## 8. Un pixel sur le côté
#
# Les images de test sont maintenant décalées d'un pixel vers la gauche ou vers la droite, ce qui se
# remarque à peine. Aucun des deux modèles n'a été entraîné sur des images décalées.

# %% [show]
def shifted(x, columns):
    moved = torch.zeros_like(x)
    if columns > 0:
        moved[..., columns:] = x[..., :-columns]
    elif columns < 0:
        moved[..., :columns] = x[..., -columns:]
    else:
        moved = x
    return moved


def predicted(x, weight, bias, w, b):
    z = Conv2d.forward(Context(), Pad.forward(Context(), x, 2), weight, bias)
    h = MaxPool.forward(Context(), ReLU.forward(Context(), z), 8)
    return Linear.forward(Context(), h.flatten(1), w, b).argmax(1)


if weight is not ...:
    zeros = torch.zeros(64, 10), torch.zeros(10)
    w_lin, b_lin, _ = in_batches(train_linear, x_train, y_train, zeros, passes, EPS)
    print("columns   linear   network")  # en
    print("colonnes  linéaire  réseau")  # fr
    for columns in (-1, 0, 1):
        moved = shifted(x_test, columns)
        linear = (moved.flatten(1) @ w_lin + b_lin).argmax(1)
        network = predicted(moved, weight, bias, w, b)
        shares = [(guess == y_test).float().mean() for guess in (linear, network)]
        print(f"{columns:+d}        {shares[0]:8.1%} {shares[1]:8.1%}")

    fig, axes = plt.subplots(2, 12, figsize=(12, 2.4))
    maps = Conv2d.forward(Context(), Pad.forward(Context(), x_test[:1], 2), weight, bias)
    for k in range(12):
        axes[0, k].imshow(weight[k, 0], cmap="RdBu_r", vmin=-2, vmax=2)
        axes[1, k].imshow(torch.relu(maps[0, k]), cmap="gray_r")
        axes[0, k].axis("off")
        axes[1, k].axis("off")
    fig.suptitle("The 12 filters, and their responses to one test image")  # en
    fig.suptitle("Les 12 filtres, et leurs réponses à une image de test")  # fr
    plt.show()

# %% [markdown] lang="en"
# The network has 442 parameters in all, the linear classifier 650. Why does the shift hardly change
# the predictions of the network?
#
# - (a) If the image moves, the output of the convolution moves with it, and the maximum over all
#   places is the same wherever it is.
# - (b) The filters have learned from shifted copies of the digits.
# - (c) With fewer parameters a model is always more robust.

# %% [markdown] lang="fr"
# Le réseau a 442 paramètres en tout, le classifieur linéaire 650. Pourquoi le décalage ne
# change-t-il presque pas les prédictions du réseau ?
#
# - (a) Si l'image se déplace, la sortie de la convolution se déplace avec elle, et le maximum sur
#   toutes les places est le même où qu'il soit.
# - (b) Les filtres ont appris sur des copies décalées des chiffres.
# - (c) Avec moins de paramètres, un modèle est toujours plus robuste.

# %% question="shift"
# BEGIN SOLUTION
shift_because = "a"
# END SOLUTION

# %% [sheet]
sheet.add(ChoiceQuestion(
    key="shift",
    title=Text("One pixel to the side", "Un pixel sur le côté"),
    answers=("shift_because",),
    points=0.5,
    choices={
        "a": Choice(True, Text(
            "Convolution is equivariant to shifts, the maximum over all places invariant. Only "
            "what leaves the image is lost. The price: the network no longer knows where a "
            "pattern is.",
            "La convolution est équivariante aux décalages, le maximum sur toutes les places est "
            "invariant. Seul ce qui sort de l'image est perdu. En contrepartie, le réseau ne sait "
            "plus où se trouve un motif.")),
        "b": Choice(False, Text(
            "Training used x_train as it is. The linear classifier has seen the same images.",
            "L'apprentissage a utilisé x_train tel quel. Le classifieur linéaire a vu les mêmes "
            "images.")),
        "c": Choice(False, Text(
            "A linear classifier of 32 pixels has half of the parameters and the same weakness. "
            "What matters is which weights are shared.",
            "Un classifieur linéaire sur 32 pixels a deux fois moins de paramètres et le même "
            "défaut. Ce qui compte, ce sont les poids partagés.")),
    },
    hint=Text("Follow one bright pixel through Conv2d, then through MaxPool.",
              "Suivre un pixel clair à travers Conv2d, puis à travers MaxPool."),
    place=Text("the formula of section 1 for the image x[i, j - 1]",
               "la formule de la partie 1 pour l'image x[i, j - 1]"),
))
