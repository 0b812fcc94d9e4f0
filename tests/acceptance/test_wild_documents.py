"""Owns the proof that documents as they were written for the engine in TypeScript run here to their end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

import flowscript_trio as fs

from loopback import Answer, Loopback, loopback
from stubs import Stubs

REPORT = """---
name: daily-report
version: 1.0.0
description: Fetch users, score them, and write a report
config:
  apiBase: {type: string, required: true}
  minScore: {type: number, default: 50}
secrets:
  - API_TOKEN
runtime:
  timeout: 5m
  retry: 1
  concurrency: 4
trigger:
  type: schedule
  cron: "0 6 * * *"
---

<workflow>
  <source:http id="fetch-users">
    <request>
      method: GET
      url: {{$config.apiBase}}/users?active=true&sort=name
      headers:
        Authorization: Bearer {{$secrets.API_TOKEN}}
        Accept: application/json
    </request>
  </source:http>

  <!-- keep who scores enough -->
  <transform type="filter" id="good-users" input="fetch-users.output.users">
    <condition>item.score >= $config.minScore && !item.banned</condition>
  </transform>

  <transform type="map" id="with-rank" input="good-users">
    <expression><![CDATA[(user, i) => ({...user, rank: i + 1, tags: [...(user.tags ?? []), user.score > 90 ? "top" : "ok"]})]]></expression>
  </transform>

  <transform type="reduce" id="total" input="with-rank" initial="{{ {sum: 0, count: 0} }}"
             expression="(acc, user) => ({sum: acc.sum + user.score, count: acc.count + 1})"
             finalize="acc.count > 0 ? round(acc.sum / acc.count, 1) : null"/>

  <control:if id="has-any" condition="good-users.length > 0">
    <then>
      <foreach id="letters" collection="{{with-rank}}" item="user" maxConcurrency="2">
        <transform:template id="letter" template="{{user.rank}}. {{user.name}} ({{user.tags.join(', ')}})"/>
      </foreach>
    </then>
    <else>
      <transform:template id="nobody" template="nobody"/>
    </else>
  </control:if>

  <transform type="template" id="report" format="json">
    <template>{
      "title": "Report of {{length(good-users)}} users",
      "average": {{total}},
      "lines": {{has-any}},
      "first": "{{with-rank[0].name}}"
    }</template>
  </transform>

  <sink type="file" id="save" input="report" path="reports/daily.json" createDir="true" pretty="false"/>
  <output>
    <set field="report" value="{{report}}"/>
    <set field="saved" value="{{save.bytes > 0}}"/>
  </output>
</workflow>

## How it works

The `<transform>` nodes are pure & fast; 1 < 2.
"""

USERS = [
    {"name": 'Ann "the <b>" O\\Neill', "score": 95, "tags": ["a"]},
    {"name": "Bob", "score": 51},
    {"name": "Cid", "score": 50, "banned": True},
    {"name": "Dan", "score": 12},
]


async def test_a_report_from_an_api_with_hyphens_arrows_spread_and_reduce(tmp_path: Path) -> None:
    (tmp_path / "report.flow.md").write_text(REPORT)
    flow = fs.load(tmp_path / "report.flow.md")
    assert {problem.code for problem in flow.warnings} <= {
        "repaired",
        "raw-ampersand",
        "raw-less-than",
    }
    async with loopback() as server:
        server.page("/users", {"users": USERS})
        run = await fs.run(
            flow,
            config={"apiBase": server.base},
            secrets={"API_TOKEN": "abcd-efgh"},
            base=tmp_path,
        )
    assert server.seen[0].target == "/users?active=true&sort=name"
    assert server.seen[0].headers["authorization"] == "Bearer abcd-efgh"
    name = USERS[0]["name"]
    expected = {
        "title": "Report of 2 users",
        "average": 73,
        "lines": [f"1. {name} (a, top)", "2. Bob (ok)"],
        "first": name,
    }
    assert run.output == {"report": expected, "saved": True}
    assert json.loads((tmp_path / "reports" / "daily.json").read_text()) == expected


POLL = """<workflow name="poll">
  <set var="tries" value="0"/>
  <while id="wait-ready" condition="tries < 10 && !(status-check.ready ?? false)" max="20">
    <set var="tries" value="{{tries + 1}}"/>
    <source type="stub" id="status-check" takes="1s" gives="{{ {ready: tries == 4} }}"/>
  </while>
  <branch id="decide">
    <case when="tries > 8"><transform:template id="slow" template="slow"/></case>
    <case when="tries > 3 and tries le 8"><transform:template id="ok" template="took {{tries}}"/></case>
    <default><transform:template id="fast" template="fast"/></default>
  </branch>
  <timeout id="bounded" duration="2s" onTimeout="gave-up">
    <source:stub id="hung" hangs="true"/>
  </timeout>
  <transform:template id="gave-up" template="gave up: {{$error.type}}"/>
  <parallel id="mirrors" wait="n(2)" merge="concat" max_concurrency="unlimited">
    <branch><source:stub id="m1" takes="3s" gives="{{['slow']}}"/></branch>
    <branch><source:stub id="m2" takes="1s" gives="{{['a', 'b']}}"/></branch>
    <branch><source:stub id="m3" takes="2s" gives="c"/></branch>
  </parallel>
  <source:stub id="unsafe-call" fails="broken">
    <on-error>
      <retry max="2" when="AND_OR" backoff="exponential" base="1s"/>
      <fallback node="default-value"/>
    </on-error>
  </source:stub>
  <transform:template id="default-value" template="[0]" format="json"/>
  <loop id="count-down" max="{{3}}" break="step == 0">
    <transform:map id="left" input="unsafe-call" expression="2 - $iteration"/>
    <transform:template id="step" template="{{left[0]}}"/>
  </loop>
  <phase name="end">
    <transform:template id="sum-up">
      <template>{{decide}} | {{bounded}} | {{mirrors}} | {{unsafe-call[0] - 1}} | {{count-down}}</template>
    </transform:template>
  </phase>
</workflow>"""


async def test_bodies_run_timeouts_interrupt_and_handlers_stand_in(
    autojump_clock: trio.testing.MockClock,
) -> None:
    stubs = Stubs()
    text = POLL.replace("AND_OR", "message == 'broken' AND NOT (status eq 404 OR false)")
    flow = fs.loads(text, name="poll.xml", registry=stubs.registry)
    run = await fs.run(flow)
    assert run.output == 'took 4 | gave up: TooSlowError | ["a","b","c"] | -1 | 0'
    assert stubs.events.count("start status-check") == 4
    assert stubs.events.count("start unsafe-call") == 3
    assert "cancelled hung" in stubs.events
    assert "cancelled m1" in stubs.events
    assert trio.current_time() == 4, (
        "the nodes that do not wait for each other run at the same time"
    )


NASTY = ['quote " and \\ backslash', "two\nlines\ttab", "</template> <b> & {{x}} ]]>", "", "'é😀'"]
FORMS = {
    "an attribute": """<transform:template id="t" template='{"name": "{{input}}", "all": [{{input}}]}'/>""",
    "a child": """<transform:template id="t"><template>{"name": "{{input}}", "all": [{{input}}]}</template></transform:template>""",
    "CDATA": """<transform:template id="t" format="json"><template><![CDATA[{"name": "{{input}}", "all": [{{input}}]}]]></template></transform:template>""",
    "entities": """<transform:template id="t" template="{&quot;name&quot;: &#34;{{input}}&#34;, &quot;all&quot;: [{{input}}]}"/>""",
    "encoded": """<transform:template id="t" template='{"name": {{json_encode(input)}}, "all": [{{input}}]}'/>""",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NASTY)
async def test_a_template_that_makes_json_is_right_for_every_name(form: str, name: str) -> None:
    run = await fs.run(fs.loads(f'<workflow name="w">{FORMS[form]}</workflow>'), input=name)
    assert run.output == {"name": name, "all": [name]}


ORDERS = """<workflow name="orders" xmlns:src="urn:flowscript:source" xmlns:c="urn:flowscript:control">
  <param name="base" type="string" required="true">where the shop is</param>
  <c:parallel id="both" failFast="false" tolerate="1">
    <branch><src:http id="orders" url="{{$config.base}}/orders?open=1&page=2" extract="data[?total > `10`]"/></branch>
    <branch><src:http id="gone" url="{{$config.base}}/gone"/></branch>
  </c:parallel>
  <foreach id="notify" collection="both[0]" merge="none" concurrency="5" if="both[0].length > 0">
    <sink:http id="send" method="POST" url="{{$config.base}}/notify">
      <request>
        headers: {X-Order: {{item.id}}, X-First: "{{$first}}"}
        body:
          id: {{item.id}}
          text: "Order {{item.id}}: {{item.total}}"
          lines: {{item.lines}}
          code: 010
      </request>
      <on-error><retry max="1" when="status == 429" base="1ms"/></on-error>
    </sink:http>
  </foreach>
</workflow>"""


async def test_a_fan_out_over_http_with_requests_in_yaml() -> None:
    orders = [{"id": n, "total": 5 * n, "lines": [{"sku": f"s{n}"}]} for n in range(1, 5)]
    flow = fs.loads(ORDERS)
    async with loopback() as server:
        server.page("/orders", {"data": orders})
        throttle(server)
        run = await fs.run(flow, config={"base": server.base})
    assert run.output == 2
    assert run.results["gone"].status == "failed"
    sent = sorted((seen for seen in server.seen if seen.path == "/notify"), key=lambda s: s.body)
    bodies: list[Any] = [json.loads(seen.body) for seen in sent]
    assert bodies[-1] == {"id": 4, "text": "Order 4: 20", "lines": [{"sku": "s4"}], "code": "010"}
    assert {body["id"] for body in bodies} == {3, 4}
    assert len(bodies) == 3, "one was told to come again"
    assert {seen.headers["x-first"] for seen in sent} == {"true", "false"}


def throttle(server: Loopback) -> None:
    server.answer("/notify", Answer(429, "slow down"), Answer(200, {"ok": True}))
