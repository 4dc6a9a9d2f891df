"""The numbers in the text of the lesson, and what the text says in words of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarks.lesson.style import name_of, number

Found = Mapping[str, Any]
SURE, FORGOTTEN = 0.9, 0.3  # right answers from which a model knows, and up to which it does not


def numbers(found: Found, learned: Found, language: str) -> dict[str, str]:
    """Name -> the number as the text in this language has it."""
    sentence, recall, step = found["sentence"], found["recall"], found["step"]
    gradient, parameters = found["gradient"], found["parameters"]
    speed = found["speed"]
    wave = learned["wave"]
    korean = language == "ko"
    made = {
        "unrolled_token": found["unrolled"]["tokens"][4],
        "unrolled_next": found["unrolled"]["next"][4],
        "unrolled_p": percent(found["unrolled"]["p"][4]),
        "mean_slope": f"{found['slopes']['mean_tanh']:.2f}",
        "sigmoid_20": number(found["slopes"]["sigmoid_20"]),
        "low_20": f"{0.9**20:.2f}",
        "low_100": f"{found['powers']['0.9'][100]:.6f}",
        "high_100": f"{found['powers']['1.1'][100]:,.0f}",
        "between": str(found["between"]),
        "chance": percent(recall["rnn"]["chance"]),
        "distance": f"{gradient['distance']:,}",
        "left_rnn": power(gradient["left"]["rnn"]),
        "left_lstm": percent(gradient["left"]["lstm"]),
        "unit": str(step["unit"]),
        "token": step["token"],
        "was_C": number(step["was_C"]),
        "least_f": f"{math.floor(1000 * step['least_f']) / 1000:.3f}",
        "before": percent(step["before"]),
        "wiped": percent(step["wiped"]),
        "overlay_unit": str(found["overlay"]["unit"]),
        "moves_C": number(found["overlay"]["moves"]["C"]),
        "moves_h": number(found["overlay"]["moves"]["h"]),
        "verdict": verdict(recall, speed, korean),
        "speed_gru_lstm": f"{speed['gru'] / speed['lstm']:.2f}",
        "speed_mingru_gru": f"{speed['mingru'] / speed['gru']:.1f}",
        "speed_machine": speed["machine"],
        "processor": learned["processor"],
        "cores": str(learned["cores"]),
        "wave_epochs": str(wave["epochs"]),
        "wave_middle": f"{wave['middle']:.1f}",
        "gru_saves": percent(1 - parameters["gru"] / parameters["lstm"]),
        "coupled_saves": percent(1 - parameters["coupled"] / parameters["lstm"]),
        "peephole_adds": f"{parameters['peephole'] - parameters['lstm']:,}",
        "mingru_share": percent(parameters["mingru"] / parameters["gru"]),
    }
    made |= {f"step_{name}": number(value) for name, value in step["values"].items()}
    made |= {f"parameters_{cell}": f"{count:,}" for cell, count in parameters.items()}
    for cell, found_of in recall.items():
        made |= {f"{cell}_{d}": percent(share) for d, share in found_of["right"].items()}
        made[f"{cell}_horizon"] = f"{found_of['horizon']:,}"
    for cell, facts in sentence.items():
        for key, fact in (("korea", "한국"), ("japan", "일본"), ("america", "미국")):
            made[f"{cell}_{key}"] = percent(facts[fact]["shares"][facts[fact]["right"]])
    made |= {f"wave_{cell}": f"{error:.1f}" for cell, error in wave["error"].items()}
    made["task"] = found["task"]
    made["documents"] = str(found["documents"])
    made["trained_on"] = trained_on(found["trained_on"], korean)
    # English parts the sign from the number, Korean does not
    return {name: text.replace(" %", "%") if korean else text for name, text in made.items()}


def trained_on(tasks: Mapping[str, str], korean: bool) -> str:
    """Which cells learned from which task."""
    parts = []
    for task in sorted(set(tasks.values())):
        cells = ", ".join(name_of(cell) for cell in tasks if tasks[cell] == task)
        parts.append(f"`{task}`: {cells}")
    told = "; ".join(parts)
    return f"배운 과제는 다음과 같습니다. {told}." if korean else f"What they learned from: {told}."


def claims(found: Found, learned: Found) -> dict[str, bool]:
    """What the text says in words -> whether these measurements bear it out."""
    sentence, recall, step = found["sentence"], found["recall"], found["step"]
    left, values, wave = found["gradient"]["left"], step["values"], learned["wave"]["error"]
    return {
        "the RNN does not answer all three": not all_right(sentence["rnn"]),
        "LSTM and GRU answer all three": all(all_right(sentence[c]) for c in ("lstm", "gru")),
        "LSTM and GRU know at 100": min(recall[c]["right"]["100"] for c in ("lstm", "gru")) > SURE,
        "the RNN falls long before the LSTM": recall["rnn"]["right"]["100"] < 0.7
        and recall["rnn"]["right"]["1000"] < FORGOTTEN
        and recall["lstm"]["right"]["300"] > SURE,
        "peephole, coupled and minGRU know at 100": min(
            recall[c]["right"]["100"] for c in ("peephole", "coupled", "mingru")
        )
        > SURE,
        "the candidate goes in, and then it stays": values["i"] > 0.5 and step["least_f"] > SURE,
        "with f = 0 the answer is lost": step["before"] > SURE and step["wiped"] < FORGOTTEN,
        "C moves less than h": found["overlay"]["moves"]["C"] < found["overlay"]["moves"]["h"] / 2,
        "the gradient of the RNN vanishes": left["rnn"] < 1e-3,
        "that of the LSTM stays along C": left["lstm"] > 0.1,
        "RNN and LSTM go on with the wave": max(wave.values()) < learned["wave"]["middle"] / 3,
    }


def all_right(answers: Found) -> bool:
    """Whether the right answer is the likeliest for each fact."""
    return all(
        max(one["shares"], key=one["shares"].get) == one["right"] for one in answers.values()
    )


def verdict(recall: Found, speed: Found, korean: bool) -> str:
    """Is the GRU faster, but weaker? Judged at the farthest distance, by the 95 % intervals."""
    first = (
        ("So it is faster", "그러니 더 빠른 것은 맞고")
        if speed["gru"] > speed["lstm"]
        else ("So it is not even faster", "그러니 빠르지도 않고")
    )
    second = {
        "better": ("and it remembers better", "기억은 오히려 더 잘합니다"),
        "worse": ("and it remembers worse", "기억은 더 못합니다"),
        "open": (
            "and whether it remembers worse cannot be told",
            "기억을 더 못하는지는 이 측정으로는 알 수 없습니다",
        ),
    }[compared(recall["gru"], recall["lstm"])]
    return f"{first[1]}, {second[1]}." if korean else f"{first[0]}, {second[0]}."


def compared(ours: Found, theirs: Found) -> str:
    """Which is right more often at the farthest distance; "open" where the intervals overlap."""
    farthest = max(ours["right"], key=int)
    if ours["low"][farthest] > theirs["high"][farthest]:
        return "better"
    return "worse" if ours["high"][farthest] < theirs["low"][farthest] else "open"


def percent(share: float) -> str:
    """Whole, but for what would be 0 or 100 and is not."""
    if 0 < share < 0.005:
        return f"{100 * share:.1g} %"
    if 0.995 <= share < 1:
        return f"{math.floor(1000 * share) / 10:.1f} %"
    return f"{100 * share:.0f} %"


def power(value: float) -> str:
    """As a power of ten."""
    raised = str(math.floor(math.log10(value))).translate(
        str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    )
    return f"10{raised}"
