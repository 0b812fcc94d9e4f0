"""Owns the settings of database sources and sinks."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ...types.errors import SettingError
from ..markers import Constant
from ..reticent import Reticent
from ..spelled import checked_by
from .placeholders import Params, match, refuse_without_rows, scan
from .spelling import check_spelling, read_name

Connection = Annotated[str, Field(min_length=1), checked_by(check_spelling)]
Table = Annotated[str, Field(min_length=1), checked_by(read_name)]
Query = Annotated[
    str,
    Constant("a query without {{…}}; values go into it by params: ?, $1 or :name"),
    Field(min_length=1),
    checked_by(refuse_without_rows),
]


def _split(value: Any) -> Any:
    """Names with commas or spaces between are a list of names."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[list[Column], BeforeValidator(_split)]
Where = Annotated[list[Column] | dict[Column, Any], BeforeValidator(_split)]


MARKERS = "flowscript_markers"
"""The table by which durable runs write to a database exactly once."""
MARKED = ("sqlite", "postgresql")
"""The dialects in which markers are known to hold: what conflicts is waited for, and nothing is half committed."""


class DatabaseConfig(Reticent):
    """What sources and sinks share."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    unshown: ClassVar[frozenset[str]] = frozenset({"connection", "params"})

    connection: Connection = Field(description="a database URL, such as sqlite:///file.db")


class DatabaseSourceConfig(DatabaseConfig):
    """``<source type="database">``: asks a database; the output is a list of rows, each an object."""

    query: Query = Field(description="one SQL statement, known when the document is read")
    params: Params = Field(
        default=None, description="the values to bind: a list for ? or $1, a mapping for :name"
    )

    stream: bool = Field(
        default=False,
        description="the output is a stream of the rows, which a foreach or a sink consumes once, while the "
        "database finds them",
    )

    @model_validator(mode="after")
    def _check_params(self) -> Self:
        try:
            match(scan(self.query), self.params)
        except SettingError as exc:
            raise PydanticCustomError(
                "params", "{message}", {"message": str(exc), "setting": "params"}
            ) from None
        return self


class DatabaseSinkConfig(DatabaseConfig):
    """``<sink type="database">``: writes its input, a row or a list of rows, to a table."""

    table: Table = Field(description='the table, as it is spelled: name, schema.name, "odd.name"')
    operation: Literal["insert", "upsert", "update"] = Field(
        default="insert", description="what is done with each row"
    )
    conflict_columns: Columns = Field(
        default=[], description="the columns of the unique key by which upsert finds a row"
    )
    where: Where = Field(
        default=[],
        description="which rows update changes: columns whose values each row has, "
        "or a mapping of columns to values",
    )
    batch: PositiveInt = Field(default=100, description="how many rows are sent at a time")

    @model_validator(mode="after")
    def _check_operation(self) -> Self:
        for setting, value, operation in (
            ("conflict_columns", self.conflict_columns, "upsert"),
            ("where", self.where, "update"),
        ):
            name = setting.replace("_", "-")
            if bool(value) == (self.operation == operation):
                continue
            message = (
                f"{name} is only for {operation}, and the operation is {self.operation}"
                if value
                else f"{operation} needs the setting {name!r}"
            )
            raise PydanticCustomError(
                "operation", "{message}", {"message": message, "setting": setting}
            )
        return self
