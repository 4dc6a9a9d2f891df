"""TensorFlow and Keras, imported when first asked for and without their start-up chatter.

`from textgen import backend` costs and changes nothing. `backend.tf`, `backend.keras` or
`backend.ops` imports both libraries; what they read when they are imported is set just before, in
the environment of this process: Keras's backend, and unless the user has set them, TensorFlow's log
level, its use of oneDNN, and what XLA leaves to YNNPACK.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from textgen.errors import MissingPart


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Point file descriptor 2 at nothing: TensorFlow's C++ start-up lines obey no log level."""
    sys.stderr.flush()
    stderr, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(sink)


def need_training() -> None:
    """Raise `MissingPart` where what trains is not installed, without loading it."""
    for name in ("keras", "tensorflow"):
        if importlib.util.find_spec(name) is None:
            raise _missing(f"No module named {name!r}")


def _missing(why: object) -> MissingPart:
    return MissingPart(
        f"this needs TensorFlow and Keras ({why}): pip install 'textgen-recurrent[train]'"
    )


def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware, and no GPU does the work."""
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(_processor_flags()) and not on_gpu()


def has_amx() -> bool:
    """Whether this processor multiplies matrices of bfloat16 in tiles, and no GPU does the work."""
    return "amx_bf16" in _processor_flags() and not on_gpu()


@functools.cache
def _processor_flags() -> frozenset[str]:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        flags = []
    return frozenset(flags)


def on_gpu() -> bool:
    """Whether a GPU does the work."""
    return bool(__getattr__("tf").config.list_physical_devices("GPU"))


def gpus() -> list[str]:
    """The GPUs that may do the work, each as CUDA_VISIBLE_DEVICES names it."""
    number = len(__getattr__("tf").config.list_physical_devices("GPU"))
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return ([name for name in named if name] or [str(i) for i in range(number)])[:number]


def by_xla(program: Callable[..., Any]) -> Callable[..., Any]:
    """`program`, compiled by XLA as one for each shape that it meets."""
    # AutoGraph finds nothing to rewrite in what is so compiled, and takes its time to say so
    compiled: Callable[..., Any] = __getattr__("tf").function(
        program, jit_compile=True, autograph=False
    )
    return compiled


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def settle_blas() -> None:
    """Let NumPy, in this process, multiply on the thread that asks, from now on.

    The products of a step are too small to be shared out: threads that wait for one another take
    several times as long, and on a machine that does other things many times. OpenBLAS knows but
    one number for a process, so it cannot be set for a while and put back where several threads
    write. `threadpoolctl.threadpool_limits` sets another.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")


def _keep_reductions_from_ynnpack() -> None:
    """Let XLA compile sums and maxima itself.

    A program of XLA prepares what it leaves to YNNPACK when it first runs, in a list that no lock
    guards: two threads that begin the same program at once, such as the halves of a batch in the
    first step of a training, now and then end in a segmentation fault (once in some dozens of
    trainings). Only reductions keep constants in that list. XLA's own are as fast.
    """
    flag = "--xla_cpu_experimental_ynn_fusion_type"
    flags = os.environ.get("XLA_FLAGS", "")
    # a flag that a version of XLA does not know ends the process
    with contextlib.suppress(metadata.PackageNotFoundError):
        if flag not in flags and metadata.version("tensorflow").startswith("2.21."):
            os.environ["XLA_FLAGS"] = f"{flags} {flag}=-reduce".strip()


def __getattr__(name: str) -> Any:
    if name not in ("tf", "keras", "ops"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # its products use all that the processor has; TensorFlow's own stop at AVX, at half the speed
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    _keep_reductions_from_ynnpack()
    with _silent_stderr():
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            raise _missing(error) from error

        tf.config.list_physical_devices()  # says its piece about missing GPUs here, unheard
    # it counts tracings by the line of code that made a function: each model loaded traces its own
    logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in record.getMessage()
    )
    globals().update(tf=tf, keras=keras, ops=keras.ops)
    return globals()[name]
