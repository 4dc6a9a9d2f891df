"""A wheel holds, besides the package, what textgen ships in folders of its own: see shipped.py.

All else about the package stands in pyproject.toml.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HOME = Path(__file__).parent
SHIPPED = ("corpora", "models", "recipes", "tasks", "waves")
LANGUAGES = ("ko", "en")


class WithShippedFiles(build_py):
    def run(self):
        super().run()
        if not self.editable_mode:  # a checkout has them where they are
            self.ship(Path(self.build_lib) / "textgen" / "share")

    def ship(self, share):
        shutil.rmtree(share, ignore_errors=True)
        for name in SHIPPED:
            shutil.copytree(HOME / name, share / name, ignore=lambda *_: {"__pycache__"})
        # with the texts that the shipped models were trained on: `make app` writes the same ones
        texts = share / "build" / "corpora"
        texts.mkdir(parents=True)
        for language in LANGUAGES:
            self.write_text(language, texts / f"{language}.txt")

    def write_text(self, language, path):
        asked = ["--language", language, "--characters", "240000", "--seed", "1", "--out", path]
        subprocess.run([sys.executable, HOME / "corpora/generate.py", *asked], check=True)


setup(cmdclass={"build_py": WithShippedFiles})
