"""A fact on its way through a text, on a model drawn at random."""

import numpy as np

from textgen import shipped
from textgen.config import ModelConfig
from textgen.data.recall_documents import sample_texts
from textgen.data.recall_task import read_task
from textgen.data.token_positions import fact_word
from textgen.data.typed_documents import typed
from textgen.evaluation.recall_probe import Scorer
from textgen.generation.generator import Generator
from textgen.interpret.fact_course import asked_anywhere, fact_course, of_one_length
from textgen.tokenizers.tokenizer import CharTokenizer
from tiny import drawn

TASK = read_task(shipped.TASKS / "speaker-short-en.toml")
TEXT = "I am {}. It rained. So I speak ___."


def scorer(cell="lstm"):
    tokenizer = CharTokenizer.train(sample_texts(TASK))
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=5)
    return Scorer(Generator(drawn(config, tokenizer.vocab_size, scale=1), tokenizer), TASK)


def written(fact):
    return typed(TASK, TEXT.format(fact), "___")


def test_only_what_is_read_of_the_fact_tells_it():
    judge, document = scorer(), written("Korean")
    others = of_one_length(judge, document, [written(fact) for fact in TASK.facts])
    assert others and {len(other.fact) for other in others} == {len("Korean")}
    assert "Korean" not in {other.fact for other in others}
    told = fact_course(judge, document, others).told
    first, _ = fact_word(judge.tokenizer, document)
    assert np.abs(told[:first]).max() < 1e-6 < np.abs(told[first:]).max(1).min()


def test_the_question_may_be_asked_anywhere():
    judge, document = scorer("gru"), written("Korean")
    shares = asked_anywhere(judge, document)
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(shares[-1], judge.shares([document])[0], atol=1e-6)
