"""Owns what a table of PostgreSQL says of itself: the types of its columns, and whether COPY may write to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, text

_QUERY = text(
    """
    SELECT a.attname, COALESCE(base.typname, t.typname), COALESCE(base.typcategory, t.typcategory) = 'A',
        a.attidentity = 'a', c.relkind IN ('r', 'p') AND NOT c.relhasrules AND NOT c.relrowsecurity
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype
    WHERE c.oid = to_regclass(:name)
    """
).bindparams(bindparam("name"))
_JSON = ("json", "jsonb")


@dataclass(frozen=True, slots=True)
class Table:
    """``types`` are names of types by column, those of domains their base; ``arrays`` the columns that are lists.

    ``copies`` says that COPY does what INSERT does: the table is a plain one, without rules or policies on
    rows. ``generated`` are the columns whose values only the server gives, which COPY would overwrite.
    """

    types: dict[str, str] = field(default_factory=dict)
    arrays: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    copies: bool = False

    def is_json(self, column: str) -> bool:
        return self.types.get(column) in _JSON

    def is_json_list(self, column: str) -> bool:
        return self.types.get(column, "").removeprefix("_") in _JSON and column in self.arrays


def look_up(connection: Connection, schema: str | None, name: str) -> Table:
    """What there is to know of a table; of one that is not there, nothing: the statement will say so."""
    parts = [name] if schema is None else [schema, name]
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in parts)
    rows = connection.execute(_QUERY, {"name": quoted}).fetchall()
    return Table(
        {column: kind for column, kind, *_ in rows},
        frozenset(row[0] for row in rows if row[2]),
        frozenset(row[0] for row in rows if row[3]),
        bool(rows) and bool(rows[0][4]),
    )
