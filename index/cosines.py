"""Cosines of one encoder as another one's: E5 gives 0.8 to texts that have nothing to do with each other.

What a cosine is worth was measured with the bundled encoder (the weights of index/fusion.py).
When an index is made with another model, both encode the same questions and the same passages of the corpus. The mean
is brought to where the bundled encoder has it, and what lies between the mean and 1 with it, but never so wide that
the highest cosines of unrelated texts rise above the bundled encoder's.

Measured with the bundled encoder squeezed into 0.8..1 (140 questions on five published documents): unread, questions
about other things find 313 sections on average; read so 42, the encoder itself 43. Bringing the high quantile up to the
bundled encoder's as well ruined an encoder of character n-grams, whose cosines are narrow but sound (nDCG@10 0.856 to
0.792; read so 0.863).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from index.types import Encoder, Vectors

Floats = NDArray[np.float32]

PASSAGES = 200  # taken at even distances; with the questions below some thousand pairs
_HIGH = 0.99
_LEAST = 1e-3

# What people ask a city, and a few things nobody asks it: most pairs with a passage are unrelated, a few are near.
QUESTIONS = (
    "駅前の駐輪場は一時間いくらで使えますか",
    "こどもの予防接種の予約方法を知りたい",
    "図書館で借りた本を返し忘れたときはどうなりますか",
    "ごみの収集日を増やす計画はあるか",
    "古くなったパソコンをまとめて入れ替える時期",
    "職員の残業を減らすための取り組み",
    "公民館の屋根の雨漏りを直す費用",
    "ひとり暮らしのお年寄りを見守る人を増やしたい",
    "災害のときに避難所へ毛布を届ける手順",
    "給食に地元の野菜を使う割合",
    "水道管の古いところから取り替える順番",
    "結婚したときに役所で出す書類",
    "観光客が増えて困っていること",
    "補助金を申し込んだ会社の数",
    "前の年より費用が増えた理由",
    "事業の成果をどうやって測っていますか",
    "目標に届かなかったのはなぜ",
    "委託先の会社を選び直したのはいつ",
    "鶏肉のフランス風煮込みの作り方",
    "昨日の野球の試合はどちらが勝った",
    "月の裏側の温度は何度か",
    "ギターの弦を張り替えるこつ",
    "猫が夜中に鳴くのをやめさせたい",
    "映画の続きはいつ公開されますか",
)


@dataclass(frozen=True, slots=True)
class CosineScale:
    """Mean and high quantile of an encoder's cosines (``mean``, ``high``), and the yardstick's of the same texts."""

    mean: float
    high: float
    to_mean: float
    to_high: float

    def __call__(self, cosines: Floats) -> Floats:
        """The cosines brought over, between -1 and 1.

        >>> CosineScale(0.8, 0.85, 0.1, 0.4)(np.array([0.8, 0.9, 1.0])).astype(float).round(3).tolist()
        [0.1, 0.55, 1.0]
        """
        room = (1 - self.to_mean) / max(1 - self.mean, _LEAST)
        spread = (self.to_high - self.to_mean) / max(self.high - self.mean, _LEAST)
        brought: Floats = np.clip(self.to_mean + (cosines - self.mean) * min(room, spread), -1, 1).astype(np.float32)
        return brought

    def numbers(self) -> list[float]:
        """The four numbers, for a manifest; ``CosineScale(*numbers)`` is the same scale again."""
        return [round(number, 6) for number in astuple(self)]


@dataclass(frozen=True, slots=True)
class CosineScales:
    """One scale for passages and one for whole sheets: the mean of many alike vectors is alike to everything."""

    passages: CosineScale
    sheets: CosineScale


def cosine_scale(encoder: Encoder, yardstick: Encoder, rows: Vectors, other: Vectors) -> CosineScale:
    """How to read the cosines of questions and ``rows`` of ``encoder`` as those of the ``other`` rows of ``yardstick``.

    The rows of both stand for the same texts, at least one.
    """
    taken = np.unique(np.linspace(0, len(rows) - 1, min(PASSAGES, len(rows))).astype(int))
    questions = list(QUESTIONS)
    own = encoder.encode(questions, "query") @ rows[taken].T
    theirs = yardstick.encode(questions, "query") @ other[taken].T
    figures = (own.mean(), np.quantile(own, _HIGH), theirs.mean(), np.quantile(theirs, _HIGH))
    return CosineScale(*map(float, figures))
