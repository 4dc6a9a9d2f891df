"""The products before and after the loop over time, and where an ordinary one would be slow.

M rows (time and batch together), D numbers in, N numbers out, V vocabulary.
"""

from __future__ import annotations

from textgen.arrays import Array, Arrays, DType
from textgen.backend import on_gpu, tf

PAGE, LINE = 4096, 64  # bytes: what the first cache tells addresses apart by, and what it reads


def product(x: Array, kernel: Array) -> Array:
    """x [..., D] @ kernel [D, N]: the same product, with a faster gradient of the kernel."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x: Array, kernel: Array) -> Array:
        def gradient(d: Array) -> Arrays:
            return tf.matmul(d, kernel, transpose_b=True), of_kernel(flat(x), flat(d))

        return tf.matmul(x, kernel), gradient

    return run(x, kernel)


def of_kernel(x: Array, d: Array) -> Array:
    """x^T d [D, N], of x [M, D] and d [M, N]: the gradient of a kernel, summed over all rows.

    The product goes down the columns of d. Where its rows lie a multiple of a page apart, as those
    of the four gates of 256 units do, the numbers of a column share one set of the cache and push
    one another out: it takes up to twice as long (docs/performance.md). A line of zeros at the end
    of each row sets them apart.
    """
    width = d.shape[-1]
    # of other types it was not measured, and a GPU has no such cache
    if d.dtype != tf.float32 or d.dtype.size * width % PAGE or on_gpu():
        return tf.matmul(x, d, transpose_a=True)
    apart = tf.pad(d, ((0, 0), (0, LINE // d.dtype.size)))
    return tf.matmul(x, apart, transpose_a=True)[:, :width]


def rows(table: Array, ids: Array) -> Array:
    """The rows [..., N] of a table [V, N] that ids [...] name."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(table: Array) -> Array:
        def gradient(d: Array) -> Array:
            d = tf.cast(flat(d), wide(d.dtype))  # a letter may occur a hundred times
            summed = tf.math.unsorted_segment_sum(d, tf.reshape(ids, (-1,)), table.shape[0])
            return tf.cast(summed, table.dtype)

        return tf.gather(table, ids), gradient

    return run(table)


def flat(x: Array) -> Array:
    """[..., N] -> [M, N]."""
    return tf.reshape(x, (-1, x.shape[-1]))


def wide(dtype: DType) -> DType:
    """The type of the state, of sums, and of all that is done element by element."""
    return tf.float64 if dtype == tf.float64 else tf.float32
