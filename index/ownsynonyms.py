"""The city's own file of synonyms, beside the bundled one: searched, changed group by group, written at once or not."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from corpus.errors import SettingsError
from index.synonymfile import FILE, GROUPS, ONE_WAY, SLIPS, Group, SynonymTable, joined, parse_synonyms, read_synonyms
from index.synonyms import Synonyms, synonyms_of, written

KINDS = (*GROUPS, *ONE_WAY, *SLIPS)
BACKUP = ".bak"
MOST_TERMS, LONGEST = 40, 100
_HEAD = (
    "# 自分たちの言いかえ辞書。書き方は同梱の辞書（index/synonyms.toml）の先頭と docs/synonyms.md にあります。\n"
    "# 画面の「管理」→「言いかえ」から書きかえられます。1つ前の版は、同じ名前に .bak を付けて残ります。\n"
)


@dataclass(frozen=True, slots=True)
class SynonymGroup:
    """One group as the files have it; ``kind`` is its table, ``own`` whether it stands in the city's file."""

    kind: str
    terms: Group
    own: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is not written yet: ``old`` goes (None: nothing), ``new`` comes (None: nothing)."""

    old: SynonymGroup | None
    new: SynonymGroup | None


class OwnSynonyms:
    """The city's own file at ``file``, which need not be there yet; the bundled file is only read."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def text(self) -> str:
        """The file as it is; empty where there is none. Raises SettingsError where it cannot be read."""
        try:
            return self.file.read_text("utf-8") if self.file.exists() else ""
        except (OSError, ValueError) as error:
            raise SettingsError(f"{self.file} を読めません（{error}）。権限と文字コードを確かめてください。") from error

    def groups(self) -> list[SynonymGroup]:
        """Every group, the city's own ones first. Raises SettingsError, with the line, for a mistake in the own file."""
        text = self.text()
        parse_synonyms(text, self.file)
        return [*_groups(text, True), *_groups(FILE.read_text("utf-8"), False)]

    def changed(self, change: Change) -> str:
        """The text of the file after a change; comments stay. Raises SettingsError where the change cannot be made."""
        text = self.text()
        parse_synonyms(text, self.file)
        try:
            table = tomlkit.parse(text or _HEAD)
        except TOMLKitError as error:
            raise SettingsError(f"{self.file} を書きかえられません（{error}）。手で直してください。") from error
        if change.old is not None:
            groups = table.get(change.old.kind, [])
            at = next((i for i, one in enumerate(groups) if tuple(map(str, one)) == change.old.terms), None)
            if at is None:
                raise SettingsError("この組は、ほかの人が変更したか消したようです。一覧を開き直してください。")
            if change.new is not None and change.new.kind == change.old.kind:
                groups[at] = _line(change.new.terms)
            else:
                del groups[at]
        if change.new is not None and (change.old is None or change.old.kind != change.new.kind):
            if change.new.kind not in table:
                table.append(change.new.kind, tomlkit.array().multiline(True))
            groups = table[change.new.kind]
            if isinstance(groups, Array):
                groups.add_line(_line(change.new.terms))
        new = tomlkit.dumps(table)
        parse_synonyms(new, self.file)
        return new

    def trial(self, change: Change | None) -> Synonyms:
        """What would be in force after a change (None: what is)."""
        text = self.text() if change is None else self.changed(change)
        return synonyms_of(joined(read_synonyms(), parse_synonyms(text, self.file)))

    def save(self, text: str) -> SynonymTable:
        """Writes the file so that at every moment the old one or the new one is there; the old one stays as a backup.

        Raises SettingsError for a text with a mistake, and where the file cannot be written.
        """
        table = parse_synonyms(text, self.file)
        new = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            before = self.file.read_bytes() if self.file.exists() else None
            _write(new, text.encode("utf-8"))
            if before is not None:
                spare = self.file.with_name(f".{self.file.name}{BACKUP}.{os.getpid()}")
                _write(spare, before)
                spare.replace(self.backup)
            new.replace(self.file)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise SettingsError(
                f"{self.file} に書き込めません（{error.strerror}）。権限と空き容量を確かめてください。"
            ) from error
        return table

    @property
    def backup(self) -> Path:
        """Where the version before the last change is kept."""
        return self.file.with_name(f"{self.file.name}{BACKUP}")

    def restore(self) -> None:
        """Puts the version before the last change back, which becomes the one before. Raises SettingsError without one."""
        try:
            text = self.backup.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise SettingsError("1つ前の版がありません。まだ一度も書きかえていないか、消されています。") from error
        self.save(text)


def checked(kind: str, terms: Iterable[str]) -> SynonymGroup:
    """A group as a person typed it; raises SettingsError, in words for that person, where it cannot be one."""
    found = [" ".join(term.split()) for term in terms if term.strip()]
    if kind not in KINDS:
        raise SettingsError("種類を選んでください。")
    if len(found) < 2:
        raise SettingsError("ことばを2つ以上、1行に1つずつ書いてください。")
    if len(found) > MOST_TERMS:
        raise SettingsError(f"1つの組に書けることばは{MOST_TERMS}個までです。組を分けてください。")
    seen: dict[str, str] = {}
    for at, term in enumerate(found, 1):
        if len(term) > LONGEST:
            raise SettingsError(f"{at}行目が長すぎます。{LONGEST}文字以内のことばにしてください。")
        if not written(term):
            raise SettingsError(f"{at}行目「{term}」は、ことばとして読めません。書き直してください。")
        if (same := seen.get(written(term))) is not None:
            raise SettingsError(f"{at}行目「{term}」は「{same}」と同じことばです。どちらかを消してください。")
        seen[written(term)] = term
    return SynonymGroup(kind, tuple(found), True)


def overlaps(group: SynonymGroup, groups: Iterable[SynonymGroup], old: SynonymGroup | None = None) -> list[str]:
    """What a person may want to know before saving, as Japanese sentences: groups that hold all of it already."""
    inside = set(map(written, group.terms))
    return [
        f"同じことばを含む{'自分たちの' if one.own else '同梱の'}組がすでにあります（{'、'.join(one.terms)}）。"
        for one in groups
        if one != old and one.kind == group.kind and inside <= set(map(written, one.terms))
    ]


def matching(groups: Sequence[SynonymGroup], words: str, kind: str = "", own: bool = False) -> list[SynonymGroup]:
    """The groups with a term that contains what is looked for, of one kind and of the city alone where that is asked."""
    wanted = written(words)
    return [
        one
        for one in groups
        if (not kind or one.kind == kind)
        and (one.own or not own)
        and (not wanted or any(wanted in written(term) for term in one.terms))
    ]


def _groups(text: str, own: bool) -> list[SynonymGroup]:
    table = tomllib.loads(text)
    return [SynonymGroup(kind, tuple(group), own) for kind in KINDS for group in table.get(kind, ())]


def _line(terms: Sequence[str]) -> Array:
    line = tomlkit.array()
    line.extend(terms)
    return line


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
