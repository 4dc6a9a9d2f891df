"""Two processes that train one model, on loopback."""

import numpy as np
import pytest

from run_files import same_weights
from textgen.data.lanes import make_lanes
from textgen.errors import ConfigError
from textgen.training.distributed import Workers
from workers import FLAGS, begin, course, end, told


@pytest.mark.slow
def test_two_workers_take_the_steps_of_one(together, text_file, tmp_path):
    one = tmp_path / "one"
    end(begin(1, [text_file, "--out", one, *FLAGS]))
    np.testing.assert_allclose(course(together)[:2], course(one)[:2], rtol=1e-4)
    np.testing.assert_allclose(course(together), course(one), rtol=1e-3)
    same_weights(together, together / "worker-1")


def test_shares_are_the_whole():
    lanes = make_lanes(np.arange(500), 4, 8)
    workers = [Workers(told(["a:1", "b:1"], index)) for index in range(2)]
    parts = [list(worker.share(lanes).dataset(3).take(2)) for worker in workers]
    for k, whole in enumerate(lanes.dataset(3).take(2)):
        for i, array in enumerate(whole):
            joined = np.concatenate([np.asarray(part[k][i]) for part in parts])
            np.testing.assert_array_equal(joined, array)
    assert workers[0].share(lanes).batch_size == 2
    with pytest.raises(ConfigError, match="a batch has 4 rows, which 3 workers cannot share"):
        Workers(told(["a:1"] * 3, 0)).share(lanes)


def test_alone_nothing_changes(tmp_path):
    workers, lanes = Workers(""), make_lanes(np.arange(500), 4, 8)
    assert workers.number == 1 and workers.share(lanes) is lanes
    assert workers.folder(tmp_path) == tmp_path and workers.earliest(7) == 7
    assert workers.agreed_to_stop(True) and not workers.agreed_to_stop(False)
    assert Workers(told(["a:1", "b:1"], 1)).folder(tmp_path) == tmp_path / "worker-1"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        '{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}',
        told(["a:1"], 1),
        told(["a:1"], -1),
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
        "[" * 100_000,
    ],
)
def test_a_cluster_that_is_none(text):
    with pytest.raises(ConfigError, match="TF_CONFIG is"):
        Workers(text)
