"""On the terminal: a bar with loss, bits per character, tokens per second and time left, and a line
for each epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from textgen.log import logger, progress_bar
from textgen.training.history import History
from textgen.training.state import RunState

if TYPE_CHECKING:
    from tqdm import tqdm


class Progress:
    """Shows what `history` knows."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.bar: tqdm | None = None

    def open(self, state: RunState) -> None:
        """A bar that stands where the run is; one that was left open is closed."""
        self.close()
        self.bar = progress_bar(
            total=self.history.steps * self.history.epochs,
            initial=state.step,
            bar_format="{percentage:3.0f}%|{bar}| {remaining} left{postfix}",
            mininterval=0.2,
            dynamic_ncols=True,
        )

    def after_step(self, batch_loss: float) -> None:
        """Move the bar on. batch_loss: nats per token, shown until the history has a row."""
        if self.bar is None or self.bar.disable:
            return
        history = self.history
        loss = history.loss if math.isfinite(history.loss) else batch_loss
        self.bar.set_postfix_str(
            f"epoch {history.epoch + 1}/{history.epochs}, loss {loss:.3f}, "
            f"{loss * history.bits:.3f} bits/char, {history.tokens_per_second:,.0f} tokens/s",
            refresh=False,
        )
        self.bar.update(1)

    def after_epoch(self, state: RunState, loss: float, val_loss: float | None) -> None:
        """Say how an epoch went. loss, val_loss: nats per token; None where nothing is held out."""
        history = self.history
        read = state.step / history.steps - history.epoch
        cut = f", cut short at {read:.0%}" if read < 1 else ""  # by max_seconds
        held_out = "" if val_loss is None else f", held out {val_loss * history.val_bits:.3f}"
        logger.info(
            f"epoch {history.epoch + 1}/{history.epochs}{cut}: loss {loss:.3f}, bits/char "
            f"{loss * history.bits:.3f}{held_out}, {history.tokens_per_second:,.0f} tokens/s, "
            f"{state.seconds:.0f} s"
        )

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
