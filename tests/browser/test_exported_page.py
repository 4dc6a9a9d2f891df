"""The page that `textgen export --to html` makes, opened from its file as a double click does."""

import itertools
import random
from unicodedata import normalize

import numpy as np
import pytest
from playwright.sync_api import expect

from made_tokenizers import AWKWARD, MADE, TEXT
from new_cell import UGRNN
from textgen.cells import CELLS, make_cell, register
from textgen.config import ModelConfig
from textgen.export.page import page as page_of
from textgen.generation.generator import Generator, load
from textgen.tokenizers.tokenizer import TOKENIZERS
from tiny import drawn

LAYOUTS = {
    "one layer": {"embedding_size": 12},
    "two layers": {"num_layers": 2, "embedding_size": 12},
    "tied": {"tie_weights": True, "embedding_size": 30},
}
ACTIVATED = [(name, activation) for name, cell in CELLS.items() for activation in cell.activations]
TOKENS = 1000
CLOSE = 2e-5  # of logits, between NumPy and the browser


def model_of(cell="lstm", tokenizer="char", activation="tanh", layout="one layer", name="a model"):
    """One whose weights are drawn; not so large that a difference in the last digit grows."""
    config = ModelConfig(cell=cell, hidden_size=30, activation=activation, **LAYOUTS[layout])
    made = MADE[tokenizer]
    return Generator(drawn(config, made.vocab_size, scale=0.15), made, name=name, hash="01234567")


@pytest.fixture
def opened(chromium, tmp_path):
    """opened(model, ...) -> the page; every error, and every request but for the file, fails."""
    contexts, problems, requests, numbers = [], [], [], itertools.count()

    def open_page(model, before="", half=False, **settings):
        file = tmp_path / f"{next(numbers)}.html"
        file.write_bytes(page_of(model, "the cat ", half=half))
        context = chromium.new_context(**{"locale": "en-US"} | settings)
        contexts.append(context)
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text))
        if before:
            page.add_init_script(before)
        page.goto(file.as_uri())
        page.wait_for_selector("h1")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
    assert all(url.startswith(("file:", "blob:")) for url in requests)
    assert len([url for url in requests if url.startswith("file:")]) == len(contexts)


def generated(page, prompt, **options):
    call = "([prompt, options]) => textgen.generate(prompt, options)"
    return page.evaluate(call, [prompt, options])


def reads_as(page, model, number=60):
    """The largest difference of its logits after each of some ids."""
    ids = np.random.default_rng(1).integers(1, model.tokenizer.vocab_size, number)
    found = np.array(page.evaluate("ids => textgen.logits(ids)", ids.tolist()))
    hidden, _ = model.network.read(ids[:, None].astype(np.int32), model.network.initial_state(1))
    return np.abs(found - model.network.read_out(hidden[:, 0])).max()


def test_every_tokenizer_is_tried():
    assert {tokenizer.name for tokenizer in MADE.values()} == set(TOKENIZERS)


@pytest.mark.parametrize("tokenizer", MADE)
@pytest.mark.parametrize(("cell", "activation"), ACTIVATED)
def test_the_likeliest_text_is_that_of_python(opened, cell, activation, tokenizer):
    layout = list(LAYOUTS)[(list(MADE).index(tokenizer) + len(cell)) % len(LAYOUTS)]
    model = model_of(cell, tokenizer, activation, layout)
    page = opened(model)
    expected = model.generate("the cat ", max_new_tokens=TOKENS, temperature=0.0)
    assert generated(page, "the cat ", tokens=TOKENS, temperature=0) == expected.token_ids
    assert (
        page.evaluate("ids => textgen.decode(ids)", expected.token_ids).removesuffix("\ufffd")
        == expected.text
    )
    assert reads_as(page, model) < CLOSE


@pytest.mark.parametrize("tokenizer", MADE)
def test_a_seed_writes_what_it_writes_in_python(opened, tokenizer):
    model = model_of("gru", tokenizer)
    page = opened(model)
    for seed, options in {
        0: {},
        7: {"temperature": 0.7, "top_p": 0.9},
        2**31 - 1: {"temperature": 1.5, "top_k": 40, "min_p": 0.05},
        2**40: {"top_k": 3, "top_p": 0.5},
    }.items():
        expected = model.generate("a mat ", max_new_tokens=150, seed=seed, **options)
        there = {"topP": options.get("top_p", 1), "topK": options.get("top_k", 0)}
        there |= {"minP": options.get("min_p", 0), "temperature": options.get("temperature", 1)}
        assert generated(page, "a mat ", tokens=150, seed=seed, **there) == expected.token_ids


def test_half_a_character_is_not_shown_and_not_gone_on_from(opened):
    page = opened(model_of("gru", "unigram"))
    found = page.evaluate(
        """() => Array.from({ length: 60 }, (_, seed) => {
          const writer = textgen.writer("a mat ");
          const options = { temperature: 2, topP: 1, topK: 0, minP: 0, seed };
          const texts = [];
          for (let round = 0; round < 2; round += 1) {
            const steps = writer.write(options);
            for (let k = 0; k < 7; k += 1) { steps.next(); texts.push(writer.text()); }
          }
          const half = textgen.decode(writer.tokens.map((token) => token.id));
          const shown = writer.groups().map((group) => group.text).join("");
          return { texts, shown, half };
        })"""
    )
    assert sum(one["half"].endswith("\ufffd") for one in found) > 5
    for one in found:
        assert "\ufffd" not in "".join(one["texts"]) + one["shown"]
        # a mark may still alter the last character
        assert all(b.startswith(a[:-1]) for a, b in itertools.pairwise(one["texts"]))
        assert normalize("NFC", "a mat " + one["shown"]) == one["texts"][-1]


@pytest.mark.parametrize("tokenizer", MADE)
def test_texts_become_the_same_ids(opened, tokenizer):
    own, page = MADE[tokenizer], opened(model_of(tokenizer=tokenizer))
    letters = sorted(set(TEXT)) + list("  \n▁ㅋ😀é漢\u0301")
    choose = random.Random(3)
    texts = [*AWKWARD, *TEXT.splitlines()[:20], TEXT[:400]]
    texts += ["".join(choose.choices(letters, k=40)) for _ in range(200)]
    for text in texts:
        ids = page.evaluate("text => textgen.encode(text)", text)
        assert ids == own.encode(text), repr(text)
        assert page.evaluate("ids => textgen.decode(ids)", ids) == own.decode(ids)


def test_what_the_equations_name_is_what_python_traces(opened):
    from textgen.interpret import trace

    for cell in CELLS:
        model = model_of(cell, layout="two layers")
        ids = [1, 4, 2, 8, 5, 7]
        found = opened(model).evaluate(
            "ids => textgen.trace(ids).map(layer => Object.fromEntries("
            "Object.entries(layer).map(([name, course]) => [name, Array.from(course)])))",
            ids,
        )
        for layer, values in zip(found, trace(model.network, ids).layers, strict=True):
            assert list(layer) == list(values)
            for name, course in values.items():
                np.testing.assert_allclose(layer[name], course.ravel(), atol=1e-6)


def test_a_cell_from_elsewhere_writes_too(opened):
    register(UGRNN)
    try:
        model = model_of("ugrnn")
        page = opened(model)
        expected = model.generate("the ", max_new_tokens=TOKENS, temperature=0.0)
        assert generated(page, "the ", tokens=TOKENS, temperature=0) == expected.token_ids
    finally:
        del CELLS["ugrnn"]


def test_without_vectors_it_writes_the_same(opened):
    model = model_of("lstm", layout="two layers")
    page = opened(model, before="delete window.WebAssembly")
    expected = model.generate("the ", max_new_tokens=TOKENS, temperature=0.0)
    assert generated(page, "the ", tokens=TOKENS, temperature=0) == expected.token_ids


def test_float16_is_read_as_it_was_rounded(opened):
    model = model_of()
    weights = {n: w.astype(np.float16).astype(np.float32) for n, w in model.network.weights.items()}
    rounded = Generator(
        type(model.network)(model.config, model.network.vocab_size, weights), model.tokenizer
    )
    assert reads_as(opened(model, half=True), rounded) < CLOSE


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ko-lstm-char", "ko-gru-sentencepiece", "en-lstm-char"])
def test_a_shipped_model_writes_what_it_writes_in_python(opened, name):
    model = load(name)
    page = opened(model)
    expected = model.generate("", max_new_tokens=TOKENS, temperature=0.0)
    assert generated(page, "", tokens=TOKENS, temperature=0) == expected.token_ids
    expected = model.generate("", max_new_tokens=200, temperature=0.8, top_p=0.95, seed=5)
    there = generated(page, "", tokens=200, temperature=0.8, topP=0.95, seed=5)
    assert there == expected.token_ids


# --- what a person does -----------------------------------------------------------------------


def write(page, seed=3):
    page.locator(".seed input").evaluate("(e, seed) => { e.value = seed; e.oninput(); }", seed)
    page.get_by_role("button", name="Write", exact=True).click()
    page.wait_for_selector(".strip .text")
    return page.locator(".strip .text").inner_text()


def test_it_writes_and_another_token_is_chosen(opened):
    model = model_of()
    page = opened(model)
    text = write(page)
    expected = model.generate(
        "the cat ", max_new_tokens=200, seed=3, temperature=0.8, top_p=0.95
    ).text
    assert text.replace("↵", "") == "the cat " + expected
    page.locator(".token").nth(9).click()
    expect(page.locator(".card .row").nth(9)).to_be_visible()
    page.locator(".row:not([aria-current])").first.click()
    expect(page.locator(".strip .text")).not_to_have_text(text)
    assert page.locator(".strip .text").inner_text().startswith(text[:15])
    assert write(page) == text  # the same seed, the same text


def test_gates_and_one_step_show_what_was_written(opened):
    page = opened(model_of("peephole"))
    page.locator("#tab-gates").click()
    expect(page.locator("main")).to_contain_text("Nothing is written yet")
    page.locator("#tab-write").click()
    write(page)
    page.locator("#tab-gates").click()
    expect(page.locator(".panel canvas").first).to_be_visible()
    page.locator(".panel .scroll").first.click(position={"x": 100, "y": 40})
    unit = page.locator(".panel strong").nth(1).inner_text()
    page.locator("#tab-step").click()
    chosen = page.get_by_role("combobox", name="Unit").input_value()
    assert unit == f"Unit {chosen}: all its values"
    expect(page.locator(".cell svg")).to_be_visible()
    expect(page.locator(".equations section")).to_have_count(4)
    results = page.locator(".equation").all_inner_texts()
    assert len(results) == 6 and all(
        "undefined" not in text and "NaN" not in text for text in results
    )


def test_every_cell_has_its_equations_and_its_picture(opened):
    for cell in CELLS:
        page = opened(model_of(cell))
        write(page)
        page.locator("#tab-step").click()
        expect(page.locator(".equations section")).to_have_count(len(CELLS[cell].equations))
        shown = page.locator("main").inner_text()
        assert "undefined" not in shown and "NaN" not in shown and "\\" not in shown
        drawn = page.locator(".cell svg text").all_text_contents()
        if CELLS[cell].flow and CELLS[cell].flow.shown:  # of the candidate, and on the way to h
            assert drawn.count("tanh") == 1 + make_cell(cell).shows_tanh
        page.context.close()


def test_the_language_changes_the_words_and_not_the_text(opened):
    page = opened(model_of())
    text = write(page)
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("button", name="쓰기", exact=True)).to_be_visible()
    assert page.locator(".strip .text").inner_text() == text
    assert page.evaluate("document.documentElement.lang") == "ko"


def test_no_request_leaves_the_page(chromium, tmp_path):
    file = tmp_path / "page.html"
    file.write_bytes(page_of(model_of()))
    context = chromium.new_context(locale="en-US")
    requests, answers = [], []
    context.on("request", lambda request: requests.append(request.url))
    context.on("response", lambda response: answers.append(response.url))
    page = context.new_page()
    page.goto(file.as_uri())
    write(page)
    for tab in ("gates", "step"):
        page.locator(f"#tab-{tab}").click()
    assert requests == [file.as_uri()]
    # and none could: the page forbids itself what a script in it might try
    refused = """async () => {
        const image = () => new Promise((loaded, failed) => {
            const made = new Image();
            [made.onload, made.onerror, made.src] = [loaded, failed, "https://example.com/a.png"];
        });
        const tries = [image, () => fetch("https://example.com/"), () => {
            throw navigator.sendBeacon("https://example.com/");
        }];
        const results = await Promise.allSettled(tries.map(async (attempt) => attempt()));
        return results.every((result) => result.status === "rejected");
    }"""
    assert page.evaluate(refused)
    assert answers == [file.as_uri()]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_off(opened, width, scheme):
    page = opened(
        model_of(name="a-model-with-a-long-name-" * 3),
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    write(page)
    for tab in ("write", "gates", "step"):
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_markup_in_a_name_or_a_prompt_stays_text(opened):
    page = opened(model_of(name="<b>x</b></script>&amp;"))
    expect(page.locator("h1")).to_have_text("<b>x</b></script>&amp;")
    page.get_by_role("textbox").fill("the <img src=x>")
    write(page)
    assert page.locator("img").count() == 0
