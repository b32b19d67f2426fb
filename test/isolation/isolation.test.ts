/**
 * The director as a black box beside hostile servers and plug-ins. In each group one daemon asks three hostile servers of
 * each case, healthy servers by the same checks, and two servers that die: one by plain HTTP, one by a check of the group.
 * Nothing may end the daemon or keep it from seeing the two deaths in time; no healthy server may leave; `status` answers
 * within a second; memory stays bounded.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/system/version.js'
import { compile } from '../support/compile.js'
import { Director, realsOf, Servers } from './director.js'
import { BROKEN_FILES, PLUG_INS, plugInFolder } from './plug-ins.js'

/** Milliseconds. */
const INTERVAL = 1000
/** A server that dies is seen at its next check; half as long again is allowed, and a slot of the grid. */
const SEEN_WITHIN = 1.5 * INTERVAL + 100
/** How long a group is watched after everything has its verdict. */
const WATCHED = 4000
const MOST_MEMORY = 300
/** What a plug-in may leave behind, and what comes between two looks at that. */
const MOST_DAEMONS = 32 + 40

interface Case {
  readonly name: string
  /** The hostile server, by name in hostile-servers.ts. */
  readonly server: string
  /** The check, as a flow mapping without braces. */
  readonly check: string
  /** A server that passes this check; null where there is none here. */
  readonly friend: string | null
  /** What the hostile server is, in the end. */
  readonly state?: 'down' | 'any'
  readonly reason?: RegExp
}

/** Expressions that take for ever on a backtracking engine, with a page that makes them. */
const EXPRESSIONS: readonly (readonly [name: string, source: string, text: string])[] = [
  ['blanks', '(<html>|OK)(.|\\s)*OK|^OK', 'blanks'],
  ['overlapping alternatives', '(a|a)*b', 'as'],
  ['options', `(a?){28}a{28}b|aab`, 'options'],
  ['a backreference', '(a|a)*(b)\\2?!?|(x)\\3(a|a)*$', 'as'],
  ['look-ahead', '(?=(a|a)*b)aab', 'as'],
  ['nested repetition', '(a+)+b', 'as'],
]

const expressionCases = (kind: string, prefix: string, friend: string, more = ''): Case[] =>
  EXPRESSIONS.map(([name, source, text]) => ({
    name: `${kind}: ${name}`,
    server: `${prefix}-${text}`,
    check: `kind: ${kind}, receive: '${source}'${more}`,
    friend,
    state: 'down',
  }))

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  redis: ['one-more', 'nulls', 'null-lists', 'deep', 'long', 'many', 'endless'].map(name => ({
    name,
    server: `redis-${name}`,
    check: 'kind: redis',
    friend: 'redis',
    state: name === 'one-more' ? 'any' : 'down',
  })),
  'expressions in http': expressionCases('http', 'page', 'page'),
  'expressions in simpletcp': expressionCases('simpletcp', 'line', 'line'),
  'expressions in https': expressionCases('https', 'tls-page', 'tls-page').filter(
    ({ server }) => server !== 'tls-page-options',
  ),
  'expressions in dialogue': EXPRESSIONS.map(([name, source, text]) => ({
    name,
    server: `line-${text}`,
    check: `kind: dialogue, steps: ['line ${source}']`,
    friend: 'line',
    state: 'down',
  })),
  'expressions asked again and again': [
    {
      name: 'dns, 1,300 records',
      server: 'txt-many',
      check: "kind: dns, transport: tcp, request: example.com, type: TXT, receive: '(a+)+$'",
      friend: null,
      state: 'down',
    },
    {
      name: 'pgsql, 1,500 rows',
      server: 'rows-many',
      check: "kind: pgsql, request: select 1, receive: '(a+)+$|OK'",
      friend: 'pgsql',
      state: 'down',
    },
    {
      name: 'dialogue, lines without end',
      server: 'lines-endless',
      check: "kind: dialogue, steps: ['lines (a|a)*b']",
      friend: 'line',
      state: 'down',
    },
  ],
  protocols: [
    {
      name: 'dns, chains of pointers',
      server: 'pointers',
      check: 'kind: dns, transport: tcp, request: example.com, type: TXT',
      friend: 'txt',
      state: 'any',
    },
    { name: 'pgsql, zeros', server: 'zeros-to-pgsql', check: 'kind: pgsql', friend: 'pgsql', state: 'down' },
    {
      name: 'pop, a greeting of 64 KB',
      server: 'pop-greeting',
      check: 'kind: pop, login: u, passwd: p',
      friend: null,
      state: 'down',
    },
    {
      name: 'imap, capabilities',
      server: 'imap-capabilities',
      check: 'kind: imap, starttls: true',
      friend: null,
      state: 'down',
    },
    ...['http-100-endless', 'http-chunks', 'http-single-bytes', 'http-phrase', 'http-headers', 'garbage'].map(
      server => ({
        name: server,
        server,
        check: 'kind: http, receive: OK',
        friend: 'page',
        state: 'down' as const,
      }),
    ),
    ...['tls-http-100-endless', 'tls-http-chunks', 'tls-garbage'].map(server => ({
      name: server,
      server,
      check: 'kind: https, receive: OK',
      friend: 'tls-page',
      state: 'down' as const,
    })),
    {
      name: 'https, a redirecting client against endless 100',
      server: 'http-100-endless',
      check: 'kind: http, redirects: 2',
      friend: 'page',
      state: 'down',
    },
    {
      name: 'grpc, 103 without end',
      server: 'http2-103-endless',
      check: 'kind: grpc',
      friend: null,
      state: 'down',
    },
    { name: 'grpc, garbage', server: 'garbage', check: 'kind: grpc', friend: null, state: 'down' },
    {
      name: 'mysql, garbage',
      server: 'garbage',
      check: 'kind: mysql, login: u',
      friend: null,
      state: 'down',
    },
    { name: 'ldap, garbage', server: 'garbage', check: 'kind: ldap', friend: null, state: 'down' },
  ],
}

/** A service with three hostile servers, and one with a healthy server where there is one that passes the check. */
function services(cases: readonly Case[], ports: Readonly<Record<string, readonly number[]>>): string {
  const policy = `interval: ${INTERVAL}ms, timeout: ${INTERVAL}ms, fall: 1, rise: 1`
  const service = (name: string, number: number, check: string, reals: readonly (number | undefined)[]) =>
    [
      `  ${name}:`,
      `    virtual: '[2001:db8::${number.toString(16)}]:80'`,
      `    check: { ${check}, ${policy} }`,
      `    reals: [${reals.map(port => `'[::1]:${port} masq'`).join(', ')}]`,
      '',
    ].join('\n')
  const plain = service('site', 0xfff, 'kind: http, text: OK', [ports.page?.[0], ports.page?.[2]])
  const rest = cases.flatMap(({ check, server, friend }, i) => [
    service(`hostile-${i}`, 0x1000 + i, check, ports[server] ?? []),
    ...(friend === null ? [] : [service(`friend-${i}`, 0x2000 + i, check, [ports[friend]?.[0]])]),
  ])
  return [plain, ...rest].join('')
}

async function watch(
  cases: readonly Case[],
  { settings = '', dying = null as { friend: string; check: string } | null } = {},
): Promise<void> {
  const servers = await Servers.start()
  const policy = `interval: ${INTERVAL}ms, timeout: ${INTERVAL}ms, fall: 1, rise: 1`
  const extra = dying
    ? `  mortal:\n    virtual: '[2001:db8::ffe]:80'\n    check: { ${dying.check}, ${policy} }\n    reals: ['[::1]:${servers.ports[dying.friend]?.[2]} masq', '[::1]:${servers.ports[dying.friend]?.[0]} masq']\n`
    : ''
  const director = await Director.start(services(cases, servers.ports) + extra, settings)
  await director.until(
    'every server has its verdict',
    document =>
      document.services.every(({ reals }) => reals.every(({ state }) => state !== 'unknown')) &&
      document.services
        .filter(({ name }) => !name.startsWith('hostile'))
        .every(({ reals }) => reals.every(({ state }) => state === 'up')),
    30_000,
  )
  const before = (await director.status()).document
  let slowest = 0
  for (let left = WATCHED; left > 0; left -= 200) {
    slowest = Math.max(slowest, (await director.status()).ms)
    await sleep(200)
  }
  servers.close('page', 2)
  const isDown = (name: string, at: number) => (document: Parameters<typeof realsOf>[0]) =>
    realsOf(document, name)[at]?.state === 'down'
  const seen = await director.until('the dead server is seen', isDown('site', 1), 10_000)
  if (dying) servers.close(dying.friend, 2)
  const seenToo = dying ? await director.until('the other one is', isDown('mortal', 0), 10_000) : 0
  const { document } = await director.status()
  const friends = document.services.filter(({ name }) => name.startsWith('friend'))
  for (const { name, reals } of friends)
    for (const real of reals)
      assert.deepEqual(
        [name, real.state, real.since],
        [name, 'up', realsOf(before, name)[0]?.since],
        `${caseOf(cases, name)}: ${real.reason}`,
      )
  const [healthy] = realsOf(document, 'site')
  assert.deepEqual([healthy?.state, healthy?.since], ['up', realsOf(before, 'site')[0]?.since])
  for (const [i, { name, state = 'any', reason }] of cases.entries())
    for (const real of realsOf(document, `hostile-${i}`)) {
      if (state === 'down') assert.equal(real.state, 'down', `${name}: ${real.reason}`)
      if (reason) assert.match(real.reason, reason, name)
      assert.ok(real.reason.length <= 600, `${name}: a reason of ${real.reason.length} characters`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      assert.doesNotMatch(real.reason, /[\x00-\x1f\x7f-\x9f]/, name)
    }
  assert.ok(seen <= SEEN_WITHIN, `the dead server was seen after ${Math.round(seen)} ms`)
  assert.ok(seenToo <= SEEN_WITHIN, `the dead server of the group was seen after ${Math.round(seenToo)} ms`)
  assert.ok(slowest < 1000, `status took ${Math.round(slowest)} ms`)
  assert.ok(
    director.peakMemory < MOST_MEMORY,
    `${Math.round(director.peakMemory)} MiB at most, ${MOST_MEMORY} allowed`,
  )
  assert.ok(director.isAlive)
  assert.doesNotMatch(director.log, /^(?!\{)./m, 'something else than lvsd writes into its log')
  const daemons = () => commandLines().filter(line => line === 'sleep\x0077777\x00').length
  assert.ok(daemons() <= MOST_DAEMONS, `${daemons()} daemons of a plug-in`)
  await director.stop()
  await sleep(200)
  assert.equal(daemons(), 0)
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      } catch {
        return ''
      }
    })
}

function caseOf(cases: readonly Case[], service: string): string {
  return cases[Number(service.split('-')[1])]?.name ?? service
}

describe('lvsd run beside hostile servers', function () {
  this.timeout(90_000)

  before(() => compile(packageRoot))

  for (const [group, cases] of Object.entries(GROUPS))
    it(`${group}: ${cases.length} cases with three servers each`, async () => {
      const { friend, check } = cases.find(one => one.friend !== null && one.friend !== 'page') ?? {}
      await watch(cases, friend && check ? { dying: { friend, check } } : {})
    })
})

const PLUG_IN_GROUPS: readonly (readonly string[])[] = [
  ['loops', 'blocks-in-regexp', 'blocks-by-atomics'],
  ['throws-late', 'throws-in-emitter', 'rejects-beside', 'socket-without-listener'],
  ['exits', 'exits-late', 'kills-itself', 'never-settles'],
  ['allocates-objects'],
  ['allocates-buffers'],
  ['allocates-shared'],
  ['takes-a-long-step'],
  ['keeps-the-threads', 'leaves-daemons', 'kills-lvsd'],
  ['writes-around', 'sends-garbage'],
  ['floods-lvsd', 'names-phases'],
  ['prints-much', 'answers-rubbish', 'answers-a-proxy'],
]

describe('lvsd run beside hostile plug-ins', function () {
  this.timeout(120_000)

  before(() => compile(packageRoot))

  for (const names of PLUG_IN_GROUPS)
    it(`${names.join(', ')}: whoever provokes it is down, all others are up`, async () => {
      const cases = names.map(name => ({
        name,
        server: 'bad',
        check: `kind: ${name}`,
        friend: 'plug',
        state: 'down' as const,
        reason: REASONS[name] ?? /./,
      }))
      await watch(cases, {
        settings: `, checks: [${plugInFolder(names)}]`,
        dying: { friend: 'plug', check: `kind: ${names[0]}` },
      })
    })

  it('no plug-in of this folder is left out', () => {
    assert.deepEqual(PLUG_IN_GROUPS.flat().sort(), Object.keys(PLUG_INS).sort())
  })

  it('files that cannot be imported harm nobody', async () => {
    const folder = plugInFolder(['loops'], true)
    const startedAt = performance.now()
    await watch([{ name: 'loops', server: 'plug', check: 'kind: loops', friend: 'plug', state: 'any' }], {
      settings: `, checks: [${folder}]`,
    })
    assert.ok(Object.keys(BROKEN_FILES).length > 0 && performance.now() - startedAt < 60_000)
  })
})

/** What the verdict says of the culprit; the file is named in all of them. */
const REASONS: Readonly<Record<string, RegExp>> = {
  loops: /loops\.mjs/,
  'throws-late': /throws-late\.mjs/,
  exits: /exits\.mjs/,
  'sends-garbage': /sends-garbage\.mjs/,
  'exits-late': /exits-late\.mjs/,
  'allocates-objects': /allocates-objects\.mjs/,
  'allocates-buffers': /allocates-buffers\.mjs/,
  'allocates-shared': /allocates-shared\.mjs/,
  'takes-a-long-step': /takes-a-long-step\.mjs/,
  'floods-lvsd': /floods-lvsd\.mjs/,
  'kills-lvsd': /must not send signals to lvsd/,
  'blocks-in-regexp': /blocks-in-regexp\.mjs/,
  'blocks-by-atomics': /blocks-by-atomics\.mjs/,
}
