"""Owns the benchmarks: the engine against hand-written trio of the same meaning, in one run.

``PYTHONPATH=tests python -m benchmarks`` runs them all.
"""
