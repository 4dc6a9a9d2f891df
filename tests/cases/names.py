"""Names, folders, packed files and what is no file."""

import bz2
import gzip
import io
import lzma
import tarfile
import unicodedata

from cases import EN, KO, Case, one
from cases.tables import zst

KOREAN = "\n".join(KO)
ENGLISH = "\n".join(EN)
NFD = unicodedata.normalize("NFD", "일기장.txt")


def tar(name: str, content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content.encode())
        archive.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


CASES = [
    Case("a file named in NFD", {NFD: KOREAN}, KOREAN, source="일기장.txt"),
    Case("a file named in NFC", {"일기장.txt": KOREAN}, KOREAN, source=NFD),
    Case(
        "a folder named in NFD",
        {f"{unicodedata.normalize('NFD', '글')}/a.txt": KOREAN},
        KOREAN,
        source="글",
    ),
    Case(
        "in a folder named in NFD",
        {f"{unicodedata.normalize('NFD', '글')}/{NFD}": KOREAN},
        KOREAN,
        source="글/일기장.txt",
    ),
    Case(
        "a table named in NFD",
        {unicodedata.normalize("NFD", "표.csv"): "text\n하나 둘\n셋 넷\n"},
        ["하나 둘", "셋 넷"],
        source="표.csv:text",
    ),
    Case("both forms", {NFD: KOREAN, "일기장.txt": ENGLISH}, ENGLISH, source="일기장.txt"),
    Case(
        "a typing error",
        {"english.txt": ENGLISH},
        source="english.tx",
        refused="is it 'english.txt'?",
    ),
    Case(
        "the same name with another end",
        {"diary.md": ENGLISH},
        source="diary.txt",
        refused="is it 'diary.md'?",
    ),
    Case(
        "nothing in common but the end",
        {"new.txt": ENGLISH},
        source="nope.txt",
        refused="no such file or folder: 'nope.txt': check",
    ),
    Case(
        "another number",
        {"chapter2.txt": ENGLISH},
        source="chapter3.txt",
        refused="no such file or folder: 'chapter3.txt': check",
    ),
    Case(
        "nothing near",
        {"english.txt": ENGLISH},
        source="zzz.csv",
        refused="no such file or folder: 'zzz.csv': check",
    ),
    Case("a name without end", {"a.txt": ENGLISH}, source="x" * 5000, refused="no such file"),
    Case("a NUL in a name", {"a.txt": ENGLISH}, source="a\0.txt", refused="no such file"),
    Case(
        "a folder with other files",
        {
            "texts/a.txt": KOREAN,
            "texts/b.srt": "1\n",
            "texts/c.csv": "text\nx\n",
            "texts/d.csv": "y\n",
            "texts/.git/e.txt": "no",
        },
        KOREAN,
        source="texts",
        dropped={".srt files": 1, ".csv files": 2},
    ),
    Case(
        "a folder without texts",
        {"texts/a.csv": "text\nx\n"},
        source="texts",
        refused="no .txt or .md file, only 1 .csv files",
    ),
    Case(
        "a folder of a run",
        {"run/config.json": "{}", "run/model.safetensors": "", "run/README.md": "x"},
        source="run",
        refused="no .txt or .md file",
    ),
    Case("a folder's column", {"texts/a.txt": KOREAN}, source="texts:text", refused="is a folder"),
    one("plain.txt.gz", gzip.compress(ENGLISH.encode()), ENGLISH),
    one(
        "two-members.txt.gz",
        gzip.compress(ENGLISH.encode()) + gzip.compress(b"\nmore\n"),
        ENGLISH + "\nmore\n",
    ),
    one("plain.txt.bz2", bz2.compress(ENGLISH.encode()), ENGLISH),
    one("plain.txt.xz", lzma.compress(ENGLISH.encode()), ENGLISH),
    one("plain.txt.zst", zst(ENGLISH.encode()), ENGLISH),
    one("no-suffix.gz", gzip.compress(ENGLISH.encode()), ENGLISH),
    one("cp949.txt.gz", gzip.compress(KOREAN.encode("cp949")), KOREAN, encoding="cp949"),
    one(
        "cut-short.txt.gz",
        gzip.compress(ENGLISH.encode() * 9)[:-9],
        refused="is damaged, or no .gz",
    ),
    one("not-packed.txt.gz", ENGLISH, refused="is damaged, or no .gz"),
    one("not-packed.txt.xz", ENGLISH, refused="is damaged, or no .xz"),
    one("not-packed.txt.bz2", ENGLISH, refused="is damaged, or no .bz2"),
    one("not-packed.txt.zst", ENGLISH, refused="is damaged, or no .zst"),
    one("packed.txt", gzip.compress(ENGLISH.encode()), refused="gzip: name it .txt.gz"),
    one("bomb.txt.gz", gzip.compress(bytes(1 << 27)), refused="unpacks to more than 200 times"),
    one("bomb.csv.gz", gzip.compress(b"a" * (1 << 27)), refused="unpacks to more than 200 times"),
    one("texts.tar.gz", tar("a.txt", ENGLISH), refused="is an archive"),
    one("texts.zip", b"PK\x03\x04", refused="is an archive"),
    one("renamed.txt", b"PK\x03\x04" + bytes(100), refused="a ZIP archive"),
    one("empty.txt", "", refused="is empty"),
    one("blank.txt", " \n\t\n", refused="only blanks"),
    one("document.hwp", b"\xd0\xcf\x11\xe0", refused="save it as .hwpx"),
    one("document.doc", b"\xd0\xcf\x11\xe0", refused="save it as .docx"),
]

CASES += [
    Case(
        "what programs leave in a folder",
        {
            "f/a.txt": ENGLISH,
            "f/~$a.txt": b"\x03Ann\0\0\0" * 9,
            "f/._a.txt": b"\0\5\x16\7" * 9,
            "f/.DS_Store": b"\0\0\0\1Bud1",
            "f/.git/HEAD": "ref: refs/heads/main",
        },
        ENGLISH,
        source="f",
        dropped={"lock files": 1, "hidden files": 2, "hidden folders": 1},
    ),
]
