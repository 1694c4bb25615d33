"""Links that save a conversation or one answer of it as Word and Excel."""

from __future__ import annotations

from urllib.parse import quote


def paper_address(talk: str, ending: str, entry: int = 0) -> str:
    """The address of a file, relative to the screens: ``papers/abc.docx``, one answer of it ``papers/abc/2.docx``."""
    name = quote(talk, safe="")
    return f"papers/{name}/{entry}.{ending}" if entry else f"papers/{name}.{ending}"


def talk_papers(talk: str) -> str:
    """The links for a whole conversation; nothing where it is not kept."""
    return _links(talk, 0, "会話を") if talk else ""


def answer_papers(talk: str, entry: int) -> str:
    """The links for one answer; nothing where it is not kept."""
    return _links(talk, entry, "回答を") if talk and entry else ""


def _links(talk: str, entry: int, what: str) -> str:
    links = " ".join(
        f'<a class="hy-paper" href="{paper_address(talk, ending, entry)}" download>{what}{name}で保存</a>'
        for ending, name in (("docx", "Word"), ("xlsx", "Excel"))
    )
    return f'<p class="hy-box hy-papers">{links}</p>'
