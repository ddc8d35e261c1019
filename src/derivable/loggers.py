"""Callbacks that write the loss of a descent where other tools read it; each needs its tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from derivable.core_messages import say
from derivable.errors import MissingExtraError


class TensorBoardLogger:
    """Writes the loss into a folder that TensorBoard shows, as the scalar `tag`.

    Raises MissingExtraError without the package tensorboard when the descent begins.
    """

    def __init__(self, folder: Path | str, tag: str = "loss") -> None:
        self.folder, self.tag = folder, tag
        self._writer: Any = None

    def __enter__(self) -> Self:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtraError(say("needs_tensorboard")) from None
        self._writer = SummaryWriter(str(self.folder))
        return self

    def __call__(self, state: Any) -> None:
        """Write the loss at this step."""
        self._writer.add_scalar(self.tag, state.loss, state.step)

    def __exit__(self, *error: object) -> None:
        self._writer.close()


class MLflowLogger:
    """Logs the loss as the metric `name` of the active run of MLflow, or of a new one.

    Raises MissingExtraError without the package mlflow when the descent begins.
    """

    def __init__(self, name: str = "loss") -> None:
        self.name = name
        self._mlflow: Any = None
        self._own = False  # whether the run is one that it has begun

    def __enter__(self) -> Self:
        try:
            import mlflow  # type: ignore[import-not-found]  # where there is one
        except ImportError:
            raise MissingExtraError(say("needs_mlflow")) from None
        self._mlflow = mlflow
        self._own = mlflow.active_run() is None
        if self._own:
            mlflow.start_run()
        return self

    def __call__(self, state: Any) -> None:
        """Log the loss at this step."""
        self._mlflow.log_metric(self.name, state.loss, step=state.step)

    def __exit__(self, kind: object, *error: object) -> None:
        if self._own:
            self._mlflow.end_run(status="FINISHED" if kind is None else "FAILED")
