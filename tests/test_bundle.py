"""The bundle for machines without a network: what it refuses to hold, and that it installs, refuses and upgrades.

The machinery is tested whole — wheels, locks, sums, ``install.sh``, the namespace without a network — with an invented program
of three tiny wheels in place of hyoka and its eighty, which take 2 GB and minutes to install. That the wheel of hyoka itself
is complete is what tests/test_offline.py runs; that the real bundle installs is ``python -m bundle.trial``, by hand.
"""

from __future__ import annotations

import ensurepip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from tiny_wheels import tiny_wheel

from bundle.alone import Attempts, alone, possible
from bundle.lock import sums
from bundle.make import BundleError, archive, pack_folder
from bundle.parts import IncompleteError, closure, declared, installed, of_wheels

PROGRAM = """
import sys
def main():
    import wakaba
    try:
        import midori
        ocr = midori.value
    except ImportError:
        ocr = "-"
    print("minato", VERSION, "wakaba", wakaba.value, "midori", ocr)
"""


def the_pip() -> Path:
    """The wheel of pip that comes with Python."""
    places = [
        Path(ensurepip.__file__).parent / "_bundled",
        Path(sysconfig.get_config_var("WHEEL_PKG_DIR") or "/nowhere"),
    ]
    found = [
        wheel for place in [*places, Path("/usr/share/python-wheels")] for wheel in sorted(place.glob("pip-*.whl"))
    ]
    if not found:
        pytest.skip("この Python には pip の wheel がありません（ensurepip）")
    return found[0]


def program(folder: Path, version: str, wakaba: str = "1.0") -> Path:
    """The wheels of the invented program and of what it needs; the extra ocr adds one, and one is needed by nobody."""
    tiny_wheel(
        folder,
        "minato",
        version,
        code=f"VERSION = {version!r}\n{PROGRAM}",
        requires=[f"wakaba>={wakaba}", "midori; extra == 'ocr'", "windowsonly; sys_platform == 'win32'"],
        extras=["ocr"],
        command=True,
    )
    tiny_wheel(folder, "wakaba", wakaba)
    tiny_wheel(folder, "midori", "3.0")
    tiny_wheel(folder, "nobody", "1.0")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    return pack_folder(folder / "mina to-1.0", program(folder / "w", "1.0"), the_pip(), "minato", ["ocr"]).folder


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    """A copy to do with as one likes."""
    return Path(shutil.copytree(made, tmp_path / made.name))


def install(bundle: Path, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(bundle / "install.sh"), "--to", str(bundle.parent / "to"), "--python", python, *words]
    settings = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(bundle.parent)}
    if not possible():
        pytest.skip("このユーザーは、ネットワーク名前空間を作れません（unshare -rn）")
    ended, tried = alone(command, settings, bundle.parent)
    assert tried == Attempts({}, ())
    return ended


def says(to: Path) -> str:
    return subprocess.run([to / "current/bin/minato"], capture_output=True, text=True, check=True).stdout.strip()


def flip(file: Path) -> None:
    """Changes one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_it_installs_without_a_network_and_an_upgrade_leaves_the_old_version_to_go_back_to(bundle, tmp_path):
    to = tmp_path / "to"
    (to / "versions/1.0/lib").mkdir(parents=True)  # what an installation leaves that was killed
    ended = install(bundle)
    assert ended.returncode == 0, ended.stderr
    assert "minato 1.0 を" in ended.stdout and says(to) == "minato 1.0 wakaba 1.0 midori -"
    assert (to / "current/NOTICE").is_file() and (to / "current").readlink() == Path("versions/1.0")
    newer = pack_folder(tmp_path / "minato-2.0", program(tmp_path / "w2", "2.0", "1.5"), the_pip(), "minato", ["ocr"])
    ended = install(newer.folder, "--extras", "ocr")
    assert ended.returncode == 0, ended.stderr
    assert says(to) == "minato 2.0 wakaba 1.5 midori 3.0"
    (to / "current").unlink()
    (to / "current").symlink_to("versions/1.0")
    assert says(to) == "minato 1.0 wakaba 1.0 midori -"


@pytest.mark.parametrize("file", ["wheels/wakaba-1.0-py3-none-any.whl", "locks/base.txt", "sheets/hokuto_hyoka_r5.txt"])
def test_one_altered_bit_is_refused_by_name_before_anything_is_installed(bundle, file):
    flip(bundle / file)
    ended = install(bundle)
    assert ended.returncode == 1 and file in ended.stderr and "何も入れませんでした" in ended.stderr
    assert not (bundle.parent / "to").exists()


def test_a_file_that_was_added_is_refused(bundle):
    tiny_wheel(bundle / "wheels", "wakaba", "9.0")
    ended = install(bundle)
    assert ended.returncode == 1 and "wheels/wakaba-9.0-py3-none-any.whl" in ended.stderr
    assert not (bundle.parent / "to").exists()


def test_an_altered_wheel_with_sums_to_match_is_refused_by_its_lock_and_the_old_version_stays(bundle):
    assert install(bundle).returncode == 0
    to, before = bundle.parent / "to", says(bundle.parent / "to")
    tiny_wheel(bundle / "wheels", "wakaba", "1.0", code="value = 'evil'\n")
    (bundle / "SHA256SUMS").write_text(sums(bundle), "utf-8")
    ended = install(bundle)
    assert ended.returncode == 1 and "HASH" in ended.stderr.upper() and "元の版はそのまま" in ended.stderr
    assert says(to) == before and [one.name for one in (to / "versions").iterdir()] == ["1.0"]


def test_what_does_not_fit_is_said_with_what_would(bundle, tmp_path):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 2.7 riscv\n", "utf-8")
    other.chmod(0o755)
    ended = install(bundle, python=str(other))
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert ended.returncode == 1 and f"Python {here}" in ended.stderr and "2.7 riscv" in ended.stderr
    ended = install(bundle, "--extras", "ocr,postgres")
    assert (
        ended.returncode == 1 and "postgres という追加部品は" in ended.stderr and "入っているもの：ocr" in ended.stderr
    )
    ended = install(bundle, "--unknown")
    assert ended.returncode == 1 and "--unknown という指定はありません" in ended.stderr
    assert not (bundle.parent / "to").exists()


def test_locks_name_what_is_needed_with_the_hash_of_its_wheel(bundle):
    def line(name: str, version: str) -> str:
        wheel = bundle / "wheels" / f"{name}-{version}-py3-none-any.whl"
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"

    assert (bundle / "locks/base.txt").read_text().splitlines() == [line("minato", "1.0"), line("wakaba", "1.0")]
    assert (bundle / "locks/ocr.txt").read_text().splitlines() == [line("midori", "3.0")]
    assert not list((bundle / "wheels").glob("nobody*"))
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle, check=False).returncode == 0


def test_a_missing_wheel_and_a_licence_that_asks_too_much_stop_it_from_being_made(tmp_path):
    wheels = program(tmp_path / "w", "1.0")
    (wheels / "wakaba-1.0-py3-none-any.whl").unlink()
    with pytest.raises(IncompleteError, match="wakaba, which minato requires"):
        pack_folder(tmp_path / "one", wheels, the_pip(), "minato")
    tiny_wheel(wheels, "wakaba", "1.0", licence="License-Expression: GPL-3.0-or-later")
    with pytest.raises(BundleError, match=r"wakaba 1\.0 is under GPL-3\.0-or-later"):
        pack_folder(tmp_path / "two", wheels, the_pip(), "minato")


def test_the_notice_and_the_bill_of_materials_name_everything_that_is_in_it(bundle):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    notice = (bundle / "NOTICE").read_text("utf-8")
    for name in ("minato", "wakaba", "midori"):
        assert f"The licence of {name}." in notice and f"\n{name} " in notice
    assert "JaQuAD" in notice, "the data of the encoder"
    text = (bundle / "sbom.cdx.json").read_text("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "minato"
    found = {one["name"]: one for one in bill["components"]}
    assert set(found) == {"wakaba", "midori", "hyoka-encoder"}
    wheel = bundle / "wheels/wakaba-1.0-py3-none-any.whl"
    assert found["wakaba"]["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
    assert found["wakaba"]["licenses"] == [{"expression": "MIT"}]


def test_the_same_folder_makes_the_same_archive(bundle, tmp_path):
    one, two = archive(bundle, tmp_path / "a"), archive(bundle, tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()
    said = Path(f"{one}.sha256").read_text("utf-8")
    assert said == f"{hashlib.sha256(one.read_bytes()).hexdigest()}  mina to-1.0.tar.gz\n"
    with tarfile.open(one) as opened:
        assert all(name.startswith("mina to-1.0/") for name in opened.getnames())
        assert opened.getmember("mina to-1.0/install.sh").mode == 0o755


def test_a_package_read_from_its_wheel_and_from_an_environment_says_the_same(tmp_path):
    wheel = of_wheels(program(tmp_path / "w", "1.0"))["minato"]
    assert wheel.requires[0] == "wakaba>=1.0" and wheel.licence == "MIT"
    here = {**installed(), "hyoka": declared(Path(__file__).parents[1] / "pyproject.toml")}
    assert here["typer"].texts and here["typer"].licence == "MIT"
    needed = {part.key for part in closure(here, "hyoka")}
    assert needed >= {"torch", "gradio", "faiss-cpu", "tantivy"} and not needed & {"pytest", "psycopg", "pymilvus"}
