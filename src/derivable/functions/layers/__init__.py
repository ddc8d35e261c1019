"""The larger pieces of networks: normalisation, convolution, pooling, attention, cells."""

__all__: list[str] = []
