"""Exported chats become what people wrote: who, when and what the program wrote are left out.

KakaoTalk writes a message as one of

    2031년 3월 2일 오후 1:05, 가람 : 안녕          Android     March 2, 2031 at 1:05 PM, Garam : Hi
    2031. 3. 2. 오후 1:05, 가람 : 안녕            iOS         Mar 2, 2031 at 13:05, Garam : Hi
    [가람] [오후 1:05] 안녕                       Windows     [Garam] [1:05 PM] Hi
    2031-03-02 13:05:22,"가람","안녕"             macOS: a table, with Date,User,Message above it

and WhatsApp, in the order and with the signs of the country,

    [02.03.31, 13:05:22] Garam: Hi               iOS
    02/03/2031, 1:05 pm - Garam: Hi              Android

A message goes on in every line that does not begin another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from textgen.text.source import Provenance

LEAST = 3  # messages that make a chat, and the share of lines that begin one
SHARE = 0.3
LONGEST_PROGRAM_LINE = 300  # the patterns take the square of its length

_TIME = (
    r"(?:(?:오전|오후|AM|PM|上午|下午|午前|午後)\s?)?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?"
    r"(?:\s?(?:[AaPp]\.?\s?[Mm]\.?|Uhr|h))?"
)
_DATE = r"\d{1,4}[-./]\s?\d{1,2}[-./]\s?\d{1,4}\.?|\d{4}년 \d{1,2}월 \d{1,2}일"
_ENGLISH_DATE = r"(?:\w+, )?(?:[A-Z][a-z]+ \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]+ \d{4})(?: at|,)?"
_STAMP = rf"(?:{_DATE}|{_ENGLISH_DATE}),? {_TIME}"


@dataclass(frozen=True)
class ChatFormat:
    """How a program writes a chat. message: begins one, with `who` and `text`. program: a line
    that nobody wrote. banner: how the export begins; None where nothing but its messages tells."""

    name: str
    message: re.Pattern[str]
    program: re.Pattern[str]
    banner: re.Pattern[str] | None = None


KAKAO_BANNER = re.compile(
    r"^(?:.*카카오톡 대화|KakaoTalk Chats with .*|.* KakaoTalk Chats?)\s*\n"
    r"\s*(?:저장한 날짜|Date Saved|Saved Date) ?:",
)
FORMATS = (
    ChatFormat(
        "KakaoTalk chat",
        re.compile(rf"(?:{_STAMP}), (?P<who>.{{1,80}}?) : (?P<text>.*)", re.DOTALL),
        re.compile(rf"(?:{_STAMP})(?:, .*|: .*)?\s*|저장한 날짜 ?:.*|Date Saved ?:.*|\s*"),
        KAKAO_BANNER,
    ),
    ChatFormat(
        "KakaoTalk chat",
        re.compile(rf"\[(?P<who>.{{1,80}}?)\] \[{_TIME}\] (?P<text>.*)", re.DOTALL),
        re.compile(
            r"-{5,} .* -{5,}\s*|저장한 날짜 ?:.*|Date Saved ?:.*|\s*"
            r"|.*님이 (?:들어왔습니다|나갔습니다|.*초대했습니다|.*내보냈습니다)\.?\s*"
            r"|.* (?:joined|left) this chatroom\.\s*|.* invited .*\.\s*"
        ),
        KAKAO_BANNER,
    ),
    ChatFormat(
        "WhatsApp chat",
        re.compile(
            rf"\[(?:{_DATE}),? {_TIME}\] (?P<who>(?!\w*\.?[A-Z]{{4,8}}:)[^:]{{1,80}}): "
            r"(?P<text>.*)",
            re.DOTALL,
        ),
        re.compile(rf"\[(?:{_DATE}),? {_TIME}\] .*", re.DOTALL),
    ),
    ChatFormat(
        "WhatsApp chat",
        re.compile(
            rf"(?:{_DATE}),? {_TIME} [-–] (?P<who>(?![A-Z]{{4,8}}:)[^:]{{1,80}}): (?P<text>.*)",
            re.DOTALL,
        ),
        re.compile(rf"(?:{_DATE}),? {_TIME} [-–] .*", re.DOTALL),
    ),
)
# stands in place of what is no text
MEDIA = re.compile(
    r"(?:사진(?: \d+장)?|동영상|이모티콘|음성메시지|파일: .*|삭제된 메시지입니다\.?"
    r"|Photos?|Video|Emoticons?"
    r"|\d+ photos|Voice message|Sticker|This message was deleted\.?|<Media omitted>"
    r"|(?:image|video|audio|sticker|GIF|document|Contact card) omitted|<미디어 파일을 제외한 내용>"
    r"|<.{3,40}(?:weggelassen|omitido|omis|omesso|제외됨|ausgeschlossen|ocultado)>"
    r"|\S* ?\(file attached\)|<attached: .*>|(?:Bild|Video|Audio|Sticker) weggelassen"
    r"|(?:You|Du) deleted this message\.?|null)"
)
# marks of direction, and the narrow blank before PM
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202c\ufeff")) | {0x202F: " ", 0xA0: " "}
_EDITED = re.compile(r"\s*<(?:This message was edited|Diese Nachricht wurde bearbeitet\.?)>$")


def chat_format(head: str) -> ChatFormat | None:
    """The format that the beginning of a text is in, if it is a chat."""
    lines = [line for line in head.translate(_MARKS).splitlines()[:400] if line.strip()]
    begins = "\n".join(lines[:3]) + "\n"
    for one in FORMATS:
        messages = sum(one.message.fullmatch(line) is not None for line in lines)
        if one.banner is not None and one.banner.match(begins):
            if messages:
                return one
        elif messages >= LEAST and messages >= SHARE * len(lines):
            return one
    return None


def chat_messages(lines: Iterable[str], chat: ChatFormat, source: Provenance) -> Iterator[str]:
    """What people wrote, message by message; what is left out is counted."""
    open_message: str | None = None
    begun = False
    for line in lines:
        plain = line.translate(_MARKS).rstrip("\r\n")
        if (message := chat.message.fullmatch(plain)) is not None:
            if open_message is not None:
                yield from _whole(open_message, source)
            open_message, begun = message["text"], True
            source.drop("names and times")
        elif (
            len(plain) <= LONGEST_PROGRAM_LINE
            and chat.program.fullmatch(plain) is not None
            and (plain.strip() or not begun)
        ):
            source.drop("lines of the program", int(bool(plain.strip())))
        elif open_message is not None:
            open_message += "\n" + plain
        else:
            source.drop("lines of the program")
    if open_message is not None:
        yield from _whole(open_message, source)


def _whole(message: str, source: Provenance) -> Iterator[str]:
    text = message.strip("\n")
    text = text[:-100] + _EDITED.sub("", text[-100:])
    if len(text) <= LONGEST_PROGRAM_LINE and MEDIA.fullmatch(text.strip()):
        source.drop("pictures and the like")
    elif text.strip():
        yield text
