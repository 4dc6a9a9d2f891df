"""Whether a text that was decoded as CP949 is Korean, or bytes of another encoding read by luck.

Nearly all pairs of bytes are a character in CP949, so that decoding without an error says little.
What tells Korean from luck is which syllables come out: 300 of the 11,172 make up nine tenths of
every Korean text, and those beyond the 2,350 of KS X 1001 hardly occur.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

# the most frequent of NSMC's reviews and of the Korean Rust book: 88 % and 95 % of their syllables
COMMON = (
    "가각간감값강같개거건걸것게겠결경계고공과관괜교구국그극근금기긴길까끝나난남내냥너넘네년노느는능니다"
    "단달담당대더던데도독동되된될됩두듈드든들듯디따때떤또라람랑래램러런럼렇레려력로록루르른를름리릭린릴마"
    "막만많말매머메며면명모목못무문물므미밌바박반받발방배버번법변별보복본볼봅봐봤부분불브비사산살상새생서선"
    "설성세션소속수순스슬습시식신실심싶쓰아악안않알았애야약어억언업없었에여역연열였영예오와완왜외요용우운울"
    "웃워원위유으은을음의이인일임입있자작잔잘장재저적전절점접정제져조족존좀종좋주준줄중즈지직진질집짜째차참"
    "처청체초최추출치카컴코크클키타태터턴테토통트특파패편평포표품프필하한할함합함해했행현형호화확환후히"
)
# of Chinese and Japanese, in each of their forms
COMMON_HAN = (
    "的一是不了在人有我他这個个们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着下自之年过過"
    "发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理"
    "心她本前开開但因只从從想实實日军者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高"
    "间間由问問很最重并物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給"
    "世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別"
    "打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管期市直德资資命山金指克许許区區保至队"
    "形社便空决決治展马馬司五基眼书書非则則听聽白却界达達光放强強即像难難且权權思王象完设設式色路记記南品住告类類求据"
    "今早晚雨春花谢謝爱愛吗嗎吧呢请請乐樂快猫貓吃饭飯朋友京北晴気電車駅食飲語読書店会社円私僕彼何時間午後"
)
LEAST = 3  # syllables, of which luck seldom makes so many
COMMON_SHARE = 0.5  # of the syllables
RARE_SHARE = 0.05  # of the syllables, at most, beyond KS X 1001
SHORT = 30  # syllables
TRIED = 300  # letters that are tried in each of `RIVALS`, too
RIVALS = ("gb2312", "big5", "euc_jp")
HANGUL_SHARE = 0.7  # of the letters beyond ASCII
IN_LATIN_SHARE = 0.1  # of the syllables, at most, between two Latin letters

_KS = frozenset(
    bytes((lead, trail)).decode("euc-kr")
    for lead in range(0xB0, 0xC9)
    for trail in range(0xA1, 0xFF)
)
_COMMON = frozenset(COMMON)
_COMMON_HAN = frozenset(COMMON_HAN)
_HANGUL = re.compile("[가-힣]")
_IN_LATIN = re.compile("(?<=[A-Za-z])[가-힣](?=[A-Za-z])")
# without the jamo of laughing and crying: hiragana in EUC-JP are the other ones
_OTHER_LETTERS = re.compile("[^\\W\\d_가-힣ㅋㅎㅠㅜㅇㄴㄱㄷㅅㅈㅉㅡㅗㅏ\x00-\x7f]")


@dataclasses.dataclass
class SyllableCounts:
    """Of a text, added up."""

    hangul: int = 0
    common: int = 0
    rare: int = 0
    in_latin: int = 0
    other_letters: int = 0  # neither Hangul nor such jamo nor ASCII
    # of the first letters beyond ASCII: how many, how many of them common in Korean, and how many
    # common letters of Chinese and Japanese their bytes are in each rival
    tried: int = 0
    tried_common: int = 0
    rivals: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, text: str) -> None:
        """Count the syllables of more of the text."""
        syllables = _HANGUL.findall(text)
        if self.tried < TRIED:
            letters = "".join(char for char in text if char > "\x7f")[:TRIED]
            self.tried += len(letters)
            self.tried_common += sum(letter in _COMMON for letter in letters)
            data = letters.encode("cp949", "ignore")
            for codec in RIVALS:
                self.rivals[codec] += sum(c in _COMMON_HAN for c in data.decode(codec, "ignore"))
        self.hangul += len(syllables)
        self.common += sum(s in _COMMON for s in syllables)
        self.rare += sum(s not in _KS for s in syllables)
        self.in_latin += len(_IN_LATIN.findall(text))
        self.other_letters += len(_OTHER_LETTERS.findall(text))

    @property
    def beats_rivals(self) -> bool:
        """Whether more of it is common in Korean than in the rivals; in a few syllables nothing
        else may stand."""
        others = self.other_letters if self.hangul < SHORT else 0
        return self.tried_common > max(self.rivals.values(), default=0) + others

    @property
    def plausible(self) -> bool:
        """Whether this is how Korean is spelt."""
        return (
            self.hangul >= LEAST
            and self.common >= COMMON_SHARE * self.hangul
            and self.beats_rivals
            and self.rare <= RARE_SHARE * self.hangul
            and self.in_latin <= IN_LATIN_SHARE * self.hangul
            and self.hangul >= HANGUL_SHARE * (self.hangul + self.other_letters)
        )
