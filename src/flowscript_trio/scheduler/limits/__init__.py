"""Owns limits with names: tokens, rates and circuit breakers that nodes of any run share."""
