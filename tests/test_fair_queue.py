import threading
import time

import pytest

from textgen.generation import fair_queue
from textgen.generation.fair_queue import FairQueue
from textgen.ui import samples


class Workers:
    """Threads that take turns; `done` tells in which order."""

    def __init__(self, at_once=1):
        self.queue, self.done = FairQueue(at_once), []
        self.threads = []
        self.inside, self.most = 0, 0
        self.lock = threading.Lock()

    def begin(self, name, number, error=None):
        def work():
            for _ in range(number):
                with self.queue.turn():
                    with self.lock:
                        self.inside += 1
                        self.most = max(self.most, self.inside)
                        self.done.append(name)
                    time.sleep(0.003)
                    with self.lock:
                        self.inside -= 1
                    if error:
                        raise error

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)

    def end(self):
        for thread in self.threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self.threads)


def test_each_has_the_same_share_however_much_is_asked_for():
    workers = Workers()
    with workers.queue.turn():  # until all wait
        for name, number in (("a", 30), ("b", 10), ("c", 10)):
            workers.begin(name, number)
        while len(workers.queue._waiting) < 3:
            time.sleep(0.001)
    workers.end()
    shared = workers.done[: workers.done.index("a") + 30]
    for name in "abc":
        assert 8 <= shared[:30].count(name) <= 12, shared
    assert workers.done.count("a") == 30 and workers.most == 1


def test_so_many_at_once_and_no_more():
    workers = Workers(at_once=2)
    for name in range(6):
        workers.begin(name, 5)
    workers.end()
    assert workers.most == 2 and len(workers.done) == 30


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_turn_that_ends_badly_is_over():
    workers = Workers()
    workers.begin("a", 5, ValueError("broken"))
    workers.end()
    workers.begin("b", 3)
    workers.end()
    assert workers.done == ["a", "b", "b", "b"]


def test_a_text_that_is_left_alone_gives_its_turn_back(loaded, monkeypatch):
    one = FairQueue(1)
    monkeypatch.setattr(samples, "QUEUE", one)
    texts, job = samples.begin("나", 1, {"max_new_tokens": 2000, "seed": 1})
    writing = samples.write(loaded(), texts, job)
    next(writing)
    assert one._free == 1  # also while the page draws
    del writing
    assert one._free == 1 and 0 < len(texts[0].tokens) < 2000


def test_no_client_gets_more_tokens_than_the_most(loaded, monkeypatch):
    monkeypatch.setattr(samples, "TOKEN_LIMIT", 12)
    texts, job = samples.begin("나", 2, {"max_new_tokens": 10**6, "seed": 1})
    for _ in samples.write(loaded(), texts, job):
        pass
    assert [len(text.tokens) for text in texts] == [12, 12]


def test_there_is_a_turn_for_each_core():
    from textgen.backend import cores

    assert fair_queue.QUEUE._free == cores()
