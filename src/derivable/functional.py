"""The library in lower case: `linear(x, w, b)` is `Linear.apply(x, w, b)`."""

from __future__ import annotations

from derivable import functions

abs = functions.Abs.apply
cos = functions.Cos.apply
elu = functions.ELU.apply
exp = functions.Exp.apply
gelu = functions.GELU.apply
hardswish = functions.Hardswish.apply
hardtanh = functions.Hardtanh.apply
leaky_relu = functions.LeakyReLU.apply
log = functions.Log.apply
logsigmoid = functions.LogSigmoid.apply
mish = functions.Mish.apply
relu = functions.ReLU.apply
relu6 = functions.ReLU6.apply
selu = functions.SELU.apply
sigmoid = functions.Sigmoid.apply
silu = functions.SiLU.apply
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
binary_cross_entropy_with_logits = functions.BinaryCrossEntropyWithLogits.apply
cross_entropy = functions.CrossEntropy.apply
hinge = functions.Hinge.apply
huber = functions.Huber.apply
kl_divergence = functions.KLDivergence.apply
l1 = functions.L1.apply
log_cosh = functions.LogCosh.apply
mse = functions.MSE.apply
nll = functions.NLL.apply
poisson_nll = functions.PoissonNLL.apply
avg_pool2d = functions.AvgPool2d.apply
batch_norm = functions.BatchNorm.apply
conv1d = functions.Conv1d.apply
conv2d = functions.Conv2d.apply
dropout = functions.Dropout.apply
embedding = functions.Embedding.apply
flatten = functions.Flatten.apply
group_norm = functions.GroupNorm.apply
gru_cell = functions.GRUCell.apply
layer_norm = functions.LayerNorm.apply
lstm_cell = functions.LSTMCell.apply
max_pool2d = functions.MaxPool2d.apply
rms_norm = functions.RMSNorm.apply
scaled_dot_product_attention = functions.ScaledDotProductAttention.apply
cholesky = functions.Cholesky.apply
inverse = functions.Inverse.apply
logdet = functions.LogDet.apply
solve = functions.Solve.apply

__all__ = [
    "abs",
    "cos",
    "elu",
    "exp",
    "gelu",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log",
    "logsigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "tanh",
    "add",
    "divide",
    "linear",
    "log_softmax",
    "logsumexp",
    "matmul",
    "max",
    "mean",
    "multiply",
    "norm",
    "power",
    "softmax",
    "subtract",
    "sum",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "hinge",
    "huber",
    "kl_divergence",
    "l1",
    "log_cosh",
    "mse",
    "nll",
    "poisson_nll",
    "avg_pool2d",
    "batch_norm",
    "conv1d",
    "conv2d",
    "dropout",
    "embedding",
    "flatten",
    "group_norm",
    "gru_cell",
    "layer_norm",
    "lstm_cell",
    "max_pool2d",
    "rms_norm",
    "scaled_dot_product_attention",
    "cholesky",
    "inverse",
    "logdet",
    "solve",
]
