"""Owns the tests of what debuggers and error trackers show: reprs, locals, requests; none has a secret."""

from __future__ import annotations

import sys
import traceback
from functools import partial
from typing import Any

import httpx
import pytest
import trio
import trio.testing

import flowscript_trio as fs
from flowscript_trio.execution.inputs import Secrets
from flowscript_trio.execution.locals import forget_locals
from flowscript_trio.execution.masking import mask_error
from flowscript_trio.expression.scope import Services
from flowscript_trio.runtimes.ai.types import AIConfig
from flowscript_trio.runtimes.database.types import DatabaseSourceConfig
from flowscript_trio.runtimes.http.types import HttpSinkConfig, HttpSourceConfig
from flowscript_trio.types.events import Event
from flowscript_trio.types.masking import Masker

SECRET = "s3cr3t-of-forty-characters-0123456789"
CONFIGS: dict[str, Any] = {
    "auth": HttpSourceConfig(url="http://x", auth={"type": "bearer", "token": SECRET}),  # type: ignore[arg-type]
    "basic": HttpSourceConfig(
        url="http://x",
        auth={"type": "basic", "username": "me", "password": SECRET},  # type: ignore[arg-type]
    ),
    "request": HttpSinkConfig(
        url=f"http://x?key={SECRET}",
        headers={"X-Key": SECRET},
        params={"key": SECRET},
        body={"key": SECRET},
    ),
    "form": HttpSinkConfig(url="http://x", form={"key": SECRET}),
    "multipart": HttpSinkConfig(url="http://x", multipart={"key": SECRET}),
    "database": DatabaseSourceConfig(
        connection=f"postgresql://me:{SECRET}@host/db", query="SELECT ?", params=[SECRET]
    ),
    "ai": AIConfig(model="m", system=SECRET, user=SECRET, api_key=SECRET),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_repr_of_a_configuration_shows_no_secret(name: str) -> None:
    assert SECRET not in repr(CONFIGS[name])
    assert SECRET not in str(CONFIGS[name])
    assert "***" in repr(CONFIGS[name])


def test_a_setting_that_was_not_given_is_shown_as_such() -> None:
    assert "headers={}" in repr(HttpSourceConfig(url="http://x"))


def test_the_secrets_of_a_run_are_shown_by_their_names() -> None:
    flow = fs.loads('<workflow name="w"><secret name="K"/><set var="x" value="1"/></workflow>')
    assert repr(Secrets(flow.document, {"K": SECRET})) == "<the secrets K>"
    assert SECRET not in repr(fs.RunOptions(secrets={"K": SECRET}))


def test_the_options_of_a_run_show_no_variable_of_the_environment_and_no_proxy() -> None:
    http = fs.HttpOptions(proxy=f"http://me:{SECRET}@proxy.test:3128")
    assert SECRET not in repr(fs.RunOptions(env={"TOKEN": SECRET}, http=http))


FAILING = """<workflow name="w"><secret name="K"/>
  <source:http id="h" url="http://127.0.0.1:9/?key={{$secrets.K}}">
    <headers>{X-Key: "{{$secrets.K}}"}</headers><auth>{type: bearer, token: "{{$secrets.K}}"}</auth>
  </source:http></workflow>"""


def with_locals(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format())


async def test_a_traceback_with_locals_shows_no_secret() -> None:
    with pytest.raises(httpx.ConnectError) as caught:
        await fs.run(fs.loads(FAILING), secrets={"K": SECRET})
    text = with_locals(caught.value)
    assert "build_request" in text or "in send" in text, "the lines are still there"
    assert SECRET not in text.replace(f'secrets={{"K": {SECRET!r}}}', "")


PLACES = {
    "the path of a webhook": '<source:http id="h" url="http://127.0.0.1:9/services/{{$secrets.K}}"/>',
    "the URL of a token": """<source:http id="h" url="http://127.0.0.1:9/">
        <auth>{type: oauth2, token-url: "http://127.0.0.1:9/{{$secrets.K}}", client-id: a, client-secret: b}</auth>
      </source:http>""",
    "what is not the URL of a database": '<source:database id="h" connection="{{$secrets.K}}" query="select 1"/>',
    "the path of a file": '<source:file id="h" path="no/{{$secrets.K}}"/>',
    "the rows of a file": """<transform:template id="t" template="{{$secrets.K}}"/>
        <sink:file id="h" path="no.csv" input="t"/>""",
    "a model": '<ai id="h" model="m" user="{{$secrets.K}}" base-url="http://127.0.0.1:9/{{$secrets.K}}"/>',
}


@pytest.mark.parametrize("place", PLACES)
async def test_no_frame_of_a_library_shows_a_secret_that_it_was_given(place: str) -> None:
    flow = fs.loads(f'<workflow name="w"><secret name="K"/>{PLACES[place]}</workflow>')
    with pytest.raises(Exception) as caught:  # noqa: PT011 (each place has an error of its own)
        await fs.run(flow, secrets={"K": SECRET, "OPENAI_API_KEY": "sk-some-other-key"})
    text = with_locals(caught.value)
    assert "Error" in text
    assert SECRET not in text.replace(f'secrets={{"K": {SECRET!r}, ', "")


async def test_what_whoever_cancels_from_outside_says_is_recorded_without_secrets(
    autojump_clock: trio.testing.MockClock,
) -> None:
    flow = fs.loads(
        '<workflow name="w"><parallel id="p"><branch><delay id="d" duration="9s"/></branch></parallel></workflow>'
    )
    events: list[Event] = []
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            run = await nursery.start(
                partial(fs.run, flow, secrets={"K": SECRET}, observers=[events.append])
            )
            await trio.sleep(1)
            scope.cancel(f"the token {SECRET} has expired")
    assert (
        run.results["d"].cancelled_by.reason == "cancelled from outside: the token *** has expired"
    )
    assert SECRET not in repr(events)


async def test_the_request_of_an_error_shows_no_secret() -> None:
    with pytest.raises(httpx.ConnectError) as caught:
        await fs.run(fs.loads(FAILING), secrets={"K": SECRET})
    request = caught.value.request
    assert str(request.url) == "http://127.0.0.1:9/?key=***"
    assert SECRET not in repr(request) + repr(request.headers.raw)


async def test_without_secrets_the_locals_of_a_failed_node_stay() -> None:
    registry = fs.Registry(base=fs.registry)

    @registry.runtime("source:failing")
    async def failing(params: Any) -> Any:
        kept = "a local of the runtime"
        raise ValueError(len(kept))

    flow = fs.loads('<workflow name="w"><source:failing id="a"/></workflow>', registry=registry)
    with pytest.raises(ValueError, match="22") as caught:
        await fs.run(flow)
    assert "kept = 'a local of the runtime'" in with_locals(caught.value)


async def test_what_still_waits_goes_on_when_an_error_of_its_is_forgotten(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Another task may have raised the same error, caught it, and go on."""
    shared: list[BaseException] = []
    went_on = []

    async def catching() -> None:
        try:
            raise ValueError("shared")
        except ValueError as exc:
            shared.append(exc)
        await trio.sleep(1)
        went_on.append(True)

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(catching)
            await trio.testing.wait_all_tasks_blocked()
            forget_locals(shared[0].__traceback__)
    assert went_on == [True]


def test_the_services_of_expressions_can_be_shown_before_they_are_used() -> None:
    """What fails at its repr takes a whole traceback with locals along, before Python 3.13."""
    assert "Limits(" in repr(Services())


async def leave(params: Any) -> Any:
    raise SystemExit(params.config["key"])


async def stop(params: Any) -> Any:
    raise ExceptionGroup("two", [StopAsyncIteration(), StopIteration(params.config["key"])])


async def look(params: Any) -> Any:
    found: Any = {params.config["key"]: 1}
    return found.missing


ATTRIBUTES: dict[str, Any] = {
    "the code of an exit, which Python prints": (leave, lambda error: error.code),
    "the value of a stop": (stop, lambda error: error.exceptions[1].value),
    "the object without an attribute": (look, lambda error: error.obj),
}


@pytest.mark.parametrize("place", ATTRIBUTES)
async def test_no_attribute_of_an_error_shows_a_secret(place: str) -> None:
    runtime, look_at = ATTRIBUTES[place]
    registry = fs.Registry(base=fs.registry)
    registry.runtime("source:failing")(runtime)
    text = '<secret name="K"/><source:failing id="a" key="{{$secrets.K}}"/>'
    flow = fs.loads(f'<workflow name="w">{text}</workflow>', registry=registry)
    events: list[Event] = []
    with pytest.raises(BaseException) as caught:  # noqa: PT011 (each has an error of its own)
        await fs.run(flow, secrets={"K": SECRET}, observers=[events.append])
    assert "***" in repr(look_at(caught.value))
    assert SECRET not in repr(look_at(caught.value)) + repr(events)


class Slotted(Exception):
    __slots__ = ("__hidden", "told")

    def __init__(self) -> None:
        super().__init__("no")
        self.__hidden = self.told = SECRET

    def hidden(self) -> str:
        return self.__hidden


def test_what_an_error_has_in_slots_shows_no_secret() -> None:
    error = Slotted()
    assert mask_error(error, Masker([SECRET])) is error
    assert (error.hidden(), error.told) == ("***", "***")


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (
            UnicodeDecodeError(SECRET, SECRET.encode(), 0, 1, SECRET),
            ["encoding", "object", "reason"],
        ),
        (OSError(2, SECRET, SECRET, None, SECRET), ["strerror", "filename", "filename2"]),
        (ImportError(SECRET, name=SECRET, path=SECRET), ["msg", "name", "path"]),
        (SyntaxError(SECRET, (SECRET, 1, 1, SECRET)), ["msg", "filename", "text"]),
        (StopIteration(SECRET), ["value"]),
        (AttributeError("no", name=SECRET, obj=SECRET), ["name", "obj"]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_no_attribute_of_a_built_in_error_shows_a_secret(
    error: BaseException, names: list[str]
) -> None:
    shown = mask_error(error, Masker([SECRET]))
    assert shown is error
    assert [str(getattr(error, name)) in ("***", "b'***'") for name in names] == [True] * len(names)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="it is new in Python 3.12")
def test_the_name_that_an_import_did_not_find_shows_no_secret() -> None:
    error: Any = ImportError("no", name="os", name_from=SECRET)  # type: ignore[call-arg, unused-ignore]
    mask_error(error, Masker([SECRET]))
    assert error.name_from == "***"


def test_the_name_of_the_class_of_an_error_shows_no_secret() -> None:
    error = type(f"E_{SECRET}", (Exception,), {})("hello")
    shown: Any = mask_error(error, Masker([SECRET]))
    assert (shown.type, str(shown)) == ("E_***", "E_***: hello")
