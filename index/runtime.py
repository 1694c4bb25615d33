"""What torch and the Hugging Face libraries need to be told before they are used: no network, no noise, few threads."""

from __future__ import annotations

import os
from types import ModuleType

from corpus.errors import SettingsError

MAX_THREADS = 8  # a sentence is too short to be worth more


def offline() -> None:
    """No call to the network, whatever the environment says; read by huggingface_hub when it is first imported."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
        os.environ[name] = "1"
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def sentence_transformers() -> ModuleType:
    """The library, quiet and with as many threads as this process may use; SettingsError where it is not installed."""
    offline()
    try:
        import sentence_transformers as library
        import torch
        from transformers.utils import logging
    except ImportError as error:
        message = f"埋め込みモデルを動かすライブラリがありません（{error.name}）。pip install sentence-transformers torch で入れるか、HYOKA_ENCODER と HYOKA_RERANKER の指定を外してください。"
        raise SettingsError(message) from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(len(os.sched_getaffinity(0)), MAX_THREADS))
    module: ModuleType = library
    return module
