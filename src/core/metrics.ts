/**
 * Every metric of lvsd: its name, type, labels and help text, for `GET /metrics`, for config/reference.md, and for the
 * tests of the alert rules and the dashboard. Times are in seconds and sizes in bytes, as Prometheus' conventions want.
 */

export type MetricType = 'gauge' | 'counter' | 'histogram' | 'summary'

export interface MetricKind {
  readonly type: MetricType
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of the buckets of a histogram, in seconds. */
  readonly buckets?: readonly number[]
}

const SERVICE = ['service'] as const
const REAL = ['service', 'real'] as const
const OVERRIDE = [...REAL, 'effect', 'source'] as const

/** Checks: from an answer of the same rack to the longest usual timeout. */
const RUN_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Starts: the grid of the scheduler is 50 ms. */
const DELAY_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30]
const ROUND_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

export const METRICS = {
  // lvsd itself
  lvsd_build_info: gauge('Version of lvsd, and whose table it keeps; always 1.', 'version', 'kernel'),
  lvsd_isolated: gauge('1 while lvsd itself cannot reach any server: failed checks do not count.'),
  lvsd_active: gauge('1 while this director is active, 0 while it is standby; 1 for one that serves alone.'),
  lvsd_connectivity_lost: gauge(
    '1 while this director has lost its network by the conditions of `connectivity`: the table stays.',
  ),
  lvsd_connectivity_in_doubt: gauge('1 while the next pings decide whether the network is lost.'),
  lvsd_connectivity_ping_failing: gauge(
    '1 while a pinged address of `connectivity` does not answer.',
    'address',
  ),
  lvsd_sync_daemon: gauge(
    '1 for each sync daemon of the kernel that runs, if one is configured; `state` is master or backup.',
    'state',
    'interface',
    'syncid',
  ),
  lvsd_sync_failing: gauge('1 while the kernel refuses the sync daemon that is configured.'),
  lvsd_role_source_failing: gauge('1 while the source of the role cannot be read.'),
  lvsd_checks_shared: gauge(
    'Checks that directors share: those that this director runs (by self), and those of which it hears (by others); absent without observers.',
    'by',
  ),
  lvsd_checks_disputed: gauge(
    'Shared checks of which directors say different things; absent without observers.',
  ),
  lvsd_director_verdicts: gauge(
    'Shared checks of which each director says something, this one included; absent without observers.',
    'director',
  ),
  lvsd_director_verdict_age_seconds: gauge(
    'Age of the oldest result that a verdict of each director comes from: at most the interval, timeout and heartbeat. Absent without observers, and for a director that says nothing.',
    'director',
  ),
  lvsd_directors: gauge('Living directors of the site, this one included; absent without Redis.'),
  lvsd_director_differs: gauge(
    '1 while another director of the site has other services in its configuration.',
    'director',
  ),
  lvsd_redis_connected: gauge('1 while the Redis of the site can be used; absent without one.'),
  lvsd_events_total: counter('Events by their names in the log, since lvsd started.', 'event'),
  lvsd_state_files_failing: gauge('Files of the state folder that cannot be written at present.'),
  lvsd_names_failing: gauge('Services and servers whose names have no address, or have lost it.'),
  lvsd_metrics_reals_left_out: gauge(
    'Real servers without series of their own, because there are more than `metrics-reals`.',
  ),

  // alerts
  lvsd_alerts_firing: gauge('Alerts that fire, of all that receivers of alerts could get.'),
  lvsd_alert_messages_total: counter(
    'Messages to receivers of alerts: accepted, failed (an attempt) or lost (given up).',
    'destination',
    'outcome',
  ),
  lvsd_alert_messages_waiting: gauge('Messages that wait for a receiver of alerts.', 'destination'),
  lvsd_alert_destination_failing: gauge(
    '1 from a failed attempt until a message is accepted.',
    'destination',
  ),

  // the configuration
  lvsd_config_last_reload_successful: gauge(
    '1 unless the last reload, or the file at the start, was refused.',
  ),
  lvsd_config_last_reload_success_timestamp_seconds: gauge(
    'Time at which the active configuration was accepted.',
  ),
  lvsd_config_reloads_total: counter('Reloads by their outcome: accepted or refused.', 'outcome'),
  lvsd_config_hash: gauge('Hash of the active configuration and its included files; equal for equal texts.'),
  lvsd_config_kept: gauge('1 while the last accepted configuration runs, because the file cannot.'),

  // checks
  lvsd_schedule_jobs: gauge('Distinct checks and targets.'),
  lvsd_schedule_running: gauge('Runs of checks in progress.'),
  lvsd_schedule_overdue: gauge('Runs that are due and wait for a place (the setting `concurrency`).'),
  lvsd_schedule_delay_seconds: histogram('Time from when a run was due until its start.', DELAY_BUCKETS),
  lvsd_schedule_stalls_total: counter('Times that lvsd itself was stopped or starved for over 50 ms.'),
  lvsd_schedule_stalled_seconds_total: counter('Duration of all stalls.'),
  lvsd_hints_total: counter(
    'Signs that servers may have changed, by their kind; each brings checks forward.',
    'kind',
  ),
  lvsd_checks_brought_forward_total: counter('Checks that hints have brought forward.'),
  lvsd_hints_dropped_total: counter('Hints without effect, because too many checks waited.'),
  lvsd_sentinels: gauge(
    'Idle connections to servers by their state: watching, opening, waiting, closed, left-out (too few descriptors).',
    'state',
  ),
  lvsd_servers_knocked: gauge('Servers that are knocked on, because no connection to them can be made.'),
  lvsd_check_runs_total: counter(
    'Runs of checks by their result: passed, failed, or none (no verdict).',
    'kind',
    'result',
  ),
  lvsd_check_duration_seconds: histogram('Duration of runs that have a verdict.', RUN_BUCKETS, 'kind'),

  // the table
  lvsd_reconcile_duration_seconds: histogram(
    'Duration of rounds that compare the table (whole, or some services) and change it.',
    ROUND_BUCKETS,
    'scope',
  ),
  lvsd_reconcile_changes_total: counter('Changes of the table that the kernel has accepted.', 'op'),
  lvsd_reconcile_drift_total: counter('Changes of other programs that lvsd has reverted.'),
  lvsd_reconcile_disputes: gauge('Services that another program changes repeatedly.'),
  lvsd_reconcile_last_resync_timestamp_seconds: gauge('Time at which the whole table was last compared.'),
  lvsd_reconcile_read_interval_seconds: gauge('Interval at which the whole table is read back at present.'),
  lvsd_reconcile_read_seconds_total: counter(
    'Processor time of the readings that `resync: auto` makes; their rate is the share of one processor.',
  ),
  lvsd_kernel_errors: gauge('Refusals by the kernel that have not been resolved.'),

  // overrides
  lvsd_overrides: gauge('Real servers whose active override has this effect and source.', 'effect', 'source'),
  lvsd_real_override: gauge('1 for each real server with an active override.', ...OVERRIDE),
  lvsd_real_override_start_timestamp_seconds: gauge(
    'Time at which the active override was given.',
    ...OVERRIDE,
  ),
  lvsd_real_override_end_timestamp_seconds: gauge(
    'Time at which the active override ends; no series without an end.',
    ...OVERRIDE,
  ),

  // services
  lvsd_service_info: gauge(
    'Address or mark of a service, and its scheduler; always 1.',
    'service',
    'virtual',
    'scheduler',
  ),
  lvsd_service_up: gauge(
    '1 if a real server is available, 0 if none is; no series while results are missing.',
    ...SERVICE,
  ),
  lvsd_service_last_change_timestamp_seconds: gauge('Time at which `lvsd_service_up` changed.', ...SERVICE),
  lvsd_service_in_kernel: gauge('1 if the kernel has the service.', ...SERVICE),
  lvsd_service_reals: gauge('Real servers by their state: up, down, unknown.', 'service', 'state'),
  lvsd_service_reals_without_verdict: gauge(
    'Real servers with a check that had no verdict several times in a row.',
    ...SERVICE,
  ),
  lvsd_service_overrides: gauge('Real servers with an active override.', ...SERVICE),
  lvsd_service_fallback_active: gauge(
    '1 while the fallback serves; no series without a fallback.',
    ...SERVICE,
  ),
  lvsd_service_panic: gauge(
    '1 while the table stays, because many real servers went down at once.',
    ...SERVICE,
  ),
  lvsd_service_panic_held_reals: gauge('Real servers that are down and keep their weights.', ...SERVICE),
  lvsd_service_address_conflicts: gauge(
    'Other machines that answer ARP or neighbour solicitations for its virtual addresses.',
    ...SERVICE,
  ),
  lvsd_service_configured_weight: gauge('Sum of the configured weights of the real servers.', ...SERVICE),
  lvsd_service_wanted_weight: gauge('Sum of the weights that the real servers should have now.', ...SERVICE),
  lvsd_service_kernel_weight: gauge('Sum of the weights of the real servers in the kernel.', ...SERVICE),
  lvsd_service_transitions_total: counter('Changes of state of its real servers.', 'service', 'to'),
  lvsd_service_check_results_total: counter(
    'Results of the checks of its real servers: passed, failed, none (no verdict).',
    'service',
    'result',
  ),
  lvsd_service_check_duration_seconds: summary(
    'Duration of runs for its real servers that have a verdict; without quantiles.',
    ...SERVICE,
  ),
  lvsd_service_current_connections: gauge(
    'Connections of the real servers in the kernel by state: active, inactive.',
    'service',
    'state',
  ),
  lvsd_service_connections_total: counter('Connections that the kernel has scheduled.', ...SERVICE),
  lvsd_service_address_connections_total: counter(
    'The same for each address of a service with several.',
    ...SERVICE,
    'address',
  ),
  lvsd_service_incoming_bytes_total: counter('Bytes from clients.', ...SERVICE),
  lvsd_service_outgoing_bytes_total: counter('Bytes to clients through this machine.', ...SERVICE),
  lvsd_service_incoming_packets_total: counter('Packets from clients.', ...SERVICE),
  lvsd_service_outgoing_packets_total: counter('Packets to clients through this machine.', ...SERVICE),

  // real servers
  lvsd_real_up: gauge('1 if the real server is up, else 0.', ...REAL),
  lvsd_real_state: gauge('1 for the current state: up, down or unknown.', ...REAL, 'state'),
  lvsd_real_condition: gauge(
    '1 while it holds: rising (slow start), damped, spared (by damping), held (by a panic), quiesced, no-verdict.',
    ...REAL,
    'condition',
  ),
  lvsd_real_last_change_timestamp_seconds: gauge('Time at which the state changed.', ...REAL),
  lvsd_real_transitions_total: counter('Changes of state.', ...REAL),
  lvsd_real_configured_weight: gauge('The configured weight.', ...REAL),
  lvsd_real_wanted_weight: gauge('The weight that the table should have; no series: not in it.', ...REAL),
  lvsd_real_kernel_weight: gauge('The weight in the kernel; no series: not in its table.', ...REAL),
  lvsd_real_last_check_duration_seconds: gauge(
    'Duration of the last run; of several checks the longest.',
    ...REAL,
  ),
  lvsd_real_current_connections: gauge(
    'Connections in the kernel by state: active, inactive.',
    ...REAL,
    'state',
  ),
  lvsd_real_connections_total: counter('Connections that the kernel has scheduled.', ...REAL),
  lvsd_real_incoming_bytes_total: counter('Bytes from clients.', ...REAL),
  lvsd_real_outgoing_bytes_total: counter('Bytes to clients through this machine.', ...REAL),
  lvsd_real_incoming_packets_total: counter('Packets from clients.', ...REAL),
  lvsd_real_outgoing_packets_total: counter('Packets to clients through this machine.', ...REAL),

  // the process
  process_cpu_seconds_total: counter('CPU time of the main process; its workers and commands not included.'),
  process_resident_memory_bytes: gauge('Resident memory of the main process.'),
  process_virtual_memory_bytes: gauge('Virtual memory of the main process.'),
  process_open_fds: gauge('Open file descriptors.'),
  process_max_fds: gauge('Limit of open file descriptors.'),
  process_start_time_seconds: gauge('Time at which the process started.'),
  nodejs_version_info: gauge('Version of Node.js; always 1.', 'version', 'major', 'minor', 'patch'),
  nodejs_eventloop_lag_mean_seconds: gauge(lagOf('mean')),
  nodejs_eventloop_lag_p50_seconds: gauge(lagOf('median')),
  nodejs_eventloop_lag_p99_seconds: gauge(lagOf('99th percentile')),
  nodejs_eventloop_lag_max_seconds: gauge(lagOf('maximum')),
  nodejs_heap_size_total_bytes: gauge('Size of the heap.'),
  nodejs_heap_size_used_bytes: gauge('Used part of the heap.'),
  nodejs_external_memory_bytes: gauge('Memory of buffers, outside of the heap.'),
  nodejs_gc_duration_seconds: histogram('Pauses of garbage collection.', [0.001, 0.01, 0.1, 1, 2, 5], 'kind'),
} as const satisfies Readonly<Record<string, MetricKind>>

export type MetricName = keyof typeof METRICS

function lagOf(what: string): string {
  return `Delay of timers between two scrapes, ${what}; the resolution of 20 ms is included.`
}

function gauge(help: string, ...labels: readonly string[]): MetricKind {
  return { type: 'gauge', help, labels }
}

function counter(help: string, ...labels: readonly string[]): MetricKind {
  return { type: 'counter', help, labels }
}

function summary(help: string, ...labels: readonly string[]): MetricKind {
  return { type: 'summary', help, labels }
}

function histogram(help: string, buckets: readonly number[], ...labels: readonly string[]): MetricKind {
  return { type: 'histogram', help, labels, buckets }
}
