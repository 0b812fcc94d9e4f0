"""Owns what the walk of a durable run writes into its journal, and how a later process takes it up again."""
