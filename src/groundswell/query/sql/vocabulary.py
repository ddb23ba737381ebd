"""The closed vocabularies of printed statements: tables, types and functions of the engine."""

from __future__ import annotations

TABLES = frozenset({"errors", "transactions", "spans", "functions"})

TYPES = frozenset(
    {
        "Array(Float64)",
        "Array(Int64)",
        "Array(String)",
        "Array(UInt64)",
        "Array(UUID)",
        "DateTime64(3, 'UTC')",
        "DateTime64(6, 'UTC')",
        "Float64",
        "Int64",
        "String",
        "UInt64",
        "UInt32",
        "UInt8",
        "UUID",
    }
)

_PLAIN = """
    CAST abs arrayAll arrayCount arrayDistinct arrayElement arrayExists arrayFilter arrayFlatten
    arrayJoin arrayConcat arrayMap arrayMax arraySlice array coalesce empty endsWith floor greatest
    has hasAny if ifNull
    intDiv isNotNull isNull least length log10 lower lowerUTF8 mapContains match multiIf notEmpty
    nullIf positionCaseInsensitive positionCaseInsensitiveUTF8 pow round splitByChar startsWith
    toFloat64 toFloat64OrNull toInt32OrNull toInt64 toStartOfDay toStartOfHour toString toUInt64
    toUnixTimestamp toUnixTimestamp64Milli transform tuple
"""
_AGGREGATES = """
    any argMax argMin avg corr count covarSamp groupUniqArray max min quantileExactInclusive
    quantileTDigest quantileTDigestWeighted simpleLinearRegression stddevSamp sum uniq varSamp
"""
_COMBINATORS = ("", "If", "OrNull", "OrNullIf", "Array", "ArrayIf", "ArrayOrNull", "ArrayOrNullIf")

FUNCTIONS = frozenset(_PLAIN.split()) | frozenset(
    f"{name}{combinator}" for name in _AGGREGATES.split() for combinator in _COMBINATORS
)
