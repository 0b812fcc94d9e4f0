"""Owns the watch over limits that several runs share: at each step, whether more hold one than it allows."""

from __future__ import annotations

import trio

from ...scheduler.limits.gate import Gate, room_here


class Overfull(trio.abc.Instrument):
    """Notes of each limit the most that held it, whatever run they are of, where that is more than its ``max``."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, int]] = {}

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        for gate in room_here().gates.values():
            if gate.taken > gate.max:
                self._note(gate)

    def _note(self, gate: Gate) -> None:
        most = self.found.get(gate.name, (gate.max, 0))[1]
        self.found[gate.name] = gate.max, max(most, gate.taken)
