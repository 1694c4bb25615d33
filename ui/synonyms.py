"""言いかえ on the 管理 screen: search the groups, change the city's own ones, and try a question before saving."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.readiness import Asker
from assistant.refusals import INTERNAL, clean_question, clean_text
from assistant.upkeep import Upkeep
from assistant.wordtrial import try_words
from corpus.errors import HyokaError, SettingsError
from index.ownsynonyms import Change, OwnSynonyms, SynonymGroup, checked, matching, overlaps
from ui.permission import REFUSED, may_administer
from ui.questions import QUIET, spoken
from ui.wordtrial import render_trial

logger = logging.getLogger(__name__)

KIND_LABELS = {
    "synonyms": "同じ意味",
    "abbreviations": "略称",
    "variants": "表記の違い",
    "old_names": "旧称",
    "one_way": "片方向",
    "slips": "誤変換",
}
KIND_HELP = {
    "synonyms": "どのことばで聞かれても、ほかのことばも探します。",
    "abbreviations": "正式な名前と略した名前。どちらで聞かれても、もう一方も探します。",
    "variants": "書き方の違い。どれで聞かれても、ほかの書き方も探します。",
    "old_names": "前の名前と今の名前。どちらで聞かれても、もう一方も探します。",
    "one_way": "1行目のことばで聞かれたときだけ、2行目からのことばも探します。逆には探しません。",
    "slips": "1行目に正しいことば、2行目から誤った書き方。誤りで聞かれたら、正しいことばを探します。",
}
SHOWN = 100
COLUMNS = ["種類", "ことば", "辞書"]
OWN, BUNDLED = "自分たち", "同梱"


def terms_of(text: str) -> list[str]:
    """The words of a box: one a line, or with commas between them."""
    return [clean_text(term) for term in re.split(r"[\n、,，]", text or "") if term.strip()]


def rows_of(groups: Sequence[SynonymGroup]) -> list[list[str]]:
    """The groups as the table shows them."""
    return [[KIND_LABELS[one.kind], "、".join(one.terms), OWN if one.own else BUNDLED] for one in groups[:SHOWN]]


def counted(groups: Sequence[SynonymGroup], found: Sequence[SynonymGroup]) -> str:
    """How many groups there are and how many of them are shown."""
    own = sum(one.own for one in groups)
    more = f"（先頭の{SHOWN}組を表示。ことばで絞ってください）" if len(found) > SHOWN else ""
    return (
        f'<p class="hy-note" role="status">{len(found):,}組{more}。'
        f"全部で{len(groups):,}組（同梱{len(groups) - own:,}・自分たち{own:,}）</p>"
    )


class SynonymDesk:
    """What the screen does with the own file of a server; every message is for the person at the screen."""

    def __init__(self, upkeep: Upkeep) -> None:
        self.upkeep = upkeep
        self.own = OwnSynonyms(upkeep.synonyms)
        self._writing = threading.Lock()  # two people who save at once lose nothing

    def change(self, old: SynonymGroup | None, kind: str, words: str) -> Change | None:
        """What the form would change: None where it says what is there already, or nothing."""
        terms = terms_of(words)
        if not terms or (old is not None and old.kind == kind and list(old.terms) == terms):
            return None
        return Change(old if old is not None and old.own else None, checked(kind, terms))

    def save(self, old: SynonymGroup | None, kind: str, words: str) -> tuple[str, SynonymGroup]:
        """Writes the group of the form and takes it into use; returns what to tell and the group. Raises SettingsError."""
        group = checked(kind, terms_of(words))
        mine = old if old is not None and old.own else None
        notes = overlaps(group, self.own.groups(), mine)
        with self._writing:
            self.own.save(self.own.changed(Change(mine, group)))
        return f"保存しました。{self._taken()}{''.join(f'念のため: {note}' for note in notes)}", group

    def remove(self, old: SynonymGroup) -> str:
        """Takes a group of the city out. Raises SettingsError."""
        if not old.own:
            raise SettingsError("同梱の組は消せません。")
        with self._writing:
            self.own.save(self.own.changed(Change(old, None)))
        return f"消しました。{self._taken()}"

    def restore(self) -> str:
        """Puts the version before the last change back. Raises SettingsError where there is none."""
        with self._writing:
            self.own.restore()
        return f"1つ前の版に戻しました（もう一度押すと、戻す前に戻ります）。{self._taken()}"

    def _taken(self) -> str:
        live = self.upkeep.live
        if live.check(now=True) or not live.problem:
            return "もう検索に使われています。索引の作り直しは要りません。"
        return f"ただし、まだ検索に使われていません: {live.problem}"


def build_synonyms(assistant: Asker, upkeep: Upkeep, tab: Any) -> None:
    """Adds the editor to the current Blocks; the list is read whenever ``tab`` is opened."""
    desk = SynonymDesk(upkeep)
    gr.HTML(
        '<p class="hy-note">質問とシートで言い方が違うとき（更改とリプレースなど）に、同じことばとして探すための辞書です。'
        "同梱の組は変更できません。市町村で使う呼び名は「自分たち」の組に足します。</p>",
        apply_default_css=False,
    )
    with gr.Row():
        words = gr.Textbox(
            label="組を探す",
            placeholder="ことばの一部",
            max_lines=1,
            max_length=100,
            elem_id="hy-syn-words",
            scale=3,
            min_width=240,
        )
        kinds = gr.Dropdown(
            [("すべての種類", ""), *((label, kind) for kind, label in KIND_LABELS.items())],
            value="",
            label="種類",
            scale=2,
            min_width=200,
            elem_id="hy-syn-kinds",
        )
        mine = gr.Checkbox(label="自分たちの組だけ", scale=1, min_width=200, elem_id="hy-syn-mine")
    count = gr.HTML("", apply_default_css=False, elem_id="hy-syn-count")
    table = gr.Dataframe(
        [],
        headers=COLUMNS,
        datatype=["str", "str", "str"],
        type="array",
        interactive=False,
        wrap=True,
        max_height=280,
        column_widths=["22%", "58%", "20%"],
        label="組の一覧（行を選ぶと下に開きます）",
        show_label=True,
        buttons=[],
        elem_id="hy-syn-table",
    )
    chosen = gr.State(None)
    heading = gr.HTML(_heading(None), apply_default_css=False, elem_id="hy-syn-heading")
    with gr.Row():
        kind = gr.Dropdown(
            [(label, name) for name, label in KIND_LABELS.items()],
            value="synonyms",
            label="この組の種類",
            info=KIND_HELP["synonyms"],
            scale=2,
            min_width=220,
            elem_id="hy-syn-kind",
        )
        terms = gr.Textbox(
            label="ことば",
            info="1行に1つずつ、2つ以上",
            lines=4,
            max_length=5_000,
            scale=3,
            min_width=220,
            elem_id="hy-syn-terms",
        )
    told = gr.HTML("", apply_default_css=False, elem_id="hy-syn-told")
    with gr.Row():
        keep = gr.Button("保存する", variant="primary", min_width=150, elem_id="hy-syn-save")
        fresh = gr.Button("新しい組を書く", variant="secondary", min_width=150)
        drop = gr.Button("この組を消す", variant="secondary", min_width=150, interactive=False, elem_id="hy-syn-drop")
        back = gr.Button("1つ前の版に戻す", variant="secondary", min_width=150)
    question = gr.Textbox(
        label="ためす",
        info="ことばや質問を入れて「ためす」を押すと、分け方・言いかえ・見つかる記載を確かめられます。上の組が保存前なら、保存した場合と比べます。",
        placeholder="例: 住民票の電子申請",
        max_lines=1,
        max_length=500,
        submit_btn="ためす",
        elem_id="hy-syn-try",
    )
    result = gr.HTML("", apply_default_css=False, elem_id="hy-syn-result")

    form = [chosen, heading, kind, terms, drop]
    filters = [words, kinds, mine]

    def listed(text: str, which: str, own: bool) -> list[Any]:
        try:
            groups = desk.own.groups()
        except SettingsError as problem:
            return [[], spoken(problem.message)]
        found = matching(groups, clean_text(text or ""), which or "", own)
        return [rows_of(found), counted(groups, found)]

    def opened(group: SynonymGroup | None) -> list[Any]:
        shown = group or SynonymGroup("synonyms", (), True)
        return [
            group,
            _heading(group),
            gr.update(value=shown.kind, info=KIND_HELP[shown.kind]),
            "\n".join(shown.terms),
            gr.update(interactive=group is not None and group.own),
        ]

    def pick(text: str, which: str, own: bool, event: gr.SelectData) -> list[Any]:
        try:
            found = matching(desk.own.groups(), clean_text(text or ""), which or "", own)
        except SettingsError as problem:
            return [*[gr.skip()] * len(form), spoken(problem.message)]
        label, joined, dictionary = event.row_value[:3]
        same = (
            one
            for one in found
            if (KIND_LABELS[one.kind], "、".join(one.terms), one.own) == (label, joined, dictionary == OWN)
        )
        return [*opened(next(same, None)), ""]

    def acted(work: Any) -> Any:
        """An event that changes the file: refused where it may not, else the list and the form anew."""

        def event(old: SynonymGroup | None, name: str, text: str, *rest: Any, request: gr.Request) -> list[Any]:
            if not may_administer(request):
                return [*[gr.skip()] * (2 + len(form)), spoken(REFUSED)]
            try:
                message, group = work(old, name, text)
            except HyokaError as problem:
                return [*[gr.skip()] * (2 + len(form)), spoken(problem.message)]
            return [*listed(*rest), *opened(group), spoken(message)]

        def saved(old: Any, name: str, text: str, a: str, b: str, c: bool, request: gr.Request) -> list[Any]:
            return event(old, name, text, a, b, c, request=request)

        return saved

    def remove(old: SynonymGroup | None, name: str, text: str) -> tuple[str, None]:
        if old is None:
            raise SettingsError("消す組を一覧から選んでください。")
        return desk.remove(old), None

    def attempt(asked: str, old: SynonymGroup | None, name: str, text: str) -> str:
        try:
            cleaned = clean_question(asked)
            change = desk.change(old, name, text)
            now = try_words(assistant.index, desk.own.trial(None), cleaned)
            after = try_words(assistant.index, desk.own.trial(change), cleaned) if change is not None else None
        except HyokaError as problem:
            return spoken(problem.message)
        except Exception:
            logger.exception("a trial of synonyms broke")
            return spoken(INTERNAL[1])
        return render_trial(now, after)

    tab.select(listed, filters, [table, count], **QUIET)
    for trigger in (words.change, kinds.change, mine.change):
        trigger(listed, filters, [table, count], trigger_mode="always_last", **QUIET)
    table.select(pick, filters, [*form, told], **QUIET)
    kind.change(lambda name: gr.update(info=KIND_HELP.get(name, "")), kind, kind, **QUIET)
    fresh.click(lambda: [*opened(None), ""], None, [*form, told], **QUIET)
    for button, work in (
        (keep, desk.save),
        (drop, remove),
        (back, lambda old, name, text: (desk.restore(), None)),
    ):
        button.click(acted(work), [chosen, kind, terms, *filters], [table, count, *form, told], **QUIET)
    question.submit(attempt, [question, chosen, kind, terms], result, **QUIET)


def _heading(group: SynonymGroup | None) -> str:
    if group is None:
        told = "新しい組を書いています。"
    elif group.own:
        told = "自分たちの組を開いています。書きかえて保存できます。"
    else:
        told = "同梱の組を開いています。この組は変わりません。保存すると、自分たちの組として足されます。"
    return f'<p class="hy-note"><b>{told}</b></p>'
