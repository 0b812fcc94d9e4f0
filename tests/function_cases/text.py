"""Owns the cases of the functions of text."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

TEXT = {
    "upper": Cases(
        [("upper('straße')", "STRASSE")],
        [("upper(null)", None), ("upper()", None)],
        [("upper('')", "")],
        [
            ("upper(5)", "5"),
            ("upper(x => x)", Refused("an arrow function cannot be made into text")),
        ],
    ),
    "lower": Cases(
        [("lower('ÄB')", "äb")],
        [("lower(null)", None)],
        [("lower('')", "")],
        [("lower(true)", "true"), ("lower('a', 'b')", Refused("does not take 2 arguments"))],
    ),
    "trim": Cases(
        [(r"trim(' \t\n\u00a0a b\ufeff ')", "a b")],
        [("trim(null)", None)],
        [("trim('  ')", "")],
        [("trim(1.0)", "1")],
    ),
    "replace": Cases(
        [
            ("replace('a.b.c', '.', '-')", "a-b-c"),
            ("replace('aa', 'a', 'aa')", "aaaa"),
            ("replace('a$b', '$', '$1')", "a$1b"),
            ("'a.b.c'.replace('.', '')", "abc"),
        ],
        [("replace(null, 'a', 'b')", None), ("replace('abc', 'b', null)", "ac")],
        [("replace('', 'a', 'b')", ""), ("replace('ab', '', '-')", "ab")],
        [("replace(101, 0, 2)", "121")],
    ),
    "split": Cases(
        [
            ("split('a,b,,c', ',')", ["a", "b", "", "c"]),
            ("split('abc', '')", ["a", "b", "c"]),
            ("split('a b', ' ')", ["a", "b"]),
            ("split('a,b,c', ',', 2)", ["a", "b"]),
            ("split('a b')", ["a b"]),
        ],
        [("split(null, ',')", []), ("split('a b', null)", ["a b"])],
        [("split('', ',')", [""]), ("split('', '')", [])],
        [("split(1.5, '.')", ["1", "5"]), ("split('a', ',', 'x')", Refused("the limit is"))],
    ),
    "join": Cases(
        [
            ("join(['a', 1, true], '-')", "a-1-true"),
            ("join([1, 2])", "1,2"),
            ("join(range(3), '')", "012"),
            ("join([[1], {a: 2}], ' ')", '[1] {"a":2}'),
        ],
        [
            ("join(null, ',')", ""),
            ("join([1, null, 2], ',')", "1,,2"),
            ("join([1, 2], null)", "1,2"),
        ],
        [("join([], ',')", "")],
        [("join('abc', ',')", "abc"), ("join([x => x])", Refused("cannot be made into text"))],
    ),
    "truncate": Cases(
        [
            ("truncate('abcdef', 5)", "ab..."),
            ("truncate('abcdef', 6)", "abcdef"),
            ("truncate('abcdef', 4, '…')", "abc…"),
            ("truncate('abcdef', 2)", ".."),
            ("truncate('abcdef', -1)", ""),
        ],
        [("truncate(null, 3)", None), ("truncate('abc', null)", "abc")],
        [("truncate('', 3)", ""), ("truncate('abcd', 2, '')", "ab")],
        [("truncate('abc', 'x')", Refused("the length is text of 1 character"))],
    ),
    "concat": Cases(
        [
            ("concat('a', 1, true)", "a1true"),
            ("concat([1], [2, 3])", [1, 2, 3]),
            ("concat([1], 2, [3])", [1, 2, 3]),
            ("concat(['a', 'b'])", "ab"),
            ("concat([[1], [2]])", [1, 2]),
        ],
        [("concat('a', null, 'b')", "ab"), ("concat([1], null)", [1]), ("concat(null)", "")],
        [("concat()", ""), ("concat('', '')", ""), ("concat([], [])", [])],
        [
            ("concat({a: 1}, 'x')", '{"a":1}x'),
            ("concat(x => x, 'a')", Refused("cannot be made into text")),
        ],
    ),
    "starts_with": Cases(
        [("starts_with('abc', 'ab')", True), ("starts_with('abc', 'b')", False)],
        [("starts_with(null, 'a')", False), ("starts_with('a', null)", False)],
        [("starts_with('', '')", True), ("starts_with('a', '')", True)],
        [("starts_with(123, 12)", True)],
    ),
    "ends_with": Cases(
        [("ends_with('abc', 'bc')", True), ("ends_with('abc', 'b')", False)],
        [("ends_with(null, 'a')", False), ("ends_with('a', null)", False)],
        [("ends_with('', '')", True), ("ends_with('a', '')", True)],
        [("ends_with(123, 23)", True)],
    ),
    "substring": Cases(
        [
            ("substring('abcdef', 1, 3)", "bc"),
            ("substring('abcdef', 2)", "cdef"),
            ("substring('abcdef', 3, 1)", "bc"),
            ("substring('abcdef', -2, 2)", "ab"),
        ],
        [("substring(null, 1)", None), ("substring('abc', null, 2)", "ab")],
        [("substring('', 0, 1)", "")],
        [
            ("substring(12345, 1, 3)", "23"),
            (
                "substring('abc', 'x')",
                Refused("the start is text of 1 character; expected a number"),
            ),
        ],
    ),
    "pad_start": Cases(
        [("pad_start('5', 3, '0')", "005"), ("pad_start('a', 6, 'xyz')", "xyzxya")],
        [("pad_start(null, 3)", None), ("pad_start('a', null)", "a")],
        [("pad_start('', 2)", "  "), ("pad_start('a', 3, '')", "a")],
        [("pad_start(7, 2, 0)", "07"), ("pad_start('a', 'b')", Refused("the length is"))],
    ),
    "pad_end": Cases(
        [("pad_end('5', 3, '0')", "500"), ("pad_end('abc', 2)", "abc")],
        [("pad_end(null, 3)", None)],
        [("pad_end('', 2)", "  "), ("pad_end('a', 3, '')", "a")],
        [("pad_end(7, 2)", "7 "), ("pad_end('a', [])", Refused("the length is an array"))],
    ),
    "repeat": Cases(
        [("repeat('ab', 3)", "ababab"), ("repeat('a', 0)", "")],
        [("repeat(null, 3)", None)],
        [("repeat('', 1e9)", "")],
        [
            ("repeat('a', -1)", Refused("the count is negative")),
            ("repeat('a', 'b')", Refused("the count is text of 1 character")),
        ],
    ),
    "char_at": Cases(
        [("char_at('abc', 1)", "b"), ("char_at('abc')", "a"), ("char_at('abc', 9)", "")],
        [("char_at(null, 0)", None)],
        [("char_at('', 0)", "")],
        [("char_at(123, 0)", "1"), ("char_at('abc', {})", Refused("the index is an object"))],
    ),
    "hash": Cases(
        [
            (
                "hash('abc')",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            ("hash('abc', 'md5')", "900150983cd24fb0d6963f7d28e17f72"),
            ("hash('abc', 'sha1')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("substring(hash('abc', 'sha512'), 0, 8)", "ddaf35a1"),
        ],
        [("hash(null)", None)],
        [("hash('', 'md5')", "d41d8cd98f00b204e9800998ecf8427e")],
        [("hash('a', 'crc')", Refused("text of 3 characters is not an algorithm of hash()"))],
    ),
    "base64_encode": Cases(
        [("base64_encode('hé')", "aMOp")],
        [("base64_encode(null)", None)],
        [("base64_encode('')", "")],
        [("base64_encode(12)", "MTI=")],
    ),
    "base64_decode": Cases(
        [("base64_decode('aMOp')", "hé"), ("base64_decode('_w')", b"\xff")],
        [("base64_decode(null)", None)],
        [("base64_decode('')", "")],
        [("base64_decode('*')", Refused("the text is not base64"))],
    ),
    "url_encode": Cases(
        [
            ("url_encode('a b&c/é')", "a%20b%26c%2F%C3%A9"),
            ('url_encode("!\'()*-._~")', "!'()*-._~"),
        ],
        [("url_encode(null)", None)],
        [("url_encode('')", "")],
        [("url_encode(1)", "1")],
    ),
    "url_decode": Cases(
        [("url_decode('a%20b%C3%A9+')", "a bé+")],
        [("url_decode(null)", None)],
        [("url_decode('')", "")],
        [("url_decode(1)", "1"), ("url_decode('%')", "%")],
    ),
    "json_encode": Cases(
        [
            ("json_encode({a: [1, 2.0, 'é\"', null, true]})", '{"a":[1,2,"é\\"",null,true]}'),
            ("json_encode([1], 2)", "[\n  1\n]"),
        ],
        [("json_encode(null)", "null")],
        [("json_encode('')", '""'), ("json_encode([])", "[]"), ("json_encode({})", "{}")],
        [
            ("json_encode({a: [x => x]})", Refused("$.a[0] is an arrow function")),
            ("json_encode({a: [0, 1e308 * 10]})", Refused("$.a[1] is Infinity")),
        ],
    ),
    "pretty": Cases(
        [("pretty({a: [1]})", '{\n  "a": [\n    1\n  ]\n}')],
        [("pretty(null)", "null")],
        [("pretty([])", "[]")],
        [("pretty(x => x)", Refused("is an arrow function"))],
    ),
    "json_decode": Cases(
        [("json_decode('{\"a\": [1, 2.5, null]}')", {"a": [1, 2.5, None]})],
        [("json_decode(null)", None)],
        [("json_decode('')", Refused("the text is not valid JSON"))],
        [
            ("json_decode('{')", Refused("line 1 column 2")),
            ("json_decode('NaN')", Refused("NaN is not a JSON number")),
            ("json_decode(5)", 5),
        ],
    ),
    "uuid": Cases([("length(uuid())", 36), ("char_at(uuid(), 14)", "4")], [], [], []),
    "regex_match": Cases(
        [
            ("regex_match('a1b22', '[0-9]+')", ["1"]),
            ("regex_match('a1b22', '([a-z])([0-9]+)')", ["a1", "a", "1"]),
            ("regex_match('a1b22', '[0-9]+', 'g')", ["1", "22"]),
            ("regex_match('ABC', 'b', 'i')", ["B"]),
            ("regex_match('abc', 'x')", None),
            ("regex_match('äöü', 'ö')", ["ö"]),
        ],
        [("regex_match(null, 'a')", None)],
        [("regex_match('', 'a')", None), ("regex_match('', '')", [""])],
        [
            (
                "regex_match('a', '(')",
                Refused("text of 1 character is not a regular expression: missing )"),
            ),
            ("regex_match('a', 'a', 'q')", Refused("has flags that do not exist")),
            ("regex_match(121, '2')", ["2"]),
        ],
    ),
    "match": Cases(
        [
            ("match('a1b22', '[0-9]+')", "1"),
            ("match('ABC', 'b', 'i')", "B"),
            ("match('a', 'x')", None),
        ],
        [("match(null, 'a')", None)],
        [("match('', 'a')", None), ("match('', '')", "")],
        [("match('a', '(')", Refused("is not a regular expression")), ("match(121, '2')", "2")],
    ),
    "match_all": Cases(
        [("match_all('a1b22', '[0-9]+')", ["1", "22"]), ("match_all('aA', 'a', 'i')", ["a", "A"])],
        [("match_all(null, 'a')", [])],
        [("match_all('', 'a')", [])],
        [("match_all('a', 'a', 'q')", Refused("has flags that do not exist"))],
    ),
    "test": Cases(
        [("test('a1', '[0-9]')", True), ("test('a', 'A')", False), ("test('a', 'A', 'i')", True)],
        [("test(null, '')", False)],
        [("test('', 'a')", False), ("test('', '')", True)],
        [("test('a', '[')", Refused("is not a regular expression"))],
    ),
    "regex_replace": Cases(
        [
            ("regex_replace('a1b22', '[0-9]+', '#')", "a#b#"),
            (
                "regex_replace('john smith', '([a-z]+) ([a-z]+)', '$2, $1 ($&) $$')",
                "smith, john (john smith) $",
            ),
            (r"regex_replace('ab', '(a)', '\\1\\1$9')", "aa$9b"),
            ("regex_replace('AaB', 'a', '', 'i')", "B"),
        ],
        [("regex_replace(null, 'a', 'b')", None), ("regex_replace('abc', 'b', null)", "ac")],
        [("regex_replace('', 'a', 'b')", ""), ("regex_replace('ab', '', '-')", "-a-b-")],
        [("regex_replace('a', '[', '')", Refused("is not a regular expression"))],
    ),
}
