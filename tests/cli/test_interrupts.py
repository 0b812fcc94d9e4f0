from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
import trio

from flowscript_trio.cli.exiting import leave, run_in_trio
from flowscript_trio.cli.signals import INTERRUPTED
from flowscript_trio.types.errors import InputError, SettingError

FLOWSCRIPT = [sys.executable, "-m", "flowscript_trio"]
HANGING = """<workflow name="w">
  <foreach id="each" collection="range(20)" maxConcurrency="20"><delay id="d" duration="1h"/></foreach>
</workflow>"""


def read_until(fd: int, mark: bytes) -> bytes:
    """What a terminal shows until ``mark`` is in it, or (as Linux tells it, with an error) its end."""
    shown = b""
    while mark not in shown:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    return shown


def interrupt_on_a_terminal(args: list[str], mark: bytes, times: int) -> tuple[int, str]:
    """Run with a terminal as standard error; interrupt once ``mark`` is shown: the status and the text."""
    main, side = pty.openpty()
    env = {**os.environ, "TERM": "xterm"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen(
        [*FLOWSCRIPT, *args], stdout=subprocess.PIPE, stderr=side, env=env
    ) as process:
        os.close(side)
        shown = read_until(main, mark)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        shown += read_until(main, b"no such mark")
        status = process.wait(30)
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(main)
    return status, shown.decode()


@pytest.mark.parametrize("times", [1, 2, 20])
def test_ctrl_c_on_a_terminal_exits_with_130_and_no_traceback_however_often_it_is_pressed(
    tmp_path: Path, times: int
) -> None:
    (tmp_path / "flow.xml").write_text(HANGING)
    args = ["run", str(tmp_path / "flow.xml")]
    status, shown = interrupt_on_a_terminal(args, b"d <delay>", times)
    assert status == INTERRUPTED
    assert "Traceback" not in shown
    assert "✗" not in shown
    assert shown.endswith("interrupted\r\n")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor must be shown again"


def test_ctrl_c_ends_the_demo_and_its_server() -> None:
    status, shown = interrupt_on_a_terminal(["demo"], b"api1 <source:http>", 1)
    assert status == INTERRUPTED
    assert "Traceback" not in shown
    assert shown.endswith("interrupted\r\n")


@pytest.mark.parametrize(
    ("exc", "status"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (BaseExceptionGroup("", [ValueError(), KeyboardInterrupt()]), 130),
        (BaseExceptionGroup("", [BaseExceptionGroup("", [KeyboardInterrupt()])]), 130),
        (SystemExit(1), 1),
        (BaseExceptionGroup("", [SystemExit(3)]), 3),
        (click.UsageError("no"), 2),
        (InputError("no"), 2),
        (SettingError("no"), 2),
    ],
    ids=repr,
)
def test_what_ends_a_command_has_its_exit_status(
    exc: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        assert leave(exc) == status
    finally:
        signal.signal(signal.SIGINT, before)
    said = capsys.readouterr()
    assert said.out == ""
    assert ("interrupted" in said.err) is (status == 130)


def test_a_bug_of_ours_keeps_its_traceback() -> None:
    error = RuntimeError("a bug")
    with pytest.raises(RuntimeError) as caught:
        leave(error)
    assert caught.value is error


def test_a_trio_program_that_was_interrupted_ignores_what_comes_after() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        await trio.sleep_forever()

    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_in_trio(main)
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_our_own_code_is_interrupted_at_checkpoints_only() -> None:
    steps = []

    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        steps.append("after the signal")
        await trio.lowlevel.checkpoint()
        steps.append("after the checkpoint")

    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_in_trio(main)
    finally:
        signal.signal(signal.SIGINT, before)
    assert steps == ["after the signal"]


def test_a_trio_program_that_ends_by_itself_leaves_ctrl_c_as_it_was() -> None:
    async def main() -> str:
        await trio.lowlevel.checkpoint()
        return "done"

    before = signal.getsignal(signal.SIGINT)
    assert run_in_trio(main) == "done"
    assert signal.getsignal(signal.SIGINT) is before
