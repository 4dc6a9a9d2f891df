"""Every document in Korean is held to the one in English: what one says, the other says.

A document and its translation have the same headings, commands, pictures, links and rows of
tables, and every name in `code` of one is in the other. NAME.ko.md stands beside NAME.md or
NAME.en.md.
"""

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import korean_pairs, pages, start
from benchmarks.korean import in_korean

ROOT = Path(__file__).parent.parent
KOREAN = sorted([*ROOT.glob("*.ko.md"), *ROOT.glob("docs/*.ko.md")])
MESSAGES = ROOT / "textgen/ui/messages"


def english_of(korean):
    stem = korean.name.removesuffix(".ko.md")
    beside = [korean.with_name(f"{stem}{suffix}") for suffix in (".md", ".en.md")]
    return next(path for path in beside if path.exists())


def fenced(text):
    """[(language, the lines between the fences)], and the text without them."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return blocks, re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def without_words(block):
    """A block of code without its comments; of one in no language, the first column."""
    language, code = block
    gap = r"(^|\s+)#.*" if language else r" {2,}.*"
    return language, [re.sub(gap, "", line).rstrip() for line in code.splitlines()]


def shown(text):
    """The indented lines that show a terminal: the same in both."""
    return [line.strip() for line in text.splitlines() if re.match(r" {4,}\S", line)]


def headings(prose):
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, re.M)]


def targets(text):
    """Where links and pictures lead, whatever the language."""
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return Counter(re.sub(r"\.(ko|en)\.", ".", re.split("[#?]", target)[0]) for target in found)


def names(prose):
    """What stands in `code`. A task or a model of one language stands for that of the other."""
    found = re.findall(r"`([^`]+)`", prose)
    return {re.sub(r"-(ko|en)\b", "", " ".join(name.split())) for name in found}


def table_rows(prose):
    return [line.count("|") for line in prose.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("korean", KOREAN, ids=lambda path: path.name)
def test_a_document_says_in_korean_what_it_says_in_english(korean):
    texts = [path.read_text(encoding="utf-8") for path in (english_of(korean), korean)]
    (blocks, prose), (blocks_ko, prose_ko) = map(fenced, texts)
    assert headings(prose_ko) == headings(prose)
    assert list(map(without_words, blocks_ko)) == list(map(without_words, blocks))
    assert shown(prose_ko) == shown(prose)
    assert names(prose_ko) == names(prose)
    assert table_rows(prose_ko) == table_rows(prose)
    here = Counter({name: 1 for name in (korean.name.replace(".ko.", "."),)})
    assert targets(prose_ko) - here == targets(prose) - here


@pytest.mark.parametrize("korean", KOREAN, ids=lambda path: path.name)
def test_a_document_and_its_translation_lead_to_each_other(korean):
    english = english_of(korean)
    for page, other in ((english, korean), (korean, english)):
        head = page.read_text(encoding="utf-8").split("\n\n")[1]
        assert f"]({other.name})" in head


@pytest.mark.parametrize("korean", KOREAN, ids=lambda path: path.name)
def test_links_lead_somewhere(korean):
    for page in (english_of(korean), korean):
        prose = fenced(page.read_text(encoding="utf-8"))[1]
        for target in re.findall(r"\]\(([^)\s]+)\)", prose):
            if not re.match(r"https?:|#", target):
                assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("korean", KOREAN, ids=lambda path: path.name)
def test_bold_words_end_where_markdown_sees_it(korean):
    """Of "**말.**은" the second pair of stars is text: a sign stands before it, a letter after."""
    text = korean.read_text(encoding="utf-8")
    assert not re.findall(r"\*\*[^*]*[^\w\s*]\*\*[가-힣].*", text)


@pytest.mark.parametrize("language, readme", [("en", "README.md"), ("ko", "README.ko.md")])
def test_the_readme_calls_the_pages_of_the_app_by_their_names(language, readme):
    messages = tomllib.loads((MESSAGES / f"{language}.toml").read_text(encoding="utf-8"))
    pages = [path.stem.split("_", 1)[1] for path in (ROOT / "textgen/ui/pages").glob("[0-9]*.py")]
    told = (ROOT / readme).read_text(encoding="utf-8")
    for page in pages:
        assert f"**{messages[page]['title']}**" in told


@pytest.mark.parametrize(
    "name, benchmark", [("start", start), ("pages", pages), ("korean", korean_pairs)]
)
def test_a_page_of_measurements_has_the_same_figures_in_both(name, benchmark):
    path = ROOT / f"docs/{name}.md"
    page = path.read_text(encoding="utf-8")
    korean = path.with_suffix(".ko.md").read_text(encoding="utf-8")
    assert in_korean(page, path, benchmark.KOREAN) == korean
