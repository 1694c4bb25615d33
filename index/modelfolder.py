"""A model's folder as a person brought it: found by path or cached name, checked before anything slow is loaded.

What goes wrong on a USB stick has its own sentence each: a folder in a folder, weights cut short, a pointer of Git LFS
in place of a file, the tokenizer left behind, a model of the other kind, one that wants to run a program of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import SettingsError
from index.runtime import offline

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SHARDS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "tokenizer.model", "spiece.model", "vocab.txt")
_POINTER = b"version https://git-lfs"
# Other forms of the same weights, and texts for people: whether they were copied too changes no vector.
_OTHER_FORMS = {".md", ".py", ".onnx", ".h5", ".msgpack", ".ot", ".png", ".gitattributes"}
_OTHER_FOLDERS = {"onnx", "openvino"}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that is whole: its place, a name for people, ``config.json`` and the modules of ``modules.json``.

    ``modules`` is empty for a plain transformers folder; ``card`` is the text of its README.md, if it came along.
    """

    path: Path
    name: str
    config: dict[str, Any]
    modules: tuple[dict[str, str], ...] = ()
    card: str = field(default="", repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The class names of the modules: Transformer, Pooling, Normalize, StaticEmbedding …"""
        return tuple(module["type"].rsplit(".", 1)[-1] for module in self.modules)

    @property
    def is_model2vec(self) -> bool:
        """Whether it is a model2vec folder without the files of sentence-transformers."""
        return not self.modules and self.config.get("model_type") == "model2vec"

    @property
    def classifies(self) -> bool:
        """Whether the weights end in a classifier, as a cross-encoder's do and an encoder's do not."""
        names = self.config.get("architectures") or []
        return any(str(name).endswith("ForSequenceClassification") for name in names)


def find_model(source: str, setting: str) -> ModelFolder:
    """The folder a setting names: a path, or a name in the local Hugging Face cache. SettingsError with what to do."""
    path = Path(source).expanduser()
    if path.is_file():
        raise _problem(source, setting, "はファイルです。モデルのフォルダーを指定してください（圧縮されていれば展開）")
    folder = _inside_cache(path) if path.is_dir() else _cached(source, setting)
    config, modules = _read(folder, "config.json"), _read(folder, "modules.json")
    if config is None and modules is None:
        inner = sorted(p.parent for p in folder.glob("*/*.json") if p.name in ("config.json", "modules.json"))
        hint = f"中の {inner[0]} を指定してください" if inner else "モデルのフォルダー全体を写したか確かめてください"
        raise _problem(source, setting, f"に config.json も modules.json もありません。{hint}")
    listed = tuple(modules) if isinstance(modules, list) else ()
    card = folder / "README.md"
    text = card.read_text("utf-8", errors="replace") if card.is_file() else ""
    name = path.resolve().name if path.is_dir() else source
    found = ModelFolder(folder, name, config if isinstance(config, dict) else {}, listed, text)
    _check(found, source, setting)
    return found


def digest(folder: Path) -> str:
    """SHA-256 over the names and bytes of a model's files, without its texts for people and other forms of it."""
    total = hashlib.sha256()
    for file in sorted(_used(folder)):
        total.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _used(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        within = file.relative_to(folder).parts
        hidden = any(part.startswith((".", "__")) or part in _OTHER_FOLDERS for part in within)
        doubled = file.name == "pytorch_model.bin" and file.with_name("model.safetensors").exists()
        if file.is_file() and not hidden and not doubled and file.suffix not in _OTHER_FORMS:
            yield file


def _problem(source: str, setting: str, what: str) -> SettingsError:
    return SettingsError(f"モデル「{source}」{what}（{setting}）。")


def _inside_cache(path: Path) -> Path:
    """The snapshot within a folder of the Hugging Face cache (``models--…``), which people copy as it is."""
    pointer = path / "refs" / "main"
    if pointer.is_file():
        return path / "snapshots" / pointer.read_text("utf-8").strip()
    return path


def _cached(source: str, setting: str) -> Path:
    offline()
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(source, local_files_only=True))
    except Exception as error:  # a name that is none, a cache that is not there: for a person it is all the same
        what = "が見つかりません。フォルダーのパスか、この機械のキャッシュにある名前を指定してください。ネットワークからは取得しません"
        raise _problem(source, setting, what) from error


def _read(folder: Path, name: str) -> Any:
    """The parsed file; None where it is not there or cannot be read."""
    try:
        return json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _check(found: ModelFolder, source: str, setting: str) -> None:
    own = [m["type"] for m in found.modules if not m.get("type", "").startswith("sentence_transformers.")]
    if own:
        what = f"は独自のプログラム（{own[0]}）を必要とします。hyoka はモデルに付いたプログラムを動かしません。別のモデルを選んでください"
        raise _problem(source, setting, what)
    if not found.modules and not found.config.get("model_type"):
        raise _problem(
            source, setting, "の config.json に model_type がありません。モデルのフォルダーを写し直してください"
        )
    for module, kind in zip(found.modules, found.kinds, strict=True):
        at = found.path / module.get("path", "")
        if kind in ("Pooling", "Dense") and not (at / "config.json").is_file():
            missing = (at / "config.json").relative_to(found.path)
            raise _problem(source, setting, f"に {missing} がありません。フォルダーの中身をすべて写してください")
        if kind in ("Transformer", "StaticEmbedding"):
            _check_files(at, source, setting)
    if not found.modules:
        _check_files(found.path, source, setting)


def _check_files(folder: Path, source: str, setting: str) -> None:
    weights = [folder / name for name in _WEIGHTS if (folder / name).exists()]
    for name in _SHARDS:
        if not weights and (index := _read(folder, name)):
            weights = [folder / shard for shard in sorted(set(index["weight_map"].values()))]
    if not weights:
        raise _problem(
            source, setting, f"に重みのファイル（{_WEIGHTS[0]}）がありません。フォルダーの中身をすべて写してください"
        )
    for file in weights:
        if (why := _broken(file)) is not None:
            raise _problem(source, setting, f"の {file.name} {why}")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise _problem(source, setting, f"に {_TOKENIZERS[0]} がありません。フォルダーの中身をすべて写してください")


def _broken(file: Path) -> str | None:
    """Why a file of weights cannot be used, None if it can: the header of safetensors says how long the file is."""
    if not file.is_file():
        return "がありません。フォルダーの中身をすべて写してください"
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(len(_POINTER))
        if start == _POINTER:
            return "は Git LFS の目印だけで、中身がありません。git lfs pull で中身を取得してから写してください"
        if file.suffix != ".safetensors":
            return None if size else "が空です。写し直してください"
        length = int.from_bytes(start[:8], "little")
        stream.seek(8)
        try:
            header = json.loads(stream.read(length)) if 8 + length <= size else {}
            end = 8 + length + max(t["data_offsets"][1] for name, t in header.items() if name != "__metadata__")
        except (ValueError, KeyError, TypeError):
            end = -1
    return (
        None if end == size else "が途中で切れているか壊れています。写し直して、チェックサム（SHA-256）を比べてください"
    )
