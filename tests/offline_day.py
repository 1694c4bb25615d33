"""A day of hyoka from the wheel, in one process tree: index, tune, evaluate, ask, search, serve, a walk over every page and
a clerk with a browser. ``tests/test_offline.py`` runs it where there is no network and judges what it writes down.

    python offline_day.py WHEEL_FOLDER SHEETS QUESTIONS RESULT.json
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from browser_pages import CHROMIUM, FLAGS, WIDE, Watched, ask, playwright, sheet_frame
from references import walk

from bundle.alone import LOG, WATCH, counters

# The browser's own services are switched off as far as they can be: it looks no name up, and asks nobody at start. What is
# left is one question to its kernel, whether there is a way to a well-known address of IPv6 (a datagram socket is connected,
# nothing is sent); so IPv6 is not counted while it runs.
BROWSER_FLAGS = [*FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
QUESTION = "湊見市の令和6年度の決算額が大きい順に3つ教えて"
Said = dict[str, Any]


class Day:
    """What was done so far, and how hyoka is called."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.folder, self.place = folder, ["--index-dir", str(folder / "index")]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HYOKA_") or name == LOG}
        # Nothing that keeps a library at home is set from here: hyoka has to do that itself.
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_ANALYTICS_ENABLED"):
            kept.pop(name, None)
        kept["PYTHONPATH"] = os.pathsep.join((str(WATCH), str(wheel)))
        kept |= {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), "OMP_NUM_THREADS": "1"}
        self.settings = kept

    def python(self, *words: str) -> str:
        ended = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env=self.settings, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, f"{words}: {ended.stderr[-2_000:]}"
        return ended.stdout

    def hyoka(self, *words: str) -> Any:
        return json.loads(self.python("-m", "assistant.cli", *words, "--json", *self.place))

    @contextmanager
    def served(self) -> Iterator[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = self.folder / "serve.log"
        command = [sys.executable, "-m", "assistant.cli", "serve", "--port", str(port), *self.place]
        with log.open("wb") as file:
            server = subprocess.Popen(command, cwd=self.folder, env=self.settings, stdout=file, stderr=file)
        try:
            address = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 120
            while not ready(address):
                assert server.poll() is None and time.monotonic() < until, log.read_text("utf-8", "replace")[-2_000:]
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            server.wait(120)


def ready(address: str) -> bool:
    try:
        with urlopen(f"{address}/readyz", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def commands(day: Day, sheets: Path, questions: Path) -> Said:
    """Everything of the command line that a city hall uses."""
    said: Said = {"code": day.python("-c", "import assistant; print(assistant.__file__)").strip()}
    said["index"] = day.hyoka("index", str(sheets))
    said["tune"] = day.hyoka("tune", "--count", "50", "--minutes", "0.1", "--dry-run")
    said["eval"] = day.hyoka("eval", str(questions))["overall"]
    said["ask"] = day.hyoka("ask", QUESTION)
    said["search"] = day.hyoka("search", "放課後児童クラブ", "-k", "3")
    return said


def pages(address: str) -> Said:
    """Every page and every file that can be reached, and what they refer to."""
    with urlopen(f"{address}/api/v1/sheets?limit=1000") as response:
        ids = [one["sheet_id"] for one in json.load(response)["sheets"] if one["kind"] == "programme"]
    compared = "/compare?" + "&".join(f"sheet={quote(one)}" for one in ids[:2])
    found = walk(address, ["/", "/docs", *(f"/sheet/{quote(one)}" for one in ids), compared])
    return {
        "pages": found.pages,
        "policies": found.policies,
        "outside": [f"{one.page} {one.how} {one.url}" for one in found.outside],
        "missing": [f"{one.page} {one.how} {one.url}" for one in found.missing],
    }


def journey(address: str) -> Said:
    """A question, its citation opened, a search, the desk of whoever looks after it, and the pages of the interface."""
    said: Said = {}
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=BROWSER_FLAGS)
        watched = Watched(browser, address, WIDE)
        page = watched.start()
        ask(page, QUESTION)
        page.locator("#hy-chat a.hy-card").first.click()
        said["quote"] = sheet_frame(page).locator("mark#quote").text_content()
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.hy-drawer", state="hidden")
        tabs = page.locator("#hy-tabs")
        tabs.get_by_role("tab", name="検索", exact=True).click()
        box = page.locator("#hy-search textarea, #hy-search input").first
        box.fill("放課後児童クラブ")
        box.press("Enter")
        page.wait_for_selector("#hy-results a.hy-card")
        said["hits"] = page.locator("#hy-results a.hy-card").count()
        tabs.get_by_role("tab", name="シート", exact=True).click()
        page.wait_for_selector(".hy-to-compare:visible")
        tabs.get_by_role("tab", name="管理", exact=True).click()
        page.wait_for_selector("#hy-rebuild:visible")
        watched.open("/docs").wait_for_selector(".swagger-ui .opblock")
        said["complaints"] = [one for one in watched.complaints if "favicon" not in one]
        said["outside"] = watched.outside
        browser.close()
    return said


def main(wheel: str, sheets: str, questions: str, result: str) -> None:
    day = Day(Path(wheel), Path(result).parent)
    said = commands(day, Path(sheets), Path(questions))
    with day.served() as address:
        said["walk"] = pages(address)
        said["before the browser"] = counters()
        if CHROMIUM.exists():
            said["browser"] = journey(address)
            said["after the browser"] = counters()
    Path(result).write_text(json.dumps(said, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
