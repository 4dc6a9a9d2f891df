"""README.md of a run folder: a model card with the front matter the Hugging Face Hub reads."""

from __future__ import annotations

from pathlib import Path

from textgen.errors import counted
from textgen.runs.atomic_files import write_file
from textgen.runs.ngrams import ALONE, NGRAMS, TOGETHER
from textgen.runs.run_config import INTERPOLATION, RunConfig, without_folder

CARD = "README.md"


def write_card(folder: Path, config: RunConfig, num_parameters: int) -> None:
    """Write the card of the run in `folder`. Raises `RunError` when the disk is full."""
    text = model_card(folder.name, config, num_parameters)
    write_file(folder / CARD, text.encode("utf-8", "replace"))


def model_card(name: str, config: RunConfig, num_parameters: int) -> str:
    """Markdown for the run `name`, from what its config.json says."""
    model, training, data = config.model, config.training, config.data
    metrics = config.metrics
    held_out = metrics.get("val_bits_per_char")
    task = data.task if data else None
    result = "no text was held out"
    if held_out is not None:
        what = "the answers of held-out documents" if task else "the held-out share of the text"
        result = f"{held_out:.3f} bits per character on {what}"
    mixed, ngrams = metrics.get(TOGETHER), ""
    if mixed is not None:
        ngrams = (
            f"\n- N-grams: `{NGRAMS}` holds runs of tokens of the text and how often each was met. "
            f"Together with them the network has {mixed:.3f} bits per character on a later part of "
            f"what was held out, alone {metrics[ALONE]:.3f}."
        )
    text = f"documents of the task {task}, a fact and much later a question"
    if data and not task:
        characters, documents = data.characters or 0, data.documents or 0
        text = f"{counted(characters, 'character')} in {counted(documents, 'document')}"
    if config.origin is not None:
        text += f". Before, it was {without_folder(config.origin.run)} ({config.origin.hash})"
        if share := metrics.get(INTERPOLATION):
            text += f", and its weights are {share:.0%} of the way from there to those trained"
    return f"""---
library_name: textgen
pipeline_tag: text-generation
tags:
- textgen
- keras
- recurrent-neural-network
- {model.cell}
---

# {name}

A small recurrent language model: {model.num_layers} x {model.hidden_size} `{model.cell}`,
{num_parameters:,} parameters, {config.tokenizer.tokenizer} tokenizer with
{config.tokenizer.vocab_size:,} tokens.

- Text: {text}.
- Training: best after epoch {metrics["epoch"]} of {training.epochs}, {metrics["seconds"]:.0f} s,
  {metrics["bits_per_char"]:.3f} bits per character on the training text.
- Result: {result}.{ngrams}

## Use

```python
import textgen

model = textgen.load("{name}")
print(model.generate("...", max_new_tokens=200, temperature=0.8).text)
```

The model repeats the style, the errors and at times whole phrases of its text. It knows nothing
else.
"""
