"""What ``hyoka index`` does: files to an index, and the report of it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import console
from corpus.errors import IndexMissing, NothingToIndex, SettingsError

if TYPE_CHECKING:
    from assistant.intake import Intake
    from assistant.settings import Settings
    from index.snapshot import Snapshot


def run_index(
    settings: Settings, sources: list[str], add: bool, report: Path | None, json_output: bool, keep: bool | None = None
) -> None:
    """Reads the sources, builds or adds to the index, and prints what was read; ``report`` is where its CSV goes.

    ``keep`` says whether the original PDFs are kept beside the index; None: as before.
    """
    if report is not None and not report.parent.is_dir():
        raise SettingsError(f"報告を書き出すフォルダー {report.parent} がありません。先に作ってください。")
    from assistant.accounts import file_accounts, report_csv
    from assistant.intake import Intake
    from assistant.printouts import index_report, show_index_report
    from corpus.sources import find_files
    from index.stored import StoredReadings

    files = find_files(sources, settings.max_bytes)
    with console.progress() as tell:
        intake = Intake(
            files,
            settings.max_bytes,
            lambda name, done: tell(f"読み込み {name}".strip(), done, len(intake.files)),
            jobs=settings.jobs,
            max_seconds=settings.max_file_seconds,
            stored=StoredReadings(settings.index_dir),
            adding=add,
        )
        try:
            snapshot = _build(intake, settings, add, tell, sources)
        except NothingToIndex as error:
            raise _nothing(intake, sources) from error
    _keep_originals(intake, settings, keep)
    for refused in intake.refused:
        console.note(f"読めませんでした: {refused.message}")
    if add and not (intake.read or intake.copies):
        raise _nothing(intake, sources)
    accounts = file_accounts(snapshot) if report is not None or json_output else []
    if report is not None:
        report.write_bytes(report_csv(accounts))
    if json_output:
        console.say_json(index_report(intake, snapshot, settings.index_dir, accounts))
    else:
        show_index_report(intake, snapshot, settings.index_dir)


def _build(intake: Intake, settings: Settings, add: bool, tell: console.Told, sources: list[str]) -> Snapshot:
    """Builds the index of an intake, with what is there already where the intake is added to it."""
    from assistant.opening import encoder_of
    from index.build import build
    from index.modelencoder import ModelEncoder
    from index.recordsserver import check_records_server, use_records_server
    from index.snapshot import Snapshot

    use_records_server(settings.database)
    check_records_server()
    encoder = encoder_of(settings)
    if isinstance(encoder, ModelEncoder):
        console.note(f"{encoder.about}。")
    kept: Any = ()
    before: list[tuple[str, str]] = []
    made_of = [str(Path(source).resolve()) for source in sources]
    if add:
        try:
            # Of a file that is there twice the first reading counts, so the new ones come first.
            old = Snapshot.open(settings.index_dir, encoder)
            kept, before = old.readings(), old.refused()
            made_of = list(dict.fromkeys([*old.manifest.sources, *made_of]))
        except IndexMissing:
            pass

    def built(what: str, done: int, total: int) -> None:
        if total:
            tell(what, done, total)

    def refused() -> list[tuple[str, str]]:
        return [*((one.file, one.message) for one in intake.refused), *before]

    return build(chain(intake, kept), encoder, settings.index_dir, built, refused, made_of)


def _keep_originals(intake: Intake, settings: Settings, keep: bool | None) -> None:
    """Keeps the PDFs of the index that was just made, or none, so that its pages can be shown as pictures."""
    from functools import partial

    from corpus.sources import source_bytes
    from index.originals import drop_originals, keep_originals, keeps_originals
    from index.stored import StoredReadings

    folder = settings.index_dir
    if keep is False or not (keep or keeps_originals(folder)):
        drop_originals(folder)
        return
    files = {file.name: file for file in intake.files if file.suffix == ".pdf"}
    stored = StoredReadings(folder)
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
