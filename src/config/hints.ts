/** Words that people bring along from ldirectord, ipvsadm and keepalived, and what they are called here. */

const SERVICE: Readonly<Record<string, string>> = {
  virtual6: 'virtual takes both families',
  port: "the port is part of virtual: '[2001:db8::80]:80'",
  real: 'write reals, a list',
  real6: 'write reals, a list; both families are welcome',
  fallback6: 'fallback takes both families',
  service: 'the kind of check says it: check: { kind: http }',
  checktype: 'the kind of check says it: check: { kind: http }',
  checkcommand: 'write check: { kind: external, checkcommand: … }',
  persistent: 'write persistence',
  persistence_timeout: 'write persistence: 300s',
  netmask: 'write persistence: { timeout: 300s, netmask: … }',
  prefix: 'write persistence: { timeout: 300s, prefix: … }',
  ops: 'write one-packet',
  schedflags: 'write scheduler-flags',
  lb_algo: 'write scheduler',
  lb_kind: 'write forwarding',
  lvs_method: 'write forwarding',
  lvs_sched: 'write scheduler',
  servicename: 'the key above is the name of the service; label stands in its mails',
  emailalert: 'write mail: { to: … }',
  emailalertfrom: 'write mail: { from: … }',
  emailalertfreq: 'write mail: { repeat: … }',
  emailalertstatus: 'write mail: { during: … }',
  smtp: 'write mail: { server: … }',
  smtp_alert: 'write mail: { to: … }',
  checkinterval: 'write check: { interval: 5s }',
  checktimeout: 'write check: { timeout: 3s }',
  negotiatetimeout: 'write check: { timeout: 3s }',
  failurecount: 'write check: { fall: 2 }',
  checkcount: 'write check: { fall: 2 }',
  interval: 'write check: { interval: 5s }',
  timeout: 'write check: { timeout: 3s }',
  fall: 'write check: { fall: 2 }',
  rise: 'write check: { rise: 1 }',
  fastinter: 'write check: { fastinter: 1s }',
  checkport: 'write check: { checkport: … }',
  request: 'it is an option of the check: check: { kind: http, request: … }',
  receive: 'it is an option of the check: check: { kind: http, receive: … }',
  virtualhost: 'it is an option of the check: check: { kind: http, virtualhost: … }',
}

const REAL: Readonly<Record<string, string>> = {
  port: "the port is part of address: '[2001:db8::1]:80'",
  real: 'write address',
  gate: 'write forwarding: gate',
  masq: 'write forwarding: masq',
  ipip: 'write forwarding: ipip',
  uthreshold: 'write upper',
  lthreshold: 'write lower',
  checkport: 'write check: { checkport: … }',
  request: 'write check: { request: … }',
  receive: 'write check: { receive: … }',
}

const CHECK: Readonly<Record<string, string>> = {
  checkinterval: 'write interval',
  checktimeout: 'write timeout',
  negotiatetimeout: 'write timeout',
  failurecount: 'write fall',
  port: 'write checkport',
  address: 'write checkaddress',
  type: 'write kind',
  checktype: 'write kind',
  service: 'write kind',
  need: 'write need beside check, not in it',
}

const MAIL: Readonly<Record<string, string>> = {
  emailalert: 'write to',
  emailalertfrom: 'write from',
  emailalertfreq: 'write repeat',
  emailalertstatus: 'write during',
  smtp: 'write server',
}

const ROOT: Readonly<Record<string, string>> = {
  virtual: 'a service stands below services, with a name: services: { web: { virtual: … } }',
  service: 'write services',
  global: 'write settings for lvsd itself, defaults for all services',
  global_defs: 'write settings for lvsd itself, defaults for all services, with mail for mails',
}

const BY_PLACE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a service': SERVICE,
  defaults: SERVICE,
  'a real server': REAL,
  'a fallback': REAL,
  mail: MAIL,
  'the file': ROOT,
}

/** `; write persistence`, or null where the word is not a known one of others. */
export function hintFor(key: string, place: string): string | null {
  const table = BY_PLACE[place] ?? (place.startsWith('the check') ? CHECK : {})
  const hint = Object.hasOwn(table, key) ? table[key] : undefined
  return hint === undefined ? null : `; ${hint}`
}
