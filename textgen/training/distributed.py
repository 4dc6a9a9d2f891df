"""Several processes, on one machine or on many, train one model together.

Each reads its share of the lanes of every batch; the gradients of all are summed before each step,
so that all take the same step. That is data parallelism as TensorFlow's
`MultiWorkerMirroredStrategy` does it, and its collective operations and its `TF_CONFIG` are what is
used here. Keras 3 itself cannot train under that strategy (docs/scaling.md), so the strategy is
asked for the sums alone.

    TF_CONFIG='{"cluster": {"worker": ["a:2000", "b:2000"]},
                "task": {"type": "worker", "index": 0}}'
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from textgen.arrays import Array, Dataset
from textgen.data.batches import Batches
from textgen.errors import ConfigError


class Workers:
    """The processes that train together. number: how many, 1 where `TF_CONFIG` names none; index:
    which of them this one is."""

    def __init__(self, tf_config: str | None = None) -> None:
        """tf_config: TF_CONFIG, else that of the environment. Raises `ConfigError`."""
        if tf_config is None:
            tf_config = os.environ.get("TF_CONFIG", "")
        self.number, self.index = _read(tf_config) if tf_config.strip() else (1, 0)
        self._strategy: Any = None

    def connect(self) -> None:
        """Connect to the others. To be called before TensorFlow computes anything."""
        if self.number > 1:
            from textgen.backend import tf

            self._strategy = tf.distribute.MultiWorkerMirroredStrategy()
            self._asked = tf.Variable(0.0)  # 1: this worker was asked to stop
            self._asked_of_all = tf.Variable(0.0)  # how many of the workers were

    def folder(self, out: Path) -> Path:
        """Where this worker keeps its run: the first in `out`, the others in folders within."""
        return out / f"worker-{self.index}" if self.index else out

    def share(self, batches: Batches) -> Batches:
        """This worker's rows of `batches`. Raises `ConfigError` where they cannot be shared."""
        if self.number == 1:
            return batches
        if batches.batch_size % self.number:
            raise ConfigError(
                f"a batch has {batches.batch_size} rows, which {self.number} workers cannot share: "
                "give another --batch-size, or a longer text"
            )
        return Share(batches, self)

    def rows(self, part: Array) -> Array:
        """This worker's rows [B / number, ...] of an array of a whole batch [B, ...]."""
        size = part.shape[0] // self.number
        return part[self.index * size : (self.index + 1) * size]

    def total(self, values: list[Array]) -> list[Array]:
        """The sums of `values` over all workers; the same, bit for bit, on each."""
        from textgen.backend import tf

        def summed(*mine: Array) -> list[Array]:
            # the collective operations ask each value where it is
            with tf.device(self._device):
                placed = [tf.identity(value) for value in mine]
            context = tf.distribute.get_replica_context()
            return list(context.all_reduce(tf.distribute.ReduceOp.SUM, placed))

        *sums, asked = self._strategy.run(summed, args=(*values, self._asked.read_value()))
        self._asked_of_all.assign(asked)
        return list(sums)

    def agreed_to_stop(self, asked: bool) -> bool:
        """Whether any worker was asked to stop before the last `total`: all know of it at the same
        step. asked: whether this one was, by now."""
        if self.number == 1:
            return asked
        self._asked.assign(float(asked))
        return float(self._asked_of_all) > 0

    def earliest(self, step: int) -> int:
        """The least of the workers' steps: where all can go on from."""
        if self.number == 1:
            return step
        from textgen.backend import tf

        # each writes its own row; a float holds so many digits, so a step goes in two parts
        rows = [divmod(step, 1 << 20) if i == self.index else (0, 0) for i in range(self.number)]
        every = tf.function(self.total)([tf.constant(rows, tf.float32)])[0]
        return min(int(high) * (1 << 20) + int(low) for high, low in every.numpy())

    @property
    def _device(self) -> str:
        return str(self._strategy.extended.worker_devices[0])


@dataclasses.dataclass(frozen=True)
class Share:
    """The rows of one worker, of batches that several share."""

    batches: Batches
    workers: Workers

    @property
    def batch_size(self) -> int:
        return self.batches.batch_size // self.workers.number

    @property
    def steps(self) -> int:
        return self.batches.steps

    @property
    def steps_of_text(self) -> int:
        return self.batches.steps_of_text

    def dataset(self, start: int = 0) -> Dataset:
        rows = self.workers.rows
        return self.batches.dataset(start).map(lambda *parts: tuple(map(rows, parts)))


def refuse_a_time(workers: int, budget: object, max_seconds: object) -> None:
    """Raises `ConfigError` for a time that several workers would have to agree on."""
    if workers > 1 and (budget or max_seconds):
        name = "budget" if budget else "max_seconds"
        raise ConfigError(
            f"{name} is for one process, and these are {workers} workers: give --epochs instead"
        )


def _read(tf_config: str) -> tuple[int, int]:
    """(number of workers, index) by TF_CONFIG. Raises `ConfigError`."""
    try:
        config = json.loads(tf_config)
        addresses, task = config["cluster"]["worker"], config["task"]
        number, index = len(addresses), int(task["index"])
        usual = task["type"] == "worker" and set(config["cluster"]) == {"worker"}
    except (ValueError, TypeError, LookupError, RecursionError):
        usual, number, index = False, 0, 0
    if not usual or not 0 <= index < number:
        raise ConfigError(
            f"TF_CONFIG is {tf_config[:200]!r}: name the workers of the cluster and this one's "
            'index, as in {"cluster": {"worker": ["a:2000", "b:2000"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
    return number, index
