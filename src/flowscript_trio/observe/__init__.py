"""Owns what is made of a run's events: pictures for people."""
