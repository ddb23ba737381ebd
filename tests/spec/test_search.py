"""What a search means: how it is taken apart, and what is refused and how."""

from __future__ import annotations

import pytest

from groundswell.errors import UserError
from groundswell.query.compile import compile
from groundswell.query.search.parser import parse
from groundswell.query.search.tree import EVERYTHING, And, Filter, Has, Key, Node, Or, Text
from tests.questions import CATALOG, question


def is_(key: str, value: str = "", operator: str = "", **rest: object) -> Filter:
    return Filter(Key(key), operator, value, **rest)  # type: ignore[arg-type]


def tag(key: str, value: str, operator: str = "", typed: str = "") -> Filter:
    return Filter(Key(key, "tag", (), typed), operator, value)


def agg(name: str, *args: str, value: str, operator: str = "", negated: bool = False) -> Filter:
    return Filter(Key(name, "call", args), operator, value, negated=negated)


def any_of(key: str, *items: str, negated: bool = False) -> Filter:
    return Filter(Key(key), "", "", items, negated=negated)


def both(*items: Node) -> And:
    return And(items)


def either(*items: Node) -> Or:
    return Or(items)


TREES: list[tuple[str, Node]] = [
    ("", EVERYTHING),
    ("hello world", Text("hello world")),
    ('"hello world"', Text("hello world")),
    ('"a" "b"', both(Text("a"), Text("b"))),
    ("  hello   there:bye", both(Text("hello"), is_("there", "bye"))),
    (
        "hello what user.email:a@b.c when",
        both(Text("hello what"), is_("user.email", "a@b.c"), Text("when")),
    ),
    ("hello (world) there", Text("hello (world) there")),
    ("(hello world)", Text("hello world")),
    ("hello OR world", either(Text("hello"), Text("world"))),
    ("hello or world", either(Text("hello"), Text("world"))),
    ("ORANGE", Text("ORANGE")),
    ("android", Text("android")),
    ("or:1", is_("or", "1")),
    ("NOT a:b", both(Text("NOT"), is_("a", "b"))),
    ("a:b && c:d", both(is_("a", "b"), Text("&&"), is_("c", "d"))),
    ("a:b AND c:d", both(is_("a", "b"), is_("c", "d"))),
    ("a:b OR c:d e:f", either(is_("a", "b"), both(is_("c", "d"), is_("e", "f")))),
    ("(a:b OR c:d) e:f", both(either(is_("a", "b"), is_("c", "d")), is_("e", "f"))),
    ("()", Text("()")),
    ("!hello", Text("!hello")),
    ("a:b a:c", both(is_("a", "b"), is_("a", "c"))),
    ("a:b\tc:d", both(is_("a", "b"), is_("c", "d"))),
    ("one\ntwo", Text("one\ntwo")),
    ('a:"x\ny"', is_("a", "x\ny", quoted=True)),
    ('device:"iPhone 12"', is_("device", "iPhone 12", quoted=True)),
    ('device:"say \\"hi\\""', is_("device", 'say "hi"', quoted=True)),
    ('"unclosed', Text('"unclosed')),
    ('device:"a"b', both(is_("device", "a", quoted=True), Text("b"))),
    ("a:b(c)d", both(is_("a", "b"), Text("c"), Text("d"))),
    ("http.url:https://e.com/a:b", is_("http.url", "https://e.com/a:b")),
    ("foo::bar", is_("foo", ":bar")),
    (":bar", Text(":bar")),
    ("foo :bar", Text("foo :bar")),
    ('foo:""', is_("foo", "", quoted=True)),
    ("foo:>bar", is_("foo", "bar", ">")),
    ("foo:=bar", is_("foo", "bar", "=")),
    ("!foo:!=bar", is_("foo", "bar", "!=", negated=True)),
    ("tags[foo]:>5", tag("foo", "5", ">")),
    ("tags[foo,number]:>5", tag("foo", "5", ">", "number")),
    ("tags[foo, string]:5", tag("foo", "5", "", "string")),
    ('"foo:bar":x', is_("foo:bar", "x")),
    ('tags["foo:bar"]:x', tag("foo:bar", "x")),
    ('"foo bar":x', both(Text("foo bar"), Text(":x"))),
    ("café:x", Text("café:x")),
    ("foo$:x", Text("foo$:x")),
    ("foo:café", is_("foo", "café")),
    ("user.email:[a@x.com, b@x.com]", any_of("user.email", "a@x.com", "b@x.com")),
    ("!error.type:[A,B]", any_of("error.type", "A", "B", negated=True)),
    ("user.email:[a,,b]", is_("user.email", "[a,,b]")),
    ("foo:[]", is_("foo", "[]")),
    ("foo:[ a]", any_of("foo", "a")),
    ("foo:[a ]", any_of("foo", "a")),
    ("foo:[a , b]", any_of("foo", "a", "b")),
    ('test:["h e", x]', any_of("test", "h e", "x")),
    ("test:[h e]", both(is_("test", "[h"), Text("e]"))),
    ("test:[[h]]", any_of("test", "[h]")),
    ("test:[a, [h]]", any_of("test", "a", "[h]")),
    ("foo:[a,b]c", is_("foo", "[a,b]c")),
    ("foo:[(a),b]", both(is_("foo", "["), Text("a"), Text(",b]"))),
    ("has:user", Has(Key("user"))),
    ("!has:user", Has(Key("user"), negated=True)),
    ('has:"foo:bar"', Has(Key("foo:bar"))),
    ("has:user.email,foo", both(Has(Key("user.email")), Text(",foo"))),
    ("has:tags[foo]", Has(Key("foo", "tag"))),
    ("count():>5", agg("count", value="5", operator=">")),
    ("!count():>5", agg("count", value="5", operator=">", negated=True)),
    (
        "p95( transaction.duration ):>1",
        agg("p95", "transaction.duration", value="1", operator=">"),
    ),
    ("p95 (x):>1", Text("p95 (x):>1")),
    ("p95(x) :>1", Text("p95(x) :>1")),
    (
        'count_if(user.email,equals,"a, b"):>1',
        agg("count_if", "user.email", "equals", '"a, b"', value="1", operator=">"),
    ),
    ("count(,):>1", Text("count(,):>1")),
    ("avg(a,,b):>1", Text("avg(a,,b):>1")),
    ("equation|count():>5", Text("equation|count():>5")),
    ("user:id:42", is_("user", "id:42")),
    ("level:error,warning", is_("level", "error,warning")),
]

REFUSED: list[tuple[str, str]] = [
    ("a:b AND OR c:d", "between the AND and OR"),
    ("OR a:b", "left of the OR"),
    ("a:b OR", "right of the OR"),
    ("AND", "AND"),
    ("(a:b", "parenthesis"),
    ("a:b)", "parenthesis"),
    ("!(a:b)", "parentheses cannot be negated"),
    ('device:say"hi"', "quote"),
    ('message:"unclosed', "quote"),
    ("foo:", "Empty string after 'foo:'"),
    ("foo: bar", "Empty string after 'foo:'"),
    ("foo:<=", "Empty string after 'foo:'"),
    ("transaction.duration:> 5", "Empty string after 'transaction.duration:'"),
    ("id:*abc", "id: wildcards"),
    ("id:zzz", "id must be a UUID"),
    ("trace:xyz", "trace must be a UUID"),
    ("trace.span:xyz", "trace.span must be an id of 16 hexadecimal digits"),
    ("user.email:[a@x.com,]", "user.email: lists cannot have empty values"),
    ("transaction.duration:[1s, 2s]", "Invalid number for transaction.duration"),
    ("stack.colno:>3s", "Invalid number for stack.colno"),
    ("transaction.duration:>hot", "Invalid number for transaction.duration"),
    ("transaction.duration:5%", "Invalid number for transaction.duration"),
    ("transaction.duration:>.5", "Invalid number"),
    ("transaction.duration:>1e3", "Invalid number"),
    ("transaction.duration:>1days", "Invalid number"),
    ("transaction.duration:>1MIN", "Invalid number"),
    ("transaction.duration:>5,6", "Invalid number for transaction.duration"),
    ("transaction.duration:999999999999999w", "too large"),
    ("measurements.foo:>5gb", "Invalid number for measurements.foo"),
    ("timestamp:>2024-01-01T10:00", "Invalid date for timestamp"),
    ("timestamp:-1s", "Invalid date for timestamp"),
    ("timestamp:>-24h", "Invalid date for timestamp"),
    ("timestamp:[2024-01-01,2024-01-02]", "Invalid date for timestamp"),
    ("timestamp:<2020-01-01", "outside the selected date range"),
    ("error.handled:yes", "Invalid boolean for error.handled"),
    ("error.handled:>1", "Invalid boolean for error.handled"),
    ("has:", "has:"),
    ('has:"hi there"', "has:"),
    ("has:[a,b]", "has:"),
    ("!has:project", "every event has a project"),
    ("is:unresolved", "is: is not supported"),
    ("failure_rate():>5%x", "Invalid number for failure_rate()"),
    ("count():>5%", "count() is not a percentage"),
    ("count():>3s", "Invalid number for count()"),
    ("count():2024-01-01", "count() is not a date"),
    ("any(transaction):foo", "any(transaction)"),
    ("avg(stack.colno):>500s", "stack.colno is not a numeric column"),
    ("min(measurements.size):3s", "Invalid number for min(measurements.size)"),
    ("nope():>5", "nope() is not a valid function"),
    ("count():>5 OR level:error", "OR cannot join"),
    ("count(a,):>1", "empty parameter"),
    ("release.version:abc", "release.version"),
    ("release.version:[1.2.3,1.2.4]", "release.version"),
    ("project:nope", "nope"),
    ("project.id:abc", "Invalid number for project.id"),
    ("issue:WEB-99", "WEB-99"),
    ("transaction.status:weird", "transaction.status must be one of ok"),
    ("device.class:fast", "low, medium, high"),
]

MEANT: list[tuple[str, str]] = [
    ("transaction.duration:>1s", "transaction.duration:>1000"),
    ("transaction.duration:1500ms", "transaction.duration:1500"),
    ("transaction.duration:>1m", "transaction.duration:>60000"),
    ("transaction.duration:>5k", "transaction.duration:>5000"),
    ("stack.lineno:>1m", "stack.lineno:>1000000"),
    ("!transaction.duration:>1s", "transaction.duration:<=1s"),
    ("transaction.duration:[1, 2k]", "transaction.duration:[1,2000]"),
    ("measurements.lcp:>2.5s", "measurements.lcp:>2500"),
    ("measurements.size:>5kb", "measurements.size:>5000"),
    ("measurements.size:>1kib", "measurements.size:>1024"),
    ("measurements.wait:>1min", "measurements.wait:>60"),
    ("timestamp:2024-01-02", "timestamp:>=2024-01-02 timestamp:<2024-01-03"),
    (
        "timestamp:2024-01-02T10:00:00Z",
        "timestamp:>=2024-01-02T09:55:00 timestamp:<2024-01-02T10:06:00",
    ),
    ("timestamp:>=2024-01-02T10:00:00+02:00", "timestamp:>=2024-01-02T08:00:00"),
    ("timestamp:-24h", "timestamp:>=2024-01-02"),
    ("timestamp:+1d", "timestamp:<=2024-01-02"),
    ("!timestamp:>2024-01-02", "timestamp:<=2024-01-02"),
    ("error.handled:TRUE", "!error.handled:0"),
    ("error.handled:1", "error.handled:true"),
    ("device.charging:1", "device.charging:True"),
    ("!app.in_foreground:[false]", "!app.in_foreground:[0]"),
    ("foo:>5", 'foo:">5"'),
    ("foo:=bar", "foo:bar"),
    ("!foo:!=bar", "foo:bar"),
    ("title:a\\*b", "title:=a\\*b"),
    ("hello", "message:hello"),
    ("project:web", "project.name:web"),
    ("issue:web-1", "issue:WEB-1"),
    ("release:latest", "release:[web@1.10.0,deadbeef]"),
    ("release.version:>=1.9.0", "release:[web@1.10.0,web@1.9.0]"),
    ("release.version:<1.9.0", "release:[web@1.9.0-beta,web@1.2.3+45]"),
    ("release.version:1.9.*", "release:[web@1.9.0,web@1.9.0-beta]"),
    ("release.build:>40", "release:[web@1.2.3+45]"),
    ("release.package:web", "release.version:>=0.0.0"),
    ("!project:nope", ""),
    ("start:2020-01-01", ""),
    ("has:project", ""),
    ("(a:b) (c:d)", "a:b AND c:d"),
]


@pytest.mark.parametrize(("text", "tree"), TREES, ids=[text or "empty" for text, _ in TREES])
def test_search_is_taken_apart(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text for text, _ in REFUSED])
def test_search_is_refused_in_its_own_words(text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        compile(question("transaction", "count()", search=text), CATALOG)

    assert words in refused.value.message
    assert refused.value.field == "query"
    assert refused.value.status == 400


@pytest.mark.parametrize(("text", "same"), MEANT, ids=[text for text, _ in MEANT])
def test_two_ways_to_say_the_same(text: str, same: str) -> None:
    one = compile(question(search=text), CATALOG)
    other = compile(question(search=same), CATALOG)
    assert (one.sql, one.params) == (other.sql, other.params)


def test_column_of_a_mistake_counts_from_one() -> None:
    with pytest.raises(UserError, match=r"\(column 13\)"):
        compile(question(search="level:error transaction.duration:>hot"), CATALOG)


def test_limits_name_themselves() -> None:
    for text, words in [
        ("a" * 4097, "4096"),
        ("a:b " * 101, "100 conditions"),
        ("(" * 33 + "a:b" + ")" * 33, "32 deep"),
        ("x(" * 3 + "(" * 2000, "32 deep"),
    ]:
        with pytest.raises(UserError, match=words):
            parse(text)


def test_conditions_on_aggregates_are_noted_where_they_do_not_count() -> None:
    statement = compile(
        question(search="count():>5", interval_s=3600, aggregate_conditions=False), CATALOG
    )
    assert "HAVING" not in statement.sql
    assert statement.notes == ("count() in the search has no effect on a series",)


def test_stages_of_releases_say_that_sessions_are_not_kept() -> None:
    statement = compile(question(search="!release.stage:replaced"), CATALOG)
    assert statement.notes == (
        "release.stage: sessions are not kept, so every release counts as adopted",
    )


def test_values_joined_by_or_are_suggested_as_a_list() -> None:
    statement = compile(question(search="foo:a OR foo:b"), CATALOG)
    assert statement.tips == {"query": "foo:[a, b]", "columns": None}


def test_condition_needs_its_aggregate_selected_when_asked_for() -> None:
    asked = question("transaction", search="count():>5", auto_aggregations=False)
    with pytest.raises(UserError, match=r"count\(\) is used in a condition but is not selected"):
        compile(asked, CATALOG)
