"""The screen of `textgen write`: the text, what may come next in grey, the choice, and the keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import AfterInput
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from textgen.errors import RunError
from textgen.generation.draft import CHOICES, Draft
from textgen.runs.atomic_files import write_output

KEYS = (
    "Tab take it   Up/Down choose   Ctrl-R another   Ctrl-J new line   Ctrl-Z undo   Ctrl-S save   "
    "Ctrl-Q leave"
)
# the keys of y and n, also where Hangul is typed
YES, NO = ("y", "Y", "ㅛ"), ("n", "N", "ㅜ", "c-c")
STYLE = Style.from_dict({"next": "italic ansibrightblack", "keys": "ansibrightblack"})


class DraftScreen:
    """Shows a draft and lets a person go on with it. out: the file that Ctrl-S writes.

    What a model proposes is shown, and the keys are for it, while the cursor stands at the end of
    the text; elsewhere they move in it and edit.
    """

    def __init__(self, draft: Draft, out: Path | None = None) -> None:
        self.draft, self.out = draft, out
        self.saved: str | None = None  # what was written to `out`
        self.note = ""  # stands until the next key
        self.question = ""  # stands until it is answered,
        self.if_yes: Callable[[], None] = self.leave  # with this,
        self.if_no: Callable[[], None] = self.leave  # or this
        self.buffer = Buffer(on_text_changed=lambda _: draft.edit(self.buffer.text))
        self.text_window = Window(
            BufferControl(
                self.buffer,
                input_processors=[AfterInput(self._next)],
                key_bindings=self._writing_keys(),
            ),
            wrap_lines=True,
            dont_extend_height=True,
        )
        self.question_window = _lines(
            lambda: [("bold", self.question)], focusable=True, key_bindings=self._answering_keys()
        )
        rows = [
            self.text_window,
            Window(height=1),
            Window(FormattedTextControl(self._choice), height=CHOICES),
            _lines(lambda: [("class:keys", self.note or self._unknown() or KEYS)]),
            self.question_window,
        ]
        self.app: Application[None] = Application(
            Layout(HSplit(rows), focused_element=self.text_window),
            style=STYLE,
            erase_when_done=True,
        )
        self.app.key_processor.before_key_press += lambda _: self._say("")
        self._show_text()

    def run(self) -> None:
        """Until the person leaves."""
        self.app.run()

    def leave(self) -> None:
        self.app.exit()

    @property
    def is_saved(self) -> bool:
        return self.saved == self.draft.text

    def _say(self, note: str) -> None:
        self.note = note

    def _show_text(self) -> None:
        """The text of the draft, with the cursor at its end."""
        text = self.draft.text
        self.buffer.set_document(Document(text, len(text)))

    def _at_end(self) -> bool:
        return self.buffer.cursor_position == len(self.buffer.text)

    def _next(self) -> StyleAndTextTuples:
        word = self.draft.proposal if self._at_end() else None
        return [("class:next", word.text.replace("\n", "↵"))] if word else []

    def _unknown(self) -> str:
        unknown = self.draft.unknown_characters()
        return f"the model has never seen {' '.join(map(repr, unknown[:20]))}" if unknown else ""

    def _choice(self) -> StyleAndTextTuples:
        """The words one may choose among, each with its probability."""
        words = self.draft.words if self._at_end() else []
        texts = [word.text.strip() or "↵" for word in words]
        width = max(map(get_cwidth, texts), default=0)
        lines: StyleAndTextTuples = []
        for place, (word, text) in enumerate(zip(words, texts, strict=True)):
            is_chosen = place == self.draft.chosen
            blanks = " " * (width - get_cwidth(text))
            line = f"{'›' if is_chosen else ' '} {text}{blanks} {word.probability:7.2%}\n"
            lines.append(("bold" if is_chosen else "class:next", line))
        return lines

    def _writing_keys(self) -> KeyBindings:
        keys = KeyBindings()
        at_end = Condition(self._at_end)

        def on(*names: str, anywhere: bool = False) -> Callable[[Callable[[], None]], None]:
            """Each of these keys does what the function does."""

            def bind(act: Callable[[], None]) -> None:
                def handle(event: KeyPressEvent) -> None:
                    act()

                for name in names:
                    keys.add(name, filter=True if anywhere else at_end)(handle)

            return bind

        @on("tab", "enter", "right")
        def take() -> None:
            if self.draft.take():
                self._show_text()

        @on("s-tab", "c-r")
        def refuse() -> None:
            if not self.draft.refuse():
                self._say("nothing else comes here: type, or begin with a higher --temperature")

        @on("down")
        def choose_next() -> None:
            self.draft.choose(1)

        @on("up")
        def choose_last() -> None:
            self.draft.choose(-1)

        @on("c-j", anywhere=True)
        def begin_line() -> None:
            self.buffer.insert_text("\n")

        @on("c-z", "c-_", anywhere=True)
        def undo() -> None:
            if self.draft.undo():
                self._show_text()
            else:
                self._say("nothing is left to undo")

        @on("c-s", anywhere=True)
        def save() -> None:
            self._save(then=lambda: None)

        @on("c-q", "c-c", anywhere=True)
        def leave() -> None:
            if self.out is None or self.is_saved or not self.draft.text:
                self.leave()
            else:
                self._ask(
                    f"save to {self.out} first? y/n", lambda: self._save(self.leave), self.leave
                )

        return keys

    def _answering_keys(self) -> KeyBindings:
        keys = KeyBindings()

        def answer(act: Callable[[], None]) -> None:
            self.question = ""
            self.app.layout.focus(self.text_window)
            act()

        for name in YES:
            keys.add(name)(lambda event: answer(self.if_yes))
        for name in NO:
            keys.add(name)(lambda event: answer(self.if_no))
        keys.add(Keys.Any)(lambda event: answer(lambda: None))
        return keys

    def _ask(self, question: str, if_yes: Callable[[], None], if_no: Callable[[], None]) -> None:
        """Wait for y or n; any other key goes back to the text."""
        self.question, self.if_yes, self.if_no = question, if_yes, if_no
        self.app.layout.focus(self.question_window)

    def _save(self, then: Callable[[], None]) -> None:
        """Write the text to the file, and go on with `then`; ask where another file is there."""
        if self.out is None:
            self._say("no file was named to save to: begin with --out FILE")
        elif self.saved is None and self.out.exists():
            self._ask(
                f"{self.out} is there already: write over it? y/n", self._write_and(then), _stay
            )
        else:
            self._write_and(then)()

    def _write_and(self, then: Callable[[], None]) -> Callable[[], None]:
        def write() -> None:
            assert self.out is not None
            try:
                write_output(self.out, (self.draft.text.rstrip("\n") + "\n").encode())
            except RunError as error:
                self._say(str(error))
                return
            self.saved = self.draft.text
            self._say(f"saved to {self.out}")
            then()

        return write


def _stay() -> None:
    """Go back to the text."""


def _lines(text: Callable[[], StyleAndTextTuples], **settings: Any) -> Window:
    """A window as high as its text."""
    control = FormattedTextControl(text, **settings)
    return Window(control, wrap_lines=True, dont_extend_height=True)
