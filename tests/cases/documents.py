"""Pages, books and the files of word processors."""
# ruff: noqa: E501 (a line of a file is not broken)

import io
import zipfile

from cases import EN, KO, one


def archive(**parts: str) -> bytes:
    """A ZIP archive; __ in a name stands for /, and its last _ for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            stem, _, suffix = name.replace("__", "/").rpartition("_")
            file.writestr(f"{stem}.{suffix}", content)
    return buffer.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(body: str, **parts: str) -> bytes:
    xml = f'<?xml version="1.0" encoding="UTF-8"?><w:document {W}><w:body>{body}</w:body></w:document>'
    return archive(word__document_xml=xml, **parts)


def paragraph(*runs: str) -> str:
    return "<w:p>" + "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) + "</w:p>"


HP = 'xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"'


def hwpx(*sections: str) -> bytes:
    parts = {
        f"Contents__section{n}_xml": f"<hs:sec {HP}>{body}</hs:sec>"
        for n, body in enumerate(sections)
    }
    return archive(**parts)


def hangul(*texts: str) -> str:
    return "".join(f"<hp:p><hp:run><hp:t>{text}</hp:t></hp:run></hp:p>" for text in texts)


CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'


def epub(*chapters: str, order=None, **more: str) -> bytes:
    order = order or range(len(chapters))
    items = "".join(
        f'<item id="c{n}" href="c%20{n}.xhtml" media-type="application/xhtml+xml"/>'
        for n in range(len(chapters))
    )
    items += '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
    spine = '<itemref idref="nav"/>' + "".join(f'<itemref idref="c{n}"/>' for n in order)
    book = f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{spine}</spine></package>'
    pages = {
        f"OEBPS__c {n}_xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head><body>{c}</body></html>'
        for n, c in enumerate(chapters)
    }
    return archive(
        **{"META-INF__container_xml": CONTAINER},
        OEBPS__book_opf=book,
        OEBPS__nav_xhtml="<p>Contents</p>",
        **pages,
        **more,
    )


def pdf(*pages: str) -> bytes:
    """A PDF of lines of Latin text, written by hand."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for page in pages:
        moves = " T* ".join(f"({line}) Tj" for line in page.split("\n"))
        stream = f"BT /F1 12 Tf 14 TL 72 700 Td {moves} ET" if page else ""
        number = len(objects) + 1
        kids.append(f"{number} 0 R")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        data
        + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n".encode()
    )


PAGE = "<!DOCTYPE html><html><head><title>T</title><style>p{color:red}</style><script>var a='<p>no</p>';</script></head><body>%s</body></html>"
BODY = "".join(f"<p class=x>{text} &amp; so</p>\n" for text in EN)
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'

CASES = [
    one(
        "page.html",
        PAGE % BODY,
        [f"{text} & so" for text in EN],
        dropped={"scripts, styles and the like": 3},
    ),
    one("page.htm", PAGE % BODY, [f"{text} & so" for text in EN]),
    one("korean.html", PAGE % "".join(f"<p>{t}</p>" for t in KO), KO),
    one(
        "euc-kr.html",
        ("<meta charset=euc-kr>" + "".join(f"<p>{t}</p>" for t in KO)).encode("cp949"),
        KO,
        encoding="cp949",
    ),
    one(
        "shift-jis.html",
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><p>今日は</p><p>良い天気</p>'
        ).encode("shift_jis"),
        ["今日は", "良い天気"],
    ),
    one(
        "latin-1.html",
        '<meta charset="iso-8859-1"><p>We’ll see</p>'.encode("cp1252"),
        ["We’ll see"],
        encoding="cp1252",
    ),
    one("undeclared.html", "<p>We’ll see</p>".encode("cp1252"), refused="neither UTF-8"),
    one("declared-wrongly.html", f"<meta charset=euc-kr><p>{KO[0]}</p>", [KO[0]], encoding="utf-8"),
    one(
        "inline.html",
        "<p>one <b>two</b>, <a href=x>three</a><br>four</p><!-- no --><div>five<div>six</div>seven</div>",
        ["one two, three", "four", "five", "six", "seven"],
        dropped={"comments": 1},
    ),
    one(
        "unclosed.html",
        "<p>one<p>two<ul><li>three<li>four</ul>five",
        ["one", "two", "three", "four", "five"],
    ),
    one(
        "cells.html",
        "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
        ["a\tb", "1\t2"],
    ),
    one(
        "pre.html",
        "<pre>def f():\n    return 1\n</pre><p>so  it\n is</p>",
        ["def f():", "    return 1", "so it is"],
    ),
    one("entities.html", "<p>&lt;b&gt; &#44032; &nbsp;x &hearts; A&B</p>", ["<b> 가 \xa0x ♥ A&B"]),
    one(
        "svg.html",
        "<p>a<svg><text>no</text><svg/></svg>b</p><select><option>no</select><p>c",
        ["ab", "c"],
    ),
    one("only-scripts.html", "<script>var a</script>", refused="holds no text"),
    one("plain.docx", docx("".join(map(paragraph, KO))), KO),
    one(
        "runs.docx",
        docx(
            paragraph("one ", "two")
            + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
        ),
        ["one two", "a\tb", "c"],
    ),
    one(
        "changes.docx",
        docx(
            "<w:p><w:r><w:t>keep</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t> new</w:t></w:r></w:ins></w:p>"
        ),
        ["keep new"],
        dropped={"deleted passages": 1},
    ),
    one(
        "table.docx",
        docx(
            f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc><w:tc>{paragraph('b')}</w:tc></w:tr></w:tbl>"
        ),
        ["a", "b"],
    ),
    one(
        "notes.docx",
        docx(paragraph("text"), word__footnotes_xml="<x/>", word__header1_xml="<x/>"),
        ["text"],
        dropped={"footnotes": 1, "headers and footers": 1},
    ),
    one("empty.docx", docx(""), refused="holds no text"),
    one("bomb.docx", archive(word__document_xml=f"{BOMB}<a>&b;</a>"), refused="that is not read"),
    one(
        "large.docx",
        archive(word__document_xml="<a>" + " " * (1 << 25) + "</a>"),
        refused="unpacks",
    ),
    one("no-part.docx", archive(word__other_xml="<a/>"), refused="has no part"),
    one("no-zip.docx", "not a zip", refused="is damaged, or no such document"),
    one("cut-short.docx", docx("".join(map(paragraph, KO)))[:-40], refused="is damaged"),
    one("plain.hwpx", hwpx(hangul(*KO)), KO),
    one(
        "sections.hwpx",
        hwpx(*(hangul(f"절 {n}") for n in range(12))),
        [f"절 {n}" for n in range(12)],
    ),
    one(
        "marks.hwpx",
        hwpx(
            "<hp:p><hp:run><hp:t>하나<hp:lineBreak/>둘<hp:tab/>셋</hp:t></hp:run><hp:run><hp:t> 넷</hp:t></hp:run></hp:p>"
        ),
        ["하나", "둘\t셋 넷"],
    ),
    one(
        "table.hwpx",
        hwpx(
            f"<hp:p><hp:run><hp:t>앞</hp:t><hp:tbl><hp:tr><hp:tc><hp:subList>{hangul('칸')}</hp:subList></hp:tc></hp:tr></hp:tbl></hp:run></hp:p>"
        ),
        ["칸", "앞"],
    ),
    one("no-section.hwpx", archive(Contents__header_xml="<a/>"), refused="has no section"),
    one("plain.epub", epub("".join(f"<p>{t}</p>" for t in KO[:2]), f"<h1>{KO[2]}</h1>"), KO),
    one("order.epub", epub("<p>b</p>", "<p>a</p>", order=[1, 0]), ["a", "b"]),
    one("doctype.epub", epub("<p>a&nbsp;b</p>"), ["a\xa0b"]),
    one("no-container.epub", archive(a_txt="x"), refused="has no part"),
    one(
        "plain.pdf",
        pdf("Rain fell\nand the road shone", "Nobody came"),
        ["Rain fell", "and the road shone", "Nobody came"],
    ),
    one("bare-page.pdf", pdf("Rain fell", ""), ["Rain fell"], dropped={"pages without text": 1}),
    one("pictures.pdf", pdf("", ""), refused="holds pictures of text"),
    one("damaged.pdf", b"%PDF-1.4\nnothing", refused="cannot read"),
]

CASES += [
    one("deep.docx", docx("<w:p>" * 5000 + "</w:p>" * 5000), refused="too deeply"),
    one("deep.hwpx", hwpx("<hp:p>" * 5000 + "</hp:p>" * 5000), refused="too deeply"),
    one(
        "ruby.docx",
        docx(
            "<w:p><w:r><w:ruby><w:rt><w:r><w:t>かん</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>"
        ),
        ["漢"],
    ),
]

RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="a" Target="docProps/core.xml" Type="http://x/core-properties"/>'
    '<Relationship Id="b" Target="/word/document2.xml" Type="http://x/officeDocument"/>'
    "</Relationships>"
)
CASES += [
    one(
        "document2.docx",
        archive(
            word__document2_xml=f"<w:document {W}><w:body>{paragraph(KO[0])}</w:body></w:document>",
            **{"_rels/_rels": RELATIONS},
        ),
        KO[0],
    ),
]
