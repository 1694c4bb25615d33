"""A Milvus server, or the file of Milvus Lite: connecting, time limits, and its errors as ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from corpus.errors import EngineError, EngineUnavailable, HyokaError, IndexNotSent, SettingsError

CONNECT_SECONDS, ASK_SECONDS, WRITE_SECONDS = 5.0, 5.0, 120.0
LITE = ".db"
_INSTALL = "pip install 'hyoka[milvus]' を実行してください。"
_SPARSE = (2, 4)  # the version from which a server has sparse vectors, and from which upsert finds the right partition
_NO_COLLECTION = 100  # Milvus' own number
_RETRY = 5  # seconds


class MilvusServer:
    """One connection, shared by all threads. Every call ends after a time limit; what fails becomes an EngineError."""

    def __init__(
        self, uri: str, token: str = "", connect_seconds: float = CONNECT_SECONDS, ask_seconds: float = ASK_SECONDS
    ) -> None:
        """``uri`` is ``http://host:19530``, or the path of a file ``….db`` for Milvus Lite. Nothing is connected yet.

        Raises SettingsError where a package is missing or the address cannot be one.
        """
        self.uri, self._token = uri, token
        self.connect_seconds, self.ask_seconds = connect_seconds, ask_seconds
        if find_spec("pymilvus") is None:
            raise SettingsError(f"検索エンジン milvus には pymilvus が必要です。{_INSTALL}")
        if uri.endswith(LITE):
            if find_spec("milvus_lite") is None:
                raise SettingsError(f"Milvus Lite のファイル {uri} を使うには milvus-lite が必要です。{_INSTALL}")
            if not Path(uri).resolve().parent.is_dir():
                raise SettingsError(f"Milvus Lite のファイル {uri} を置くフォルダーがありません。先に作ってください。")
        elif urlsplit(uri).scheme not in ("http", "https", "tcp") or not urlsplit(uri).hostname:
            raise SettingsError(
                f"設定 milvus_uri の値「{self.shown}」は使えません。http://ホスト:19530 の形のアドレスか、"
                "Milvus Lite のファイル（….db）のパスを指定してください（HYOKA_MILVUS_URI または hyoka.toml）。"
            )

    @property
    def shown(self) -> str:
        """The address without a user's name and password."""
        return re.sub(r"//[^/@]*@", "//", self.uri)

    @cached_property
    def client(self) -> Any:
        """The connected client; raises EngineUnavailable where nobody answers."""
        from pymilvus import MilvusClient

        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs what it raises
        with self.asking("接続"):
            return MilvusClient(uri=self.uri, token=self._token, timeout=self.connect_seconds)

    @cached_property
    def _version(self) -> tuple[int, int]:
        """Of the server; what does not say it in numbers is taken for a new one."""
        with self.asking("版の確認"):
            told = str(self.client.get_server_version(timeout=self.ask_seconds))
        found = None if "lite-" in told else re.search(r"(?<!\d)(\d++)\.(\d+)", told)
        return (int(found[1]), int(found[2])) if found else (99, 0)

    @property
    def sparse(self) -> bool:
        """Whether it can hold sparse vectors."""
        return self._version >= _SPARSE

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Inside, what Milvus raises becomes an error of ours; ``what`` says in Japanese what was being done."""
        try:
            yield
        except HyokaError:
            raise
        except Exception as error:  # pymilvus raises its own, grpc's, and now and then plain ones
            raise self._told(what, error) from error

    def _told(self, what: str, error: Exception) -> EngineError | IndexNotSent:
        code, text = getattr(error, "code", None), str(getattr(error, "message", error))
        if code == _NO_COLLECTION or "can't find collection" in text or "collection not found" in text:
            return IndexNotSent(f"Milvus（{self.shown}）に索引がありません。hyoka milvus で索引を送ってください。")
        if re.search(r"auth|permission|privilege", text, re.IGNORECASE):
            return EngineError(
                f"Milvus（{self.shown}）に入れませんでした。HYOKA_MILVUS_TOKEN（利用者名:パスワード）を確かめてください。"
            )
        return EngineUnavailable(
            f"検索エンジン Milvus（{self.shown}）での{what}に失敗しました（{_brief(text)}）。"
            "サーバーが動いているか、HYOKA_MILVUS_URI が正しいかを確かめ、少し待ってからもう一度お試しください。",
            _RETRY,
        )

    def has(self, collection: str) -> bool:
        """Whether there is such a collection."""
        with self.asking("索引の確認"):
            return bool(self.client.has_collection(collection, timeout=self.ask_seconds))

    def collections(self) -> list[str]:
        """The names of all collections."""
        with self.asking("索引の確認"):
            return [str(name) for name in self.client.list_collections(timeout=self.ask_seconds)]

    def count(self, collection: str, expression: str) -> int:
        """How many rows there are now, written ones that others may not see yet included."""
        with self.asking("件数の確認"):
            rows = self.client.query(
                collection,
                filter=expression,
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=WRITE_SECONDS,
            )
            return int(rows[0]["count(*)"])

    def search(
        self, collection: str, field: str, vector: Any, limit: int, expression: str, params: dict[str, Any]
    ) -> list[tuple[int, float]]:
        """The numbers of the rows with the highest inner products, best first."""
        with self.asking("検索"):
            found = self.client.search(
                collection,
                data=[vector],
                anns_field=field,
                limit=limit,
                filter=expression,
                search_params={"metric_type": "IP", "params": params},
                output_fields=["id"],  # Milvus Lite takes none for all of them
                consistency_level="Bounded",
                timeout=self.ask_seconds,
            )
            return [(int(hit["id"]), float(hit["distance"])) for hit in found[0]]

    def write(self, collection: str, rows: list[dict[str, Any]], new: bool) -> None:
        """Writes rows, instead of any with the same number; ``new`` says that there are none."""
        with self.asking("書き込み"):
            if new:
                self.client.insert(collection, rows, timeout=WRITE_SECONDS)
            elif self.sparse:
                self.client.upsert(collection, rows, timeout=WRITE_SECONDS)
            else:
                # Upsert of such a server puts rows into the wrong partition, where no filter finds them.
                self.delete(collection, [row["id"] for row in rows])
                self.client.insert(collection, rows, timeout=WRITE_SECONDS)

    def delete(self, collection: str, numbers: Sequence[int]) -> None:
        """Removes rows by their numbers."""
        with self.asking("削除"):
            for at in range(0, len(numbers), 10_000):
                self.client.delete(collection, ids=list(numbers[at : at + 10_000]), timeout=WRITE_SECONDS)

    def delete_where(self, collection: str, expression: str) -> None:
        """Removes all rows of an expression."""
        with self.asking("削除"):
            self.client.delete(collection, filter=expression, timeout=WRITE_SECONDS)

    def flush(self, collection: str) -> None:
        """Returns when everything written is on disk."""
        with self.asking("書き込みの確定"):
            self.client.flush(collection, timeout=WRITE_SECONDS)

    def load(self, collection: str) -> None:
        """Makes a collection ready to be searched; does nothing where it is."""
        with self.asking("索引の読み込み"):
            self.client.load_collection(collection, timeout=WRITE_SECONDS)

    def drop(self, collection: str) -> None:
        """Removes a collection if it is there."""
        with self.asking("古い索引の削除"):
            self.client.drop_collection(collection, timeout=WRITE_SECONDS)

    def close(self) -> None:
        """Ends the connection."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.close()


def _brief(text: str) -> str:
    """The beginning of what Milvus says, on one line."""
    return " ".join(text.split())[:120]
