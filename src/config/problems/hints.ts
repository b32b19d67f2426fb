/**
 * Hints for keys that users know from ldirectord, ipvsadm, keepalived and other programs: the corresponding keys of
 * lvsd.
 */

import { settingsFields } from '../schema/schema.js'

const UNDER_SETTINGS = Object.keys(settingsFields).map(
  key => [key, 'it stands under settings, for all services'] as const,
)

const SERVICE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(UNDER_SETTINGS),
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
  expect: 'it is an option of the check: check: { kind: http, receive: … }',
  text: 'it is an option of the check: check: { kind: http, text: … }',
  body: 'it is an option of the check: check: { kind: http, text: … }',
  host: "write virtual: '[2001:db8::80]:80'",
  address: "write virtual: '[2001:db8::80]:80'",
  ip: "write virtual: '[2001:db8::80]:80'",
  vip: "write virtual: '[2001:db8::80]:80'",
  listen: "write virtual: '[2001:db8::80]:80'",
  mark: 'write fwmark',
  protocols: 'write protocol: [tcp, udp]',
  servers: 'write reals, a list',
  realservers: 'write reals, a list',
  real_servers: 'write reals, a list',
  'real-servers': 'write reals, a list',
  backends: 'write reals, a list',
  members: 'write reals, a list',
  nodes: 'write reals, a list',
  upstream: 'write reals, a list',
  real_server: 'write reals, a list',
  algorithm: 'write scheduler',
  balance: 'write scheduler',
  method: 'write scheduler, or forwarding',
  nat: 'write forwarding: masq',
  masq: 'write forwarding: masq',
  dr: 'write forwarding: gate',
  gate: 'write forwarding: gate',
  ipip: 'write forwarding: ipip',
  sticky: 'write persistence: 300s',
  stickiness: 'write persistence: 300s',
  backup:
    'write fallback for a server of last resort; with scheduler: fo the one of the highest weight gets all',
  sorry_server: 'write fallback',
  description: 'write comment',
  mails: 'write mail: { to: … }',
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
  host: 'write address',
  ip: 'write address',
  server: 'write address',
  name: 'write address; it may be a name',
  nat: 'write forwarding: masq',
  dr: 'write forwarding: gate',
  method: 'write forwarding',
  maxconn: 'write upper',
  backup:
    'write fallback beside reals for a server of last resort; with scheduler: fo the one of the highest weight gets all',
  interval: 'write check: { interval: … }',
  timeout: 'write check: { timeout: … }',
  virtualhost: 'write check: { virtualhost: … }',
  description: 'write a comment behind it: # …',
  comment: 'write a comment behind it: # …',
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
  retries: 'write fall',
  retry: 'write fall',
  attempts: 'write fall',
  delay: 'write interval',
  delay_loop: 'write interval',
  inter: 'write interval',
  threshold: 'write fall, or rise',
  ip: 'write checkaddress',
  bindto: 'write source',
  bind: 'write source',
  localaddress: 'write source',
}

/** Words for the options of checks. The hint names the first of the listed options that the kind has. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  host: ['virtualhost', 'sni', 'request'],
  hostname: ['virtualhost', 'sni', 'request'],
  servername: ['sni', 'virtualhost'],
  expect: ['receive', 'text', 'status'],
  match: ['receive', 'text'],
  response: ['receive', 'text'],
  regex: ['receive'],
  pattern: ['receive'],
  string: ['text', 'receive'],
  contains: ['text', 'receive'],
  url: ['request'],
  uri: ['request'],
  path: ['request', 'checkcommand'],
  query: ['request'],
  sql: ['request'],
  name: ['request'],
  send: ['request', 'steps'],
  method: ['httpmethod'],
  code: ['status'],
  expected: ['status', 'receive'],
  header: ['headers'],
  user: ['login'],
  username: ['login'],
  bind_dn: ['login'],
  password: ['passwd', 'secret'],
  pass: ['passwd'],
  community: ['secret'],
  db: ['database'],
  command: ['checkcommand'],
  script: ['checkcommand'],
  cmd: ['checkcommand'],
  args: ['arguments'],
  role: ['role'],
  insecure: ['verify'],
  ssl: ['tls', 'verify'],
  cafile: ['ca'],
  certificate: ['cert'],
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
  virtuals: 'write services, each with a name: services: { web: { virtual: … } }',
  frontends: 'write services',
  backends: 'write services, with reals below each',
  reals: 'they stand below a service: services: { web: { reals: … } }',
  check: 'write defaults: { check: … } for all services',
  includes: 'write include',
  global: 'write settings for lvsd itself, defaults for all services',
  global_defs: 'write settings for lvsd itself, defaults for all services, with mail for mails',
}

const FOR_ALL = 'write defaults: { check: … }, for all services'

const SETTINGS: Readonly<Record<string, string>> = {
  log: 'write log-level; the log goes to standard output',
  logfile: 'the log goes to standard output, which systemd keeps: journalctl -u lvsd',
  logging: 'write log-level; the log goes to standard output',
  loglevel: 'write log-level',
  log_level: 'write log-level',
  verbose: 'write log-level: debug',
  debug: 'write log-level: debug',
  interval: FOR_ALL,
  timeout: FOR_ALL,
  checkinterval: FOR_ALL,
  checktimeout: FOR_ALL,
  fall: FOR_ALL,
  rise: FOR_ALL,
  check: FOR_ALL,
  quiescent: 'write defaults: { quiescent: … }, for all services',
  scheduler: 'write defaults: { scheduler: … }, for all services',
  mail: 'write defaults: { mail: … }, for all services',
  cleanstop: 'write defaults: { cleanstop: … }, for all services',
  fallback: 'write defaults: { fallback: … }, for all services',
  monitorfile: 'write defaults: { monitorfile: … }, for all services',
  fork: 'lvsd needs no such setting',
  supervised: 'lvsd needs no such setting',
  include: 'it stands at the top of the file, beside services',
}

const WINDOW: Readonly<Record<string, string>> = {
  start: 'write at',
  begin: 'write at',
  when: 'write at',
  cron: 'write at',
  schedule: 'write at',
  end: 'write for, how long it lasts',
  until: 'write for, how long it lasts',
  duration: 'write for',
  length: 'write for',
  timezone: 'write zone',
  tz: 'write zone',
  comment: 'write reason',
  name: 'write reason',
  servers: 'write reals',
}

const BY_PLACE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a service': SERVICE,
  defaults: SERVICE,
  'a real server': REAL,
  'a fallback': REAL,
  'a check': CHECK,
  mail: MAIL,
  settings: SETTINGS,
  'a window': WINDOW,
  'a window in defaults': { ...WINDOW, reals: 'write it in the windows of the service that has them' },
  'the file': ROOT,
}

/** Returns a hint such as `; write persistence`, or null if the table has none for the key. */
export function hintFor(key: string, place: string): string | null {
  const table = BY_PLACE[place] ?? {}
  const hint = Object.hasOwn(table, key) ? table[key] : undefined
  return hint === undefined ? null : `; ${hint}`
}

/** Returns a hint such as `; write virtualhost`, or null. `options` are those of the kind. */
export function optionHint(word: string, options: readonly string[]): string | null {
  const meant = Object.hasOwn(OPTIONS, word)
    ? OPTIONS[word]?.find(option => options.includes(option))
    : undefined
  return meant === undefined ? null : `; write ${meant}`
}
