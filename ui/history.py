"""The 履歴 pane of 質問: one's own conversations by day, searched, opened again and deleted; and the keeping of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import gradio as gr  # 2 s: this module is imported when the screens are built, not before

from assistant.conversations import Conversation, ConversationBook, Entry, Keeping, Listed
from assistant.datewords import day_heading, in_japan
from assistant.payload import answer_json
from assistant.readback import answer_of, moved
from assistant.readiness import Asker
from assistant.types import Answer
from corpus.errors import DatabaseError
from index.types import Filters, Index
from ui.chips import filter_words
from ui.exchanges import Exchange, Keep
from ui.paperlinks import answer_papers, talk_papers
from ui.render import Where, placed, render_answer, unplaced
from ui.text import markdown, tame
from ui.visitors import BROWSER, owner_of

logger = logging.getLogger(__name__)

SHOWN = 200  # conversations in the list at once; the search finds the others

UNKEPT_NOTE = (
    '<p class="hy-small">履歴を残さない設定のため、この会話はあとから開けません。'
    "必要なときは、画面を閉じる前に Word か Excel で保存してください。</p>"
)
UNREADABLE_NOTE = (
    '<p class="hy-small" role="alert">履歴を読めません。質問はそのまま続けられます。'
    "しばらく待ってからページを開き直し、続くときは管理者に伝えてください。</p>"
)

# Buttons of the list say what they do in data-do; what cannot be undone is asked first (talks.js).
ON_LOAD = """
let acted = false;
element.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button) return;
  const { do: what, talk, ask } = button.dataset;
  if (ask && !(await window.hyokaConfirm(ask))) { button.focus(); return; }
  acted = what !== "open";
  trigger("click", { what, talk: talk ?? "" });
});
watch("value", () => {
  if (acted) (element.querySelector("button[data-do]") ?? document.querySelector("#hy-history > button"))?.focus();
  acted = false;
});
"""


class History:
    """What of a conversation is kept, and the pane that shows it. Built at the place of the pane, connected later.

    Where the settings keep no history there is no pane, only a sentence beside the links that save what is on the screen.
    """

    def __init__(self, assistant: Asker, book: ConversationBook) -> None:
        self.assistant, self.book = assistant, book
        on = book.keeping.on
        with gr.Accordion("履歴", open=False, elem_id="hy-history", visible=on) as self.fold:
            self.search = gr.Textbox(
                label="履歴を検索",
                placeholder="例：決算額　図書館",
                lines=1,
                max_length=200,
                elem_id="hy-history-search",
                html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
            )
            self.listing = gr.HTML("", elem_id="hy-history-list", apply_default_css=False, js_on_load=ON_LOAD)

    def place_papers(self) -> None:
        """The links that save the whole conversation stand where this is called."""
        self.papers = gr.HTML("", elem_id="hy-talk-papers", apply_default_css=False)

    def keep(self, request: gr.Request, log: Sequence[Exchange]) -> Keep:
        """What writes a finished exchange after ``log`` down for whoever asks; what cannot be kept costs no answer."""
        owner = owner_of(request.request)
        talk = log[-1].talk if log else ""

        def kept(exchange: Exchange, answer: Answer, filters: Filters) -> Exchange:
            try:
                saved = answer_json(answer, self.assistant.index)
                told = self.book.add(owner, talk, exchange.question, saved, filters)
                return replace(exchange, talk=told, entry=self.book.length(owner, told))
            except Exception:  # a full disk, a locked file: the answer is worth more than its record
                logger.exception("the conversation could not be kept")
                return exchange

        return kept

    def amend(self, request: gr.Request) -> Keep:
        """What writes the new answer of an exchange that was asked again over the one that was kept."""
        owner = owner_of(request.request)

        def amended(exchange: Exchange, answer: Answer, filters: Filters) -> Exchange:
            try:
                self.book.amend(owner, exchange.talk, exchange.entry, answer_json(answer, self.assistant.index))
            except Exception:
                logger.exception("the new answer could not be kept")
            return exchange

        return amended

    def connect(self, chatbot: Any, exchanges: Any, welcome: Any, about: Any, fresh: Any) -> None:
        """Ties the pane to the conversation on the screen."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        screen = [chatbot, exchanges, welcome, about, fresh]
        pane = [self.papers, self.listing, self.fold]

        def refresh(request: gr.Request, log: list[Any], words: str | None) -> list[Any]:
            owner = owner_of(request.request)
            papers = talk_papers(log[-1].talk) if log else ""
            if not self.book.keeping.on:
                return [papers + UNKEPT_NOTE if papers else "", "", gr.skip()]
            words = words or ""  # None before the box has been seen for the first time
            try:
                found, total = self.book.listing(owner, words, SHOWN), self.book.count(owner)
            except DatabaseError:  # the conversation on the screen goes on without it
                logger.exception("the history cannot be read")
                return [papers, UNREADABLE_NOTE, gr.skip()]
            shown = render_talks(found, total, self.book.keeping, owner, words)
            return [papers, shown, gr.update(label=f"履歴（{total:,}件）" if total else "履歴")]

        # log holds Exchanges; Gradio resolves the types of these two, and that one it would not find.
        # Without triggers: once the page is open, and whenever an exchange is added or the words change.
        gr.on(None, refresh, [exchanges, self.search], pane, trigger_mode="always_last", **quiet)

        def act(request: gr.Request, log: list[Any], words: str | None, event: gr.EventData) -> list[Any]:
            owner, what, talk = owner_of(request.request), str(event.what), str(event.talk)
            if what == "open":
                return self._open(owner, talk) or [*[gr.skip()] * len(screen), *refresh(request, log, words)]
            current = log[-1].talk if log else ""
            if what == "all":
                self.book.delete_all(owner)
            else:
                self.book.delete(owner, talk)
            gr.Info("履歴をすべて削除しました。" if what == "all" else "会話を削除しました。", title="履歴")
            if log and (what == "all" or talk == current):
                return [*empty_screen(), *refresh(request, [], words)]
            return [*[gr.skip()] * len(screen), *refresh(request, log, words)]

        # multiple: two conversations deleted quickly are two deletions; Gradio would drop the second.
        self.listing.click(act, [exchanges, self.search], [*screen, *pane], trigger_mode="multiple", **quiet)

    def _open(self, owner: str, talk: str) -> list[Any] | None:
        found = self.book.find(owner, talk)
        if found is None:
            gr.Warning("その会話は、もう履歴にありません。", title="履歴")
            return None
        messages, log = opened(found, self.assistant.index)
        hidden = gr.update(visible=False)
        return [
            gr.update(value=messages, visible=True), log, hidden, hidden, gr.update(visible=True),
            talk_papers(talk), gr.skip(), gr.update(open=False),
        ]  # fmt: skip


def empty_screen() -> list[Any]:
    """The screen of a new conversation."""
    shown = gr.update(visible=True)
    return [gr.update(value=[], visible=False), [], shown, shown, gr.update(visible=False)]


def opened(talk: Conversation, index: Index) -> tuple[list[dict[str, Any]], list[Exchange]]:
    """A kept conversation as messages and exchanges, as if it had just been held."""
    messages: list[dict[str, Any]] = []
    log = []
    for number, entry in enumerate(talk.entries, 1):
        asked = f'<div class="hy-box hy-question">{escape(entry.question)}</div>'
        shown = stale_note(entry, index) + _answer(entry, index) + answer_papers(talk.id, number)
        messages += [{"role": "user", "content": tame(asked)}, {"role": "assistant", "content": tame(shown)}]
        cited = len(entry.answer.citations) if entry.answer is not None else 0
        at = len(messages) - 1
        log.append(
            Exchange(
                entry.question,
                entry.text,
                at,
                entry.index_version,
                entry.filters,
                cited=cited,
                talk=talk.id,
                entry=number,
            )
        )
    last = talk.entries[-1].answer if talk.entries else None
    if last is not None and last.suggestions:
        messages[-1]["options"] = [{"value": text, "label": text} for text in last.suggestions[:4]]
    return messages, log


def _answer(entry: Entry, index: Index) -> str:
    if entry.answer is None:
        return f'<div class="hy-box hy-answer hy-abstained"><div class="hy-body">{markdown(entry.text, _no_link)}</div></div>'
    return render_answer(answer_of(entry.answer), _where(index), filter_words(entry.filters))


def _no_link(number: int) -> None:
    return None


def _where(index: Index) -> Where:
    """The places of passages in the documents of today; a document that has gone has none."""
    held, today = set(index.files()), placed(index)
    return lambda passage: today(passage) if passage.sheet.file in held else unplaced(passage)


def stale_note(entry: Entry, index: Index) -> str:
    """What has become of an answer of an earlier index, and a button that asks again; nothing where it is the same."""
    if entry.index_version == index.version:
        return ""
    if entry.answer is None:
        said = "この回答は以前の版で保存されたため、文章だけを表示しています。"
    elif not entry.answer.citations:
        said = "この回答のあとに、索引が新しくなりました。今は答えが見つかるかもしれません。"
    elif gone := moved(entry.answer, index):
        said = (
            f"この回答のあとに、索引が新しくなりました。引用{len(entry.answer.citations)}件のうち{gone}件は、"
            "今の原文の同じ場所にありません。"
        )
    else:
        said = "この回答のあとに、索引が新しくなりました。引用は今の原文にもそのままあります。"
    return f'<p class="hy-box hy-stale">{said} <button type="button" class="hy-button hy-reask">もう一度質問する</button></p>'


def render_talks(
    found: Sequence[Listed],
    total: int,
    keeping: Keeping,
    owner: str,
    words: str = "",
    now: datetime | None = None,
) -> str:
    """The list by day, what is kept for whom and how long, and the buttons; ``total`` counts also what is not found."""
    today = in_japan(now or datetime.now(UTC)).date()
    days: dict[str, list[str]] = {}
    for one in found:
        days.setdefault(day_heading(in_japan(one.last).date(), today), []).append(_line(one))
    listed = "".join(f"<h3>{escape(day)}</h3><ul>{''.join(lines)}</ul>" for day, lines in days.items())
    if not found:
        said = (
            "当てはまる会話がありません。言葉を減らしてみてください。"
            if total and words.strip()
            else "まだ会話はありません。"
        )
        listed = f'<p class="hy-none" role="status">{said}</p>'
    if not words.strip() and total > len(found) > 0:
        listed += (
            f'<p class="hy-small">新しい{len(found):,}件を表示しています。ほかの会話は、言葉で検索してください。</p>'
        )
    every = (
        '<p class="hy-talk-all"><button type="button" class="hy-button" data-do="all"'
        f' data-ask="履歴の会話{total:,}件をすべて削除します。元に戻せません。">すべて削除</button></p>'
        if total
        else ""
    )
    return f'<div class="hy-box hy-talks">{listed}{every}<p class="hy-small">{kept_words(keeping, owner)}</p></div>'


def _line(one: Listed) -> str:
    title = escape(" ".join(one.title.split()))
    local = in_japan(one.last)
    return (
        f'<li><button type="button" class="hy-talk" data-do="open" data-talk="{escape(one.id)}">'
        f'<span class="hy-talk-title">{title}</span>'
        f'<span class="hy-talk-when">{local.hour}:{local.minute:02}・質問{one.count:,}件</span></button>'
        f'<button type="button" class="hy-talk-delete" data-do="delete" data-talk="{escape(one.id)}"'
        f' data-ask="会話「{title}」を削除します。元に戻せません。" aria-label="会話「{title}」を削除">×</button></li>'
    )


def kept_words(keeping: Keeping, owner: str) -> str:
    """What is kept, for whom and for how long."""
    if not owner:
        return "ブラウザーが Cookie を受け取らない設定のため、履歴は保存されません。"
    browser = owner.startswith(BROWSER)
    whose = "このブラウザーで質問した会話" if browser else "あなたの会話"
    shared = "共用のパソコンでは、使い終わったら「すべて削除」を押してください。" if browser else ""
    return (
        f"{whose}の質問と回答を、このサーバーに保存しています。ほかの人の画面には出ません。"
        f"最後の質問から{keeping.days:,}日たった会話と、{keeping.most:,}件を超えた古い会話は、自動で削除します。{shared}"
        "回答への評価と、答えが見つからなかった質問は、だれの質問かを残さずに、改善のため別に保存します。"
    )
