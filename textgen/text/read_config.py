"""How a text is read: the options that every command and the app share."""

from __future__ import annotations

import dataclasses

from textgen.options import option

SAMPLE_BY = ("line", "paragraph", "document")
OF_FILES = "file"  # labels are the names of the files
FOR_TRAINING = ("label_by",)  # what is read for training alone


@dataclasses.dataclass(frozen=True)
class ReadConfig:
    """Reading: how files become text."""

    sample_by: str = option("document", "what counts as a document", choices=SAMPLE_BY)
    encoding: str = option(
        "auto",
        "of the files, by its name in Python (cp949, windows-1252); auto: see docs/reading.md",
    )
    errors: str = option(
        "strict",
        "a byte that is no text: strict refuses the file and says where, replace reads U+FFFD",
        choices=("strict", "replace"),
    )
    separator: str = option(
        "auto", "what parts the cells of a table: auto, tab or one character such as ';'"
    )
    header: str = option(
        "auto",
        "whether the first row of a table names its columns (no: they are named 1, 2, ...)",
        choices=("auto", "yes", "no"),
    )
    label_by: str = option(
        "",
        "what labels the documents, each label becoming a voice to write in: a column of the "
        "table, or file for the names of the files",
    )

    @property
    def label_column(self) -> str:
        """The column that labels documents; "" where none does."""
        return "" if self.label_by == OF_FILES else self.label_by
