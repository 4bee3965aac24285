"""The types that parameters are drawn from, each with texts that fit and texts that do not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterType:
    """A type as source text, with what a request may send for it."""

    annotation: str
    good: tuple[str, ...]
    bad: tuple[str, ...]
    json: tuple[str, ...]
    defaults: tuple[str, ...] = ()
    factories: tuple[str, ...] = ()
    constraints: tuple[tuple[str, str], ...] = ()
    many: bool = False
    path: bool = True


_NUMBER = (("ge", "2"), ("le", "7"), ("gt", "0"), ("lt", "1000"), ("multiple_of", "1"))
_TEXT = (("min_length", "2"), ("max_length", "3"), ("pattern", "'^[a-z]+$'"))
_MANY = (("min_length", "2"), ("max_length", "2"))

TYPES: dict[str, ParameterType] = {
    "int": ParameterType(
        "int",
        ("3", "2", "0", "-5", "007", "+6", " 7 ", "1_000", "1.0", "12345678901234567890123"),
        ("x", "1.5", "", "1e3", "0x10", "9" * 4400, "٣", "\x00", "--1", "1__0"),
        ("3", "2", "0", "1.0", '"4"'),
        ("3", "0", "None", '"unchecked"', "True"),
        ("lambda: 4",),
        _NUMBER,
    ),
    "str": ParameterType(
        "str",
        ("ab", "abc", "a", "a b", "ä€", "", "a/b", "%", "null", "a+b", "a=b&c", "\x00", "😀"),
        ("ABCDEF", "a" * 300),
        ('"ab"', '"a"', '"\\u00e4"'),
        ("'d'", "''", "None", "3"),
        ("lambda: 'made'",),
        _TEXT,
    ),
    "int | None": ParameterType(
        "int | None",
        ("3", "2"),
        ("", "None", "null", "x"),
        ("3", "null"),
        ("None", "None", "0"),
        ("lambda: None",),
        _NUMBER,
    ),
    "str | None": ParameterType(
        "str | None",
        ("ab", "abc", ""),
        ("ABCDEF",),
        ('"ab"', "null"),
        ("None", "None", "'d'"),
        (),
        _TEXT,
    ),
    "bool": ParameterType(
        "bool",
        ("true", "on", "0", "YES", "f", "1"),
        ("maybe", "", "2"),
        ("true", '"on"'),
        ("False", "None"),
    ),
    "float": ParameterType(
        "float",
        ("2.5", "3", "nan", "inf", "-0.0", "1e400", "1_0.5"),
        ("x", "", "1,5"),
        ("2.5", "3"),
        ("1.5", "float('nan')"),
        (),
        (("ge", "2"), ("le", "7"), ("allow_inf_nan", "False")),
    ),
    "list[int]": ParameterType(
        "list[int]",
        ("1", "2", "3"),
        ("x", ""),
        ("[1, 2]", "[]", '["3"]'),
        ("[1]", "[]", "None", "(1,)"),
        ("list", "lambda: [1]"),
        _MANY,
        many=True,
        path=False,
    ),
    "list[str]": ParameterType(
        "list[str]",
        ("ab", "abc", "", "a,b"),
        ("\x00",),
        ('["a"]', "[]"),
        ("['d']", "[]", "()"),
        ("list",),
        _MANY,
        many=True,
        path=False,
    ),
    "set[int]": ParameterType(
        "set[int]",
        ("1", "1", "2"),
        ("x",),
        ("[1, 1, 2]",),
        ("{1}", "set()"),
        ("set",),
        many=True,
        path=False,
    ),
    "tuple[int, ...]": ParameterType(
        "tuple[int, ...]",
        ("1", "2"),
        ("x",),
        ("[1, 2]",),
        ("(1,)", "()", "([1],)"),
        many=True,
        path=False,
    ),
    "tuple[int, str]": ParameterType(
        "tuple[int, str]",
        ("1", "2"),
        ("x",),
        ('[1, "a"]',),
        ("(1, 'd')",),
        many=True,
        path=False,
    ),
    "frozenset[str]": ParameterType(
        "frozenset[str]",
        ("a", "b"),
        ("",),
        ('["a"]',),
        ("frozenset()",),
        many=True,
        path=False,
    ),
    "list[int] | None": ParameterType(
        "list[int] | None",
        ("1", "2"),
        ("x", ""),
        ("[1]", "null"),
        ("None", "[1]"),
        many=True,
        path=False,
    ),
    "list": ParameterType(
        "list", ("1", "x"), (), ("[1]",), ("[]",), ("list",), many=True, path=False
    ),
    "Sequence[str]": ParameterType(
        "Sequence[str]", ("1", "x"), (), ('["1"]',), ("()",), many=True, path=False
    ),
    "list[Color]": ParameterType(
        "list[Color]",
        ("red", "blue"),
        ("x",),
        ('["red"]',),
        ("[Color.RED]",),
        many=True,
        path=False,
    ),
    "list[int | None]": ParameterType(
        "list[int | None]", ("1",), ("", "x"), ("[1, null]",), ("[None]",), many=True, path=False
    ),
    "int | str": ParameterType(
        "int | str",
        ("3", "x", "", "1.0"),
        (),
        ("3", '"x"'),
        ("3", "'d'"),
    ),
    "int | bool | None": ParameterType(
        "int | bool | None", ("3", "true"), ("x",), ("3", "false"), ("None", "True")
    ),
    "Literal": ParameterType(
        "Literal['ab', 'cd']", ("ab", "cd"), ("x", "AB", ""), ('"ab"',), ("'ab'",)
    ),
    "Color": ParameterType("Color", ("red", "blue"), ("RED", ""), ('"red"',), ("Color.RED",)),
    "Level": ParameterType("Level", ("1", "2"), ("3", "x"), ("1",), ("Level.LOW", "1")),
    "datetime": ParameterType(
        "datetime",
        ("2024-02-29T12:00:00Z", "2024-01-01T00:00:00+02:00", "1700000000", "2024-01-01"),
        ("2023-02-29T12:00:00Z", "x", ""),
        ('"2024-02-29T12:00:00Z"', "1700000000"),
        ("datetime(2024, 1, 1)",),
    ),
    "date": ParameterType(
        "date", ("2024-02-29",), ("2023-02-29", "x"), ('"2024-02-29"',), ("date(2024, 1, 1)",)
    ),
    "timedelta": ParameterType(
        "timedelta", ("P1D", "01:00:00"), ("x",), ("60",), ("timedelta(1)",)
    ),
    "UUID": ParameterType(
        "UUID",
        ("12345678-1234-5678-1234-567812345678", "12345678123456781234567812345678"),
        ("{12345678123456781234567812345678}", "x"),
        ('"12345678-1234-5678-1234-567812345678"',),
        ("UUID(int=1)",),
    ),
    "Decimal": ParameterType(
        "Decimal",
        ("2.5", "3", "2.50", "1E+3", "-0"),
        ("x", "NaN", ""),
        ("2.5", '"2.50"'),
        ("Decimal('1.0')",),
        (),
        (("max_digits", "3"), ("decimal_places", "1"), ("ge", "2")),
    ),
    "bytes": ParameterType("bytes", ("ab", "ä"), (), ('"ab"',), ("b'd'",)),
    "StrictInt": ParameterType("StrictInt", (), ("3",), ("3",), ("3",)),
    "SecretStr": ParameterType("SecretStr", ("ab",), (), ('"ab"',), ("SecretStr('d')",)),
    "Json[list[int]]": ParameterType(
        "Json[list[int]]",
        ("[1, 2]", "[]"),
        ("[", '["x"]', "1", ""),
        ('"[1]"',),
        ("[1]",),
        path=False,
    ),
    "Json": ParameterType(
        "Json", ('{"a": 1}', "null", "3"), ("{", ""), ('"{}"',), ("{'a': []}",), path=False
    ),
    "Annotated": ParameterType(
        "Annotated[int, Field(gt=1)]", ("3", "2"), ("1", "x"), ("3",), ("3",)
    ),
    "Positive": ParameterType(
        "Annotated[int, BeforeValidator(str.strip), AfterValidator(abs)]",
        ("-3", " 4 "),
        ("x",),
        ('"-3"',),
        ("3",),
    ),
    "'int'": ParameterType("'int'", ("3",), ("x",), ("3",), ("3",)),
    "Alias": ParameterType("Number", ("3",), ("x",), ("3",), ("3",)),
    "": ParameterType("", ("3", "x"), (), ("3", "{}", "[1]"), ("3", "'d'", "None")),
    "Any": ParameterType("Any", ("3", "x"), (), ("3", "{}", "[1]"), ("3", "None", "[]")),
}

#: Types that only a JSON body can have.
BODY_TYPES: dict[str, ParameterType] = {
    "dict[str, int]": ParameterType(
        "dict[str, int]", (), (), ('{"a": 1}', "{}", '{"a": "x"}'), ("{}", "{'a': 1}"), ("dict",)
    ),
    "list[dict[str, Any]]": ParameterType(
        "list[dict[str, Any]]", (), (), ('[{"a": 1}]', "[1]"), ("[]",), ("list",)
    ),
    "Item": ParameterType(
        "Item", (), (), ('{"a": 1}', '{"a": "x"}', "{}", '{"a": 1, "b": []}'), ("Item(a=2)",)
    ),
    "list[Item]": ParameterType(
        "list[Item]", (), (), ('[{"a": 1}]', '[{"a": "x"}, {}]'), ("[Item(a=2)]",)
    ),
}

#: Types that an uploaded file can have.
FILE_TYPES: dict[str, ParameterType] = {
    "UploadFile": ParameterType("UploadFile", (), (), ()),
    "UploadFile | None": ParameterType("UploadFile | None", (), (), (), ("None",)),
    "bytes": ParameterType("bytes", (), (), ()),
    "list[UploadFile]": ParameterType("list[UploadFile]", (), (), (), ("[]",), many=True),
    "list[bytes]": ParameterType("list[bytes]", (), (), (), many=True),
}
