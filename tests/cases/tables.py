"""CSV, TSV and their kin."""
# ruff: noqa: E501 (a line of a file is not broken)

import gzip
import lzma
import unicodedata

import pyarrow

from cases import EN, KO, Case, one

NUMBERED = "".join(f"{i},{'plain' + str(i)}\n" for i in range(5))


def rows(separator: str, texts, ends="\n") -> str:
    return (
        ends.join(["id" + separator + "text"] + [f"{i}{separator}{t}" for i, t in enumerate(texts)])
        + ends
    )


def zst(data: bytes) -> bytes:
    return pyarrow.Codec("zstd").compress(data, asbytes=True)


QUOTED = 'id,text\n1,"First line\nsecond, line"\n2,"He said ""hi"""\n3,plain\n'
READ = ["First line\nsecond, line", 'He said "hi"', "plain"]

CASES = [
    one(
        "wide.csv",
        "text,label\nRain fell, and the road shone,0\nNobody came,1\n",
        refused="3 cells in line 2",
        column="text",
    ),
    one(
        "wide-late.csv",
        "text,label\n" + "ok,0\n" * 20 + "Snow, too,1\n",
        refused="line 22",
        column="text",
    ),
    one("short.csv", "id,text,label\n1,one,0\n2,two\n", refused="2 cells in line 3", column="text"),
    one(
        "wide.tsv",
        "text\tlabel\nRain\tfell\t0\nNobody\t1\n",
        refused="3 cells in line 2",
        column="text",
    ),
    one(
        "unquoted-comma.csv", "text\nRain fell, and the road shone\nNobody came\n", refused="line 2"
    ),
    one(
        "backslash.csv",
        'id,text\nn,"He said \\"go, now\\" twice"\n',
        refused=r"writes a quotation mark as",
        column="text",
    ),
    one(
        "backslash-no-comma.csv",
        'id,text\nn,"He said \\"go\\" twice"\n',
        refused=r"writes a quotation mark as",
        column="text",
    ),
    one(
        "backslash-is-text.csv",
        'id,text\n1,"C:\\dir\\"\n2,plain\n',
        ["C:\\dir\\", "plain"],
        column="text",
    ),
    one("quoted.csv", QUOTED, READ, column="text"),
    one("quoted-crlf.csv", QUOTED.replace("\n", "\r\n"), READ, column="text"),
    one(
        "quoted.tsv",
        QUOTED.replace(",", "\t").replace("second\t line", "second, line"),
        READ,
        column="text",
    ),
    one("cr-ends.csv", rows(",", ["a b", "c d"], "\r"), ["a b", "c d"], column="text"),
    one(
        "quote-all.tsv",
        '"id"\t"text"\n"1"\t"one"\n"2"\t"two ""x"""\n',
        ["one", 'two "x"'],
        column="text",
    ),
    one(
        "lone-quotes.tsv",
        'id\tdocument\tuser\n1\t"재밌다\tx\n2\t별로"\ty\n3\t그냥\tz\n',
        ['"재밌다', '별로"', "그냥"],
    ),
    one(
        "quotations.tsv",
        'id\tdocument\n1\t"재밌다"\n2\t그냥\n3\t별로\n',
        ['"재밌다"', "그냥", "별로"],
    ),
    one(
        "sign-in-marks.tsv",
        'text\nRain fell.\n"Hi; you"\n',
        refused="quotation marks around 'Hi; you', which are text unless ';' parts cells: "
        "add --separator ';'",
        column="text",
    ),
    *(
        one(
            "sign-in-marks.tsv",
            'text\nRain fell.\n"Hi; you"\n',
            ["Rain fell.", right],
            column="text",
            options={"separator": separator},
        )
        for separator, right in ((";", "Hi; you"), ("\\t", '"Hi; you"'))
    ),
    one("ends.csv", "text\r\n;\na b\r", refused="ends its last line with a carriage return"),
    one("inches.tsv", 'id\ttext\n1\t5" pipe\n2\t6" pipe\n', ['5" pipe', '6" pipe'], column="text"),
    one("inches.csv", 'id,text\n1,5" pipe\n2,6" pipe\n', ['5" pipe', '6" pipe'], column="text"),
    one(
        "opened.csv",
        'id,text\n1,"oops, no end\n2,next\n3,last\n',
        refused="line 2 that is never closed",
        column="text",
    ),
    one(
        "closed-early.csv",
        'id,text\n1,"Hello" he said\n2,"fine"\n',
        refused="quotes a cell wrongly",
        column="text",
    ),
    one(
        "swallowed.csv",
        'id,text\n1,"oops\n2,next\n3,end"\n4,last\n',
        refused="reach over lines",
        column="text",
    ),
    one(
        "spaced.csv", 'id, text\n1, "Hello, you"\n2, "Bye"\n', ["Hello, you", "Bye"], column="text"
    ),
    one("semicolon.csv", rows(";", EN), EN, column="text"),
    one(
        "decimal-comma.csv",
        "id;price;text\n1;2,50;one\n2;3,75;two\n",
        ["one", "two"],
        column="text",
    ),
    one("tabs.csv", rows("\t", KO), KO, column="text"),
    one("pipes.csv", rows("|", EN), EN, column="text"),
    one("pipes.txt", rows("|", EN), EN, column="text"),
    one("double-pipes.txt", rows("||", EN), EN, column="text"),
    one("nsmc.txt", rows("\t", KO).replace("text", "document"), KO, column="document"),
    one(
        "colons.csv", "id:text\n1:one\n2:two\n3:three\n", refused="add --separator ':'|leaves open"
    ),
    one(
        "colons.csv",
        "id:text\n1:one\n2:two\n3:three\n",
        ["one", "two", "three"],
        column="text",
        options={"separator": ":"},
    ),
    one(
        "carets.csv",
        "id^text\n1^one\n2^two\n3^three\n",
        ["one", "two", "three"],
        column="text",
        options={"separator": "^"},
    ),
    one("bad-separator.csv", "a,b\n", refused="separator is 'ab'", options={"separator": "ab"}),
    one("two-ways.csv", "a,b;text\nx,y;z\nq,r;s\n", refused="add --separator", column="text"),
    one(
        "two-ways.csv",
        "a,b;text\nx,y;z\nq,r;s\n",
        ["z", "s"],
        column="text",
        options={"separator": ";"},
    ),
    one(
        "sep.csv",
        "sep=,\nid,text\n1,plain one\n2,plain two\n",
        ["plain one", "plain two"],
        column="text",
    ),
    one(
        "sep-semicolon.csv",
        "\ufeffsep=;\r\nid;text\r\n1;a, b\r\n2;c\r\n",
        ["a, b", "c"],
        column="text",
    ),
    one("no-header.csv", "Marlo\nPetra\nSunniva\n" * 9, refused="add --header yes or --header no"),
    one(
        "no-header.csv",
        "Marlo\nPetra\nSunniva\n",
        ["Marlo", "Petra", "Sunniva"],
        options={"header": "no"},
    ),
    one(
        "no-header.csv", "Marlo\nPetra\nSunniva\n", ["Petra", "Sunniva"], options={"header": "yes"}
    ),
    one("no-header-two.csv", "1,Rain fell\n2,Nobody came\n", refused="add --header"),
    one(
        "no-header-two.csv",
        "1,Rain fell\n2,Nobody came\n",
        ["Rain fell", "Nobody came"],
        options={"header": "no"},
    ),
    one(
        "no-header-two.csv",
        "a b,Rain fell\nc d,Nobody came\n",
        ["Rain fell", "Nobody came"],
        column="2",
        options={"header": "no"},
    ),
    one("no-header.tsv", "1\tRain fell\t0\n2\tNobody came\t1\n", refused="add --header"),
    one(
        "header-by-figures.csv",
        "nr,was\n1,Regen fiel\n2,Niemand kam\n",
        ["Regen fiel", "Niemand kam"],
    ),
    one("header-only.csv", "text\n", refused="holds no text"),
    one("header-only-wide.csv", "id,text\n", refused="holds no text"),
    one("blank-heading.csv", ",text\n0,one\n1,two\n", ["one", "two"], column="text"),
    one("blank-heading-auto.csv", ",text\n0,one\n1,two\n", ["one", "two"]),
    one("twice.csv", "text,text\na,b\n", refused="2 columns 'text'", column="text"),
    one("other-twice.csv", "x,x,text\na,b,c\n", ["c"], column="text"),
    one("spaced-heading.csv", "id , Text\n1,one\n2,two\n", ["one", "two"], column="text"),
    one("missing-column.csv", "id,title\n1,one\n", refused="has no column 'text'", column="text"),
    one("which.csv", "title,remark\nab c,d e\nf g,h i\n", refused="leaves open which column"),
    one("which-one.csv", "title,remark\nab c,d e\n", ["ab c"], column="title"),
    one(
        "joined.csv",
        "id,title,text\n1,One,first\n2,,second\n",
        ["One\nfirst", "second"],
        column="title+text",
    ),
    one("plus-in-name.csv", "a+b,c\nyes,no\n", ["yes"], column="a+b"),
    one(
        "numbers.csv",
        "text\n1984\n2001\nTrue\n00007\n",
        ["1984", "2001", "True", "00007"],
        column="text",
    ),
    one("numbers-only.csv", "id,year\n1,1984\n2,2001\n", refused="leaves open|no column of text"),
    one(
        "truths.csv",
        "id,text\n1,0\n2,1\n3,true\n4,NA\n5,null\n6,1e5\n",
        ["0", "1", "true", "NA", "null", "1e5"],
        column="text",
    ),
    one(
        "digits-late.csv",
        "text\n" + "".join(f"line {i}\n" for i in range(3000)) + "00007\n",
        [*(f"line {i}" for i in range(3000)), "00007"],
        column="text",
    ),
    one(
        "empty-at-first.csv",
        "title,text\n" + "untitled,\n" * 100 + "untitled,here\n" * 2,
        ["here", "here"],
        column="text",
        dropped={"rows without text": 100},
    ),
    one("blank-lines.csv", "id,text\n\n1,one\n\n\n2,two\n\n", ["one", "two"], column="text"),
    one("blank-first.csv", "\n\nid,text\n1,one\n", ["one"], column="text"),
    one("trailing.csv", "id,text,\n1,one,\n2,two,\n", ["one", "two"], column="text"),
    one(
        "trailing-odd.csv", "id,text\n1,one,\n2,two,\n", refused="3 cells in line 2", column="text"
    ),
    one(
        "title-line.csv", "My export\nid,text\n1,one\n", refused="2 cells in line 2", column="text"
    ),
    one("footer.csv", "id,text\n1,one\n(1 row)\n", refused="1 cells in line 3", column="text"),
    one(
        "utf-16.csv",
        f"\ufeff{rows(chr(9), KO)}".encode("utf-16-le"),
        KO,
        column="text",
        encoding="utf-16-le",
    ),
    one(
        "unicode-text.txt",
        f"\ufeff{rows(chr(9), KO, chr(13) + chr(10))}".encode("utf-16-le"),
        KO,
        column="text",
    ),
    one("bom.csv", f"\ufeff{rows(',', KO)}", KO, column="text"),
    one("cp949.csv", rows(",", KO).encode("cp949"), KO, column="text", encoding="cp949"),
    one(
        "cp949-late.csv",
        rows(",", ["plain text"] * 9000 + [KO[0]]).encode("cp949"),
        ["plain text"] * 9000 + [KO[0]],
        column="text",
    ),
    one(
        "shift-jis.csv",
        "id,text\n1,今日は良い天気です\n".encode("shift_jis"),
        refused="neither UTF-8",
        column="text",
    ),
    one(
        "shift-jis.csv",
        "id,text\n1,今日は良い天気です\n".encode("shift_jis"),
        ["今日は良い天気です"],
        column="text",
        options={"encoding": "shift_jis"},
    ),
    one("bad-byte.csv", b"id,text\n1,one\n2,tw\xffo\n", refused="line 3", column="text"),
    one(
        "bad-byte.csv",
        b"id,text\n1,one\n2,tw\xffo\n" + b"3,three\n" * 20,
        ["one", "tw\ufffdo", *["three"] * 20],
        column="text",
        options={"errors": "replace"},
    ),
    one(
        "nfd.csv",
        f"제목,{unicodedata.normalize('NFD', '본문')}\n글,{KO[0]}\n",
        [KO[0]],
        column="본문",
    ),
    one("table.csv.gz", gzip.compress(rows(",", EN[:2]).encode()), EN[:2], column="text"),
    one("table.csv.xz", lzma.compress(rows(",", EN[:2]).encode()), EN[:2], column="text"),
    one("table.tsv.zst", zst(rows("\t", EN).encode()), EN, column="text"),
    one("of-a-document.docx", b"PK\x03\x04", refused="has no columns", column="text"),
    one("excel.xlsx", b"PK\x03\x04", refused="save it as .csv"),
    one(
        "html.csv",
        "<html><body><table><tr><td>x</td></tr></table></body></html>\n",
        refused="add --header|leaves open",
    ),
    Case("colon in a name", {"a:text": "글\n"}, ["글"]),
]

CASES += [
    one(
        "pandas.csv",
        ',text,label\n0,"비, 바람",0\n1,"그가 ""안녕"" 했다",1\n2,"첫 줄\n둘째 줄",0\n',
        ["비, 바람", '그가 "안녕" 했다', "첫 줄\n둘째 줄"],
    ),
    one(
        "discord.csv",
        '"AuthorID","Author","Date","Content","Attachments","Reactions"\r\n"1","a","2031-03-02T10:00:00.0000000+09:00","Hi, you","",""\r\n"2","b","2031-03-02T10:01:00.0000000+09:00","Bye","",""\r\n',
        ["Hi, you", "Bye"],
    ),
]

CASES += [
    one("cell-of-tabs.tsv", 'a\ttext\nx y\t"p\nq\tr"\n', refused="reach over lines", column="text"),
    one(
        "lines-and-figures.tsv",
        'id\ttext\n1\t"p\nq\tr"\n2\tplain\n',
        ["p\nq\tr", "plain"],
        column="text",
    ),
]

CASES += [
    one("unclosed.csv", 'id,text\n1,one a\n2,"two b', refused="row of line 3 that is never closed"),
    one(
        "unclosed-first.csv",
        '1,"Hello you\n2,Bye me\n3,more',
        refused="row of line 1 that is never closed",
    ),
    one(
        "unclosed-late.csv",
        'id,text\n1,"one\na"\n2,"two b\n3,c d\n4,e f\n',
        refused="row of line 4 that is never closed",
        column="text",
    ),
    one("blanks.csv", "id,text\n1,one a\n   \n2,two b\n \t\n", ["one a", "two b"]),
    one(
        "lone-return.csv",
        "id,text\r\n1,one\ra\r\n2,two b\r\n",
        refused="carriage return within a cell in the row of line 2",
    ),
    one("lone-return.csv", 'id,text\r\n1,"one\ra"\r\n2,two b\r\n', ["one\na", "two b"]),
    one(
        "joined-files.csv",
        "id,text\n1,one a\nid,text\n2,two b\n",
        ["one a", "two b"],
        column="text",
        dropped={"header rows repeated": 1},
    ),
]

CASES += [
    one(
        "preamble.csv",
        "Report of March\nid,text\n1,one a\n",
        refused="or take out what stands above the header",
        column="text",
    ),
]
