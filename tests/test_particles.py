"""은 after a consonant, 는 after a vowel: told by the code of a syllable, a digit or a letter."""

import pytest

from textgen.config import EvaluateConfig
from textgen.evaluation.evaluate import evaluate
from textgen.evaluation.evaluation_tables import report
from textgen.evaluation.particles import judge, particles, words_of
from textgen.terminal import show

RIGHT = (
    "나는 사람은 친구가 학생이 물을 차를 빵과 차와 집으로 학교로 서울로 민준아 철수야 "
    "값은 밖은 히읗은 학생이라는 친구라고 "
    "3은 2는 10을 20000은 1000000000000는 0.10이 2,500이 LG는 KBS가 URL은 "
    'Python은 game"을 "학생"은 한국)은 '
    "〈봄〉은 〈바다〉는 【서울】로 （물）을 ｢책｣이 봄’’은 봄``은 `봄`은 **봄**은 **‘바다’**를"
)
WRONG = (
    "사람는 나은 학생가 친구이 물를 차을 빵와 차과 집로 학교으로 서울으로 민준야 철수아 학생라고 "
    "3는 2은 10를 100는 300000는 값는 밖는 LG은 KBS이 URL를 한국)는 "
    "〈봄〉는 〈바다〉은 （물）를 봄’’는 바다``은 `봄`는 **봄**는 **‘바다’**을"
)


@pytest.mark.parametrize("word", RIGHT.split())
def test_a_particle_fits(word):
    found = judge(words_of(word)[0])
    assert found is None if word == 'game"을' else found[1]


@pytest.mark.parametrize("word", WRONG.split())
def test_a_particle_does_not_fit(word):
    pair, is_right = judge(words_of(word)[0])
    assert not is_right and "/" in pair


@pytest.mark.parametrize(
    "word",
    [
        *("몰라", "친구이라고", "test는", "test라는", "R은", "R으로", "하늘", "안녕"),
        *("있는", "없는", "했는", "않는", "앉는", "읊는", "있을", "없이", "좋은", "재미있는"),
        *("닦는", "있는가", "먹는가"),
        *("MP3를", "MP3을", "F3를", "A4를", "A4을", "A4로", "A4으로", "A380이라고", "MP3”를"),
    ],
)
def test_what_cannot_be_told_is_left_out(word):
    assert judge(word) is None


def test_what_the_training_text_has_is_another_word():
    text = "나는 밥을 먹는 아이. 사람는 사람는 갔다"
    found = particles("text", text, known={"먹는", "아이", "나는"})
    assert found.right == {"은/는": 1, "을/를": 1} and found.wrong == {"은/는": 2}
    assert found.words == [("사람는", 2)] and found.share == 0.5
    assert particles("text", text).words[0] == ("사람는", 2)
    assert particles("text", "no Korean").share == 1.0


ALONE = EvaluateConfig(sample_length=0)
TWENTY_FIVE = [f"{chr(ord('가') + 28 * k)}나을" for k in range(25)]  # 가나을, 개나을 ..: none fits


def test_a_text_with_none_right_is_told_of(loaded, capsys):
    found = evaluate(loaded(), " ".join(TWENTY_FIVE), config=ALONE)
    (of_text,) = found.particles  # without a sample the text alone
    assert of_text.number == 25 and of_text.wrong == {"을/를": 25}
    assert [*dict(of_text.words)] == TWENTY_FIVE  # all of them
    show(report(found))
    told = " ".join(capsys.readouterr().out.split())
    assert "all 0 of 25, 0.0%" in told and "do not fit, the text: 가나을" in told
    assert told.endswith(f"{TWENTY_FIVE[19]} and 5 more")


def test_no_word_is_more_than_twenty(loaded, capsys):
    show(report(evaluate(loaded(), " ".join(TWENTY_FIVE[:20]), config=ALONE)))
    told = capsys.readouterr().out
    assert told.endswith(f"{TWENTY_FIVE[19]}\n")
    assert evaluate(loaded(), " ".join(TWENTY_FIVE[:19]), config=ALONE).particles == []


def test_an_evaluation_tells_of_them(loaded, capsys):
    text = "나는 한국사람이야. 오늘은 비가 온다. 우산을 들고 길을 걷는다. 물는 차다.\n" * 8
    found = evaluate(loaded(), text, training_text="우산을 들고")
    sample, of_text = found.particles
    assert of_text.wrong == {"은/는": 8} and of_text.words == [("물는", 8)]
    show(report(found))
    told = capsys.readouterr().out
    assert "particles that fit the sound before" in told and "물는 (8)" in told
    assert sample.name == "sample"
