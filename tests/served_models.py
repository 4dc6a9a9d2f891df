"""Small models behind the API, asked without a network."""

from starlette.testclient import TestClient

from made_tokenizers import MADE
from textgen.config import ModelConfig
from textgen.generation.generator import Generator
from textgen.serve.server import make_app
from tiny import drawn

LOCAL = "http://localhost"


def model_of(name="mine", tokenizer=MADE["char"], cell="lstm"):
    config = ModelConfig(cell=cell, hidden_size=8, embedding_size=8)
    return Generator(drawn(config, tokenizer.vocab_size), tokenizer, name=name, hash="01234567")


MODELS = {
    name: model_of(name, MADE[kind])
    for name, kind in {"mine": "char", "jamo": "jamo", "pieces": "bpe"}.items()
}


def client(models=MODELS, key="", base_url=LOCAL, **settings):
    return TestClient(make_app(models, key, **settings), base_url=base_url)


def asked(body, **settings):
    """The answer to a request for completions."""
    return client(**settings).post("/v1/completions", json={"model": "mine"} | body)
