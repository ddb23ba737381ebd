-- Event tables. Absent values are '' for strings, a zero id for ids, a missing key for maps, -1 for
-- three-valued flags; the query compiler turns them into NULL. Times are UTC. Statements end in ";".

CREATE TABLE IF NOT EXISTS errors
(
    project_id UInt64 CODEC(Delta, ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    event_id UUID CODEC(NONE),
    type LowCardinality(String),
    level LowCardinality(String),
    group_id UInt64,
    primary_hash UInt128,
    title String CODEC(ZSTD(1)),
    message String CODEC(ZSTD(1)),
    culprit String CODEC(ZSTD(1)),
    location String CODEC(ZSTD(1)),
    transaction LowCardinality(String),
    platform LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    dist LowCardinality(String),
    sdk_name LowCardinality(String),
    sdk_version LowCardinality(String),
    user String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    user_username String CODEC(ZSTD(1)),
    user_email String CODEC(ZSTD(1)),
    user_ip String CODEC(ZSTD(1)),
    http_method LowCardinality(String),
    http_url String CODEC(ZSTD(1)),
    http_referer String CODEC(ZSTD(1)),
    http_status_code LowCardinality(String),
    trace_id UUID,
    span_id UInt64,
    parent_span_id UInt64,
    trace_sampled Int8 DEFAULT -1,
    replay_id UUID,
    profile_id UUID,
    exception_types Array(LowCardinality(String)),
    exception_values Array(String) CODEC(ZSTD(1)),
    exception_mechanisms Array(LowCardinality(String)),
    exception_handled Array(Int8),
    exception_main_thread Int8 DEFAULT -1,
    frame_abs_paths Array(LowCardinality(String)),
    frame_filenames Array(LowCardinality(String)),
    frame_packages Array(LowCardinality(String)),
    frame_modules Array(LowCardinality(String)),
    frame_functions Array(LowCardinality(String)),
    frame_in_app Array(UInt8),
    frame_linenos Array(UInt32),
    frame_colnos Array(UInt32),
    frame_stack_levels Array(UInt16),
    num_processing_errors UInt16,
    tags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    contexts Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    payload String CODEC(ZSTD(3)),
    sample_rate Float64 DEFAULT 1,
    retention_days UInt16 DEFAULT 90,
    INDEX ix_event_id event_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_tag_values mapValues(tags) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_group_id group_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_user user TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_release release TYPE set(64) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (retention_days, toMonday(timestamp))
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + toIntervalDay(retention_days);

CREATE TABLE IF NOT EXISTS transactions
(
    project_id UInt64 CODEC(Delta, ZSTD(1)),
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start_timestamp DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    received DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    event_id UUID CODEC(NONE),
    trace_id UUID,
    span_id UInt64,
    parent_span_id UInt64,
    trace_sampled Int8 DEFAULT -1,
    transaction LowCardinality(String),
    transaction_source LowCardinality(String),
    op LowCardinality(String),
    status LowCardinality(String) DEFAULT 'unknown',
    duration UInt32 CODEC(ZSTD(1)),
    exclusive_time Float64 CODEC(ZSTD(1)),
    platform LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    dist LowCardinality(String),
    sdk_name LowCardinality(String),
    sdk_version LowCardinality(String),
    user String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    user_username String CODEC(ZSTD(1)),
    user_email String CODEC(ZSTD(1)),
    user_ip String CODEC(ZSTD(1)),
    http_method LowCardinality(String),
    http_status_code LowCardinality(String),
    http_url String CODEC(ZSTD(1)),
    http_referer String CODEC(ZSTD(1)),
    device_class LowCardinality(String),
    replay_id UUID,
    profile_id UUID,
    profiler_id UUID,
    thread_id LowCardinality(String),
    app_start_type LowCardinality(String),
    spans_count UInt16,
    tags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    contexts Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    measurements Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    measurement_units Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    breakdowns Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    sample_rate Float64 DEFAULT 1,
    retention_days UInt16 DEFAULT 90,
    INDEX ix_event_id event_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_tag_values mapValues(tags) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_user user TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (retention_days, toMonday(timestamp))
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + toIntervalDay(retention_days);

CREATE TABLE IF NOT EXISTS spans
(
    project_id UInt64 CODEC(Delta, ZSTD(1)),
    timestamp DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    start_timestamp DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    trace_id UUID CODEC(ZSTD(1)),
    span_id UInt64 CODEC(ZSTD(1)),
    parent_span_id UInt64 CODEC(ZSTD(1)),
    segment_id UInt64 CODEC(ZSTD(1)),
    transaction_id UUID CODEC(ZSTD(1)),
    is_segment UInt8,
    op LowCardinality(String),
    category LowCardinality(String),
    `group` UInt64,
    description String CODEC(ZSTD(1)),
    normalized_description String CODEC(ZSTD(1)),
    domain LowCardinality(String),
    action LowCardinality(String),
    system LowCardinality(String),
    status LowCardinality(String),
    status_code LowCardinality(String),
    origin LowCardinality(String),
    duration Float64 CODEC(ZSTD(1)),
    exclusive_time Float64 CODEC(ZSTD(1)),
    transaction LowCardinality(String),
    transaction_op LowCardinality(String),
    transaction_method LowCardinality(String),
    transaction_status LowCardinality(String),
    platform LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    sdk_name LowCardinality(String),
    device_class LowCardinality(String),
    user String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    user_username String CODEC(ZSTD(1)),
    user_email String CODEC(ZSTD(1)),
    user_ip String CODEC(ZSTD(1)),
    profile_id UUID CODEC(ZSTD(1)),
    tags Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    measurements Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    sample_rate Float64 DEFAULT 1,
    retention_days UInt16 DEFAULT 90,
    INDEX ix_trace_id trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_group `group` TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_tag_values mapValues(tags) TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (retention_days, toMonday(timestamp))
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + toIntervalDay(retention_days);

-- One row per (profile or chunk and thread, function); times in nanoseconds, one element per call.
CREATE TABLE IF NOT EXISTS functions
(
    project_id UInt64,
    timestamp DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    transaction LowCardinality(String),
    fingerprint UInt32,
    name LowCardinality(String),
    package LowCardinality(String),
    is_application UInt8,
    platform LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    os_name LowCardinality(String),
    profile_id UUID,
    profiler_id UUID,
    thread_id LowCardinality(String),
    start_timestamp DateTime64(6, 'UTC'),
    end_timestamp DateTime64(6, 'UTC'),
    self_times Array(UInt64) CODEC(ZSTD(1)),
    total_times Array(UInt64) CODEC(ZSTD(1)),
    sample_count UInt32,
    retention_days UInt16 DEFAULT 90
)
ENGINE = MergeTree
PARTITION BY (retention_days, toMonday(timestamp))
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + toIntervalDay(retention_days);

CREATE TABLE IF NOT EXISTS profiles
(
    project_id UInt64,
    timestamp DateTime64(3, 'UTC'),
    profile_id UUID,
    profiler_id UUID,
    transaction_id UUID,
    trace_id UUID,
    transaction LowCardinality(String),
    platform LowCardinality(String),
    environment LowCardinality(String),
    release LowCardinality(String),
    active_thread_id String,
    start_timestamp DateTime64(6, 'UTC'),
    end_timestamp DateTime64(6, 'UTC'),
    payload String CODEC(ZSTD(6)),
    retention_days UInt16 DEFAULT 90,
    INDEX ix_profile_id profile_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX ix_profiler_id profiler_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (retention_days, toMonday(timestamp))
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + toIntervalDay(retention_days);

CREATE TABLE IF NOT EXISTS outcomes
(
    project_id UInt64,
    timestamp DateTime('UTC'),
    key_id UInt64,
    category LowCardinality(String),
    outcome LowCardinality(String),
    reason LowCardinality(String),
    quantity UInt64
)
ENGINE = SummingMergeTree(quantity)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (project_id, timestamp, category, outcome, reason, key_id)
TTL timestamp + toIntervalDay(90);
