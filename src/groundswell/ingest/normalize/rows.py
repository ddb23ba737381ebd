"""A batch of records → the event tables, its issues, and what became of every item."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from groundswell.ingest.normalize import columns, streams
from groundswell.ingest.normalize.error_table import add_groups, errors_table
from groundswell.ingest.normalize.events import ErrorRow, TooOld, error_row
from groundswell.ingest.normalize.identity import NO_ID, derived_event_id, uuid_bytes
from groundswell.ingest.normalize.payloads import (
    Span,
    Undecodable,
    decode_object,
    decode_span,
    decode_transaction,
)
from groundswell.ingest.normalize.profiles import (
    InvalidProfile,
    Profile,
    functions_table,
    profile_chunk,
    profiles_table,
    transaction_profile,
)
from groundswell.ingest.normalize.scrubbing import Scrubber, scrubber_for
from groundswell.ingest.normalize.segments import MAX_SPANS, Segment, fill_from_transaction
from groundswell.ingest.normalize.shapes import sequence
from groundswell.ingest.normalize.times import clock_shift
from groundswell.ingest.normalize.traces import build_traces
from groundswell.ingest.records import (
    DigestContext,
    Group,
    Item,
    Kind,
    Outcome,
    ProjectOptions,
    Record,
    Rejected,
    Verdict,
)

# Columns are built while the texts of their rows are still in the processor's cache.
ROWS_AT_ONCE = 250


@dataclass(slots=True)
class Built:
    """What a batch becomes.

    tables: by name, with exactly the columns of the store's tables; `group_id` is 0 everywhere.
    outcomes: accepted and invalid things of every item given; items refused before are not here.
    rejected: items that gave no row. groups: the issues seen.
    """

    tables: dict[str, pa.Table]
    outcomes: list[Outcome]
    groups: list[Group]
    rejected: list[Rejected]


def build_tables(records: list[Record], context: DigestContext) -> Built:
    """Pure: the same records and options give the same tables, row for row."""
    batch = _Batch(context)
    for record in records:
        batch.add(record)
    return batch.built()


@dataclass(slots=True)
class _Place:
    """What all items of one record share."""

    record: Record
    scrubber: Scrubber
    options: ProjectOptions
    received_us: int
    shift_us: int


@dataclass(slots=True)
class _Batch:
    context: DigestContext
    errors: list[ErrorRow] = field(default_factory=list)
    error_tables: list[pa.Table] = field(default_factory=list)
    groups: dict[tuple[int, bytes], Group] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    counts: Counter[tuple[int, int, int, str, Verdict, str]] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        options = self.context.options(record.project_id)
        received_us = round(record.received_at * 1_000_000)
        sent_us = None if record.sent_at is None else round(record.sent_at * 1_000_000)
        place = _Place(
            record,
            scrubber_for(options.scrubbing),
            options,
            received_us,
            clock_shift(received_us, sent_us),
        )
        for item in record.items:
            try:
                self._item(item, place)
            except Undecodable as error:
                self._reject(record, item, str(error))

    def built(self) -> Built:
        self._flush_errors()
        traces = build_traces(self.segments)
        for segment in traces.kept:
            self._count_segment(segment)
        for segment, reason in traces.refused:
            self._refuse_segment(segment, reason)
        return Built(
            {
                "errors": pa.concat_tables(self.error_tables)
                if self.error_tables
                else columns.empty(columns.ERRORS),
                "transactions": traces.transactions,
                "spans": traces.spans,
                "functions": functions_table(self.profiles),
                "profiles": profiles_table(self.profiles),
            },
            [Outcome(*key, quantity) for key, quantity in self.counts.items()],
            list(self.groups.values()),
            self.rejected,
        )

    def _item(self, item: Item, place: _Place) -> None:
        match item.kind:
            case Kind.TRANSACTION:
                self._transaction(item, place)
            case Kind.EVENT:
                self._event(item, place)
            case Kind.SPANS:
                self._container(item, place)
            case Kind.SPAN:
                self._single_span(item, place)
            case Kind.PROFILE | Kind.PROFILE_CHUNK:
                self._profile(item, place)
            case _:
                pass

    def _event(self, item: Item, place: _Place) -> None:
        event = decode_object(item.payload)
        if event.get("type") == "transaction":
            self._transaction(item, place)
            return
        record = place.record
        try:
            row = error_row(
                event,
                record,
                _event_id(record, event.get("event_id"), item),
                place.scrubber,
                place.options.days("errors"),
                place.received_us,
                place.shift_us,
                len(item.payload),
            )
        except TooOld:
            self._reject(record, item, "too_old")
            return
        self.errors.append(row)
        if len(self.errors) >= ROWS_AT_ONCE:
            self._flush_errors()
        self._count(record, "error", Verdict.ACCEPTED)

    def _flush_errors(self) -> None:
        if self.errors:
            self.error_tables.append(errors_table(self.errors))
            add_groups(self.groups, self.errors)
            self.errors.clear()

    def _transaction(self, item: Item, place: _Place) -> None:
        sent = decode_transaction(item.payload)
        segment = self._segment(item, place, sent.spans or [])
        segment.event_id = _event_id(place.record, sent.event_id, item)
        segment.spans_sent = len(segment.spans)
        if segment.spans_sent > MAX_SPANS:
            surplus = segment.spans_sent - MAX_SPANS
            segment.spans = segment.spans[:MAX_SPANS]
            self._count(place.record, "span", Verdict.INVALID, "too_many_spans", surplus)
        if fill_from_transaction(segment, sent, place.record.client_ip):
            self.segments.append(segment)
        else:
            self._refuse_segment(segment, "invalid_transaction")

    def _container(self, item: Item, place: _Place) -> None:
        container = decode_object(item.payload)
        sent = len(sequence(container.get("items")))
        if item.item_count is not None and item.item_count != sent:
            self._reject(place.record, item, "invalid_item_count", max(sent, 1))
            return

        found, dropped = streams.container_segments(
            container, lambda spans: self._segment(item, place, spans)
        )
        self._streamed(found, dropped, item, place)

    def _single_span(self, item: Item, place: _Place) -> None:
        found = streams.single_segment(
            decode_span(item.payload),
            decode_object(item.payload),
            lambda spans: self._segment(item, place, spans),
        )
        self._streamed([found] if found else [], 0 if found else 1, item, place)

    def _streamed(self, segments: list[Segment], dropped: int, item: Item, place: _Place) -> None:
        for segment in segments:
            root = next((s.span_id for s in segment.spans if s.is_segment is True), None)
            segment.event_id = (
                derived_event_id(
                    place.record.project_id, f"{segment.trace_id.hex()}{root}".encode(), 0, 0
                )
                if root
                else NO_ID
            )
        self.segments.extend(segments)
        if dropped or not segments:
            self._count(place.record, "span", Verdict.INVALID, "invalid_span", max(dropped, 1))
        if not segments:
            self.rejected.append(
                Rejected(place.record.seq, item.index, Verdict.INVALID, "invalid_span")
            )

    def _profile(self, item: Item, place: _Place) -> None:
        build = transaction_profile if item.kind is Kind.PROFILE else profile_chunk
        sent = decode_object(item.payload)
        try:
            if item.platform and sent.get("platform") not in {None, item.platform}:
                raise InvalidProfile("profile_of_another_platform")
            profile = build(
                sent,
                place.record,
                item.payload,
                place.options.days("profiles"),
                place.received_us,
                place.shift_us,
            )
        except InvalidProfile as error:
            self._reject(place.record, item, str(error))
            return
        profile.function_retention_days = place.options.days("functions")
        self.profiles.append(profile)
        self._count(place.record, item.kind.value, Verdict.ACCEPTED)

    def _segment(self, item: Item, place: _Place, spans: list[Span]) -> Segment:
        return Segment(
            place.record,
            item.index,
            place.scrubber,
            place.options.days("transactions"),
            place.received_us,
            place.shift_us,
            spans,
            span_retention_days=place.options.days("spans"),
        )

    def _count_segment(self, segment: Segment) -> None:
        if segment.is_event:
            self._count(segment.record, "transaction", Verdict.ACCEPTED)
        self._count(segment.record, "span", Verdict.ACCEPTED, quantity=len(segment.spans))

    def _refuse_segment(self, segment: Segment, reason: str) -> None:
        if segment.is_event:
            self._count(segment.record, "transaction", Verdict.INVALID, reason)
        self._count(segment.record, "span", Verdict.INVALID, reason, len(segment.spans))
        self.rejected.append(Rejected(segment.record.seq, segment.index, Verdict.INVALID, reason))

    def _reject(self, record: Record, item: Item, reason: str, quantity: int = 1) -> None:
        category = _CATEGORIES.get(item.kind, "default")
        self._count(record, category, Verdict.INVALID, reason, quantity)
        self.rejected.append(Rejected(record.seq, item.index, Verdict.INVALID, reason))

    def _count(
        self, record: Record, category: str, verdict: Verdict, reason: str = "", quantity: int = 1
    ) -> None:
        if quantity:
            minute = int(record.received_at) // 60 * 60
            key = (record.project_id, record.key_id, minute, category, verdict, reason)
            self.counts[key] += quantity


_CATEGORIES = {
    Kind.EVENT: "error",
    Kind.TRANSACTION: "transaction",
    Kind.SPANS: "span",
    Kind.SPAN: "span",
    Kind.PROFILE: "profile",
    Kind.PROFILE_CHUNK: "profile_chunk",
}


def _event_id(record: Record, sent: object, item: Item) -> bytes:
    """The envelope's id wins over the payload's; without either, one follows from the bytes."""
    for known in (record.event_id, sent):
        found = uuid_bytes(known)
        if found != NO_ID:
            return found
    return derived_event_id(record.project_id, item.payload, item.index, record.seq)
