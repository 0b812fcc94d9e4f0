"""Owns the cases of the functions of time. The clock stands at 2024-02-29T12:30:45.678Z."""

from __future__ import annotations

from function_cases.cases import Cases, Refused

_NO_TIME = Refused("text of 1 character is not a time; expected ISO 8601 text")
_NO_UNIT = Refused("text of 1 character is not a unit of time")

TIMES = {
    "now": Cases(
        [("now()", "2024-02-29T12:30:45.678Z")],
        [],
        [],
        [("now(1)", Refused("does not take 1 argument"))],
    ),
    "date": Cases(
        [
            ("date()", "2024-02-29"),
            ("date('2024-01-01T23:30:00-02:00')", "2024-01-02"),
            ("date(0)", "1970-01-01"),
            ("date('YYYY-MM-DD')", "2024-02-29"),
            ("date('d MMMM yyyy')", "29 February 2024"),
            ("date(null, 'Pacific/Auckland')", "2024-03-01"),
            ("date('dd.MM.', 'Pacific/Auckland')", "01.03."),
            ("date('2024-01-01T23:30:00Z', 'Europe/Berlin')", "2024-01-02"),
        ],
        [("date(null)", "2024-02-29")],
        [("date('')", Refused("text of 0 characters is neither a time nor a pattern"))],
        [
            ("date('31.12.2023')", Refused("text of 10 characters is neither a time nor")),
            ("date('tomorrow')", Refused("the date format has no 't'")),
            ("date([])", Refused("an array is not a time")),
            ("date(0, 'Europe/Berln')", Refused("such as Europe/Berlin")),
        ],
    ),
    "time": Cases(
        [
            ("time()", "12:30:45"),
            ("time('2024-01-01T05:06:07Z')", "05:06:07"),
            ("time('HH:mm')", "12:30"),
            ("time('h a', 'America/New_York')", "7 AM"),
            ("time(0, 'Asia/Kolkata')", "05:30:00"),
        ],
        [("time(null)", "12:30:45")],
        [("time('')", Refused("text of 0 characters is neither a time nor a pattern"))],
        [("time('12 Uhr')", Refused("the date format has no 'U'"))],
    ),
    "parse_date": Cases(
        [
            ("parse_date('31.12.2023', 'dd.MM.yyyy')", "2023-12-31T00:00:00.000Z"),
            ("parse_date('2023-12-31', 'YYYY-MM-DD')", "2023-12-31T00:00:00.000Z"),
            ("parse_date('5/3/24 1:02 pm', 'M/d/yy h:mm a')", "2024-05-03T13:02:00.000Z"),
            ("parse_date('1 March 2024', 'd MMMM yyyy')", "2024-03-01T00:00:00.000Z"),
            ("parse_date('Fri, 01 Mar 2024', 'EEE, dd MMM yyyy')", "2024-03-01T00:00:00.000Z"),
            (
                "parse_date('2024-03-01T10:00:00.5+02:00', \"yyyy-MM-dd'T'HH:mm:ss.SXXX\")",
                "2024-03-01T08:00:00.500Z",
            ),
            ("parse_date('2024-03-01T10:00:00+02:00')", "2024-03-01T08:00:00.000Z"),
            ("parse_date('1.7.2024', 'd.M.yyyy', 'Europe/Berlin')", "2024-06-30T22:00:00.000Z"),
            ("parse_date('2024-01-01', null, 'Europe/Berlin')", "2023-12-31T23:00:00.000Z"),
            ("parse_date('2024-01-01T00:00Z', null, 'Asia/Tokyo')", "2024-01-01T00:00:00.000Z"),
            ("parse_date('9 +0530', 'H X', 'Asia/Tokyo')", "1970-01-01T03:30:00.000Z"),
            ("parse_date('9 Z', 'H X', 'Asia/Tokyo')", "1970-01-01T09:00:00.000Z"),
        ],
        [
            ("parse_date(null)", None),
            ("parse_date('2024-01-01', null)", "2024-01-01T00:00:00.000Z"),
        ],
        [
            (
                "parse_date('', 'yyyy')",
                Refused("text of 0 characters is not a date of that format"),
            )
        ],
        [
            (
                "parse_date('x', 'yyyy')",
                Refused("text of 1 character is not a date of that format"),
            ),
            ("parse_date('2023-02-30', 'yyyy-MM-dd')", Refused("is not a date of")),
            ("parse_date('1', 'q')", Refused("cannot be read by 'q'")),
            ("parse_date('1', 'j')", Refused("the date format has no 'j'")),
            ("parse_date('x', null, 'Mars')", Refused("is not the name of a time zone")),
            ("parse_date('0001-01-01', null, 'Asia/Tokyo')", Refused("out of range")),
            ("parse_date('1 1', 'yyyy yyyy')", Refused("more than one year")),
            ("parse_date('13 pm', 'hh a')", Refused("is not a date of")),
        ],
    ),
    "format_date": Cases(
        [
            ("format_date('2024-03-05T14:07:09.012Z')", "2024-03-05"),
            ("format_date('2024-03-05T14:07:09.012Z', 'YYYY/DD/MM')", "2024/05/03"),
            ("format_date('2024-03-05T14:07:09.012Z', 'd.M.yy H:m:s.SSS')", "5.3.24 14:7:9.012"),
            (
                "format_date('2024-03-05T14:07:09.012Z', 'EEE EEEE MMM MMMM hh a')",
                "Tue Tuesday Mar March 02 PM",
            ),
            (
                "format_date('2024-03-05T14:07:09.012Z', \"yyyy-MM-dd'T'HH:mm:ssXXX 'o''clock'\")",
                "2024-03-05T14:07:09Z o'clock",
            ),
            ("format_date('2024-03-05T00:30:00+02:00', 'yyyy-MM-dd HH')", "2024-03-04 22"),
            ("format_date('2024-03-05', 'D DDD Q QQQ w xxx z')", "65 065 1 Q1 10 +00:00 UTC"),
            ("format_date('0001-01-01', 'yyyy')", "0001"),
            ("format_date(0, 'yyyy')", "1970"),
            ("format_date('2024-07-01T22:30Z', 'dd HH:mm zzz', 'Europe/Berlin')", "02 00:30 CEST"),
            ("format_date('2024-01-01', 'HH O xxx', 'America/St_Johns')", "20 GMT-3:30 -03:30"),
            (
                "format_date('2024-01-01', 'VV VVV', 'America/New_York')",
                "America/New_York New York",
            ),
            ("format_date('2024-01-01', 'VV zzzz')", "UTC GMT"),
            (
                "format_date('2024-05-05T12:00Z', 'QQQQ EEEEEE w W F A')",
                "2nd quarter Su 18 1 1 43200000",
            ),
        ],
        [("format_date(null)", None), ("format_date('2024-03-05', null)", "2024-03-05")],
        [
            ("format_date('')", Refused("text of 0 characters is not a time")),
            ("format_date('2024-03-05', '')", ""),
        ],
        [
            ("format_date('x')", _NO_TIME),
            ("format_date(true)", Refused("a boolean is not a time")),
            ("format_date('2024-03-05', 'T')", Refused("the date format has no 'T'")),
            ("format_date('2024-03-05', 'HHH')", Refused("the date format has no 'HHH'")),
            ("format_date('2024-03-05', 'vvv')", Refused("the date format has no 'vvv'")),
            ("format_date(0, 'yyyy', '../etc/passwd')", Refused("not the name of a time zone")),
            ("format_date(0, 'yyyy', 5)", Refused("not the name of a time zone")),
            ("format_date(0, 'yyyy', repeat('a', 1e6))", Refused("text of 1,000,000 characters")),
            ("format_date('0001-01-01', 'yyyy', 'America/New_York')", Refused("out of range")),
            ("format_date('2024-03-05', repeat('y', 300))", Refused("longer than 200 characters")),
        ],
    ),
    "add_time": Cases(
        [
            ("add_time('2024-01-31', 1, 'month')", "2024-02-29T00:00:00.000Z"),
            ("add_time('2024-02-29', 1, 'year')", "2025-02-28T00:00:00.000Z"),
            ("add_time('2024-01-01', 90, 'minutes')", "2024-01-01T01:30:00.000Z"),
            ("add_time('2024-01-01', '1.5h')", "2024-01-01T01:30:00.000Z"),
            ("add_time('2024-01-01', 1, 'M')", "2024-02-01T00:00:00.000Z"),
            ("add_time('2024-01-01', 1, 'm')", "2024-01-01T00:01:00.000Z"),
            ("add_time('2024-01-01', 1.5, 'Days')", "2024-01-02T12:00:00.000Z"),
            ("add_time('2024-01-01', -1, 'ms')", "2023-12-31T23:59:59.999Z"),
            ("add_time('2024-01-31', 'P1M')", "2024-02-29T00:00:00.000Z"),
            ("add_time('2024-01-31', 'P1Y2M3DT4H')", "2025-04-03T04:00:00.000Z"),
            ("add_time('2024-01-01', '1y')", "2025-01-01T00:00:00.000Z"),
            ("add_time('2024-01-01', '1y 2mo 1w 1h30m')", "2025-03-08T01:30:00.000Z"),
            ("add_time('2024-01-01', '2M')", "2024-03-01T00:00:00.000Z"),
            ("add_time('2024-01-01', '2m')", "2024-01-01T00:02:00.000Z"),
            ("add_time('2024-01-01', {months: 1, days: -1})", "2024-01-31T00:00:00.000Z"),
            ("add_time('2024-01-01', 1, 'quarter')", "2024-04-01T00:00:00.000Z"),
            ("add_time('2024-01-01', {})", "2024-01-01T00:00:00.000Z"),
        ],
        [
            ("add_time(null, 1, 'day')", None),
            ("add_time('2024-01-01', null, 'day')", "2024-01-01T00:00:00.000Z"),
        ],
        [
            ("add_time('', 1, 'day')", Refused("text of 0 characters is not a time")),
            ("add_time('2024-01-01', 0, 'day')", "2024-01-01T00:00:00.000Z"),
        ],
        [
            ("add_time('2024-01-01', 1, 'x')", _NO_UNIT),
            ("add_time('2024-01-01', 'x', 'day')", Refused("the amount is text of 1 character")),
            ("add_time('2024-01-01', 'x')", Refused("text of 1 character is not a duration")),
            ("add_time('2024-01-01', '')", Refused("text of 0 characters is not a duration")),
            ("add_time('2024-01-01', 'P')", Refused("text of 1 character is not a duration")),
            ("add_time('2024-01-01', 5)", Refused("a number is not a duration; expected a unit")),
            ("add_time('2024-01-01', 1.5, 'month')", Refused("expected a whole number of months")),
            ("add_time('2024-01-01', {x: 1})", _NO_UNIT),
            ("add_time('2024-01-01', {days: 'x'})", Refused("the amount is text of 1 character")),
            ("add_time('2024-01-01', 1e12, 'year')", Refused("out of range")),
            ("add_time('2024-01-01', 1e300 * 1e300, 'year')", Refused("out of range")),
            ("add_time('2024-01-01', '9999y')", Refused("out of range")),
            ("add_time('2024-01-01', repeat('9', 190) + 'y')", Refused("out of range")),
            ("add_time('9999-12-31', 1, 'month')", Refused("out of range")),
            ("add_time('9999-12-31', '5d')", Refused("out of range")),
        ],
    ),
    "subtract_time": Cases(
        [
            ("subtract_time('2024-03-31', 1, 'month')", "2024-02-29T00:00:00.000Z"),
            ("subtract_time('2024-01-01', 1, 'week')", "2023-12-25T00:00:00.000Z"),
        ],
        [("subtract_time(null, 1, 'day')", None)],
        [("subtract_time('', 1, 'day')", Refused("text of 0 characters is not a time"))],
        [
            ("subtract_time('x', 1, 'day')", _NO_TIME),
            ("subtract_time('2024-01-01', 1, 'x')", _NO_UNIT),
        ],
    ),
    "diff": Cases(
        [
            ("diff('2024-01-02', '2024-01-01')", 86400000),
            ("diff('2024-01-01', '2024-01-02', 'hours')", -24),
            ("diff('2024-03-15T12:00Z', '2024-03-15T10:30Z', 'hours')", 1.5),
            ("diff('2024-03-30', '2024-01-31', 'month')", 1 + 30 / 31),
            ("diff('2024-01-31', '2024-03-30', 'month')", -(1 + 30 / 31)),
            ("diff('2024-03-15', '2024-01-10', 'months')", 2.161290322580645),
            ("diff('2024-03-15', '2024-01-10', 'quarters')", 0.7142857142857143),
            ("diff('2024-03-15', '2024-01-10', 'years')", 0.17759562841530055),
            ("diff('2024-03-15', '2024-01-10', 'weeks')", 9.285714285714286),
            ("diff('2024-02-29', '2023-02-28', 'year')", 1 + 1 / 366),
            ("diff('2024-02-28', '2023-02-28', 'year')", 1),
            ("diff('9999-12-31', '2023-12-31', 'year')", 7976),
            ("diff('9999-12-31', '2024-02-29', 'months')", 95_710 + 2 / 31),
            ("diff('9999-12-31', '9999-12-01', 'years')", 30 / 366),
            ("diff('2024-01-31', '2024-01-31', 'month')", 0),
        ],
        [("diff(null, '2024-01-01')", None), ("diff('2024-01-02', '2024-01-01', null)", 86400000)],
        [("diff('', '2024-01-01')", Refused("text of 0 characters is not a time"))],
        [
            ("diff('x', '2024-01-01')", _NO_TIME),
            ("diff('2024-01-01', '2024-01-01', 'x')", _NO_UNIT),
        ],
    ),
    "timestamp": Cases(
        [("timestamp()", 1709209845678), ("timestamp('1970-01-01T00:00:01Z')", 1000)],
        [("timestamp(null)", 1709209845678)],
        [("timestamp('')", Refused("text of 0 characters is not a time"))],
        [("timestamp('x')", _NO_TIME)],
    ),
    "from_timestamp": Cases(
        [
            ("from_timestamp(1000)", "1970-01-01T00:00:01.000Z"),
            ("from_timestamp('-1')", "1969-12-31T23:59:59.999Z"),
        ],
        [("from_timestamp(null)", None)],
        [("from_timestamp(0)", "1970-01-01T00:00:00.000Z")],
        [
            ("from_timestamp('x')", Refused("the argument is text of 1 character")),
            ("from_timestamp(1e30)", Refused("is not a time")),
        ],
    ),
    "start_of": Cases(
        [
            ("start_of('2024-02-29T12:30:45.678Z', 'hour')", "2024-02-29T12:00:00.000Z"),
            ("start_of('2024-02-29T12:30:45.678Z', 'week')", "2024-02-26T00:00:00.000Z"),
            ("start_of('2024-02-29T12:30:45.678Z', 'month')", "2024-02-01T00:00:00.000Z"),
            ("start_of('2024-02-29T12:30:45.678Z', 'year')", "2024-01-01T00:00:00.000Z"),
            ("start_of('2024-02-29T23:30:00-02:00')", "2024-03-01T00:00:00.000Z"),
            ("start_of('2024-02-29T12:30:00+05:30', 'hour')", "2024-02-29T07:00:00.000Z"),
            ("start_of('2024-06-29', 'quarter')", "2024-04-01T00:00:00.000Z"),
            ("start_of('2024-07-01T12:00Z', 'day', 'Europe/Berlin')", "2024-06-30T22:00:00.000Z"),
            ("start_of('2024-03-31T12:00Z', 'month', 'Europe/Berlin')", "2024-02-29T23:00:00.000Z"),
            ("start_of('2024-02-29T12:10Z', 'hour', 'Asia/Kolkata')", "2024-02-29T11:30:00.000Z"),
            (
                "start_of('2018-11-04T12:00Z', 'day', 'America/Sao_Paulo')",
                "2018-11-04T03:00:00.000Z",
            ),
        ],
        [("start_of(null, 'day')", None)],
        [("start_of('', 'day')", Refused("text of 0 characters is not a time"))],
        [
            ("start_of('2024-02-29', 'x')", _NO_UNIT),
            ("start_of('2024-02-29', 'day', 'x')", Refused("not the name of a time zone")),
            ("start_of('0001-01-01', 'day', 'America/New_York')", Refused("out of range")),
            ("start_of('0001-01-01', 'year', 'Asia/Tokyo')", Refused("out of range")),
        ],
    ),
    "end_of": Cases(
        [
            ("end_of('2024-02-10', 'month')", "2024-02-29T23:59:59.999Z"),
            ("end_of('2024-02-10', 'year')", "2024-12-31T23:59:59.999Z"),
            ("end_of('2024-02-29T12:30:45.678Z', 'minute')", "2024-02-29T12:30:59.999Z"),
            ("end_of('2024-02-10')", "2024-02-10T23:59:59.999Z"),
            ("end_of('2024-05-10', 'quarter')", "2024-06-30T23:59:59.999Z"),
            ("end_of('2024-10-27T00:30Z', 'hour', 'Europe/Berlin')", "2024-10-27T00:59:59.999Z"),
            ("end_of('2024-10-27T01:30Z', 'hour', 'Europe/Berlin')", "2024-10-27T01:59:59.999Z"),
            ("end_of('2024-10-27', 'day', 'Europe/Berlin')", "2024-10-27T22:59:59.999Z"),
            ("end_of('2024-03-31', 'week', 'Europe/Berlin')", "2024-03-31T21:59:59.999Z"),
        ],
        [("end_of(null, 'day')", None)],
        [("end_of('', 'day')", Refused("text of 0 characters is not a time"))],
        [
            ("end_of('2024-02-29', 'x')", _NO_UNIT),
            ("end_of('9999-12-31', 'year')", Refused("out of range")),
        ],
    ),
    "get_part": Cases(
        [
            (f"get_part('2024-02-29T12:30:45.678Z', '{part}')", value)
            for part, value in {
                "year": 2024,
                "month": 2,
                "day": 29,
                "hours": 12,
                "minute": 30,
                "second": 45,
                "millisecond": 678,
                "weekday": 4,
                "week": 9,
                "quarter": 1,
                "day_of_year": 60,
                "ordinal": 60,
                "dayofyear": 60,
                "weekNumber": 9,
                "week_year": 2024,
                "quarters": 1,
                "M": 2,
                "m": 30,
            }.items()
        ]
        + [("get_part('2024-12-31T23:00:00Z', 'year', 'Europe/Berlin')", 2025)],
        [("get_part(null, 'year')", None)],
        [("get_part('', 'year')", Refused("text of 0 characters is not a time"))],
        [
            (
                "get_part('2024-02-29', 'x')",
                Refused("text of 1 character does not name a part of a time"),
            )
        ],
    ),
    "is_before": Cases(
        [
            ("is_before('2024-01-01', '2024-01-02')", True),
            ("is_before('2024-01-01T01:00:00+02:00', '2024-01-01')", True),
        ],
        [("is_before(null, '2024-01-01')", False)],
        [("is_before('', '2024-01-01')", Refused("text of 0 characters is not a time"))],
        [("is_before('x', '2024-01-01')", _NO_TIME)],
    ),
    "is_after": Cases(
        [
            ("is_after('2024-01-02', '2024-01-01')", True),
            ("is_after('2024-01-01', '2024-01-01')", False),
        ],
        [("is_after('2024-01-01', null)", False)],
        [("is_after('', '2024-01-01')", Refused("text of 0 characters is not a time"))],
        [("is_after('x', '2024-01-01')", _NO_TIME)],
    ),
    "relative": Cases(
        [
            ("relative('2024-02-29T09:30:45.678Z')", "3 hours ago"),
            ("relative('2024-03-02T12:30:45.678Z')", "in 2 days"),
            ("relative('2020-01-01')", "4 years ago"),
            ("relative('2024-04-29T12:30:45.678Z')", "in 2 months"),
            ("relative('2024-04-28')", "in 1 month"),
            ("relative('2024-02-29T12:29:45.678Z')", "1 minute ago"),
            ("relative(now())", "now"),
        ],
        [("relative(null)", None)],
        [("relative('')", Refused("text of 0 characters is not a time"))],
        [("relative('x')", _NO_TIME)],
    ),
    "duration": Cases(
        [
            ("duration('5m')", 300_000),
            ("duration('250ms')", 250),
            ("duration('PT1H')", 3_600_000),
            ("duration('1h30m')", 5_400_000),
            ("duration('1.005s')", 1005),
            ("duration('0.5ms')", 0.5),
        ],
        [("duration(null)", None)],
        [("duration('')", Refused("text of 0 characters is not a duration"))],
        [
            ("duration('x')", Refused("text of 1 character is not a duration")),
            ("duration(5)", Refused("a number is not a duration")),
            ("duration('P1M')", Refused("months and years have no length of their own")),
        ],
    ),
}
