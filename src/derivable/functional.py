"""The library in lower case: `linear(x, w, b)` is `Linear.apply(x, w, b)`."""

from __future__ import annotations

from derivable import functions

elu = functions.ELU.apply
gelu = functions.GELU.apply
selu = functions.SELU.apply
abs = functions.Abs.apply
cos = functions.Cos.apply
exp = functions.Exp.apply
hardswish = functions.Hardswish.apply
hardtanh = functions.Hardtanh.apply
leaky_relu = functions.LeakyReLU.apply
log = functions.Log.apply
logsigmoid = functions.LogSigmoid.apply
mish = functions.Mish.apply
relu = functions.ReLU.apply
relu6 = functions.ReLU6.apply
silu = functions.SiLU.apply
sigmoid = functions.Sigmoid.apply
sin = functions.Sin.apply
softplus = functions.Softplus.apply
softsign = functions.Softsign.apply
sqrt = functions.Sqrt.apply
square = functions.Square.apply
tanh = functions.Tanh.apply

add = functions.Add.apply
divide = functions.Divide.apply
linear = functions.Linear.apply
log_softmax = functions.LogSoftmax.apply
logsumexp = functions.LogSumExp.apply
matmul = functions.MatMul.apply
max = functions.Max.apply
mean = functions.Mean.apply
multiply = functions.Multiply.apply
norm = functions.Norm.apply
power = functions.Power.apply
softmax = functions.Softmax.apply
subtract = functions.Subtract.apply
sum = functions.Sum.apply

l1 = functions.L1.apply
mse = functions.MSE.apply
nll = functions.NLL.apply
binary_cross_entropy_with_logits = functions.BinaryCrossEntropyWithLogits.apply
cross_entropy = functions.CrossEntropy.apply
hinge = functions.Hinge.apply
huber = functions.Huber.apply
kl_divergence = functions.KLDivergence.apply
log_cosh = functions.LogCosh.apply
poisson_nll = functions.PoissonNLL.apply

avg_pool2d = functions.AvgPool2d.apply
batch_norm = functions.BatchNorm.apply
conv1d = functions.Conv1d.apply
conv2d = functions.Conv2d.apply
dropout = functions.Dropout.apply
embedding = functions.Embedding.apply
gru_cell = functions.GRUCell.apply
group_norm = functions.GroupNorm.apply
lstm_cell = functions.LSTMCell.apply
layer_norm = functions.LayerNorm.apply
max_pool2d = functions.MaxPool2d.apply
rms_norm = functions.RMSNorm.apply
scaled_dot_product_attention = functions.ScaledDotProductAttention.apply

cholesky = functions.Cholesky.apply
inverse = functions.Inverse.apply
logdet = functions.LogDet.apply
solve = functions.Solve.apply

__all__ = [
    "abs",
    "add",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "cholesky",
    "conv1d",
    "conv2d",
    "cos",
    "cross_entropy",
    "divide",
    "dropout",
    "elu",
    "embedding",
    "exp",
    "gelu",
    "group_norm",
    "gru_cell",
    "hardswish",
    "hardtanh",
    "hinge",
    "huber",
    "inverse",
    "kl_divergence",
    "l1",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log",
    "log_cosh",
    "log_softmax",
    "logdet",
    "logsigmoid",
    "logsumexp",
    "lstm_cell",
    "matmul",
    "max",
    "max_pool2d",
    "mean",
    "mish",
    "mse",
    "multiply",
    "nll",
    "norm",
    "poisson_nll",
    "power",
    "relu",
    "relu6",
    "rms_norm",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "softsign",
    "solve",
    "sqrt",
    "square",
    "subtract",
    "sum",
    "tanh",
]
