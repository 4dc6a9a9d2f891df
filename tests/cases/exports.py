"""Chats and subtitles as programs export them, and texts that look like them."""
# ruff: noqa: E501 (a line of a file is not broken)

from cases import KO, one

A, B, C = KO


def chat(*messages: str, banner: str = "") -> str:
    return banner + "\n".join(messages) + "\n"


MOBILE = "가람 님과 카카오톡 대화\n저장한 날짜 : 2031년 3월 2일 오전 9:12\n\n"
DESKTOP = "가람 님과 카카오톡 대화\n저장한 날짜 : 2031-03-02 09:12:11\n\n"
ENGLISH = "KakaoTalk Chats with Garam\nDate Saved : Mar 2, 2031 at 09:12\n\n"
ENGLISH_DESKTOP = "KakaoTalk Chats with Garam\nDate Saved : 2031-03-02 09:12:11\n\n"
LINES = ["Hi there", "How are you?", "Fine, at 5: we go"]

CASES = [
    one(
        "kakao-android.txt",
        chat(
            "2031년 3월 2일 오후 1:05",
            f"2031년 3월 2일 오후 1:05, 가람 : {A}",
            f"2031년 3월 2일 오후 1:06, 나래 : {B}",
            f"2031년 3월 3일 오전 11:06, 나래 : {C}",
            banner=MOBILE,
        ),
        KO,
        dropped={"names and times": 3, "lines of the program": 3},
    ),
    one(
        "kakao-ios.txt",
        chat(
            "2031년 3월 2일 일요일",
            f"2031. 3. 2. 오후 1:05, 가람 : {A}",
            f"2031. 3. 2. 오후 1:06, 나래 : {B}",
            f"2031. 3. 2. 13:06, 나래 : {C}",
            banner=DESKTOP,
        ),
        KO,
    ),
    one(
        "kakao-windows.txt",
        chat(
            "--------------- 2031년 3월 2일 일요일 ---------------",
            f"[가람] [오후 1:05] {A}",
            f"[나래] [오후 1:06] {B}",
            f"[가람] [오후 1:07] {C}",
            banner=DESKTOP,
        ),
        KO,
    ),
    one(
        "kakao-windows-cp949.txt",
        chat(
            f"[가람] [오후 1:05] {A}",
            f"[나래] [오후 1:06] {B}",
            f"[가람] [오후 1:07] {C}",
            banner=DESKTOP,
        ).encode("cp949"),
        KO,
        encoding="cp949",
    ),
    one(
        "kakao-crlf.txt",
        chat(
            f"[가람] [오후 1:05] {A}",
            f"[나래] [오후 1:06] {B}",
            f"[가람] [오후 1:07] {C}",
            banner=DESKTOP,
        ).replace("\n", "\r\n"),
        KO,
    ),
    one(
        "kakao-english.txt",
        chat(
            "March 2, 2031 at 1:05 PM",
            *(f"March 2, 2031 at 1:0{i} PM, Garam : {t}" for i, t in enumerate(LINES)),
            banner=ENGLISH,
        ),
        LINES,
    ),
    one(
        "kakao-english-short.txt",
        chat(
            *(f"Mar 2, 2031 at 13:0{i}, Garam : {t}" for i, t in enumerate(LINES)), banner=ENGLISH
        ),
        LINES,
    ),
    one(
        "kakao-english-windows.txt",
        chat(
            "--------------- Sunday, March 2, 2031 ---------------",
            *(f"[Garam] [1:0{i} PM] {t}" for i, t in enumerate(LINES)),
            banner=ENGLISH_DESKTOP,
        ),
        LINES,
    ),
    one(
        "kakao-lines.txt",
        chat(
            f"2031년 3월 2일 오후 1:05, 가람 : {A}\n둘째 줄\n\n셋째 줄",
            f"2031년 3월 2일 오후 1:06, 나래 : {B}",
            banner=MOBILE,
        ),
        [A, "둘째 줄", "셋째 줄", B],
    ),
    one(
        "kakao-media.txt",
        chat(
            "2031년 3월 2일 오후 1:05, 가람 : 사진",
            "2031년 3월 2일 오후 1:05, 가람 : 이모티콘",
            f"2031년 3월 2일 오후 1:06, 나래 : {B}",
            "2031년 3월 2일 오후 1:06, 나래님이 나갔습니다.",
            "2031년 3월 2일 오후 1:07, 나래 : 사진 3장",
            banner=MOBILE,
        ),
        [B],
        dropped={"pictures and the like": 3},
    ),
    one(
        "kakao-colon-in-text.txt",
        chat(
            "2031년 3월 2일 오후 1:05, 가람 : 시간 : 오후 3:00, 장소 : 역",
            f"2031년 3월 2일 오후 1:06, 나래 : {B}",
            banner=MOBILE,
        ),
        ["시간 : 오후 3:00, 장소 : 역", B],
    ),
    one(
        "kakao-mac.csv",
        f'Date,User,Message\n2031-03-02 13:05:22,"가람","{A}"\n2031-03-02 13:06:22,"나래","{B}\n둘째 줄"\n',
        [A, f"{B}\n둘째 줄"],
    ),
    one(
        "whatsapp-ios.txt",
        chat(*(f"[02/03/2031, 13:05:2{i}] Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-ios-marks.txt",
        chat(
            "[02.03.31, 13:05:22] Garam: \u200eMessages and calls are encrypted.",
            *(f"\u200e[02.03.31, 13:05:2{i}] Garam: {t}" for i, t in enumerate(LINES)),
            "[02.03.31, 13:06:22] Garam: \u200eimage omitted",
        ),
        ["Messages and calls are encrypted.", *LINES],
    ),
    one(
        "whatsapp-android.txt",
        chat(
            "02/03/2031, 1:05 pm - Messages and calls are end-to-end encrypted. Tap to learn more.",
            *(f"02/03/2031, 1:0{i} pm - Garam: {t}" for i, t in enumerate(LINES)),
            "02/03/2031, 1:09 pm - Nare: <Media omitted>",
            "02/03/2031, 1:09 pm - Nare left",
        ),
        LINES,
        dropped={"names and times": 4, "pictures and the like": 1, "lines of the program": 2},
    ),
    one(
        "whatsapp-us.txt",
        chat(*(f"3/2/31, 1:0{i}\u202fPM - Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-german.txt",
        chat(
            *(f"02.03.31, 13:0{i} - Garam: {t}" for i, t in enumerate(LINES)),
            "02.03.31, 13:09 - Nare: <Medien ausgeschlossen>",
        ),
        LINES,
    ),
    one(
        "whatsapp-brazil.txt",
        chat(*(f"02/03/2031 13:0{i} - Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-spanish.txt",
        chat(*(f"2/3/31, 1:0{i} p. m. - Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-dutch.txt",
        chat(*(f"02-03-2031 13:0{i} - Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-swedish.txt",
        chat(*(f"2031-03-02 13:0{i} - Garam: {t}" for i, t in enumerate(LINES))),
        LINES,
    ),
    one(
        "whatsapp-korean.txt",
        chat(*(f"2031. 3. 2. 오후 1:0{i} - 가람: {t}" for i, t in enumerate(KO))),
        KO,
    ),
    one(
        "whatsapp-korean-comma.txt",
        chat(*(f"2031. 3. 2. 오후 1:0{i}, 가람 : {t}" for i, t in enumerate(KO)), banner=MOBILE),
        KO,
    ),
    one(
        "whatsapp-korean-ios.txt",
        chat(*(f"[2031. 3. 2. 오후 1:05:2{i}] 가람: {t}" for i, t in enumerate(KO))),
        KO,
    ),
    one(
        "whatsapp-lines.txt",
        chat(
            "02/03/2031, 13:00 - Garam: one",
            "goes on",
            "",
            "and on",
            "02/03/2031, 13:00 - Nare: two",
            "02/03/2031, 13:01 - Garam: three",
        ),
        ["one", "goes on", "and on", "two", "three"],
    ),
    one(
        "log.txt",
        log := "".join(f"2031-03-02 13:05:2{i} - INFO - started {i}\n" for i in range(9)),
        log,
    ),
    one(
        "laravel.log",
        log := "".join(f"[2031-03-02 13:05:2{i}] production.ERROR: failed {i}\n" for i in range(9)),
        log,
    ),
    one(
        "levels.log",
        log := "".join(f"[2031-03-02 13:05:2{i}] ERROR: failed {i}\n" for i in range(9)),
        log,
    ),
    one("play.txt", play := "ROMEO: But soft!\nJULIET: Ay me!\nNURSE: Madam!\n" * 9, play),
    one(
        "about-kakao.txt",
        "카카오톡 대화는 이렇게 시작한다.\n그리고 끝난다.\n",
        "카카오톡 대화는 이렇게 시작한다.\n그리고 끝난다.\n",
    ),
    one(
        "plain.srt",
        "1\n00:00:01,000 --> 00:00:02,000\n<i>하나</i> 둘\n\n2\n00:00:03,000 --> 00:00:04,000\n셋\n넷\n\n3\n00:00:05,000 --> 00:00:06,000\n{\\an8}1984\n",
        ["하나 둘", "셋", "넷", "1984"],
        dropped={"times": 3, "numbers and names of subtitles": 3, "markup": 3},
    ),
    one(
        "crlf-bom.srt",
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\n하나\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000 X1:0\r\n둘\r\n",
        ["하나", "둘"],
    ),
    one(
        "cp949.srt",
        f"1\n00:00:01,000 --> 00:00:02,000\n{A}\n\n2\n00:00:03,000 --> 00:00:04,000\n{B}\n".encode(
            "cp949"
        ),
        [A, B],
        encoding="cp949",
    ),
    one(
        "no-blank-lines.srt",
        "1\n00:00:01,000 --> 00:00:02,000\nYears:\n1984\n2\n00:00:03,000 --> 00:00:04,000\nnext\n",
        ["Years:", "1984", "next"],
    ),
    one(
        "angle.srt",
        '1\n00:00:01,000 --> 00:00:02,000\n<font color="#fff">I <3 you & me</font>\n',
        ["I <3 you & me"],
    ),
    one("not.srt", "just a text\n", refused="holds no time of a subtitle"),
    one(
        "plain.vtt",
        "WEBVTT - title\nKind: captions\n\nNOTE a remark\nof two lines\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.000 align:start\n<v Garam>Hi &amp; bye</v>\n\n01:00:03.000 --> 01:00:04.000\n<c.yellow>two</c> <00:00:01.000>three\n",
        ["Hi & bye", "two three"],
    ),
    one(
        "plain.vtt.gz",
        __import__("gzip").compress(b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n"),
        ["Hi"],
    ),
]

CASES += [
    one(
        "rolling.vtt",
        "WEBVTT\nKind: captions\n\n"
        "00:00:00.000 --> 00:00:02.000 align:start position:0%\n \nhello<00:00:00.500><c> you</c>\n\n"
        "00:00:02.000 --> 00:00:02.010 align:start position:0%\nhello you\n \n\n"
        "00:00:02.010 --> 00:00:04.000 align:start position:0%\nhello you\nand<00:00:03.000><c> bye</c>\n\n"
        "00:00:04.000 --> 00:00:04.010 align:start position:0%\nand bye\n \n",
        ["hello you", "and bye"],
        dropped={"lines shown again": 3},
    ),
    one(
        "said-twice.vtt",
        "WEBVTT\n\n00:01.000 --> 00:02.000\nNo.\n\n00:03.000 --> 00:04.000\nNo.\n",
        ["No.", "No."],
    ),
]
