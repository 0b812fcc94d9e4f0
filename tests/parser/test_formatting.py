"""Owns the tests of the one layout of documents: what it is, and that it keeps comments and meaning."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import flowscript_trio as fs
from flowscript_trio.parser import parse
from flowscript_trio.parser.formatting import format_document, format_file
from flowscript_trio.types.ast import Setting, Structure
from flowscript_trio.types.location import Location, Source, Text

from generated.strategies import workflows
from generated.writing import write
from harvest import LOADED, load_all

PLACES = {"location", "offset", "source", "file", "key", "shares_line"}


def meaning(value: Any) -> Any:
    """A syntax tree without its places."""
    if isinstance(value, Setting):
        return (value.name, value.written, meaning(value.value))
    if isinstance(value, Structure):
        return (value.kind, meaning(value.value))
    if isinstance(value, Text):
        return value.value
    if isinstance(value, (Location, Source)):
        return None
    if isinstance(value, (tuple, list)):
        return [meaning(one) for one in value]
    if isinstance(value, dict):
        return {key: meaning(one) for key, one in value.items()}
    if hasattr(value, "__dict__"):
        inside = {name: one for name, one in vars(value).items() if name not in PLACES}
        return (type(value).__name__, meaning(inside))
    return value


def comments(text: str) -> list[str]:
    return re.findall(r"<!--.*?-->", text, re.DOTALL)


def check(text: str, file: str) -> str:
    """The text formatted; it has the same meaning and the same comments, and stays as it is."""
    done = format_document(text, file=file)
    assert meaning(parse(done, file=file).document) == meaning(parse(text, file=file).document)
    assert comments(done) == comments(text)
    assert format_document(done, file=file) == done
    assert {p.code for p in parse(done, file=file).problems} <= {
        p.code for p in parse(text, file=file).problems
    }
    return done


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_document_of_the_tests_keeps_its_meaning() -> None:
    load_all()
    assert len(LOADED) > 80
    for text in LOADED:
        check(text, "d.flow.md" if text.startswith("---") else "d.xml")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflows())
def test_generated_documents_keep_their_meaning(generated: Any) -> None:
    check(write(generated), "generated.xml")


UGLY = """<?xml version="1.0"?>
<!-- on top -->
<workflow   name='w'
   version="1.0"><!-- first --><source:http id="a" url="http://example.com/a?x=1&y=2" headers='{"A": "b"}' method="POST" extract="a.b"/> <!-- behind -->


<?note this?>
  <parallel id="p" max-concurrency="2"><branch><delay duration="1s"></delay></branch>
  <branch>
      <transform type="template" id="t"><template>
            hello

              {{a}}
      </template></transform>
      <source:database id="d" connection="c"><query><![CDATA[
select 1
  from b where a < 3]]></query></source:database>
    </branch></parallel>
  <if id="i" condition="1 < 2"><then>
</then></if>
  <transform:template id="z"><template> one line </template></transform:template></workflow>
<!-- end -->"""  # fmt: skip

NEAT = """<?xml version="1.0"?>
<!-- on top -->
<workflow name="w" version="1.0">
  <!-- first -->
  <source:http
      id="a"
      url="http://example.com/a?x=1&amp;y=2"
      headers='{"A": "b"}'
      method="POST"
      extract="a.b"/> <!-- behind -->

  <?note this?>
  <parallel id="p" max-concurrency="2">
    <branch>
      <delay duration="1s"/>
    </branch>
    <branch>
      <transform type="template" id="t">
        <template>
          hello

            {{a}}
        </template>
      </transform>
      <source:database id="d" connection="c">
        <query><![CDATA[
          select 1
            from b where a < 3
        ]]></query>
      </source:database>
    </branch>
  </parallel>
  <if id="i" condition="1 &lt; 2">
    <then/>
  </if>
  <transform:template id="z">
    <template>one line</template>
  </transform:template>
</workflow>
<!-- end -->
"""


def test_a_document_has_one_layout() -> None:
    assert check(UGLY, "w.xml") == NEAT


SINGLE = [
    ("<set var='a' value='it&apos;s'/>", '<set var="a" value="it&apos;s"/>'),
    ("""<set var='a' value='say "x"'/>""", """<set var="a" value='say "x"'/>"""),
    ("<set var='a' value='a\n  b'/>", '<set var="a" value="a\n  b"/>'),
    ("<set var='a'><value>a<!-- b -->c</value></set>", '<set var="a">\n    <value>a<!-- b -->c</value>\n  </set>'),
    ("<set var='a'><value>&#32;a\n  b</value></set>", '<set var="a">\n    <value>&#32;a\n  b</value>\n  </set>'),
    ("<set var='a'><value>a\n      b\n        c</value></set>", '<set var="a">\n    <value>\n      a\n      b\n        c\n    </value>\n  </set>'),
    ("<set var='a'><value><![CDATA[ < ]]></value></set>", '<set var="a">\n    <value><![CDATA[<]]></value>\n  </set>'),
    ("<set var='a'><value>x <![CDATA[ < ]]> y</value></set>", '<set var="a">\n    <value>x <![CDATA[ < ]]> y</value>\n  </set>'),
    ("<set var='a'><value><![CDATA[a]]><![CDATA[b]]></value></set>", '<set var="a">\n    <value><![CDATA[a]]><![CDATA[b]]></value>\n  </set>'),
    ("<set var='a'><value></value></set>", '<set var="a">\n    <value/>\n  </set>'),
    (
        "<set var='a'><value>< a < 3 <= b</value></set>",
        '<set var="a">\n    <value>&lt; a &lt; 3 &lt;= b</value>\n  </set>',
    ),
    ("<set var='a'><value>a & b</value></set>", '<set var="a">\n    <value>a &amp; b</value>\n  </set>'),
    ("<phase name='p'><!-- nothing --></phase>", '<phase name="p">\n    <!-- nothing -->\n  </phase>'),
]  # fmt: skip


@pytest.mark.parametrize(("node", "laid_out"), SINGLE)
def test_what_a_node_becomes(node: str, laid_out: str) -> None:
    done = check(f"<workflow name='w'>{node}</workflow>", "w.xml")
    assert done == f'<workflow name="w">\n  {laid_out}\n</workflow>\n'


def test_what_stands_around_the_workflow_of_a_flow_md_stays() -> None:
    before = "---\nname:   w   # mine\n---\n\n"
    after = "\n\n# Notes\n\n`<workflow>` is not  formatted here.\n"
    text = before + "<workflow><set var='a' value='1'/></workflow>" + after
    assert check(text, "w.flow.md") == (
        before + '<workflow>\n  <set var="a" value="1"/>\n</workflow>' + after
    )


def test_line_ends_of_windows_stay() -> None:
    text = "<workflow name='w'>\r\n<set var='a'><value>a\r\nb</value></set></workflow>\r\n"
    done = format_document(text, file="w.xml")
    assert done.count("\r\n") == done.count("\n") == 8
    assert meaning(parse(done, file="w.xml").document) == meaning(
        parse(text, file="w.xml").document
    )


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("latin-1", '<?xml version="1.0" encoding="latin-1"?>\n')],
)  # fmt: skip
def test_a_file_keeps_its_encoding(encoding: str, declaration: str) -> None:
    text = declaration + "<workflow name='é'><set var='a' value='1'/></workflow>"
    done = format_file(text.encode(encoding), file="w.xml")
    assert done.decode(encoding) == declaration + (
        '<workflow name="é">\n  <set var="a" value="1"/>\n</workflow>\n'
    )


@pytest.mark.parametrize("text", ["<workflow", "<workflow name='w'><a></workflow>", "", "<!DOCTYPE a><a/>"])  # fmt: skip
def test_what_is_not_well_formed_is_refused(text: str) -> None:
    with pytest.raises(fs.WorkflowInvalid):
        format_document(text, file="w.xml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(fs.WorkflowInvalid, match="0xFF"):
        format_file(b"<workflow name='\xff'/>", file="w.xml")
