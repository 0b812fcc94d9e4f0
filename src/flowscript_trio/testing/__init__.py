"""Owns the testing room: cases of a workflow in virtual time, and the proof of what is promised of it."""

from .cases import Case, CasesInvalid, Expected, ExpectedError, Reply, Stub
from .proof import Report, Violation, prove
from .reading import beside, read_cases
from .running import CaseResult, run_cases
from .stage import NotStubbed, StubError

__all__ = [
    "Case",
    "CaseResult",
    "CasesInvalid",
    "Expected",
    "ExpectedError",
    "NotStubbed",
    "Reply",
    "Report",
    "Stub",
    "StubError",
    "Violation",
    "beside",
    "prove",
    "read_cases",
    "run_cases",
]
