"""Settings: flags, then ``HYOKA_*`` variables, then ``hyoka.toml`` in the working directory, then the defaults."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from corpus.errors import SettingsError
from index.namepolicy import StaffNames
from index.postgresurl import SHAPE, has_shape

FILE = Path("hyoka.toml")
_SERVER = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
SECRET = {"database_url", "llm_key"}  # never repeated: a password stands in it
# First parts of our own addresses: a path prefix of that name could not be told from them.
_TAKEN = frozenset(
    "api assets compare docs docs-assets evaluation export gradio_api healthz hyoka-assets login logout metrics papers readyz search"
    " sheet static status".split()
)
# The others come from the variables and the file.
FLAGS = {
    "index_dir", "host", "port", "max_file_mb", "forms", "workers", "root_path", "auth", "without_login", "tls_cert",
    "tls_key",
}  # fmt: skip


class Settings(BaseSettings):
    """Everything that can be set. A description says in Japanese what a usable value is."""

    model_config = SettingsConfigDict(
        env_prefix="HYOKA_", env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    index_dir: Path = Field(default=Path(".hyoka/index"), description="索引のフォルダーのパス")
    encoder: str | None = Field(
        default=None, min_length=1, description="埋め込みモデルのフォルダーか名前（なければ同梱のモデル）"
    )
    engine: Literal["local", "milvus"] = Field(default="local", description="local か milvus（検索エンジン）")
    milvus_uri: str | None = Field(
        default=None,
        min_length=1,
        description="Milvus のアドレス（http://ホスト:19530）か Milvus Lite のファイル（….db）のパス",
    )
    milvus_token: str | None = Field(
        default=None, repr=False, description="Milvus の利用者名:パスワード、またはトークン"
    )
    query_prefix: str | None = Field(default=None, description="質問の前に置く文字列（なければモデルの種類に合わせる）")
    passage_prefix: str | None = Field(
        default=None, description="本文の前に置く文字列（なければモデルの種類に合わせる）"
    )
    reranker: str | None = Field(
        default=None, min_length=1, description="並べ替えのモデルのフォルダーか名前（なければ並べ替えない）"
    )
    reranker_ms: float = Field(default=300, ge=10, le=60_000, description="10から60000の数（ミリ秒）")
    host: str = Field(default="127.0.0.1", min_length=1, description="待ち受けるアドレス")
    port: int = Field(default=8000, ge=1, le=65535, description="1から65535の整数")
    max_file_mb: float = Field(default=200, gt=0, le=100_000, description="0より大きい数（メガバイト）")
    forms: Path | None = Field(default=None, description="様式のファイル（.toml）を置いたフォルダーのパス")
    max_file_seconds: float = Field(default=300, gt=0, le=86_400, description="0より大きい数（秒）")
    jobs: int | None = Field(default=None, ge=0, le=64, description="0から64の整数（読み込みに使うプロセスの数）")
    ray_address: str | None = Field(
        default=None,
        min_length=1,
        description="Rayクラスターのアドレスとポート（例 10.0.0.5:6379）",
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="/hyoka のように / で始まり / で終わらないパス（リバースプロキシの下に置くとき）",
    )
    stop_seconds: float = Field(
        default=20, ge=0, le=600, description="0から600の数（秒。停止のとき、処理中の応答を待つ長さ）"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="text か json（記録の形）")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="debug、info、warning、error のどれか（どこまで記録するか）"
    )
    sources: Annotated[tuple[Path, ...] | None, NoDecode] = Field(
        default=None, description="管理画面から読み直すファイルやフォルダー（: で区切る。tomlでは並び）"
    )
    synonyms: Path | None = Field(default=None, description="自分たちの言いかえ辞書（.toml）のパス")
    watch_seconds: float = Field(
        default=2, ge=0, le=3_600, description="0から3600の数（秒。索引の入れ替わりを確かめる間隔、0なら確かめない）"
    )
    count_questions: bool = Field(default=True, description="true か false（よく聞かれる質問を数えるか）")
    answers_at_once: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="1から64の整数（同時に処理する質問と検索の数。なければコアの数、少なくとも2）",
    )
    waiting: int = Field(default=64, ge=0, le=10_000, description="0から10000の整数（順番を待てる質問と検索の数）")
    waiting_seconds: float = Field(default=10, gt=0, le=600, description="0より大きく600以下の数（秒。順番を待つ長さ）")
    auth: Literal["off", "password", "users", "proxy"] = Field(
        default="off",
        description="off（ログインなし）、password（共通パスワード）、users（利用者ごと）、proxy（前に置いたプロキシ）のどれか",
    )
    access_file: Path | None = Field(default=None, description="パスワード、利用者、鍵のファイル（.toml）のパス")
    without_login: bool = Field(
        default=False, description="true か false（ほかのパソコンからもログインなしで使わせるか）"
    )
    session_hours: float = Field(
        default=12, gt=0, le=720, description="0より大きく720以下の数（時間。ログインが続く長さ）"
    )
    requests_per_minute: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="0から1000000の整数（一人が1分に送れる要求の数。0なら限らない）",
    )
    proxies: str = Field(default="127.0.0.1, ::1", description="信じるプロキシのアドレスの並び（, で区切る）")
    proxy_user_header: str = Field(
        default="X-Forwarded-User", min_length=1, description="プロキシが利用者の名前を書くヘッダーの名前"
    )
    proxy_groups_header: str | None = Field(
        default=None, min_length=1, description="プロキシがグループの名前（, で区切る）を書くヘッダーの名前"
    )
    tls_cert: Path | None = Field(default=None, description="サーバー証明書（PEM）のパス")
    tls_key: Path | None = Field(default=None, description="証明書の秘密鍵（PEM）のパス")
    workers: int = Field(
        default=1, ge=1, le=64, description="1から64の整数（質問と検索に答えるプロセスの数。1なら画面と同じプロセス）"
    )
    worker_seconds: float = Field(
        default=30, gt=0, le=600, description="0より大きく600以下の数（秒。一つの回答にかけてよい時間）"
    )
    answer_cache: int = Field(
        default=500,
        ge=0,
        le=100_000,
        description="0から100000の整数（同じ質問のために覚えておく回答の数、0なら覚えない）",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description=f"PostgreSQLのアドレス（{SHAPE}。なければファイルに残す）",
    )
    llm_base_url: str | None = Field(
        default=None,
        description="言語モデルのサーバーのアドレス（http://ホスト:ポート/v1。なければ言語モデルを使わない）",
    )
    llm_model: str | None = Field(default=None, min_length=1, description="言語モデルの名前")
    llm_key: SecretStr | None = Field(default=None, description="言語モデルのサーバーの鍵")
    llm_seconds: float = Field(
        default=10, ge=0.2, le=300, description="0.2から300の数（秒。一つの質問で言語モデルを待つ長さ）"
    )
    feedback_file: Path | None = Field(default=None, description="評価と会話の履歴を残すファイルのパス")
    audit: bool = Field(default=False, description="true か false（だれが、いつ、何を聞いたかを監査のために残すか）")
    audit_days: int = Field(default=365, ge=1, le=36_500, description="1から36500の整数（監査の記録を残す日数）")
    staff_names: StaffNames = Field(
        default="mask",
        description="mask、admins、show のどれか（担当者などの氏名。mask は伏せる、admins は管理者だけ見られる、show は見せる）",
    )
    history: bool = Field(default=True, description="true か false（会話の履歴を残すかどうか）")
    history_days: int = Field(default=90, ge=1, le=3_650, description="1から3650の整数（会話の履歴を残す日数）")
    history_most: int = Field(default=200, ge=1, le=10_000, description="1から10000の整数（一人ごとに残す会話の数）")

    @field_validator("sources", mode="before")
    @classmethod
    def _divided(cls, value: Any) -> Any:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("root_path")
    @classmethod
    def _free(cls, value: str) -> str:
        if value.split("/")[1:2] and value.split("/")[1] in _TAKEN:
            raise ValueError("an address of ours begins with it")
        return value

    @field_validator("database_url")
    @classmethod
    def _addressed(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not has_shape(value.get_secret_value()):
            raise ValueError("not the address of a PostgreSQL server")
        return value

    @field_validator("llm_base_url")
    @classmethod
    def _of_server(cls, value: str | None) -> str | None:
        if value is not None and not _SERVER.fullmatch(value):
            raise ValueError("not the address of a server")
        return value

    @model_validator(mode="after")
    def _model_named(self) -> Settings:
        if (self.llm_base_url is None) != (self.llm_model is None):
            raise ValueError("llm_base_url and llm_model go together")
        return self

    @property
    def database(self) -> str | None:
        """The address of the PostgreSQL server with its password, where there is one: never to be shown."""
        return None if self.database_url is None else self.database_url.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written down: passwords and tokens, and the address that holds one."""
        token = self.milvus_token or ""
        return tuple(one for one in (self.database or "", token, *token.split(":")[1:]) if one)

    @property
    def synonyms_file(self) -> Path:
        """The city's own synonyms: as set, or ``synonyms.toml`` beside the index."""
        return self.synonyms or self.index_dir / "synonyms.toml"

    @property
    def access(self) -> Path:
        """The access file: as set, or ``access.toml`` beside the index."""
        return self.access_file or self.index_dir / "access.toml"

    @property
    def at_once(self) -> int | None:
        """How many answers and searches are worked on at the same time; None for what the line takes by itself.

        One more than there are answering processes, so that none of them waits while an answer is being sent.
        """
        return self.answers_at_once or (self.workers + 1 if self.workers > 1 else None)

    @property
    def max_bytes(self) -> int:
        """The size limit of a file in bytes."""
        return int(self.max_file_mb * 1024 * 1024)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before variables before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, FILE)


def load_settings(**flags: Any) -> Settings:
    """The settings in force; flags that are None were not given. Raises SettingsError naming the setting.

    >>> load_settings(port=9000, host=None).port
    9000
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(" ".join(_sentence(dict(problem)) for problem in error.errors())) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(
            f"{FILE} を読めません（{error}）。TOMLの書き方とファイルの権限を確かめてください。"
        ) from error


def _sentence(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    if not name and problem["type"] == "value_error":
        return "言語モデルを使うには、HYOKA_LLM_BASE_URL と HYOKA_LLM_MODEL の両方を指定してください。"
    field = Settings.model_fields.get(name)
    if field is None:
        known = "、".join(Settings.model_fields)
        return f"{FILE} の設定「{name}」はありません。使える設定: {known}。"
    flag = f"--{name.replace('_', '-')}、" if name in FLAGS else ""
    shown = "" if name in SECRET else f"「{problem['input']}」"
    return (
        f"設定 {name} の値{shown}は使えません。{field.description}を指定してください"
        f"（{flag}HYOKA_{name.upper()} または {FILE}）。"
    )
