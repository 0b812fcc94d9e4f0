"""Owns what must hold of every run, however it was disturbed: each promise is one function of its story."""

from __future__ import annotations

from . import (
    cancelling,
    conduct,
    ends,
    errors,
    limits,
    named_limits,
    outputs,
    placing,
    resources,
    scopes,
    timing,
)
from .finding import Check, Finding

CHECKS: tuple[Check, ...] = (
    ends.every_run_ends,
    ends.every_start_has_one_end,
    ends.clean_up_runs,
    ends.compensations_run,
    ends.no_error_in_clean_up_is_dropped,
    resources.no_task_is_left,
    resources.no_thread_is_left,
    resources.what_is_entered_is_left,
    resources.tokens_come_back,
    resources.nobody_releases_what_it_has_not_taken,
    resources.no_file_and_no_socket_is_left_open,
    resources.no_temporary_file_is_left,
    resources.context_variables_are_reset,
    resources.no_more_branches_than_tokens,
    named_limits.no_more_hold_a_limit_than_its_max,
    named_limits.no_more_hold_a_limit_over_all_runs,
    named_limits.rates_are_kept,
    named_limits.limits_are_given_back,
    errors.the_first_error_surfaces,
    errors.no_error_is_lost,
    errors.looks_at_errors_end,
    errors.errors_are_passed_on,
    cancelling.everybody_is_told_in_time,
    cancelling.nothing_begins_under_a_cancelled_block,
    cancelling.cancellation_is_reported_as_it_is,
    cancelling.a_cancellation_is_not_retried,
    cancelling.nobody_swallows_cancelled,
    conduct.cancelled_is_not_replaced,
    conduct.no_stored_cancelled_is_raised_again,
    conduct.clean_up_is_not_cut_short,
    conduct.nobody_holds_up_a_cancellation,
    conduct.what_comes_too_late_is_no_success,
    conduct.nothing_is_held_across_a_yield,
    cancelling.status_fits,
    limits.time_limits_are_kept,
    limits.a_timeout_is_reported_when_its_time_has_passed,
    outputs.outputs_stay_as_given,
    outputs.outputs_are_in_order,
    scopes.only_complete_blocks_are_seen,
    scopes.only_complete_blocks_set_variables,
    placing.cancellations_reach_places,
    timing.no_time_passes_unasked,
)


def name_of(check: Check) -> str:
    """How people know a promise."""
    return str(getattr(check, "__name__", check)).replace("_", " ")


__all__ = ["CHECKS", "Check", "Finding", "name_of"]
