// Owns the making of javascript_cases.json: what JavaScript says of arithmetic, comparison, truth, text and +.
//   node tests/expression/make_javascript_cases.mjs > tests/expression/javascript_cases.json
// Each row is the expression, the JSON of its value, and what a template literal makes of it.

const arithmetic = [
  "1 + 2", "7 - 10", "6 * 7", "6 / 3", "7 / 2", "1 / 3", "7 % 3", "-7 % 3", "7 % -3", "-7 % -3",
  "0.1 + 0.2", "0.1 * 3", "1.5 + 1.5", "5.5 % 2", "-5.5 % 2", "2 * 3.5", "10 / 4", "1e3 + 1", "1e21 + 0",
  "1e-7 * 1", "1.5e300 * 1e8", "123456789 * 1000", "0x1f + 1", ".5 + .25", "5. + 1", "9007199254740991 + 0",
  "1 + 2 * 3", "(1 + 2) * 3", "10 - 2 - 3", "100 / 5 / 2", "2 * 3 % 4", "1 - -1", "- -3", "+'5'", "-'5'",
  "-'1.5'", "'6' * '7'", "'10' / 4", "'10' - 1", "10 - '1'", "'7' % 4", "' 8 ' * 1", "'1e2' * 1", "'0x10' * 1",
  "'.5' * 2", "'5.' * 2", "true + true", "true * 5", "false - 1", "+true", "-false + 0", "1 + true",
];
const joining = [
  "'a' + 'b'", "'a' + 1", "1 + 'a'", "1 + 2 + 'a'", "'a' + 1 + 2", "'a' + 1.5", "'a' + 3.0", "'a' + true",
  "false + 'a'", "'a' + null", "null + 'a'", "'' + 0", "'' + -0.5", "'5' + 2", "5 + '2'", "'a' + 1e21",
  "'a' + 1e-7", "'a' + 0.000001", "'a' + 123456789012345680000", "'a' + 1.0e20", "'a' + 0.1", "'a' + 1/3", "'' + ''",
  "'a' + (1 + 2)", "'x' + 12345.678", "'' + 100", "'' + 1e5", "'' + 5e-324", "'' + 1.7976931348623157e308",
  "'' + 4.35", "'' + 0.00001234", "'' + 123e-20", "'' + 1234567890123456789.0",
];
const comparison = [
  "1 < 2", "2 < 1", "1 <= 1", "1 >= 2", "2 > 1", "1.5 > 1", "'a' < 'b'", "'b' < 'a'", "'a' < 'B'", "'abc' < 'abd'",
  "'ab' < 'abc'", "'' < 'a'", "'10' > 9", "9 < '10'", "'abc' < 5", "5 < 'abc'", "'abc' >= 5", "true > false",
  "true >= 1", "false < 1", "'5' <= 5", "'5' >= 5", "-1 < 0", "0.1 + 0.2 > 0.3", "'Z' < 'a'", "'é' > 'z'",
  "1 === 1", "1 === 1.0", "1 === '1'", "'a' === 'a'", "null === null", "null === undefined || true",
  "null === false", "null === 0", "true === 1", "'' === false", "0 === -0", "1 !== 2", "1 !== 1", "'a' !== 'b'",
  "0.1 + 0.2 === 0.3", "1 < 2 === true", "1 + 1 === 2", "'a' + 'b' === 'ab'",
];
const truth = [
  "!0", "!1", "!''", "!'a'", "!'0'", "!'false'", "!null", "!undefined", "!true", "!false", "![]", "!{}", "!-1",
  "!0.0", "!0.1", "!!'a'", "!!0", "!![0]", "0 || 'a'", "'' || 'b'", "1 || 2", "null || 0", "[] || 1", "0 && 1",
  "1 && 2", "'' && 1", "'a' && 'b'", "null && 1", "null ?? 1", "0 ?? 1", "'' ?? 1", "false ?? 1", "undefined ?? 2",
  "1 ? 'y' : 'n'", "0 ? 'y' : 'n'", "'' ? 'y' : 'n'", "[] ? 'y' : 'n'", "null ? 'y' : 'n'", "1 ? 0 ? 'a' : 'b' : 'c'",
  "0 ? 'a' : 1 ? 'b' : 'c'", "1 && 0 || 2", "1 || 0 && 2", "!1 || 1", "1 < 2 && 2 < 3", "(null ?? 0) || 5",
];
const members = [
  "[1, 2, 3][1]", "[1, 2, 3].length", "'abc'.length", "'abc'[1]", "({a: 1}).a", "({a: {b: 2}}).a.b", "({'a b': 1})['a b']",
  "[[1], [2]][1][0]", "({a: 1})?.a", "null?.a ?? 'none'", "[1, 2].includes(2)", "'abc'.includes('b')", "[1, 2, 3].slice(1)",
  "[1, 2, 3].slice(-2)", "[1, 2, 3].slice(0, -1)", "'abcdef'.slice(1, 3)", "[1, 2].join('-')", "[1, null, 2].join()",
  "'a,b'.split(',')", "'abc'.split('')", "'a b'.split()", "' a '.trim()", "'aB'.toUpperCase()", "'aB'.toLowerCase()",
  "'abc'.startsWith('ab')", "'abc'.endsWith('bc')", "[1, 2, 3].map(x => x * 2)", "[1, 2, 3].map((x, i) => x * i)",
  "[1, 2, 3].filter(x => x > 1)", "[1, 2, 3].reduce((a, b) => a + b)", "[1, 2, 3].reduce((a, b) => a + b, 10)",
  "[1, 2, 3].find(x => x > 1)", "[1, 2].some(x => x > 1)", "[1, 2].every(x => x > 1)", "[...[1, 2], 3]",
  "({...{a: 1, b: 2}, b: 3})", "[1, 2].map(x => ({v: x}))", "typeof 1", "typeof 'a'", "typeof true", "typeof null",
  "typeof []", "typeof {}", "typeof (x => x)", "JSON.stringify({a: [1, 'x', null]})", "JSON.parse('[1, 2.5]')",
  "JSON.stringify('a\"b')", "JSON.stringify({a: 1}, null, 2)", "'\\u0041\\x42\\n'", "'a' in {a: 1}", "'b' in {a: 1}",
];

const rows = [];
for (const source of [...arithmetic, ...joining, ...comparison, ...truth, ...members]) {
  const value = (0, eval)(source);
  const text = value !== null && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
  rows.push({ source, json: JSON.stringify(value), text });
}
process.stdout.write("[\n" + rows.map((row) => JSON.stringify(row)).join(",\n") + "\n]\n");
