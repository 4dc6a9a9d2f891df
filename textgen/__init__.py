"""Train small recurrent language models on your own text, sample from them, see what they remember.

import textgen

model = textgen.load("runs/tales")
print(model.generate("옛날 어느 마을에", max_new_tokens=100, temperature=0.8, seed=1).text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgen.api import Model, load, resume, train

__version__ = "0.1.0"
__all__ = ["Model", "__version__", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    # `import textgen` does not wait for what they need
    if name in __all__:
        from textgen import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
