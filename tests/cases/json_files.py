"""JSON, JSON lines and Parquet."""

import gzip
import io
import json

import pyarrow
import pyarrow.parquet as parquet

from cases import EN, KO, one


def lines(*values, **more) -> str:
    return "\n".join(json.dumps(value, **more) for value in values) + "\n"


def table(**columns) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


TEXTS = [{"text": text} for text in KO]
TURNS = [{"role": "user", "content": "안녕?"}, {"role": "assistant", "content": "네, 안녕하세요."}]

CASES = [
    one("lines.jsonl", lines(*TEXTS), KO),
    one("lines.ndjson", lines(*TEXTS), KO),
    one("lines.json", lines(*TEXTS), KO, column="text"),
    one("crlf.jsonl", lines(*TEXTS).replace("\n", "\r\n"), KO),
    one("bom.jsonl", "\ufeff" + lines(*TEXTS), KO),
    one("cp949.jsonl", lines(*TEXTS, ensure_ascii=False).encode("cp949"), KO, encoding="cp949"),
    one("utf-16.jsonl", ("\ufeff" + lines(*TEXTS)).encode("utf-16-le"), KO),
    one("blank-lines.jsonl", "\n\n" + lines(*TEXTS).replace("\n", "\n\n"), KO),
    one("lines.jsonl.gz", gzip.compress(lines(*TEXTS).encode()), KO),
    one("one-line.jsonl", lines({"text": "하나\n둘"}), "하나\n둘"),
    one(
        "bad-line.jsonl",
        lines(*TEXTS) + '{"text": "ab\n' + lines(*TEXTS),
        refused="line 4, is no JSON",
    ),
    one("bad-first-line.jsonl", '{"text": ab}\n' + lines(*TEXTS), refused="line 1, is no JSON"),
    one("cut-short.jsonl", lines(*TEXTS)[:-20], refused="line 3, is no JSON"),
    one("commas.jsonl", lines(*TEXTS).replace("}\n", "},\n"), refused="is no JSON"),
    one("mixed.jsonl", lines({"text": "a b"}, ["a"], {"text": "c"}), refused="line 2, is a list"),
    one("strings.jsonl", lines("a b", "c d"), ["a b", "c d"]),
    one(
        "numbers.jsonl",
        '{"text": 1984}\n{"text": 1.50}\n{"text": true}\n{"text": "x y"}\n',
        ["1984", "1.50", "true", "x y"],
        column="text",
    ),
    one(
        "nulls.jsonl",
        lines({"text": None}, {"text": "one"}, {"other": 1}, {"text": ""}),
        ["one"],
        column="text",
        dropped={"rows without text": 3},
    ),
    one(
        "late-column.jsonl",
        lines(*[{"id": 1}] * 200, {"id": 2, "text": "here it is"}),
        ["here it is"],
    ),
    one("no-column.jsonl", lines({"a": "b c"}), refused="has no column 'text'", column="text"),
    one("which.jsonl", lines({"a": "b c", "d": "e f"}), refused="leaves open which column"),
    one("only-column.jsonl", lines({"id": 1, "a": "b c"}), ["b c"]),
    one("key-twice.jsonl", '{"text": "a", "text": "b"}\n', refused="the key 'text' twice"),
    one(
        "half-emoji.jsonl",
        lines(*TEXTS) + '{"text": "x \\ud83d"}\n',
        refused="line 4, holds half a character",
    ),
    one(
        "half-emoji.jsonl",
        lines(*TEXTS) + '{"text": "x \\ud83d"}\n',
        [*KO, "x \ufffd"],
        options={"errors": "replace"},
    ),
    one("whole-emoji.jsonl", '{"text": "x \\ud83d\\ude00"}\n', ["x 😀"]),
    one("nul.jsonl", '{"text": "a\\u0000b"}\n', refused="holds a NUL"),
    one(
        "nested.jsonl",
        lines(*({"data": {"text": t, "lang": "en"}} for t in EN)),
        EN,
        column="data.text",
    ),
    one(
        "nested-asked.jsonl",
        lines({"data": {"text": "a b"}}),
        refused=r"write :data.KEY",
        column="data",
    ),
    one(
        "dotted.jsonl",
        lines({"data.text": "a b"}, {"data.text": "c"}),
        ["a b", "c"],
        column="data.text",
    ),
    one(
        "joined.jsonl",
        lines({"q": "물음", "a": "답"}, {"q": "또", "a": None}),
        ["물음\n답", "또"],
        column="q+a",
    ),
    one(
        "list-of-texts.jsonl",
        lines({"text": ["a b", "c"]}, {"text": ["d"]}),
        ["a b\nc", "d"],
        column="text",
    ),
    one(
        "messages.jsonl",
        lines({"messages": TURNS}, {"messages": TURNS[:1]}),
        ["안녕?\n네, 안녕하세요.", "안녕?"],
        column="messages",
    ),
    one(
        "messages-auto.jsonl",
        lines({"messages": TURNS}, {"messages": TURNS[:1]}),
        ["안녕?\n네, 안녕하세요.", "안녕?"],
    ),
    one(
        "messages-path.jsonl",
        lines({"messages": TURNS}, {"messages": TURNS[:1]}),
        ["안녕?\n네, 안녕하세요.", "안녕?"],
        column="messages.content",
    ),
    one(
        "parts.jsonl",
        lines(
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "a b"},
                            {"type": "image_url", "image_url": {"url": "x"}},
                        ],
                    }
                ]
            },
            {"messages": TURNS},
        ),
        ["a b", "안녕?\n네, 안녕하세요."],
        column="messages",
    ),
    one(
        "sharegpt.json",
        json.dumps(
            [
                {
                    "conversations": [
                        {"from": "human", "value": "Hi you"},
                        {"from": "gpt", "value": "Hello"},
                    ]
                }
            ]
            * 2
        ),
        ["Hi you\nHello"] * 2,
    ),
    one("array.json", json.dumps(TEXTS), KO),
    one("array-column.json", json.dumps(TEXTS), KO, column="text"),
    one("pretty.json", json.dumps(TEXTS, indent=2, ensure_ascii=False), KO, column="text"),
    one("pretty.jsonl", json.dumps(TEXTS, indent=2), KO),
    one("strings.json", json.dumps(KO, indent=1), KO),
    one("holds-a-list.json", json.dumps({"version": "1.0", "data": TEXTS}), KO),
    one("holds-a-list.json", json.dumps({"version": "1.0", "data": TEXTS}), KO, column="data.text"),
    one(
        "holds-lists.json",
        json.dumps({"train": TEXTS, "test": TEXTS}),
        refused="holds several lists",
    ),
    one(
        "holds-lists.json",
        json.dumps({"train": TEXTS, "test": TEXTS[:1] * 2}),
        [KO[0]] * 2,
        column="test.text",
    ),
    one("holds-texts.json", json.dumps({"lines": list(KO)}), KO),
    one("object.json", json.dumps({"text": "하나\n둘", "id": 1}), "하나\n둘"),
    one(
        "mapping.json",
        json.dumps({f"k{i}": text for i, text in enumerate(KO * 2)}),
        refused="one object of 6 texts",
    ),
    one(
        "pandas-columns.json",
        json.dumps({"text": {"0": "a b", "1": "c d"}, "n": {"0": 1, "1": 2}}),
        ["a b", "c d"],
        column="text",
    ),
    one(
        "pandas-split.json",
        json.dumps({"columns": ["n", "text"], "index": [0, 1], "data": [[1, "a b"], [2, "c d"]]}),
        ["a b", "c d"],
        column="text",
    ),
    one(
        "columns.json",
        json.dumps({"text": ["a b", "c d"], "label": [0, 1]}),
        ["a b", "c d"],
        column="text",
    ),
    one("list-of-lists.json", json.dumps([["a", "b"], ["c", "d"]]), refused="list of lists"),
    one(
        "concatenated.json", json.dumps(TEXTS[0], indent=1) + json.dumps(TEXTS[1], indent=1), KO[:2]
    ),
    one("cut-short.json", json.dumps(TEXTS, indent=2)[:-4], refused="is no JSON"),
    one("deep.json", "[" * 100_000, refused="too deeply|is no JSON"),
    one("empty-array.json", "[]", refused="holds no text"),
    one("in-a.txt", lines(*TEXTS), KO, column="text"),
    one("plain.parquet", table(text=list(KO), n=[1, 2, 3]), KO),
    one("column.parquet", table(a=list(KO), b=["x", "y", "z"]), KO, column="a"),
    one("which.parquet", table(a=list(KO), b=["x", "y", "z"]), refused="leaves open which column"),
    one("missing.parquet", table(a=list(KO)), refused="has no column 'text'", column="text"),
    one(
        "nulls.parquet",
        table(text=["a b", None, "c"]),
        ["a b", "c"],
        dropped={"rows without text": 1},
    ),
    one("numbers.parquet", table(text=[1, 2, 3]), ["1", "2", "3"], column="text"),
    one("lists.parquet", table(text=[["a b", "c"], ["d"]]), ["a b\nc", "d"], column="text"),
    one(
        "nested.parquet",
        table(data=[{"text": "a b", "n": 1}, {"text": "c", "n": 2}]),
        ["a b", "c"],
        column="data.text",
    ),
    one(
        "messages.parquet",
        table(messages=[TURNS, TURNS[:1]]),
        ["안녕?\n네, 안녕하세요.", "안녕?"],
        column="messages",
    ),
    one("damaged.parquet", b"PAR1 no", refused="cannot read"),
]

CASES += [
    one(
        "pandas-index.json",
        json.dumps({"0": {"text": "a b", "n": 1}, "1": {"text": "c d", "n": 2}}),
        ["a b", "c d"],
    ),
    one(
        "by-key.json",
        json.dumps({"a1": {"say": "a b"}, "a2": {"say": "c d"}}),
        ["a b", "c d"],
        column="say",
    ),
    one(
        "telegram.json",
        json.dumps(
            {
                "name": "x",
                "messages": [
                    {"from": "a", "text": "하나 둘"},
                    {"from": "b", "text": ["see ", {"type": "link", "text": "x.y"}]},
                ],
            }
        ),
        ["하나 둘", "see x.y"],
        column="messages.text",
    ),
    one(
        "squad.json",
        json.dumps(
            {
                "data": [
                    {"title": "t", "paragraphs": [{"context": "a b"}, {"context": "c d"}]},
                    {"title": "u", "paragraphs": [{"context": "e"}]},
                ]
            }
        ),
        ["a b\nc d", "e"],
        column="data.paragraphs.context",
    ),
]

TELEGRAM = {
    "about": "x",
    "chats": {
        "about": "y",
        "list": [
            {
                "name": "A",
                "messages": [
                    {"text": "hello a"},
                    {"text": ["see ", {"type": "bold", "text": "b"}]},
                ],
            },
            {"name": "B", "messages": [{"text": "bye"}]},
        ],
    },
}
CHATGPT = [
    {
        "title": "t",
        "mapping": {
            "a1": {"message": None},
            "a2": {"message": {"content": {"parts": ["hello you"]}}},
            "a3": {"message": {"content": {"parts": ["and you", "too"]}}},
        },
    }
]

# text that lies in several places, or deeper than what stands on top
CASES += [
    one(
        "train-and-test.json",
        '{"train":[{"text":"one a"}],"test":[{"text":"two c"}]}',
        refused=r"several lists \(train, test\).* as in :train.text",
        column="text",
    ),
    one(
        "users-and-messages.json",
        '{"users":[{"id":1,"text":"bio"}],"messages":[{"text":"M1"}]}',
        refused=r"several lists \(users, messages\)",
        column="text",
    ),
    one(
        "notes-and-tags.json",
        '{"notes":[{"text":"n"}],"tags":["red one"]}',
        refused=r"several lists \(notes, tags\)",
        column="text",
    ),
    one(
        "notes-and-tags.json",
        '{"notes":[{"text":"n"}],"tags":["red one"]}',
        ["n"],
        column="notes.text",
    ),
    one(
        "lists-within.json",
        '{"a":[{"text":"b c"}],"d":{"e":[{"text":"f g"}]}}',
        refused=r"several lists \(a, d.e\)",
        column="text",
    ),
    one(
        "one-list.json",
        '{"version":"1","notes":[{"text":"n"},{"text":"m"}]}',
        ["n", "m"],
        column="text",
    ),
    one(
        "text-and-list.json",
        '{"content":"about this","messages":[{"text":"one a"}]}',
        refused=r"a text and lists \(content, messages\)",
    ),
    one("telegram-all.json", json.dumps(TELEGRAM), refused="chats.list.messages.text"),
    one(
        "telegram-all.json",
        json.dumps(TELEGRAM),
        ["hello a\nsee b", "bye"],
        column="chats.list.messages.text",
    ),
    one(
        "telegram-all.json",
        json.dumps(TELEGRAM),
        ["hello a\nsee b", "bye"],
        column="messages.text",
    ),
    one("chatgpt.json", json.dumps(CHATGPT), refused=r"mapping\.\*\.message\.content\.parts"),
    one(
        "chatgpt.json",
        json.dumps(CHATGPT),
        ["hello you", "and you", "too"],
        column="mapping.*.message.content.parts",
    ),
    one("titled.jsonl", lines({"title": "t", "messages": TURNS}), refused="messages.content"),
    one("within-only.jsonl", lines({"id": 1, "data": {"text": "a b"}}), refused="as in :data.text"),
    one("by-the-way.jsonl", lines({"text": "a b", "user": {"name": "Ann"}}), "a b"),
    one(
        "nan.jsonl",
        '{"text": NaN}\n{"text": "a b"}\n{"text": Infinity}\n',
        ["a b"],
        dropped={"rows without text": 2},
    ),
    one("nan.parquet", table(text=[1.5, float("nan")]), ["1.5"], column="text"),
]

CASES += [
    one("by-name.json", '{"a":{"x":"b c"},"d":{"x":"e f"}}', ["b c", "e f"], column="*.x"),
]
