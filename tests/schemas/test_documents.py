"""Owns the proof that the schemas and the engine are of one mind about whole documents."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

import flowscript_trio as fs

from generated.runtimes import Leaves
from generated.strategies import workflows
from generated.writing import write
from harvest import LOADED, REFUSED, load_all
from validating import complaint, errors_of, schema_of, workflow

REPAIRS = {"raw-less-than", "raw-ampersand"}
SEEN = {
    "duplicate-id", "malformed-id", "misplaced-element", "missing-case", "missing-then",
    "nested-setting", "not-constant", "stray-text", "unexpected-element", "unknown-element",
    "unknown-runtime",
}  # fmt: skip
"""What XML Schema sees wherever it stands."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> etree.XMLSchema:
    return schema_of(tmp_path_factory.mktemp("schemas"))


@pytest.mark.filterwarnings("ignore")
def test_every_valid_document_of_the_tests_is_right_by_the_schema(schema: etree.XMLSchema) -> None:
    load_all()
    valid = [text for text, codes in LOADED.items() if not codes & REPAIRS]
    assert len(valid) > 80
    wrong = [(text, said) for text in valid if (said := complaint(schema, text)) is not None]
    assert wrong == []


@pytest.mark.filterwarnings("ignore")
def test_documents_that_a_schema_can_tell_to_be_wrong_are_wrong_by_it(
    schema: etree.XMLSchema,
) -> None:
    load_all()
    refused = [
        text for text, codes in REFUSED.items() if codes & SEEN and "<phase name" not in text
    ]
    assert len(refused) > 20
    accepted = []
    for text in refused:
        with suppress(etree.XMLSyntaxError):
            if complaint(schema, text) is None:
                accepted.append(text)
    assert accepted == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(workflows())
def test_generated_documents_are_right_by_the_schema_of_their_runtimes(generated: Any) -> None:
    assert complaint(_generated_schema(), write(generated)) is None


@cache
def _generated_schema() -> etree.XMLSchema:
    with TemporaryDirectory() as folder:
        return schema_of(Path(folder), Leaves().registry)


VALUES = [
    ("<parallel id='p' {}='2'><branch/></parallel>", ["maxConcurrency", "max-concurrency", "max_concurrency", "concurrency"]),
    ("<parallel id='p'><{0}>2</{0}><branch/></parallel>", ["maxConcurrency", "max-concurrency", "concurrency"]),
    ("<parallel id='p' maxConcurrency='{}'><branch/></parallel>", ["unlimited", " 7 ", "{{$config.n}}"]),
    ("<parallel id='p' wait='{}'><branch><delay duration='1s'/></branch></parallel>", ["all", "any", "n(1)", " n ( 1 ) "]),
    ("<parallel id='p' tolerate='{}'><branch/></parallel>", ["2", "10%", " 2.5 % "]),
    ("<parallel id='p' fail-fast='{}'><branch/></parallel>", ["true", "False", "on", "0"]),
    ("<delay duration='{}'/>", ["250ms", "1.5m", ".5s", " 2 h ", "PT5S", "P1DT2H", "P1W"]),
    ("<delay><duration>{}</duration></delay>", ["1s", "\n 1s \n", "<![CDATA[1s]]>"]),
    ("<checkpoint id='c' timeout='{}'/>", ["30", "30s", "{{$config.t}}"]),
    ("<loop id='l' max='{}'><delay duration='1s'/></loop>", ["3", "1_000", "3.0", "+3"]),
    ("<loop id='l'><break>{}</break><set var='a' value='1'/></loop>", ["{{true}}", "$iteration eq 3"]),
    ("<timeout id='t' duration='1s'><timeout>{}</timeout><set var='a' value='1'/></timeout>", ["2s"]),
    ("<set var='a'>{}</set>", ["<value>1</value>", "<value><![CDATA[<b>]]></value>"]),
    ("<context><set key='a'>{}</set></context>", ["1", "<![CDATA[<b>]]>", "<value>1</value>"]),
    ("<control:if id='i' condition='true'><control:then>{}</control:then></control:if>", ["", "<control:delay duration='1s'/>"]),
    ("<source id='s' type='file' path='a'><request>{}</request></source>", ["format: json"]),
]  # fmt: skip


@pytest.mark.parametrize("nodes", [form.format(value) for form, all_ in VALUES for value in all_])
def test_what_the_engine_reads_is_right_by_the_schema(nodes: str, schema: etree.XMLSchema) -> None:
    text = workflow(nodes)
    assert errors_of(text) == []
    assert complaint(schema, text) is None


WRONG = [
    "<paralel id='p'/>",
    "<parallel id='p' maxConcurency='2'><branch/></parallel>",
    "<parallel id='p' maxConcurrency='0'><branch/></parallel>",
    "<parallel id='p' maxConcurrency='two'><branch/></parallel>",
    "<parallel id='p' wait='some'><branch/></parallel>",
    "<parallel id='p'><delay duration='1s'/></parallel>",
    "<parallel id='p'><branch id='b'/></parallel>",
    "<delay duration='soon'/>",
    "<delay duration='-1s'/>",
    "<source:htp id='a' url='u'/>",
    "<source:http id='a' url='u' format='xml'/>",
    "<source:http id='a' url='u'><format>xml</format></source:http>",
    "<source:http id='a' url='u' type='http'/>",
    "<source type='htp' id='a' url='u'/>",
    "<source type='http' id='a' colour='red'/>",
    "<source:http id='a b' url='u'/>",
    "<source:http id='a' url='u'/><sink:http id='a' url='u'/>",
    "<set var='a' value='1'/>text",
    "<if id='i' condition='true'><else/></if>",
    "<branch id='b'><default/></branch>",
    "<source:http id='a' url='u'><on-error><retry max='-1'/></on-error></source:http>",
    "<source:http id='a' url='u'><on-error><retry backoff='slow'/></on-error></source:http>",
    "<source:http id='a' url='u'><on-error><again/></on-error></source:http>",
    "<control:source id='a'/>",
    "<source:database id='a' connection='c' query='SELECT {{x}}'/>",
]


@pytest.mark.parametrize("nodes", WRONG)
def test_a_mistake_in_a_document_is_one_by_the_schema(nodes: str, schema: etree.XMLSchema) -> None:
    text = workflow(nodes)
    assert complaint(schema, text) is not None
    assert errors_of(text) != []


@pytest.mark.parametrize(
    "pointer", ["xsi:noNamespaceSchemaLocation='s.xsd'", "xsi:schemaLocation='urn:a s.xsd'"]
)
def test_a_document_may_say_where_its_schema_is(pointer: str, schema: etree.XMLSchema) -> None:
    text = (
        f"<workflow name='w' {pointer} xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
        "<set var='a' value='1'/></workflow>"
    )
    assert fs.loads(text).warnings == ()
    assert complaint(schema, text) is None
    with pytest.raises(fs.WorkflowInvalid, match="xsi"):
        fs.loads(text.replace(" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'", ""))
