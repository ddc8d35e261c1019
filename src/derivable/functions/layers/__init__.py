"""Layers: normalisation, convolution, pooling, attention, cells."""

from derivable.functions.layers.avg_pool2d import AvgPool2d
from derivable.functions.layers.batch_norm import BatchNorm
from derivable.functions.layers.conv1d import Conv1d
from derivable.functions.layers.conv2d import Conv2d
from derivable.functions.layers.dropout import Dropout
from derivable.functions.layers.embedding import Embedding
from derivable.functions.layers.flatten import Flatten
from derivable.functions.layers.group_norm import GroupNorm
from derivable.functions.layers.gru_cell import GRUCell
from derivable.functions.layers.layer_norm import LayerNorm
from derivable.functions.layers.lstm_cell import LSTMCell
from derivable.functions.layers.max_pool2d import MaxPool2d
from derivable.functions.layers.rms_norm import RMSNorm
from derivable.functions.layers.scaled_dot_product_attention import ScaledDotProductAttention

__all__ = [
    "AvgPool2d",
    "BatchNorm",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "GRUCell",
    "LayerNorm",
    "LSTMCell",
    "MaxPool2d",
    "RMSNorm",
    "ScaledDotProductAttention",
]
