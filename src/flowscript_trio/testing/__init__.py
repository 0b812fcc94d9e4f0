"""Owns the testing room: a workflow's own test cases, run in virtual time with stubs in place of the world."""

from .cases import Case, CasesInvalid, Expected, ExpectedError, Reply, Stub
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
    "Stub",
    "StubError",
    "beside",
    "read_cases",
    "run_cases",
]
