"""What ``hyoka index`` does: files to an index, and the report of it."""

from __future__ import annotations

from functools import partial
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from assistant import console
from corpus.errors import EngineError, IndexMissing, NothingToIndex, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assistant.changes import Changes
    from assistant.intake import Intake
    from assistant.printouts import Indexed
    from assistant.settings import Settings
    from corpus.sources import SourceFile
    from index.firststage import Engine
    from index.spool import Spool
    from index.spread import Spread
    from index.types import Encoder

DIGESTS = "digests.json"  # in the index folder: which files were as they are now


def run_index(
    settings: Settings,
    sources: list[str],
    add: bool,
    report: Path | None,
    json_output: bool,
    keep: bool | None = None,
    whole: bool = False,
) -> None:
    """Reads the sources, builds, updates or adds to the index, and prints what was read; ``report`` is where its CSV goes.

    Where little has changed since the index was made, only that is read and written; ``whole``: every file is looked at and everything
    written.
    ``keep`` says whether the original PDFs are kept beside the index; None: as before.
    """
    if report is not None and not report.parent.is_dir():
        raise SettingsError(f"報告を書き出すフォルダー {report.parent} がありません。先に作ってください。")
    from assistant.accounts import file_accounts, report_csv
    from assistant.changes import changes_since
    from assistant.intake import Intake
    from assistant.opening import encoder_of, use_reachable_server
    from assistant.printouts import index_report, show_index_report
    from assistant.raycluster import spread_of
    from corpus.digests import Digests
    from corpus.sources import digest, find_files
    from index.modelencoder import ModelEncoder
    from index.preparing import preparer_of, spool_of
    from index.snapshot import Snapshot
    from index.stored import StoredReadings

    files = find_files(sources, settings.max_bytes)
    digests = Digests(settings.index_dir / DIGESTS)
    sum_of = digest if whole else digests
    use_reachable_server(settings)
    engine = _engine(settings)
    encoder = encoder_of(settings)
    if isinstance(encoder, ModelEncoder):
        console.note(f"{encoder.about}。")
    stored = StoredReadings(settings.index_dir, later=True)
    changes = None if whole else changes_since(stored, encoder, files, settings.max_bytes, add, sum_of)
    if changes is None:
        stored.close()
        stored = StoredReadings(settings.index_dir)
    else:
        stored.forget(changes.removed)
    spread = spread_of(settings)
    spool = spool_of(settings.index_dir)
    began = monotonic()
    with console.progress() as tell:
        intake = Intake(
            files if changes is None else changes.files,
            settings.max_bytes,
            lambda name, done: tell(f"読み込み {name}".strip(), done, len(intake.files), intake.sections),
            jobs=settings.jobs,
            max_seconds=settings.max_file_seconds,
            stored=stored,
            adding=add or changes is not None,
            preparer=preparer_of(encoder),
            spool=spool,
            spread=spread,
            carry=spread is not None,
            sum_of=sum_of,
        )
        try:
            if changes is None:
                done = _build(intake, settings, encoder, spool, spread, add, tell, sources, engine)
            else:
                done = _update(intake, settings, encoder, changes, add, tell, sources, engine)
                spool.remove()
        except NothingToIndex as error:
            raise _nothing(intake, sources) from error
        except EngineError:
            console.note("索引はできましたが、Milvus に送り終えていません。hyoka milvus で続きから送れます。")
            raise
    if not whole:
        digests.save(others=add)
    seconds = monotonic() - began
    _keep_originals(settings, keep, files)
    for refused in intake.refused:
        console.note(f"読めませんでした: {refused.message}")
    if add and not (intake.read or intake.copies or done.unchanged):
        raise _nothing(intake, sources)
    accounts = []
    if report is not None or (json_output and (changes is None or intake.read)):
        snapshot = Snapshot.open(settings.index_dir, encoder)
        of = None if report is not None or changes is None else {one.file for one in intake.read}
        accounts = file_accounts(snapshot, of)
        snapshot.close()
    if report is not None:
        report.write_bytes(report_csv(accounts))
    if json_output:
        console.say_json(index_report(intake, done, settings.index_dir, accounts, seconds))
    else:
        show_index_report(intake, done, settings.index_dir, seconds)


def run_milvus(settings: Settings, json_output: bool) -> None:
    """Sends the index to Milvus, or the rest of it, and says what is there."""
    from assistant.opening import milvus_of
    from index.build import finish
    from index.engines.milvusstate import SentSnapshots

    engine = milvus_of(settings)
    engine.check()
    with console.progress() as tell:
        name = finish(settings.index_dir, engine, tell)
    sent = SentSnapshots(settings.index_dir).sent(name)
    assert sent is not None
    if json_output:
        told = {"index_version": name, "collection": sent.collection, "rows": sent.rows, "sparse": sent.words}
        console.say_json({**told, "uri": engine.server.shown})
        return
    console.say(f"索引 {name} は Milvus（{engine.server.shown}）にあります。{sent.rows:,}件、{sent.collection}。")
    if not sent.words:
        console.note("この Milvus は疎ベクトルを扱えないため、語の検索にはこの索引のファイルを使います。")


def _engine(settings: Settings) -> Engine | None:
    """The search engine of the settings. That it answers is seen before hours of reading."""
    from assistant.opening import engine_of

    engine = engine_of(settings)
    if engine is not None:
        engine.check()
    return engine


def run_compaction(settings: Settings, json_output: bool) -> None:
    """Writes the index anew from the readings it holds, so that nothing of its updates is left to look past."""
    from assistant.opening import encoder_of, use_reachable_server
    from assistant.printouts import Indexed, compaction_report, document_parts_of
    from index.update import compact

    use_reachable_server(settings)
    with console.progress() as tell:
        snapshot = compact(settings.index_dir, encoder_of(settings), _only_counted(tell), _engine(settings))
    done = Indexed(snapshot.version, snapshot.manifest.counts, document_parts_of(snapshot), len(snapshot.files()))
    snapshot.close()
    if json_output:
        console.say_json(compaction_report(done, settings.index_dir))
    else:
        console.say(f"索引を整理しました（文書 {done.counts['documents']}、索引: {settings.index_dir}）。")


def _build(
    intake: Intake,
    settings: Settings,
    encoder: Encoder,
    spool: Spool,
    spread: Spread | None,
    add: bool,
    tell: console.Told,
    sources: list[str],
    engine: Engine | None,
) -> Indexed:
    """Builds the index of an intake, with what is there already where the intake is added to it."""
    from assistant.printouts import Indexed, document_parts_of
    from assistant.workers import Workers
    from index.build import build
    from index.manifest import check
    from index.snapshot import Snapshot
    from index.spread import Here

    kept: Any = ()
    before: list[tuple[str, str]] = []
    made_of = [str(Path(source).resolve()) for source in sources]
    if add:
        try:
            # Of a file that is there twice the first reading counts, so the new ones come first.
            old = Snapshot.open(settings.index_dir, encoder)
            check(settings.index_dir, old.path, old.manifest, old.manifest.records())
            kept, before = old.readings(), old.refused()
            made_of = list(dict.fromkeys([*old.manifest.sources, *made_of]))
        except IndexMissing:
            pass

    def refused() -> list[tuple[str, str]]:
        return [*((one.file, one.message) for one in intake.refused), *before]

    if spread is None:
        spread = partial(Workers, jobs=intake.jobs, seconds=settings.max_file_seconds) if intake.jobs else Here
    readings = chain(intake, kept)
    told = _only_counted(tell)
    snapshot = build(readings, encoder, settings.index_dir, told, refused, made_of, spread, spool, engine)
    done = Indexed(snapshot.version, snapshot.manifest.counts, document_parts_of(snapshot), intake.reused)
    snapshot.close()
    return done


def _update(
    intake: Intake,
    settings: Settings,
    encoder: Encoder,
    changes: Changes,
    add: bool,
    tell: console.Told,
    sources: list[str],
    engine: Engine | None,
) -> Indexed:
    """Takes what has changed into the index."""
    from assistant.printouts import Indexed
    from index.stored import StoredReadings
    from index.update import document_parts, update

    made_of = [str(Path(source).resolve()) for source in sources]
    before: list[tuple[str, str]] = []
    if add:
        made_of = list(dict.fromkeys([*changes.manifest.sources, *made_of]))
        before = list(StoredReadings(settings.index_dir, later=True).refused().items())

    def refused() -> list[tuple[str, str]]:
        return [*((one.file, one.message) for one in intake.refused), *before]

    def gone() -> Iterator[str]:
        """Asked when the readings are through. A file that stands in the index and cannot be read any more is no part
        of it, nor is one that has become a copy; unless it is an index that is only added to."""
        yield from changes.removed
        if not add:
            yield from (one.file for one in intake.refused)
            yield from (copy.file for copy in intake.copies)

    made = update(
        settings.index_dir,
        encoder,
        intake,
        gone(),
        progress=_only_counted(tell),
        refused=refused,
        sources=made_of,
        expected=changes.manifest.id,
        engine=engine,
    )
    parts = document_parts(settings.index_dir, made.manifest)
    return Indexed(made.manifest.id, made.manifest.counts, parts, changes.unchanged + intake.reused, made)


def _only_counted(tell: console.Told) -> Callable[[str, int, int], None]:
    """Passes on the steps whose length is known."""

    def built(what: str, done: int, total: int) -> None:
        if total:
            tell(what, done, total)

    return built


def _keep_originals(settings: Settings, keep: bool | None, found: list[SourceFile]) -> None:
    """Keeps the PDFs of the index that was just made, or none, so that its pages can be shown as pictures."""
    from corpus.sources import source_bytes
    from index.originals import drop_originals, keep_originals, keeps_originals
    from index.stored import StoredReadings

    folder = settings.index_dir
    if keep is False or not (keep or keeps_originals(folder)):
        drop_originals(folder)
        return
    files = {file.name: file for file in found if file.suffix == ".pdf" and not file.skipped}
    stored = StoredReadings(folder, later=True)
    held = {name: sha256 for name, sha256 in stored.files().items() if name.lower().endswith(".pdf")}
    stored.close()
    keep_originals(
        folder,
        # What was added before is kept already; its source may be anywhere by now.
        {
            sha256: partial(source_bytes, files[name], settings.max_bytes) if name in files else _gone
            for name, sha256 in held.items()
        },
    )


def _gone() -> bytes:
    raise FileNotFoundError


def _nothing(intake: Intake, sources: list[str]) -> NothingToIndex:
    """The sentence for a run that read nothing, after the reason of every file."""
    for refused in intake.refused:
        console.note(f"読めませんでした: {refused.message}")
    if intake.read:
        found = f"{len(intake.read)}件のファイルに評価シートの欄が見つかりませんでした"
    elif intake.refused:
        found = "読めるファイルが一つもありませんでした"
    else:
        found = f"{'、'.join(sources)} に読めるファイルがありません"
    return NothingToIndex(f"{found}。評価シート（PDF・Excel・Word・HTML・テキスト）の場所を確かめてください。")
