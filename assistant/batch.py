"""``hyoka ask --batch``: a list of questions in, the same list with answers, places and quotes out."""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from assistant import console
from assistant.filledrow import BROKEN, Filled, filled, unanswered
from assistant.questionlist import CITED_SHEET, Question
from assistant.readiness import Asker
from assistant.types import Turn
from corpus.errors import HyokaError, QuestionError, SettingsError

ENDINGS = (".xlsx", ".xlsm", ".csv", ".tsv")
MOST_BYTES = 100 * 1024 * 1024
MOST_TURNS = 12
"""So many earlier questions and answers a question that asks on knows of."""


class QuestionFile(Protocol):
    """A list that can be filled: :class:`assistant.questionbook.QuestionBook`, :class:`assistant.questioncsv.QuestionCsv`."""

    questions: list[Question]
    place: str
    left_out: int

    def fill(self, question: Question, row: Filled) -> None:
        """Takes the answer of a question."""
        ...

    def beside(self, out: Path) -> tuple[Path, ...]:
        """The other files that are written with ``out``."""
        ...

    def save(self, files: tuple[Path, ...]) -> None:
        """Writes ``out`` and those beside it under these names."""
        ...


def run_batch(open_asker: Callable[[], Asker], path: Path, out: Path | None, link: str, json_output: bool) -> None:
    """Reads the list, asks, and writes the answers; nothing is asked before it is known that they can be written.

    ``link`` is the address of the server, empty for no links.
    """
    base = base_of(link)
    to = out or free_name(path)
    listed = open_list(path, to)
    files = (to, *listed.beside(to))
    _check_free(path, files)
    console.note(f"{path.name}: {listed.place}の{len(listed.questions):,}問に答えます。")
    with console.progress() as tell:
        counts = fill_list(open_asker(), listed, base, lambda row, done, total: tell(f"質問 {row}行目", done, total))
    _write(listed, files)
    if listed.left_out:
        console.note(f"引用が多いため、{CITED_SHEET}から{listed.left_out:,}件を省きました。質問の表を分けてください。")
    if json_output:
        console.say_json(
            {"questions": len(listed.questions), "states": dict(counts), "files": [str(one) for one in files]}
        )
        return
    told = "、".join(f"{state} {count:,}" for state, count in counts.most_common())
    console.say(f"{'、'.join(str(one) for one in files)} に書き出しました（{told}）。")


def open_list(path: Path, out: Path) -> QuestionFile:
    """The list in a file; raises SettingsError where it is none, or where ``out`` is to be another kind of file."""
    if not path.is_file():
        raise SettingsError(f"質問の表がありません: {path}。パスを確かめてください。")
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise SettingsError(
            f"質問の表の形式が分かりません: {path.name}。{'、'.join(ENDINGS)} のどれかで保存してください。"
        )
    if out.suffix.lower() != ending:
        raise SettingsError(f"書き出し先は質問の表と同じ形式（{ending}）にしてください: {out.name}。")
    if path.stat().st_size > MOST_BYTES:
        raise SettingsError(f"{path.name} は大きすぎます。質問のシートだけを別のファイルに保存してください。")
    if ending in (".csv", ".tsv"):
        from assistant.questioncsv import QuestionCsv

        return QuestionCsv(path)
    from assistant.questionbook import QuestionBook

    return QuestionBook(path)


def fill_list(
    asker: Asker, listed: QuestionFile, base: str, tell: Callable[[int, int, int], None] = lambda row, done, total: None
) -> Counter[str]:
    """Asks every question in its turn; how many rows ended in which state.

    Of an answer only the cells of its row are kept. What goes wrong with one question stands in its row.
    """
    counts: Counter[str] = Counter()
    talk: list[Turn] = []
    for done, question in enumerate(listed.questions):
        tell(question.row + 1, done, len(listed.questions))
        talk = talk[-MOST_TURNS:] if question.follows else []
        row = _answered(asker, question, talk, base)
        listed.fill(question, row)
        counts[row.state] += 1
    return counts


def _answered(asker: Asker, question: Question, talk: list[Turn], base: str) -> Filled:
    """The cells of one question; it and its answer are added to the talk."""
    if question.problem:
        return unanswered(question.problem)
    try:
        if question.earlier:
            before = asker.ask(question.earlier)
            talk += [Turn("user", question.earlier), Turn("assistant", before.answer)]
        answer = asker.ask(question.text, tuple(talk))
        row = filled(answer, asker.index, base)
    except QuestionError as problem:
        return unanswered(problem.message)
    except HyokaError as problem:
        return unanswered(problem.message, BROKEN)
    except Exception as problem:  # of this question alone; the others go on
        return unanswered(
            f"この質問の処理中に問題が起きました（{type(problem).__name__}）。言い方を変えて試し、続くときは管理者に伝えてください。",
            BROKEN,
        )
    talk += [Turn("user", question.text), Turn("assistant", answer.answer)]
    return row


def base_of(link: str) -> str:
    """The address of the screens with a slash at its end; raises SettingsError for what is no such address.

    >>> base_of("http://hyoka.example:8000"), base_of("")
    ('http://hyoka.example:8000/', '')
    """
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or re.search(r"[\s\x00-\x1f\"<>\\]", link):
        raise SettingsError(
            f"--link のアドレス「{link}」は使えません。http://サーバー名:8000/ のように指定してください。"
        )
    return link if link.endswith("/") else f"{link}/"


def free_name(path: Path) -> Path:
    """A name beside the list that no file has: 質問_回答.xlsx, 質問_回答 (2).xlsx."""
    to, number = path.with_name(f"{path.stem}_回答{path.suffix}"), 2
    while to.exists():
        to, number = path.with_name(f"{path.stem}_回答 ({number}){path.suffix}"), number + 1
    return to


def _check_free(path: Path, files: tuple[Path, ...]) -> None:
    for file in files:
        if file.exists() and file.samefile(path):
            raise SettingsError("書き出し先が質問の表と同じです。--out に別の名前を指定してください。")
        if os.path.lexists(file):
            raise SettingsError(f"{file} はもうあります。--out に別の名前を指定してください。")
        if not file.parent.is_dir():
            raise SettingsError(f"書き出すフォルダー {file.parent} がありません。先に作ってください。")
        if not os.access(file.parent, os.W_OK):
            raise SettingsError(f"{file.parent} に書き込めません。--out に別の場所を指定してください。")


def _write(listed: QuestionFile, files: tuple[Path, ...]) -> None:
    """Whole or not at all, and never over a file that came meanwhile."""
    with tempfile.TemporaryDirectory(prefix=".hyoka-", dir=files[0].parent) as folder:
        made = tuple(Path(folder) / file.name for file in files)
        listed.save(made)
        for one, file in zip(made, files, strict=True):
            _move(one, file)


def _move(made: Path, file: Path) -> None:
    try:
        os.link(made, file)  # unlike a renaming it takes nobody's place
    except FileExistsError as error:
        raise SettingsError(f"{file} はもうあります。--out に別の名前を指定してください。") from error
    except OSError:  # a file system without links
        if os.path.lexists(file):
            raise SettingsError(f"{file} はもうあります。--out に別の名前を指定してください。") from None
        made.replace(file)
