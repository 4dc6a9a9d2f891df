"""A task of one's own, of as little as a task can be."""

GOOD = """
facts = ["I am {}."]
questions = ["So I speak {} well."]
filler = ["filler.txt"]
[pairs.all]
Korean = "Korean"
Brazilian = "Portuguese"
"""
FILLER = """It rained.
The cat slept on the chair.
Nobody came to see the garden today.
I met a Korean teacher.
"""


def write(folder, task=GOOD):
    """The file of a task in `folder`, with its filler beside it."""
    (folder / "filler.txt").write_text(FILLER)
    (folder / "task.toml").write_text(task)
    return folder / "task.toml"
