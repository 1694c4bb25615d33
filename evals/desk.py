"""The question set of the screens: drafts as cases, checked, exported and run over the assistant that is serving."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from pydantic import ValidationError

from assistant.access.caller import caller
from assistant.casebook import CaseBook, DraftCase, State
from assistant.store import FeedbackStore
from corpus.errors import SettingsError
from evals.cases import Case, CaseFile, Expected
from evals.compare import Comparison, compare
from evals.metrics import fold, is_gold
from evals.proposals import propose
from evals.run import Progress, examine_cases
from evals.runs import Run, keep, kept_runs, load
from evals.target import Answering, asking
from index.database import SQLiteDatabase
from index.types import Index

HIDDEN = (
    "質問集と評価は、すべてのシートを見られる人だけが使えます。必要なときは、すべてを見られる管理者に頼んでください。"
)
FILE = "accepted.jsonl"  # the name under which runs of the accepted cases are kept

#: One evaluation at a time: two would only make each other slow.
_running = threading.Lock()


def as_case(draft: DraftCase) -> Case:
    """A draft as a case of a question file; raises SettingsError, in Japanese, where its gold cannot fail an answer."""
    kind = draft.type or ("follow-up" if draft.history else "lookup-text")
    values = {
        "id": f"q-{draft.id:04d}",
        "type": "unanswerable" if draft.unanswerable else "lookup-text" if kind == "unanswerable" else kind,
        "question": draft.question,
        "history": draft.history,
        "sheets": () if draft.unanswerable else draft.sheets,
        "answer": Expected() if draft.unanswerable else {"must": draft.must, "must_not": draft.must_not},
        "unanswerable": draft.unanswerable,
        "note": draft.note,
    }
    try:
        return Case.model_validate(values)
    except ValidationError as error:
        if not draft.question.strip():
            raise SettingsError("質問が空です。質問を書いてください。") from error
        raise SettingsError(
            "正解がまだありません。「正解に含まれるべき語」か「引用すべきシート」を書くか、"
            "シートに答えがない質問なら「答えなしが正解」に印を付けてください。"
        ) from error


def cases_of(book: CaseBook, state: State) -> tuple[Case, ...]:
    """The drafts of one state that have their gold, as cases."""
    found = []
    for draft in book.cases(state):
        try:
            found.append(as_case(draft))
        except SettingsError:  # still without gold: not ready to be run or handed on
            continue
    return tuple(found)


def doubts(case: Case, index: Index) -> list[str]:
    """What a person should look at again before accepting, as Japanese sentences; empty where nothing stands out.

    A sheet that the index does not hold, and a word of the gold that none of the gold sheets prints (sums never are).
    """
    told, texts = [], []
    for gold in case.sheets:
        sheets = [
            sheet
            for sheet in index.sheets()
            if is_gold(gold, {"sheet": sheet.name, "department": sheet.department, "municipality": sheet.municipality})
        ]
        if not sheets:
            told.append(f"引用すべきシート「{gold}」は索引にありません。")
        for sheet in sheets:
            whole = index.document(sheet.file).text
            texts.append("|".join(fold(whole[span.start : span.end]) for span in sheet.spans))
    if texts and case.type != "aggregate":
        names = "|".join(fold(gold) for gold in case.sheets)
        for forms in case.answer.must:
            if not any(fold(form) in text for form in forms for text in (*texts, names)):
                told.append(f"正解の語「{'｜'.join(forms)}」は、引用すべきシートの原文に見当たりません。")
    return told


class Desk:
    """Runs the accepted cases and knows the earlier runs, which are kept in ``folder``.

    Questions, gold and runs may come from any sheet: for a caller who may not see every sheet there are none.
    """

    def __init__(self, assistant: Answering, book: CaseBook, folder: Path) -> None:
        self.assistant, self._book, self.folder = assistant, book, folder

    @property
    def book(self) -> CaseBook:
        """The questions; an empty book that nobody keeps where the caller may not see them."""
        return self._book if caller().sees_all else CaseBook(SQLiteDatabase())

    def check(self) -> None:
        """Raises SettingsError, in Japanese, where the caller may not use the question set."""
        if not caller().sees_all:
            raise SettingsError(HIDDEN)

    def run(self, progress: Progress | None = None) -> Run:
        """Asks every accepted case and keeps the run; raises SettingsError where there is none, or one is under way."""
        self.check()
        cases = cases_of(self.book, "accepted")
        if not cases:
            raise SettingsError("採用した質問がまだありません。「質問をつくる」で質問を採用してから実行してください。")
        if not _running.acquire(blocking=False):
            raise SettingsError("ほかの人が評価を実行しています。終わってから、もう一度押してください。")
        try:
            # Nobody's question: past the recorder, which would take the unanswered ones for drafts.
            inner = getattr(self.assistant, "assistant", self.assistant)
            result = examine_cases(CaseFile(FILE, cases, ()), asking(inner), progress=progress, ranked=False)
            return load(str(keep(result, self.folder)), self.folder)
        finally:
            _running.release()

    def history(self, limit: int = 20) -> list[Run]:
        """The kept runs of the accepted cases, newest first."""
        return kept_runs(FILE, self.folder, limit) if caller().sees_all else []

    def change(self) -> Comparison | None:
        """The newest run against the one before; None where there are not two."""
        newest = self.history(2)
        return compare(newest[1], newest[0]) if len(newest) == 2 else None

    def propose(self, count: int) -> int:
        """Adds drafts made from the index; returns how many of them were new."""
        self.check()
        seed = sum(self.book.counts().values())  # pressed again it gives others
        new = 0
        for case in propose(self.assistant.index, count, seed):
            draft = DraftCase(
                0, "", "draft", "proposed", case.question, case.history, case.type, case.answer.must,
                case.answer.must_not, case.sheets, case.unanswerable, case.note,
                index_version=self.assistant.index.version,
            )  # fmt: skip
            new += self.book.add(draft) > 0
        return new


def open_desk(assistant: Answering, store: FeedbackStore) -> Desk:
    """The desk beside a store: runs go to the folder ``evals`` next to its file, or to a temporary one."""
    if store.folder is None:
        return Desk(assistant, store.cases, Path(tempfile.mkdtemp(prefix="hyoka-evals-")))
    return Desk(assistant, store.cases, store.folder / "evals")
