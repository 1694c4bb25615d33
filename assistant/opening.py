"""The models and the index that the settings name, for whoever opens them: the command line and the evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.settings import Settings
from corpus.errors import SettingsError

if TYPE_CHECKING:
    from index.engines.milvusengine import MilvusEngine
    from index.snapshot import Snapshot
    from index.types import Encoder

# The index's modules are imported inside: `hyoka --help` must not wait for them.


def encoder_of(settings: Settings) -> Encoder:
    """The encoder of the settings, with their prefixes."""
    from index.encoder import load_encoder

    if settings.query_prefix is None and settings.passage_prefix is None:
        return load_encoder(settings.encoder)
    return load_encoder(settings.encoder, settings.query_prefix, settings.passage_prefix)


def use_server(settings: Settings) -> None:
    """From now on records are read from the PostgreSQL server of the settings, and copied to it, where there is one."""
    from index.recordsserver import use_records_server

    use_records_server(settings.database)


def use_reachable_server(settings: Settings) -> None:
    """The same for whoever writes an index: what stands in the way of the server is raised now, not after hours."""
    from index.recordsserver import check_records_server

    use_server(settings)
    check_records_server()


def engine_of(settings: Settings) -> MilvusEngine | None:
    """The search engine of the settings, not connected yet; None for the files of the index themselves.

    Raises SettingsError where its address or a package is missing.
    """
    return milvus_of(settings) if settings.engine == "milvus" else None


def milvus_of(settings: Settings) -> MilvusEngine:
    """The Milvus of the settings, whether or not it is the engine in use."""
    if settings.milvus_uri is None:
        raise SettingsError(
            "検索エンジン milvus のアドレスがありません。HYOKA_MILVUS_URI（または hyoka.toml の milvus_uri）に、"
            "http://ホスト:19530 か Milvus Lite のファイル（….db）のパスを指定してください。"
        )
    from index.engines.milvusengine import MilvusEngine
    from index.engines.milvusserver import MilvusServer

    return MilvusEngine(MilvusServer(settings.milvus_uri, settings.milvus_token or ""))


def open_index(settings: Settings, reranked: bool = False) -> Snapshot:
    """The live snapshot with the encoder of the settings; ``reranked``: and with their reranker, for what searches."""
    from index.manifest import current
    from index.namepolicy import use_staff_names
    from index.reranker import load_reranker
    from index.snapshot import Snapshot
    from index.synonyms import use_synonyms

    use_staff_names(settings.staff_names)
    current(settings.index_dir)  # a missing index is told before a model is loaded for it
    use_synonyms(settings.synonyms_file)
    use_server(settings)
    reranker = load_reranker(settings.reranker, settings.reranker_ms) if reranked else None
    return Snapshot.open(settings.index_dir, encoder_of(settings), reranker=reranker, engine=engine_of(settings))
