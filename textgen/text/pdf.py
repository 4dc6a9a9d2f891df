"""PDF becomes the text of its pages, by pypdf."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from textgen.errors import CorpusError
from textgen.text.files import File
from textgen.text.read_config import ReadConfig
from textgen.text.source import Part, Provenance

LARGEST_FILE = 1 << 27  # bytes
MAX_PAGES = 10_000


def read_pdf(
    file: File, wanted: str | None, config: ReadConfig, source: Provenance
) -> Iterator[Part]:
    """The text of a PDF, in the lines of its pages: a `Reader`."""
    try:
        import pypdf
    except ImportError:
        raise CorpusError(
            f"{file.name} is PDF, which pypdf reads: pip install 'textgen-recurrent[files]'"
        ) from None
    source.kind, source.encoding = "PDF", "pdf"
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    data = file.whole(LARGEST_FILE)
    pages: list[str] = []
    try:
        document = pypdf.PdfReader(io.BytesIO(data))
        if document.is_encrypted and not document.decrypt(""):
            raise CorpusError(f"{file.name} is encrypted: save it without a password")
        if len(document.pages) > MAX_PAGES:
            raise CorpusError(f"{file.name} has more than {MAX_PAGES:,} pages: part it")
        for page in document.pages:
            pages.append(page.extract_text().strip())
    except CorpusError:
        raise
    except Exception as error:  # whatever pypdf meets in a damaged file
        brief = " ".join(str(error).split())[:80] or type(error).__name__
        raise CorpusError(
            f"cannot read {file.name} ({brief}): save its text from a PDF reader"
        ) from None
    bare = sum(not page for page in pages)
    if bare == len(pages):
        raise CorpusError(
            f"{file.name} holds pictures of text, no text: recognize it (OCR) and give that"
        )
    source.drop("pages without text", bare)
    yield Part("\n".join(page for page in pages if page), "record")
