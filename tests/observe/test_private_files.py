"""Owns tests of the files that a run leaves: nobody else reads them, and no link leads them elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

import flowscript_trio as fs
from flowscript_trio.cli.writing import write_whole
from flowscript_trio.observe.chronicle import keeping_chronicle
from flowscript_trio.observe.private_files import PRIVATE, followed, name_beside, open_new
from flowscript_trio.observe.trace import writing_trace

FLOW = '<workflow name="w"><set var="x" value="1"/></workflow>'


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_mask() -> object:
    old = os.umask(0)
    yield
    os.umask(old)


async def test_records_and_traces_are_for_their_owner_alone(tmp_path: Path) -> None:
    with keeping_chronicle(tmp_path / "runs") as chronicle, writing_trace(tmp_path / "t") as trace:
        await fs.run(fs.loads(FLOW), observers=[chronicle, trace])
    [record] = (tmp_path / "runs").iterdir()
    assert mode_of(record) == mode_of(tmp_path / "t") == 0o600


def test_a_report_is_for_its_owner_alone_and_other_files_are_as_the_mask_says(
    tmp_path: Path,
) -> None:
    write_whole(tmp_path / "r.html", "page", "--report", mode=PRIVATE)
    write_whole(tmp_path / "s.xsd", "schema", "FOLDER")
    assert (mode_of(tmp_path / "r.html"), mode_of(tmp_path / "s.xsd")) == (0o600, 0o666)
    (tmp_path / "r.html").chmod(0o640)
    write_whole(tmp_path / "r.html", "new", "--report", mode=PRIVATE)
    assert mode_of(tmp_path / "r.html") == 0o640
    assert sorted(os.listdir(tmp_path)) == ["r.html", "s.xsd"]


@pytest.mark.parametrize("target", ["there", "nowhere"])
def test_a_new_file_is_never_written_through_a_link(target: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("key")
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(FileExistsError):
        open_new(tmp_path / "link")
    assert sorted(os.listdir(tmp_path)) == ["link", "there"]
    assert (tmp_path / "there").read_text() == "key"


def test_names_beside_a_file_cannot_be_guessed(tmp_path: Path) -> None:
    names = {name_beside(tmp_path / "a").name for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) >= 20 for name in names)


def test_a_link_of_another_user_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").write_text("key")
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    os.lchown(tmp_path / "link", os.geteuid(), -1)
    assert followed(tmp_path / "link") == (tmp_path / "mine").resolve()
    real = os.lstat(tmp_path / "link").st_uid
    monkeypatch.setattr(Path, "lstat", lambda path: _owned(real + 1))
    with pytest.raises(PermissionError, match="belongs to another user"):
        followed(tmp_path / "link")


def _owned(user: int) -> os.stat_result:
    return os.stat_result((0o120777, 0, 0, 1, user, 0, 0, 0, 0, 0))
