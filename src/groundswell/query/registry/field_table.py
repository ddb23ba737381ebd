"""The fields as a table: names | role | type/unit | where tables keep it | one sentence.

Where: letters of tables (E errors, T transactions, S spans, F functions of profiles), `=`, how it
is stored, `:`, the column, `/`, the key in a map.
"""

# ruff: noqa: E501 - one field is one line

from __future__ import annotations

ROWS = """
id | uuid | string | ET=uuid:event_id S=span:span_id | Id of the event; of a span, its span id.
span_id | span | string | ETS=span:span_id | Id of the span.
timestamp | timestamp | date | ETSF=date:timestamp | When it happened; for transactions and spans, when they ended.
timestamp.to_hour | timestamp | date | ETSF=hour:timestamp | The hour in which it happened, in UTC.
timestamp.to_day | timestamp | date | ETSF=day:timestamp | The day on which it happened, in UTC.
time | date | date | ETSF=date:timestamp | The bucket of a series; in filters, the instant of the event.
start end | ignored | date | | The ends of the range; conditions on them have no effect.
precise.start_ts | number | number | TS=epoch:start_timestamp | Start in seconds since 1970, to the millisecond.
precise.finish_ts | number | number | TS=epoch:timestamp | End in seconds since 1970, to the millisecond.
error.received | date | date | E=date:received | When the server received the error.
project project.name project_name | project | string | ETSF=plain:project_id | Slug of the project.
project.id project_id projectid | project_id | integer | ETSF=plain:project_id | Number of the project.
issue | issue | string | E=plain:group_id TS=zero: | Short id of the issue; `unknown` where there is none.
issue.id | issue_id | integer | E=plain:group_id TS=zero: | Number of the issue; 0 where there is none.
event.type | text | string | E=plain:type T=constant:transaction | error, default, csp, …, or transaction.
title | text | string | E=text:title T=text:transaction | The exception and its value; for transactions their name.
message | message | string | E=plain:message T=plain:transaction S=plain:description | What free text looks in: log message, exception, culprit; for transactions their name.
transaction | text | string | ETSF=text:transaction | Name of the transaction.
culprit | text | string | E=text:culprit | Where in the code it happened (deprecated).
location | text | string | E=text:location | File in which it happened.
level | text | string | E=text:level T=keyed_text:tags/level | fatal, error, warning, info or debug.
platform platform.name | text | string | ETSF=text:platform | Platform of the SDK.
environment | environment | string | ETSF=text:environment | Deployment environment; empty where none was sent.
release | release | string | ETSF=text:release | Version of the application.
dist | text | string | ET=text:dist | Distribution of the release.
release.version | release.version | string | ETSF=text:release | Version part of the release, compared as a semantic version.
release.package | release.package | string | ETSF=text:release | Package part of the release.
release.build | release.build | string | ETSF=text:release | Build part of the release.
release.stage | release.stage | string | ETSF=text:release | Adoption stage of the release; adoption needs sessions, which are not kept, so every release counts as adopted.
trace | uuid | string | ETS=uuid:trace_id | Id of the trace.
trace.span | span | string | ETS=span:span_id | Id of the event's own span.
trace.parent_span parent_span | span | string | ETS=span:parent_span_id | Id of the parent span.
trace.client_sample_rate | text | string | ET=keyed_text:contexts/trace.client_sample_rate | Sample rate of the SDK, as text.
trace.sampled | boolean | boolean | ET=flag:trace_sampled | Whether the trace was sampled.
trace.status | text | string | T=text:status S=text:transaction_status | Status of the transaction of a span.
replay.id replayId | uuid | string | ET=uuid:replay_id | Id of the session replay.
profile.id | uuid | string | ETS=uuid:profile_id | Id of the profile.
profiler.id | uuid | string | T=uuid:profiler_id | Id of the continuous profiler.
thread.id | text | string | T=text:thread_id | Thread that the transaction ran on.
performance.issue_ids | ids | array | | Performance issues that a transaction belongs to; none are looked for, so it is always empty.
user | text | string | ETS=text:user | The user: `id:42`, `email:…`, `username:…` or `ip:…`.
user.id | text | string | ETS=text:user_id | Id of the user.
user.email | text | string | ETS=text:user_email | E-mail address of the user.
user.username | text | string | ETS=text:user_username | Name of the user.
user.ip | text | string | ETS=text:user_ip | Address of the user.
user.display | text | string | ETS=display: | The first of e-mail address, name, id and address of the user.
sdk.name | text | string | ETS=text:sdk_name | Name of the SDK.
sdk.version | text | string | ET=text:sdk_version | Version of the SDK.
http.method | text | string | ET=text:http_method S=text:action | Method of the request.
http.url | text | string | ET=text:http_url | URL of the request.
http.referer | text | string | ET=text:http_referer | Referer of the request.
http.status_code | http_status | string | ET=text:http_status_code S=text:status_code | Status of the response.
geo.country_code | text | string | ET=keyed_text:contexts/geo.country_code | Country of the user, two letters.
geo.region | text | string | ET=keyed_text:contexts/geo.region | Country of the user, by name.
geo.city | text | string | ET=keyed_text:contexts/geo.city | City of the user.
geo.subdivision | text | string | ET=keyed_text:contexts/geo.subdivision | State or region of the user.
os.build | text | string | ET=keyed_text:contexts/os.build | Build of the operating system.
os.kernel_version | text | string | ET=keyed_text:contexts/os.kernel_version | Kernel of the operating system.
os.distribution_name | text | string | ET=keyed_text:contexts/os.distribution_name | Name of the distribution.
os.distribution_version | text | string | ET=keyed_text:contexts/os.distribution_version | Version of the distribution.
device.arch | text | string | ET=keyed_text:contexts/device.arch | Architecture of the device.
device.battery_level | text | string | ET=keyed_text:contexts/device.battery_level | Charge of the battery, as text.
device.brand | text | string | ET=keyed_text:contexts/device.brand | Brand of the device.
device.charging | truth | string | ET=truth:contexts/device.charging | Whether the device was charging: True or False.
device.locale | text | string | ET=keyed_text:contexts/device.locale | Locale of the device.
device.model_id | text | string | ET=keyed_text:contexts/device.model_id | Internal model of the device.
device.name | text | string | ET=keyed_text:contexts/device.name | Name of the device.
device.online | truth | string | ET=truth:contexts/device.online | Whether the device was online: True or False.
device.orientation | text | string | ET=keyed_text:contexts/device.orientation | portrait or landscape.
device.screen_density | text | string | ET=keyed_text:contexts/device.screen_density | Density of the screen, as text.
device.screen_dpi | text | string | ET=keyed_text:contexts/device.screen_dpi | Dots per inch of the screen, as text.
device.screen_height_pixels | text | string | ET=keyed_text:contexts/device.screen_height_pixels | Height of the screen, as text.
device.screen_width_pixels | text | string | ET=keyed_text:contexts/device.screen_width_pixels | Width of the screen, as text.
device.simulator | truth | string | ET=truth:contexts/device.simulator | Whether it is a simulator: True or False.
device.uuid | text | string | ET=keyed_text:contexts/device.uuid | Id of the device.
device.class | device_class | string | E=keyed_text:tags/device.class TS=text:device_class | Speed of the device: low, medium or high.
app.in_foreground | truth | string | ET=truth:contexts/app.in_foreground | Whether the application was in the foreground.
unreal.crash_type | text | string | E=keyed_text:contexts/unreal.crash_type | Kind of an Unreal Engine crash.
error.type | array | array | E=texts:exception_types | Types of the exceptions in the chain.
error.value | array | array | E=texts:exception_values | Values of the exceptions in the chain.
error.mechanism | array | array | E=texts:exception_mechanisms | Mechanisms that caught the exceptions.
error.handled | handled | boolean | E=handled:exception_handled T=one: | Whether every exception was handled.
error.unhandled | unhandled | boolean | E=unhandled:exception_handled T=zero: | Whether an exception was not handled.
error.main_thread | boolean | boolean | E=flag:exception_main_thread | Whether it happened on the main thread.
stack.abs_path | array | array | E=texts:frame_abs_paths | Absolute paths of the stack frames.
stack.filename | array | array | E=texts:frame_filenames | Files of the stack frames.
stack.package | array | array | E=texts:frame_packages | Packages of the stack frames.
stack.module | array | array | E=texts:frame_modules | Modules of the stack frames.
stack.function | array | array | E=texts:frame_functions | Functions of the stack frames.
stack.in_app | array_boolean | array | E=numbers:frame_in_app | Whether each frame is the application's own code.
stack.lineno | array_number | array | E=numbers:frame_linenos | Lines of the stack frames.
stack.colno | array_number | array | E=numbers:frame_colnos | Columns of the stack frames.
stack.stack_level | array_number | array | E=numbers:frame_stack_levels | Levels of the stack frames.
num_processing_errors | number | integer | E=number:num_processing_errors | How many errors processing found.
transaction.duration | duration | duration/millisecond | T=number:duration | How long the transaction took, in whole milliseconds.
transaction.op | text | string | T=text:op S=text:transaction_op | Operation of the transaction.
transaction.source | text | string | T=text:transaction_source | Where the name of the transaction comes from.
transaction.status | status | string | T=text:status S=text:transaction_status | Status of the transaction: ok, internal_error and others.
transaction.method | text | string | T=text:http_method S=text:transaction_method | Method of the transaction's request.
app_start_type | text | string | T=text:app_start_type | cold or warm.
total.count | total | integer | ETSF=plain: | Number of events of the whole question, beside an aggregate.
total.transaction_duration | total | duration/millisecond | T=plain: | Sum of durations of the whole question, beside an aggregate.
team_key_transaction | boolean | boolean | ET=zero: | Whether the transaction is a favourite of a team.
span.duration | duration | duration/millisecond | S=number:duration | How long the span took.
span.self_time span.exclusive_time | duration | duration/millisecond | S=number:exclusive_time | Time of the span outside its children.
span.op | text | string | S=text:op | Operation of the span.
span.description | text | string | S=text:normalized_description | What the span did, with values taken out.
span.raw_description description | text | string | S=text:description | What the span did.
span.group | span | string | S=span:group | Hash of the description, to group by.
span.domain | domain | string | S=text:domain | Tables or hosts that the span talked to.
span.action | text | string | S=text:action | SQL verb, method or command.
span.category | text | string | S=text:category | First part of the operation: db, http, cache and others.
span.module | text | string | S=module: | Product area: db, http, cache, queue, resource or other.
span.system | text | string | S=text:system | Database or queue system.
span.status | text | string | S=text:status | Status of the span.
span.status_code | http_status | string | S=text:status_code | Status of the HTTP response.
span.origin origin | text | string | S=text:origin | Which integration made the span.
span.main_thread | text | string | S=keyed_text:tags/main_thread | Whether the span ran on the main thread.
segment.id transaction.span_id | span | string | S=span:segment_id | Id of the segment that the span belongs to.
transaction.id transaction.event_id | uuid | string | S=uuid:transaction_id | Id of the transaction event of the span.
is_segment is_transaction | boolean | boolean | S=plain:is_segment | Whether the span is the root of its segment.
http.response_content_length | size | size/byte | S=keyed:measurements/http.response_content_length | Bytes of the response body as sent.
http.decoded_response_content_length | size | size/byte | S=keyed:measurements/http.decoded_response_content_length | Bytes of the response body after decoding.
http.response_transfer_size | size | size/byte | S=keyed:measurements/http.response_transfer_size | Bytes of the response with headers.
cache.item_size | size | size/byte | S=keyed:measurements/cache.item_size | Bytes of the cached item.
messaging.message.receive.latency | duration | duration/millisecond | S=keyed:measurements/messaging.message.receive.latency | Time that the message waited.
mobile.slow_frames | number | integer | S=keyed:measurements/mobile.slow_frames | Slow frames during the span.
mobile.frozen_frames | number | integer | S=keyed:measurements/mobile.frozen_frames | Frozen frames during the span.
mobile.total_frames | number | integer | S=keyed:measurements/mobile.total_frames | Frames during the span.
mobile.frames_delay | duration | duration/second | S=keyed:measurements/mobile.frames_delay | Delay of frames during the span.
ai.total_tokens.used | number | integer | S=keyed:measurements/ai.total_tokens.used | Tokens that the call used.
ai.total_cost | number | number | S=keyed:measurements/ai.total_cost | Cost of the call.
fingerprint | fingerprint | integer | F=plain:fingerprint | Hash of package and name of the function.
function | text | string | F=text:name | Name of the function.
package | text | string | F=text:package | Package of the function.
is_application | boolean | boolean | F=plain:is_application | Whether the function is the application's own code.
os.name | text | string | ETS=keyed_text:tags/os.name F=text:os_name | Operating system.
function.duration | duration | duration/nanosecond | F=calls:self_times | Self time of the calls of the function.
profile.function.id | uuid | string | F=uuid:profile_id | Profile that the function was seen in.
"""
