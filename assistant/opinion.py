"""A second opinion on what kind of answer a question wants, for questions that hold no cue of ``intents.toml``.

A linear model over character n-grams, trained by ``python -m assistant.training.intents`` on questions whose names and
dates are blanked, so that it can know no sheet. Its weights stand as whole numbers in ``vocabulary/opinion.json``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

#: From this probability on the opinion is taken; chosen by cross-validation inside the training rows.
SURE = 0.4
LONGEST = 4
BLANK = "\0"
#: The weights in the file are hundredths.
SCALE = 100.0
_BLANKS = re.compile(f"{BLANK}+")


@dataclass(frozen=True, slots=True)
class Opinion:
    """The likeliest intent and its probability (0 to 1)."""

    intent: str
    sure: float


@dataclass(frozen=True, slots=True)
class Model:
    """``weights[i]`` is what gram i says for each of ``intents``; the last row is what they are worth by themselves."""

    grams: dict[str, int]
    intents: tuple[str, ...]
    weights: NDArray[np.float32]

    def probabilities(self, key: str) -> NDArray[np.float32]:
        """How likely each of ``intents`` is for a squeezed question whose names and dates are blanked."""
        ids = sorted({self.grams[gram] for gram in grams(key) if gram in self.grams})
        scores = self.weights[-1] + (self.weights[ids].sum(axis=0) / np.sqrt(len(ids)) if ids else 0.0)
        exp = np.exp(scores - scores.max())
        return np.asarray(exp / exp.sum(), np.float32)

    def opinion(self, key: str) -> Opinion:
        """The likeliest intent."""
        shares = self.probabilities(key)
        best = int(shares.argmax())
        return Opinion(self.intents[best], round(float(shares[best]), 3))


def grams(key: str) -> set[str]:
    """The character n-grams (1 to 4) of a squeezed question, with its beginning and end; a blanked stretch is one."""
    text = f"^{_BLANKS.sub(BLANK, key)}$"
    return {text[i : i + n] for n in range(1, LONGEST + 1) for i in range(len(text) - n + 1)}


def read_model(text: str) -> Model:
    """The model of a file's text."""
    stored = json.loads(text)
    rows: dict[str, list[int]] = stored["weights"]
    weights = np.array([*rows.values(), stored["bias"]], np.float32) / SCALE
    return Model({gram: i for i, gram in enumerate(rows)}, tuple(stored["intents"]), weights)


@cache
def _model() -> Model:
    return read_model(resources.files("assistant.vocabulary").joinpath("opinion.json").read_text("utf-8"))


def second_opinion(key: str) -> Opinion:
    """What the model takes a squeezed question for.

    >>> second_opinion("\\0\\0\\0を受け持つ課").intent
    'who'
    """
    return _model().opinion(key)
