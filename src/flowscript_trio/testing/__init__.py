"""Owns the testing of workflows: cases of a workflow in virtual time, and the proof of what is promised of it.

Each name is imported when it is first used: pytest loads the plugin in here for every session.
"""

TYPE_CHECKING = False  # as type checkers know it

if TYPE_CHECKING:
    from typing import Any

    from .case_proof import prove_case
    from .cases import Case, CasesInvalid, Expected, ExpectedError, Reply, Stub
    from .proof import Report, Violation, prove
    from .reading import beside, read_cases
    from .running import CaseResult, run_cases
    from .stage import NotStubbed, StubError
    from .virtual import NeverEnds, VirtualRun, run_flow

_HOMES = {
    "case_proof": ["prove_case"],
    "cases": ["Case", "CasesInvalid", "Expected", "ExpectedError", "Reply", "Stub"],
    "proof": ["Report", "Violation", "prove"],
    "reading": ["beside", "read_cases"],
    "running": ["CaseResult", "run_cases"],
    "stage": ["NotStubbed", "StubError"],
    "virtual": ["NeverEnds", "VirtualRun", "run_flow"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Case",
    "CaseResult",
    "CasesInvalid",
    "Expected",
    "ExpectedError",
    "NeverEnds",
    "NotStubbed",
    "Reply",
    "Report",
    "Stub",
    "StubError",
    "Violation",
    "VirtualRun",
    "beside",
    "prove",
    "prove_case",
    "read_cases",
    "run_cases",
    "run_flow",
]


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
