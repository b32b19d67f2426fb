/**
 * The director as a black box beside hostile servers and plug-ins. In each group one daemon asks three hostile servers of
 * each case, healthy servers by the same checks, and two servers that die: one by plain HTTP, one by a check of the group.
 * Nothing may end the daemon or keep it from seeing the two deaths in time; no healthy server may leave; `status` answers
 * within a second; memory stays bounded.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Director, realsOf, Servers } from './director.js'

/** Milliseconds between two checks of a server that is well. */
export const INTERVAL = 1000
/** A server that dies is seen at its next check; half as long again is allowed, and a slot of the grid. */
const SEEN_WITHIN = 1.5 * INTERVAL + 100
/** Milliseconds by which the clocks of two processes may differ: not earlier than so long before its death is it seen. */
const CLOCKS = 50
/** How long a group is watched after everything has its verdict. */
const WATCHED = 4000
const MOST_MEMORY = 300
/** What a plug-in may leave behind, and what comes between two looks at that. */
const MOST_DAEMONS = 32 + 40

export interface Case {
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

interface Options {
  /** More settings, in YAML, each with a comma before it. */
  readonly settings?: string
  /** A healthy server that dies as well, and the check that is to tell. */
  readonly dying?: { readonly friend: string; readonly check: string } | null
  /** Counts the daemons that the checks have left behind. */
  readonly daemons?: () => number
}

/** Runs a director beside the servers of the cases, and asserts what is said above. */
export async function watch(
  cases: readonly Case[],
  { settings = '', dying = null, daemons = () => 0 }: Options = {},
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
  const seen = await director.downAfter(await servers.close('page', 2), 'site', 1)
  const seenToo = dying ? await director.downAfter(await servers.close(dying.friend, 2), 'mortal', 0) : 0
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
  for (const [what, ms] of Object.entries({ 'the dead server': seen, 'that of the group': seenToo }))
    assertInTime(ms, what)
  assert.ok(slowest < 1000, `status took ${Math.round(slowest)} ms`)
  assert.ok(
    director.peakMemory < MOST_MEMORY,
    `${Math.round(director.peakMemory)} MiB at most, ${MOST_MEMORY} allowed`,
  )
  assert.ok(director.isAlive)
  assert.doesNotMatch(director.log, /^(?!\{)./m, 'something else than lvsd writes into its log')
  assert.ok(daemons() <= MOST_DAEMONS, `${daemons()} daemons of a plug-in`)
  await director.stop()
  await sleep(200)
  assert.equal(daemons(), 0)
}

/** Asserts that a server was seen in time, so many milliseconds after its death. */
export function assertInTime(ms: number, what: string): void {
  assert.ok(ms >= -CLOCKS && ms <= SEEN_WITHIN, `${what} was seen after ${Math.round(ms)} ms`)
}

function caseOf(cases: readonly Case[], service: string): string {
  return cases[Number(service.split('-')[1])]?.name ?? service
}
