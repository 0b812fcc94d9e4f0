"""Owns tests of answers as streams: records of a body, events, pages, and servers that misbehave on the way."""

from __future__ import annotations

import gzip
import json
import re
import tracemalloc
from typing import Any

import pytest
import trio

import flowscript_trio as fs
from flowscript_trio.runtimes.http.events import Events
from flowscript_trio.runtimes.http.links import next_link
from flowscript_trio.testing import prove

from loopback import Answer, Loopback, Seen, loopback
from misbehaving import GOOD, MISBEHAVIOURS, Misbehaviour, misbehaving
from misbehaving_more import MORE

LARGE = r"a line of more than 1,000,000 characters"
OF_STREAMS = {
    "a charset that is not true": r"is not UTF-16 text(?: \(byte 0\))?; its content type says so; expected",
    "a charset that is not known": r"is text in the charset 'foo', which is not known; expected the setting",
    "gzip once more than it says": r"is not UTF-8 text \(byte 1\)",
    "bytes that are not UTF-8": r"is not UTF-8 text \(byte 1\)",
}
"""What is said of the lines of a stream, where JSON that is read whole has errors of its own."""
EACH = '<foreach id="e" collection="s"><transform:template id="t" template="{{item}}"/></foreach>'
RETRY = '<on-error><retry max="2" base="0s" retry-after="ignore"/></on-error>'


def load(url: str, settings: str, after: str = EACH) -> fs.Flow:
    return fs.loads(
        f'<workflow name="w"><source:http id="s" url="{url}" {settings}/>{after}</workflow>'
    )


async def read(url: str, settings: str, after: str = EACH, **options: Any) -> Any:
    with trio.fail_after(20):
        return (await fs.run(load(url, settings, after), **options)).output


def typed(body: bytes, kind: str, **headers: str) -> Answer:
    return Answer(200, body, {"Content-Type": kind, **headers})


@pytest.mark.parametrize(
    ("kind", "body", "settings", "items"),
    [
        ("application/x-ndjson", b'{"a":1}\n[2]', "", [{"a": 1}, [2]]),
        ("application/jsonl", b'{"a":1}\n', 'extract="a"', [1]),
        ("text/csv; charset=latin-1", b"a;b\n1;\xe9\n", "", [{"a": "1", "b": "é"}]),
        ("text/tab-separated-values", b"a,b\tc\n1\t2\n", "", [{"a,b": "1", "c": "2"}]),
        ("text/plain", b"\xef\xbb\xbfx\r\ny", "", ["x", "y"]),
        ("text/plain", b"1\n", 'format="jsonl"', [1]),
        ("text/event-stream", b"data: 1\n\n", "", [{"event": "message", "data": "1", "id": None}]),
        ("application/json", b"[1, 2]", "", [1, 2]),
        ("application/hal+json", b'{"x": {"y": [1]}}', 'extract="x.y"', [1]),
        ("application/json", b"null", "", []),
        ("text/csv", b"", "", []),
    ],
)
async def test_records_of_an_answer_are_a_stream_or_a_list(
    kind: str, body: bytes, settings: str, items: Any
) -> None:
    async with loopback() as server:
        server.answer("/x", typed(body, kind))
        assert await read(server.base + "/x", f'stream="true" {settings}') == items
        if "json" not in kind or "format" in settings:
            form = kind.partition(";")[0].rpartition("/")[2]
            form = {"tab-separated-values": "tsv", "plain": "lines", "event-stream": "events"}.get(
                form, form
            )
            settings = settings if "format" in settings else f'{settings} format="{form}"'
            assert await read(server.base + "/x", settings, "") == items


async def test_a_full_response_has_the_stream_as_its_body() -> None:
    async with loopback() as server:
        server.answer("/x", typed(b"1\n2\n", "application/jsonl"))
        each = EACH.replace('collection="s"', 'collection="s.body"').replace(
            "{{item}}", "{{s.status + item}}"
        )
        assert await read(server.base + "/x", 'stream="true" response="full"', each) == [201, 202]


async def test_a_type_that_is_not_of_records_is_an_error_that_names_it() -> None:
    async with loopback() as server:
        server.answer("/x", typed(b"\x00", "image/png"))
        with pytest.raises(
            fs.SettingError, match="content type 'image/png'; expected the setting format"
        ):
            await read(server.base + "/x", 'stream="true"')


async def test_text_that_is_not_of_its_encoding_is_an_error_that_names_the_byte() -> None:
    async with loopback() as server:
        server.answer("/x", typed(b"a\n\xff", "text/plain; charset=utf-8"))
        with pytest.raises(fs.FlowScriptError, match=r"is not UTF-8 text \(byte 2\)"):
            await read(server.base + "/x", 'stream="true"')


@pytest.mark.parametrize("cut", range(40))
def test_events_come_out_whole_wherever_they_are_cut(cut: int) -> None:
    text = ": hello\r\nid: 7\nevent: a\ndata: x\rdata:y\n\ndata\n\nid\n\nretry: 3\ndata:  z\n\ndata: lost"
    whole = Events("a").feed(text, last=True)
    assert whole == [
        {"event": "a", "data": "x\ny", "id": "7"},
        {"event": "message", "data": "", "id": "7"},
        {"event": "message", "data": " z", "id": None},
    ]
    events = Events("a")
    assert events.feed(text[:cut]) + events.feed(text[cut:], last=True) == whole


class Book:
    """Numbers from 0 to 6 in pages of three, as several services have them."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        server.pages["/pages"] = self.page

    async def page(self, seen: Seen) -> Answer:
        query = dict(pair.split("=") for pair in seen.target.partition("?")[2].split("&") if pair)
        begin = int(query.get("cursor") or query.get("offset") or query.get("skip") or 0)
        if "page" in query:
            begin = 3 * int(query["page"]) - 3
        items = list(range(begin, min(begin + 3, 7)))
        more = begin + 3 < 7
        url = f"/pages?cursor={begin + 3}&k=v"
        headers = {"Link": f'<{url}>; rel="next", </x>; rel="last"'} if more else {}
        body = {"items": items, "next": begin + 3 if more else None, "url": url if more else ""}
        return Answer(200, body, headers)


PAGES = [
    ('next="link"', ["?k=v", "?cursor=3&k=v", "?cursor=6&k=v"]),
    ('next="cursor" cursor="next"', ["?k=v", "?k=v&cursor=3", "?k=v&cursor=6"]),
    ('next="cursor" cursor="url"', ["?k=v", "?cursor=3&k=v", "?cursor=6&k=v"]),
    ('next="offset"', ["?k=v", "?k=v&offset=3", "?k=v&offset=6", "?k=v&offset=7"]),
    ('next="offset" next-param="skip"', ["?k=v", "?k=v&skip=3", "?k=v&skip=6", "?k=v&skip=7"]),
    ('next="page"', ["?k=v", "?k=v&page=2", "?k=v&page=3", "?k=v&page=4"]),
]


@pytest.mark.parametrize("stream", ["", 'stream="true"'])
@pytest.mark.parametrize(("settings", "asked"), PAGES)
async def test_pages_are_followed_to_the_last(settings: str, asked: list[str], stream: str) -> None:
    async with loopback() as server:
        Book(server)
        settings += f' extract="items" params="{{k: v}}" {stream}'
        assert await read(server.base + "/pages", settings, EACH if stream else "") == list(
            range(7)
        )
        assert [seen.target for seen in server.seen] == ["/pages" + query for query in asked]


async def test_the_next_page_is_asked_for_when_its_items_are_wanted() -> None:
    async with loopback() as server:
        Book(server)
        each = '<foreach id="e" collection="s"><break when="item == 4"/></foreach>'
        await read(server.base + "/pages", 'next="link" extract="items" stream="true"', each)
        assert len(server.seen) == 2


async def test_an_offset_begins_where_the_parameters_say() -> None:
    async with loopback() as server:
        Book(server)
        settings = 'next="offset" extract="items" params="{offset: 5}"'
        assert await read(server.base + "/pages", settings, "") == [5, 6]
        assert [seen.target for seen in server.seen] == ["/pages?offset=5", "/pages?offset=7"]


@pytest.mark.parametrize(
    ("url", "settings", "asked"),
    [
        ("?offset=5&k=%2f", 'next="offset"', ["?offset=5&k=%2f", "?k=%2f&offset=7"]),
        ("?a=&skip=4&b=", 'next="offset" next-param="skip"', ["?a=&skip=4&b=", "?a=&b=&skip=7"]),
        ("?page=3#x", 'next="page"', ["?page=3", "?page=4"]),
        ("?%6fffset=5&offset=5", 'next="offset"', ["?%6fffset=5&offset=5", "?offset=7"]),
        ("?cursor=3", 'next="cursor" cursor="next"', ["?cursor=3", "?cursor=6"]),
    ],
)
async def test_pages_begin_where_the_url_says(url: str, settings: str, asked: list[str]) -> None:
    """The parameter was sent twice, and an offset in the URL brought the first items again."""
    async with loopback() as server:
        Book(server)
        items = await read(
            f"{server.base}/pages{url.replace('&', '&amp;')}", settings + ' extract="items"', ""
        )
        assert items
        assert items == list(range(7))[-len(items) :]
        assert [seen.target for seen in server.seen] == ["/pages" + query for query in asked]


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('</a>; rel="next"', "/a"),
        ("</a>;rel=next", "/a"),
        ('</a?b=c,d;e>; title="x, rel=next; <y>"; rel="prev next"', "/a?b=c,d;e"),
        ('</z>; title="\\"; rel=next"; rel=last, </a> ; Rel = NEXT ; x', "/a"),
        ("</a>; rel=next, </b>; rel=next", "/a"),
        ('</b>; rel=next; anchor="/other", </a>; rel=next', "/a"),
        ("</a>; rel=prev; rel=next", None),
        ("</a>; rel=nextish", None),
        ("/a; rel=next", None),
        ("</a", None),
        ("", None),
    ],
)
def test_the_next_page_is_the_link_that_says_so(header: str, target: str | None) -> None:
    assert next_link(header) == target


@pytest.mark.parametrize(
    ("body", "headers", "settings", "message"),
    [
        ([1], {"Link": "</x>; rel=next"}, 'next="link"', "a next page|asked for already"),
        ({"n": "a", "i": [1]}, {}, 'next="cursor" cursor="n" extract="i"', "asked for already"),
        ([1, 2], {}, 'next="offset"', "the same page twice; does it know the parameter 'offset'"),
        ({"items": [1]}, {}, 'next="page"', "is an object; expected a list, or the setting extract"),
        ([1], {"Link": "<http://127.0.0.2/y>; rel=next"}, 'next="link"', "another origin, http://127.0.0.2/y"),
        ([1], {}, 'next="offset" params="{offset: x}"', "the parameter 'offset' is not a whole number"),
    ],
)  # fmt: skip
async def test_pages_that_lead_nowhere_are_errors(
    body: Any, headers: dict[str, str], settings: str, message: str
) -> None:
    async with loopback() as server:
        server.answer("/x", Answer(200, body, headers))
        with pytest.raises(fs.FlowScriptError, match=message):
            await read(server.base + "/x", settings, "")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('next="link" format="csv"', "pages are JSON"),
        ('next="cursor"', "cursor is needed for next: cursor"),
        ('next="link" cursor="a"', "and for nothing else"),
        ('next="link" next-param="a"', "nothing is asked by next-param"),
        ('next="link" upload="a"', "a file is sent once"),
        ('next-param="a"', "next-param is for pages, and next is missing"),
        ('stream="true" download="a"', "it has no records"),
        ('stream="true" format="text"', "stream is for records"),
        ('format="csv" extract="a"', "extract is for JSON"),
    ],
)
def test_settings_that_exclude_each_other_are_problems(settings: str, message: str) -> None:
    with pytest.raises(fs.WorkflowInvalid, match=message):
        load("http://h/", settings)


@pytest.mark.parametrize("what", [*MISBEHAVIOURS, *MORE], ids=lambda what: what.name)
async def test_what_becomes_of_a_misbehaviour_in_a_stream(what: Misbehaviour) -> None:
    """As of one in a source. What goes wrong once the stream has begun is not tried again by itself."""
    async with misbehaving(what) as (url, heads):
        source = (
            f'<source:http id="s" url="{url}" format="lines" stream="true">{RETRY}</source:http>'
        )
        each = EACH.replace("</foreach>", f"{RETRY}</foreach>")
        flow = fs.loads(f'<workflow name="w">{source}{each}</workflow>')
        about_json = what.error == "FlowScriptError" and "JSON" in what.says
        of_its_own = OF_STREAMS.get(what.name, LARGE if "too large" in what.name else None)
        if (
            of_its_own is not None
        ):  # a stream may be large, and its text is decoded before it is JSON
            with pytest.raises(fs.FlowScriptError, match=of_its_own), trio.fail_after(20):
                await fs.run(flow, http=fs.HttpOptions(max_bytes=1_000_000))
            return
        if what.error is None or about_json:
            with trio.fail_after(20):
                output = (await fs.run(flow, http=fs.HttpOptions(max_bytes=1_000_000))).output
            assert isinstance(output, list)
            assert (
                what.error is not None or "UTF-16" in what.name or output in ([], [GOOD.decode()])
            )
            return
        with pytest.raises(Exception, match=what.says) as caught, trio.fail_after(20):
            await fs.run(flow, http=fs.HttpOptions(max_bytes=1_000_000))
        error = caught.value
        assert type(error).__name__ == what.error
        assert re.search(r"(GET|answer of) .*http://127\.0\.0\.1:\d+", str(error)), str(error)
        failure = fs.failure_of(error)
        assert failure is not None
        if failure.node == "s":
            assert what.error == "TooManyRedirects" or len(heads) == (3 if what.passes else 1)
        else:
            assert len(heads) == 1
            assert any("the stream of 's' broke off" in note for note in error.__notes__)


async def test_records_that_are_read_whole_are_asked_for_again_where_the_connection_is_lost() -> (
    None
):
    what = next(
        each for each in MISBEHAVIOURS if each.error == "RemoteProtocolError" and each.passes
    )
    async with misbehaving(what) as (url, heads):
        text = f'<source:http id="s" url="{url}" format="lines">{RETRY}</source:http>'
        with pytest.raises(Exception, match=what.says) as caught, trio.fail_after(20):
            await fs.run(fs.loads(f'<workflow name="w">{text}</workflow>'))
        assert len(heads) == 3
        assert not any("broke off" in note for note in caught.value.__notes__)


async def test_a_stream_that_is_left_closes_its_connection_at_once() -> None:
    async with loopback() as server:
        server.answer(
            "/x", Answer(200, b"1\n2\n", {"Content-Type": "application/jsonl"}, stalls=True)
        )
        each = '<foreach id="e" collection="s"><break when="item == 2"/></foreach>'
        await read(
            server.base + "/x", 'stream="true"', each + '<delay id="d" duration="0s" after="e"/>'
        )
        await server.until(lambda: server.left == ["/x"])


async def test_a_stream_that_stalls_is_cancelled_with_its_consumer() -> None:
    async with loopback() as server:
        server.answer("/x", Answer(200, b"1\n", {"Content-Type": "application/jsonl"}, stalls=True))
        with pytest.raises(trio.TooSlowError):
            await read(
                server.base + "/x",
                'stream="true"',
                EACH.replace("<foreach", '<foreach timeout="200ms"'),
            )
        await server.until(lambda: server.left == ["/x"])


async def test_a_little_that_stands_for_much_is_decoded_piece_by_piece() -> None:
    body = gzip.compress((b"x" * 999 + b"\n") * 40_000, 9)
    async with loopback() as server:
        server.answer("/x", typed(body, "text/plain", **{"Content-Encoding": "gzip"}))
        each = '<foreach id="e" collection="s" batch="1000" merge="none"><set var="x" value="1"/></foreach>'
        tracemalloc.start()
        try:
            assert await read(server.base + "/x", 'stream="true"', each) == 40
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 12_000_000


async def test_cookies_that_pages_set_are_sent_for_the_next_one() -> None:
    async with loopback() as server:
        server.answer(
            "/x",
            Answer(200, [1], {"Set-Cookie": "a=1", "Link": "</y>; rel=next"}),
        )
        server.page("/y", [2])
        assert await read(server.base + "/x", 'next="link" stream="true"') == [1, 2]
        assert server.seen[1].headers.get("cookie") == "a=1"


@pytest.mark.slow
@pytest.mark.parametrize("settings", ['format="jsonl"', 'next="link"'])
def test_streams_of_http_are_proved(settings: str) -> None:
    """Cancelled at every step, and failed at every node, they leave no connection open."""

    async def answer(seen: Seen) -> Answer:
        link = {"Link": f"<{seen.path}x>; rel=next"} if len(seen.path) < 4 else {}
        lines = b"1\n2\n3\n" if "jsonl" in settings else json.dumps([1, 2]).encode()
        return Answer(200, lines, link)

    report = prove_with_server(settings, answer)
    assert report.holds, report.render()


def prove_with_server(settings: str, answer: Any) -> Any:
    """A proof against a server in a thread of its own: each of its runs has a clock that jumps."""
    import threading

    from flowscript_trio.cli.serving import Server

    begun = threading.Event()
    box: dict[str, Any] = {}

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            box["token"] = trio.lowlevel.current_trio_token()
            box["scope"] = nursery.cancel_scope
            box["url"] = await nursery.start(Server(answer).serve)
            begun.set()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    begun.wait()
    try:
        return prove(load(box["url"] + "/", f'stream="true" timeout="1d" {settings}'), pairs=10)
    finally:
        box["token"].run_sync_soon(box["scope"].cancel)
        thread.join()
