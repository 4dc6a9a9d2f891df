"""A table of texts by two authors and by nobody, to train voices on."""

import csv

from textgen.cli.main import main

FIRSTS = ("산", "강", "바다", "들")
ROWS = [
    *(("철수", f"나는 {place}에 간다. ㅋㅋㅋ {n}") for n in range(10) for place in FIRSTS),
    *(("영희", f"{place}에서 The rain fell {n}") for n in range(10) for place in FIRSTS),
    *(("", f"{place}도 좋고 {n}") for n in range(3) for place in FIRSTS),
]
SETTINGS = {"label_by": "author", "sample_length": 0, "dtype": "float32", "batch_size": 8}


def table(path, rows=ROWS, head=("author", "text")):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


def call(capsys, *words):
    """(exit code, stdout, stderr) of the command."""
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as ended:
        code = ended.code or 0
    return code, *capsys.readouterr()
