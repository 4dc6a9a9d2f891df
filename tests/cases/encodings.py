"""Encodings that leave no doubt are read; all others are refused until they are named."""

import codecs

from cases import EN, KO, one

KOREAN = "\n".join(KO * 30)
ENGLISH = "\n".join(EN * 30)
QUOTES = "We’ll see what’s left. I don’t know — “perhaps”.\n" * 40
FRENCH = "L’été dernier, nous avons mangé à l’hôtel près de la forêt.\n" * 40
POLISH = "Zażółć gęślą jaźń, powiedział człowiek w Łodzi.\n" * 40
RUSSIAN = "Вчера вечером шёл сильный дождь, и дорога блестела.\n" * 40
GREEK = "Σήμερα ο καιρός είναι πολύ καλός στην Αθήνα.\n" * 40
TURKISH = "Bugün hava çok güzel, ığdır şehrinde gezdik.\n" * 40
THAI = "วันนี้อากาศดีมาก เราไปเดินเล่นที่สวน\n" * 40
HEBREW = "שלום עולם, היום מזג האוויר יפה מאוד\n" * 40
ARABIC = "مرحبا بالعالم هذا نص تجريبي قصير\n" * 40
JAPANESE = "今日は良い天気です。散歩に行きました。\n" * 40
CHINESE = "今天天气很好，我们去公园散步了。\n" * 40
TAIWANESE = "今天天氣很好，我們去公園散步了。\n" * 40
VIETNAMESE = "Hôm nay trời đẹp quá, chúng tôi đi dạo.\n" * 40

REFUSED = "is neither UTF-8 .* nor Korean in CP949"
_FOREIGN = [
    ("windows-1252", QUOTES, "cp1252"),
    ("french", FRENCH, "cp1252"),
    ("latin-1", "Où êtes-vous né, à Québec ?\n" * 40, "latin-1"),
    ("latin-9", "Le prix est de 30 € à l'hôtel\n" * 40, "iso8859-15"),
    ("mac-roman", FRENCH, "mac_roman"),
    ("cp437", "Größe, Straße, Äpfel, Öl\n" * 40, "cp437"),
    ("cp850", "L'été à Québec, très près\n" * 40, "cp850"),
    ("windows-1250", POLISH, "cp1250"),
    ("latin-2", POLISH.replace("—", "-"), "iso8859-2"),
    ("windows-1251", RUSSIAN, "cp1251"),
    ("koi8-r", RUSSIAN, "koi8-r"),
    ("cp866", RUSSIAN, "cp866"),
    ("windows-1253", GREEK, "cp1253"),
    ("windows-1254", TURKISH, "cp1254"),
    ("windows-1255", HEBREW, "cp1255"),
    ("windows-1256", ARABIC, "cp1256"),
    ("windows-1258", "Hôm nay là ngày đẹp\n" * 40, "cp1252"),
    ("tis-620", THAI, "tis-620"),
    ("shift-jis", JAPANESE, "shift_jis"),
    ("cp932", JAPANESE, "cp932"),
    ("euc-jp", JAPANESE, "euc_jp"),
    ("gbk", CHINESE, "gbk"),
    ("gb2312", CHINESE, "gb2312"),
    ("gb18030", CHINESE, "gb18030"),
    ("big5", TAIWANESE, "big5"),
    ("johab", KOREAN, "johab"),
]

CASES = [
    *(
        one(f"{name}.txt", text.encode(codec, "ignore"), refused=REFUSED)
        for name, text, codec in _FOREIGN
        if "đ" not in text
    ),
    *(
        one(
            f"{name}-named.txt",
            text.encode(codec),
            text,
            options={"encoding": codec},
        )
        for name, text, codec in _FOREIGN
        if text.encode(codec, "ignore").decode(codec) == text
    ),
    one("johab-hint.txt", KOREAN.encode("johab"), refused="perhaps johab"),
    one("cp949.txt", KOREAN.encode("cp949"), KOREAN, encoding="cp949"),
    one("euc-kr.txt", KOREAN.encode("euc-kr"), KOREAN, encoding="cp949"),
    one(
        "euc-kr-named.txt",
        "똠방각하\n".encode("cp949"),
        "똠방각하\n",
        options={"encoding": "euc-kr"},
    ),
    one("cp949-rare.txt", (KOREAN + "\n똠방각하 펲시").encode("cp949"), KOREAN + "\n똠방각하 펲시"),
    one("cp949-short.txt", "안녕하세요".encode("cp949"), ["안녕하세요"]),
    one(
        "cp949-laughter.txt",
        ("ㅋㅋㅋㅋ 진짜 재밌다 ㅠㅠ\n" * 30).encode("cp949"),
        "ㅋㅋㅋㅋ 진짜 재밌다 ㅠㅠ\n" * 30,
    ),
    one("cp949-late.txt", (ENGLISH * 900 + KO[0]).encode("cp949"), ENGLISH * 900 + KO[0]),
    one("cp949-crlf.txt", KOREAN.replace("\n", "\r\n").encode("cp949"), KOREAN),
    one(
        "cp949-bad-byte.txt",
        KOREAN.encode("cp949") + b"\n\xff\n",
        refused=r"CP949 but for 1 place, the first in line 91, byte",
    ),
    one(
        "cp949-bad-byte.txt",
        KOREAN.encode("cp949") + b"\n\xff\n",
        KOREAN + "\n\ufffd\n",
        options={"errors": "replace"},
        dropped={"characters replaced": 1},
    ),
    one("utf-8.txt", KOREAN, KOREAN, encoding="utf-8"),
    one("utf-8-bom.txt", codecs.BOM_UTF8 + KOREAN.encode(), KOREAN, encoding="utf-8-sig"),
    *(
        one(f"{codec}-mark.txt", f"\ufeff{KOREAN}".encode(codec), KOREAN, encoding=codec)
        for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    ),
    *(
        one(f"{codec}-bare.txt", KOREAN.encode(codec), KOREAN, encoding=codec)
        for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    ),
    *(
        one(f"{codec}-english.txt", ENGLISH.encode(codec), ENGLISH, encoding=codec)
        for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    ),
    one("utf-16-named.txt", KOREAN.encode("utf-16-be"), KOREAN, options={"encoding": "utf-16"}),
    one(
        "utf-16-half.txt",
        "\ufeff한글".encode("utf-16-le")[:-1],
        refused="is not UTF-16-LE in line 1",
    ),
    one("utf-7.txt", (KOREAN + "\n").encode("utf-7"), refused="looks like UTF-7"),
    one("utf-7-named.txt", KOREAN.encode("utf-7"), KOREAN, options={"encoding": "utf-7"}),
    one(
        "plus.txt",
        "1+1 and C++ and +821012345678 and a+b/c+d\n" * 20,
        "1+1 and C++ and +821012345678 and a+b/c+d\n" * 20,
    ),
    one("iso-2022-kr.txt", KOREAN.encode("iso2022_kr"), KOREAN, encoding="iso2022_kr"),
    one("iso-2022-jp.txt", JAPANESE.encode("iso2022_jp"), JAPANESE, encoding="iso2022_jp"),
    one("hz.txt", CHINESE.encode("hz"), refused="looks like HZ"),
    one(
        "one-bad-byte.txt",
        (KOREAN[:200].encode() + b"\xff" + KOREAN[200:].encode()),
        refused=r"UTF-8 but for 1 place, the first in line 8, byte 483",
    ),
    one(
        "one-bad-byte.txt",
        (KOREAN[:200].encode() + b"\xff" + KOREAN[200:].encode()),
        KOREAN[:200] + "\ufffd" + KOREAN[200:],
        options={"errors": "replace"},
        dropped={"characters replaced": 1},
    ),
    one("ascii-bad-byte.txt", ENGLISH.encode() + b"\x92" + ENGLISH.encode(), refused="line 90"),
    one(
        "ascii-bad-byte.txt",
        ENGLISH.encode() + b"\x92" + ENGLISH.encode(),
        ENGLISH + "\ufffd" + ENGLISH,
        options={"errors": "replace"},
    ),
    one("cesu-8.txt", KOREAN.encode() + b"\xed\xa0\xbd\xed\xb8\x80", refused="UTF-8 but for"),
    one(
        "mixed.txt",
        KOREAN.encode() + b"\n" + KOREAN.encode("cp949"),
        refused="another encoding|neither",
    ),
    one(
        "mixed-back.txt",
        KOREAN.encode("cp949") + b"\n" + KOREAN.encode(),
        refused="another encoding|neither|in part",
    ),
    one(
        "korean-then-japanese.txt",
        (KOREAN.encode("cp949") + b"\n") + JAPANESE.encode("shift_jis"),
        refused="neither",
    ),
    one("one-nul.txt", ENGLISH[:500] + "\0" + ENGLISH, refused=r"holds a NUL in line 13, byte 501"),
    one(
        "one-nul.txt",
        ENGLISH[:500] + "\0" + ENGLISH,
        ENGLISH[:500] + "\ufffd" + ENGLISH,
        options={"errors": "replace"},
        dropped={"characters replaced": 1},
    ),
    one(
        "named-wrongly.txt",
        KOREAN,
        refused="is valid UTF-8, not cp949",
        options={"encoding": "cp949"},
    ),
    one(
        "named-with-mark.txt",
        codecs.BOM_UTF8 + KOREAN.encode(),
        refused="mark of UTF-8",
        options={"encoding": "cp949"},
    ),
    one(
        "named-and-bad.txt",
        KOREAN.encode("cp949") + b"\xff\xff",
        refused="is not CP949 in line 90",
        options={"encoding": "cp949"},
    ),
    one(
        "1252-as-latin-1.txt",
        QUOTES.encode("cp1252"),
        refused="windows-1252",
        options={"encoding": "latin-1"},
    ),
    one("unknown.txt", KOREAN, refused="encoding is 'klingon'", options={"encoding": "klingon"}),
    one("no-codec.txt", KOREAN, refused="encoding is 'rot13'", options={"encoding": "rot13"}),
    one("gb18030-mark.txt", "\ufeff今天".encode("gb18030"), refused="gb18030"),
    one(
        "boms-within.txt",
        "\ufeff" + "\r\n\ufeff".join(KO * 20),
        "\n".join(KO * 20),
        dropped={"U+FEFF within": 59},
    ),
    one(
        "zero-width.txt",
        KOREAN.replace(" ", " \u200b"),
        KOREAN,
        dropped={"U+200B (no width)": KOREAN.count(" ")},
    ),
    one("thai-zero-width.txt", "วัน\u200bนี้", "วัน\u200bนี้"),
    one("png.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", refused="a picture"),
    one("pdf.txt", b"%PDF-1.7\n1 0 obj", refused="PDF: name it .pdf"),
    one("rtf.txt", b"{\\rtf1\\ansi Hello}", refused="RTF"),
    one("old-word.txt", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), refused="old Office"),
    one("noise.txt", bytes(range(1, 32)) * 20, refused="binary data"),
]

CASES += [
    one(
        "hanja.txt",
        ("大韓民國은 民主共和國이다. 모든 權力은 國民으로부터 나온다.\n" * 5).encode("cp949"),
        refused="perhaps cp949",
    ),
]

# A few syllables in CP949 may be Chinese or Japanese that is read so by luck
CASES += [
    *(
        one(f"{codec}-short-{n}.txt", text.encode(codec), refused=REFUSED)
        for codec, texts in {
            "gb2312": (
                "大家好\n",
                "大家好\n" * 40,
                "新年快乐\n",
                "学习中文\n大家好\n",
                "老师好\n登录\n",
            ),
            "big5": ("機器學習\n", "大家好\n早安\n"),
            "euc_jp": ("会社\n会社\n", "日本語\n"),
        }.items()
        for n, text in enumerate(texts)
    ),
    *(
        one(f"cp949-short-{n}.txt", text.encode("cp949"), text, encoding="cp949")
        for n, text in enumerate(
            ("안녕하세요\n", "고맙습니다\n", "그래서 갔다\n", "재미있어요 ㅋㅋ\n")
        )
    ),
]

# One bad byte in little text
CASES += [
    one(
        "bad-byte.csv",
        b"id,text\n1,ab\xffcd\n2,ok then\n",
        ["ab\ufffdcd", "ok then"],
        options={"errors": "replace"},
        dropped={"characters replaced": 1},
    ),
    one(
        "bad-byte.txt",
        b"some words\xff here\n",
        "some words\ufffd here\n",
        options={"errors": "replace"},
        dropped={"characters replaced": 1},
    ),
    one("bad-byte.csv", b"id,text\n1,ab\xffcd\n2,ok then\n", refused="add --errors replace"),
]

# What is suggested is right, or is one of several
CASES += [
    one(f"suggested-{n}.txt", text.encode(codec), refused=f"perhaps (one of .*)?{suggested}")
    for n, (text, codec, suggested) in enumerate(
        [
            ("ㅋㅋㅋㅋ ㅠㅠ\n", "cp949", "cp949"),
            ("שלום עולם\n", "cp1255", "windows-1255"),
            (HEBREW, "cp1255", "windows-1255"),
            ("Привет, как дела?\n", "koi8-r", "koi8_r"),
            (RUSSIAN, "koi8-r", "koi8_r"),
            ("ÄÖÜ\n", "cp1252", "windows-1252"),
            ("Привет\n", "cp1251", "windows-1251"),
            ("大家好\n", "gb2312", "gb18030"),
        ]
    )
]

CASES += [one("one-byte.txt", b"\n\x80", refused="is neither UTF-8")]
