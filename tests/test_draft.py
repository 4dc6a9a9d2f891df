"""A text written together: what is proposed, taken, refused, typed and taken back."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from textgen.config import ModelConfig
from textgen.errors import ConfigError
from textgen.generation.copy_guard import CopyGuard
from textgen.generation.draft import CHOICES, Draft
from textgen.generation.next_words import WordSource
from textgen.generation.prefix_reader import STRIDE, PrefixReader
from textgen.generation.sampling import Temperature
from textgen.tokenizers.tokenizer import CharTokenizer, JamoTokenizer, SentencePieceTokenizer
from tiny import TEXT, drawn, drawn_model


class Scripted:
    """A network that finds the same tokens likely after every other.

    Ids: unknown, newline, blank, a, b.
    """

    vocab_size = 5
    ops = np
    p = np.array([1e-9, 0.1, 0.3, 0.4, 0.2])

    def initial_state(self, batch_size):
        return ((np.zeros((batch_size, 1)),),)

    def logits(self, state):
        return np.log(self.p)[None]

    def step(self, ids, state):
        return self.logits(state), state

    def read(self, ids, state):
        return ids, state


def words_of(source, random, number):
    after = source.after("")
    return [after.draw(random) for _ in range(number)]


def test_words_are_drawn_by_their_probability_and_none_twice():
    source = WordSource(Scripted(), CharTokenizer.train("ab \n"))
    random = np.random.default_rng(1)
    drawn_words = [words_of(source, random, 2) for _ in range(400)]
    assert all(first.text != second.text for first, second in drawn_words)
    # any white space, then a letter, then white space: of its letter p(a) is 0.4, p(b) 0.2
    p_a = 0.4 / 0.6 * 0.4
    first = Counter(first.text.strip() for first, _ in drawn_words)
    assert first["a"] / 400 == pytest.approx(p_a, abs=0.06)
    # after "a" without white space, of 0.4 * 0.4, "b" has 0.2 * 0.4 of what is left
    after_a = [second.text for one, second in drawn_words if one.text == "a"]
    assert Counter(after_a)["b"] / len(after_a) == pytest.approx(0.08 / (1 - 0.16), abs=0.1)


def test_when_nothing_is_left_it_is_known():
    source = WordSource(Scripted(), CharTokenizer.train("ab \n"), [Temperature(0.0)])
    after = source.after("")
    word = after.draw(np.random.default_rng(1))
    # always the likeliest: the word has no end but the longest that there is
    assert set(word.text) == {"a"} and word.probability == pytest.approx(0.4 ** len(word.text))
    assert after.draw(np.random.default_rng(2)) is None


def test_only_what_is_new_is_read():
    network = drawn(ModelConfig(hidden_size=8, embedding_size=8), 20)
    counted = []
    read = network.read
    network.read = lambda ids, state: (counted.append(len(ids)), read(ids, state))[1]
    reader = PrefixReader(network)
    ids = list(np.random.default_rng(1).integers(0, 20, 2 * STRIDE + 10))
    reader.state_after(ids)
    assert sum(counted) == len(ids)
    counted.clear()
    longer = reader.state_after([*ids, 3])
    assert counted == [1]
    reader.state_after(ids[:-1])
    assert sum(counted) <= 1 + STRIDE
    whole = PrefixReader(drawn(network.config, 20)).state_after([*ids, 3])
    np.testing.assert_allclose(longer[0][0], whole[0][0], atol=1e-5)


@pytest.mark.parametrize("tokenizer", [CharTokenizer, JamoTokenizer, SentencePieceTokenizer])
def test_words_are_taken_and_undone(tokenizer):
    draft = Draft(drawn_model(tokenizer.train(TEXT, vocab_size=300)), "나는", seed=1)
    texts = [draft.text]
    for _ in range(4):
        words = [word.text for word in draft.words]
        assert len(set(words)) == len(words) == CHOICES
        assert all(word.probability <= 1 and word.text for word in draft.words)
        draft.choose(-1)
        assert draft.proposal.text == words[-1]
        assert draft.take()
        texts.append(draft.text)
    assert all(len(one) < len(other) for one, other in itertools.pairwise(texts))
    for text in texts[-2::-1]:
        assert draft.undo() and draft.text == text
    assert not draft.undo() and draft.chosen == CHOICES - 1


def steps(draft):
    draft.take()
    draft.refuse()
    draft.choose(2)
    draft.take()
    draft.edit(draft.text + " 오")
    draft.undo()
    draft.refuse()
    draft.take()
    return draft.text


def test_the_same_steps_with_the_same_seed_give_the_same_text():
    assert steps(Draft(drawn_model(), seed=3)) == steps(Draft(drawn_model(), seed=3))
    assert steps(Draft(drawn_model(), seed=3)) != steps(Draft(drawn_model(), seed=4))
    assert Draft(drawn_model()).seed != Draft(drawn_model()).seed


def test_what_is_refused_does_not_come_again():
    draft = Draft(drawn_model(), "오늘은 ", seed=2)
    refused = set()
    for _ in range(8):
        assert draft.proposal.text not in refused
        refused.add(draft.proposal.text)
        assert draft.refuse()
    draft.take()
    draft.undo()
    assert refused.isdisjoint(word.text for word in draft.words)
    assert draft.refuse() and refused.isdisjoint(word.text for word in draft.words)


def test_a_model_may_have_no_other_word():
    draft = Draft(drawn_model(), seed=1, temperature=0.0)
    assert len(draft.words) == 1
    assert not draft.refuse() and draft.proposal is None
    assert not draft.take() and not draft.refuse() and draft.text == ""
    draft.choose(1)
    assert draft.chosen == 0


def test_what_is_typed_is_undone_word_by_word():
    draft = Draft(drawn_model(), "가", seed=1)
    for text in ("가나", "가나다", "가나다 ", "가나다 라", "가나다 라마"):
        draft.edit(text)
    draft.take()
    taken = draft.text
    assert taken.startswith("가나다 라마")
    draft.edit(taken + "바")
    draft.edit("고쳤다")
    found = [draft.text for _ in iter(draft.undo, False)]
    assert found == [taken + "바", taken, "가나다 라마", "가나다", "가"]


def test_it_copies_no_more_than_it_may():
    tokenizer = CharTokenizer.train("ab \n")
    guard = CopyGuard("ab" * 40, 3, tokenizer)
    draft = Draft(drawn_model(tokenizer, scale=3.0), "ab", guard=guard, seed=1)
    for _ in range(4):
        draft.take()
    assert len(draft.text) > 10
    copied = {"abab", "baba"}
    assert copied.isdisjoint(draft.text[k : k + 4] for k in range(len(draft.text)))


def test_an_option_without_effect_is_refused():
    with pytest.raises(ConfigError, match="max_new_tokens is not for a draft"):
        Draft(drawn_model(), max_new_tokens=3)
    with pytest.raises(ConfigError, match="temperature is -1"):
        Draft(drawn_model(), temperature=-1)
    assert math.isfinite(Draft(drawn_model(), temperature=0.5, top_p=0.9, seed=1).proposal.logprob)
    assert Draft(drawn_model(), "나는 🙂").unknown_characters() == ["🙂"]
