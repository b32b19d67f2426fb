import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { check } from '../../../checks/agent.js'
import type { CheckResult } from '../../../src/core/model.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { type Listening, tcpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const SLOW = { timeout: 10_000 }

/** What each service of the agent says; `share` is told from the state of a real backend. */
const SAYINGS = { ready: 'ready', drain: 'drain', maint: 'maint', down: 'down # disk full', odd: 'sideways' }

/** An HAProxy that answers as an agent: how many of its own servers are in use, in per cent, and fixed words. */
async function haproxyAgent(file: string): Promise<Record<keyof typeof SAYINGS | 'share', number>> {
  const names = ['share', ...Object.keys(SAYINGS)] as const
  const ports = Object.fromEntries(await Promise.all(names.map(async name => [name, await freePort()])))
  const folder = folderOf({
    'agent.lua': `
for name, said in pairs({ ${Object.entries(SAYINGS).map(([name, said]) => `${name} = "${said}"`)} }) do
  core.register_service(name, "tcp", function(applet) applet:send(said .. "\\n") end)
end
core.register_service("share", "tcp", function(applet)
  local active, all = 0, 0
  for _, server in pairs(core.backends.pool.servers) do
    all = all + 1
    if server:get_stats().status ~= "MAINT" then active = active + 1 end
  end
  applet:send("up " .. 100 * active // all .. "%\\n")
end)
`,
  })
  const configuration = folderOf({
    'haproxy.cfg': `
global
  log stderr format raw local0 emerg
  lua-load ${folder}/agent.lua
defaults
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 5s
backend pool
  server one [::1]:9
  server two [::1]:9 disabled
  server three [::1]:9 disabled
  server four [::1]:9
${names.map(name => `frontend ${name}\n  bind [::1]:${ports[name]}\n  tcp-request content use-service lua.${name}\n`).join('')}`,
  })
  await start(file, ['-db', '-f', `${configuration}/haproxy.cfg`], Object.values(ports))
  return ports
}

describe('agent-haproxy: HAProxy as an agent', function () {
  this.timeout(60_000)

  it('is understood, and gives no advice or is down if the connection ends at any point', async function () {
    const ports = await haproxyAgent(programOr(() => this.skip(), 'haproxy', 'haproxy'))
    const cases: [keyof typeof ports, CheckResult['reason'], CheckResult['advice']][] = [
      ['share', null, { percent: 50 }],
      ['ready', null, undefined],
      ['drain', null, { percent: 0 }],
      ['maint', 'off', undefined],
      ['down', 'status', undefined],
      ['odd', 'garbage', undefined],
    ]
    for (const [name, reason, advice] of cases) {
      const result = await probe(check, ports[name], {}, SLOW)
      const { most: _most, ...said } = result.advice ?? {}
      const heard = { reason: result.reason, advice: result.advice && said }
      assert.deepEqual(heard, { reason, advice }, result.detail)
    }
    await diesAnywhere(check, ports.share, { silence: 'down' })
  })
})

// ---------------------------------------------------------------- how HAProxy itself judges agents

/** A judgement: the weight in per cent, `down` or `maint`. */
type Judgement = number | 'down' | 'maint'

/** Of these, HAProxy and lvsd think the same. Null: accepts and says nothing. */
const EQUAL: readonly (readonly [said: string | null, judgement: Judgement])[] = [
  ['up\n', 100],
  ['UP\n', 100],
  ['ready\n', 100],
  ['up ready\n', 100],
  ['  up  \n', 100],
  ['up\r\n', 100],
  ['down\n', 'down'],
  ['fail\n', 'down'],
  ['stopped\n', 'down'],
  ['drain\n', 0],
  ['maint\n', 'maint'],
  ['50%\n', 50],
  ['050%\n', 50],
  ['0%\n', 0],
  ['100%\n', 100],
  ['200%\n', 200],
  ['50% 75%\n', 75],
  ['up 50%\n', 50],
  ['50% up\r\n', 50],
  ['up, 50%\n', 50],
  ['up\t50%,maxconn:10\n', 50],
  ['maxconn:10\n', 100],
  ['drain 75%\n', 0],
  ['up drain\n', 0],
  ['ready down 75%\n', 'down'],
  ['up down\n', 'down'],
  ['maint up\n', 'maint'],
  ['ready maint\n', 'maint'],
  ['drain maint\n', 'maint'],
  ['down # disk full\n', 'down'],
  ['down # disk full, 50% up\n', 'down'],
  ['up # all is well, down\n', 100],
  [`50% # ${'x'.repeat(3000)}\n`, 50],
  ['drain\nup\n', 0],
  ['drain\rup\n', 0],
  ['up\rdown\n', 100],
  // Nothing is said, and nothing changes.
  [null, 100],
  ['', 100],
  ['\n', 100],
  ['\r\n', 100],
  ['# nothing\n', 100],
  // What does not end in a line feed may have been cut off.
  ['down', 100],
  ['drain 5', 100],
]

const STRONGEST =
  'where a line contradicts itself, lvsd keeps to the word that sends less, HAProxy to the last one'
const UNKNOWN = 'a word that is none may have been meant to take the server out; HAProxy logs it and goes on'
const MORE = 'lvsd knows the word; HAProxy logs it as unknown'

/** Of these they think differently, and why. */
const DIFFERENT: readonly (readonly [said: string, haproxy: Judgement, lvsd: Judgement, reason: string])[] = [
  ['down up\n', 100, 'down', STRONGEST],
  ['maint ready\n', 100, 'maint', STRONGEST],
  ['maint drain\n', 0, 'maint', STRONGEST],
  ['drain ready\n', 100, 0, STRONGEST],
  ['maint down\n', 'maint', 'down', 'no traffic either way; a fault is told before a rest'],
  ['failed\n', 100, 'down', `${MORE}, though its manual had it for years`],
  ['stop\n', 100, 'down', MORE],
  ['weight:50%\n', 100, 50, MORE],
  ['300%\n', 256, 300, "HAProxy's weights end at 256, the kernel's at 65535"],
  ['halted\n', 100, 'down', UNKNOWN],
  ['up halted\n', 100, 'down', UNKNOWN],
  ['up 75\n', 100, 'down', UNKNOWN],
  ['50 %\n', 100, 'down', UNKNOWN],
  ['-5%\n', 100, 'down', UNKNOWN],
  ['7.5%\n', 100, 'down', UNKNOWN],
  ['50%;drain\n', 100, 'down', UNKNOWN],
  ['maxconn:many\n', 100, 'down', UNKNOWN],
]

/** One after the other. HAProxy remembers words of different kinds side by side; to lvsd each line stands for itself. */
const SEQUENCES: readonly (readonly [said: readonly string[], haproxy: Judgement, lvsd: Judgement])[] = [
  [['down\n', 'up\n'], 100, 100],
  [['maint\n', 'ready\n'], 100, 100],
  [['drain\n', 'ready\n'], 100, 100],
  [['50%\n', '100%\n'], 100, 100],
  [['drain\n', 'maint\n'], 'maint', 'maint'],
  [['50%\n', ''], 50, 50],
  [['drain\n', ''], 0, 0],
  [['50%\n', 'up\n'], 50, 100],
  [['drain\n', 'up\n'], 0, 100],
  [['maint\n', '50%\n'], 'maint', 50],
  [['down\n', '50%\n'], 'down', 50],
]

/** Says these, each so many times, and the last to all who ask later. */
function agent(said: readonly (string | null)[], times: number): Promise<Listening> {
  let asked = 0
  return tcpServer(socket => {
    const line = said[Math.min(Math.floor(asked++ / times), said.length - 1)] ?? null
    if (line === null) socket.resume()
    else socket.resume().end(line)
  })
}

/** A busy machine may miss a word: HAProxy is told each of them so many times. */
const TIMES = 3

/** How HAProxy judges a server for each of these agents, once it has heard all that they say; waits for what is expected. */
async function judgedByHaproxy(
  file: string,
  agents: readonly Listening[],
  expected: readonly Judgement[],
): Promise<Judgement[]> {
  const [port, folder] = [await freePort(), folderOf({})]
  const configuration = folderOf({
    'haproxy.cfg': `
global
  log stderr format raw local0 emerg
  stats socket ${folder}/stats level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  timeout check 1s
listen all
  bind [::1]:${port}
${agents.map((to, i) => `  server s${i} [::1]:9 weight 100 maxconn 100 agent-check agent-addr ::1 agent-port ${to.port} agent-inter 100\n`).join('')}`,
  })
  await start(file, ['-db', '-f', `${configuration}/haproxy.cfg`], [port])
  await until(() => agents.every(to => to.count() > 2 * TIMES))
  let judged: Judgement[] = []
  const isAsExpected = async () => {
    judged = (await statistics(`${folder}/stats`)).map(judgement)
    return isDeepStrictEqual(judged, expected)
  }
  await until(isAsExpected, { patience: 10_000 }).catch(() => {})
  return judged
}

type Row = ReadonlyMap<string, unknown>

/** The servers in HAProxy's own words. */
async function statistics(path: string): Promise<Row[]> {
  const socket = connect(path)
  socket.write('show stat -1 4 -1 json\n')
  let heard = ''
  for await (const chunk of socket) heard += chunk
  type Field = { readonly field: { readonly name: string }; readonly value: { readonly value: unknown } }
  return (JSON.parse(heard) as Field[][]).map(
    row => new Map(row.map(({ field, value }) => [field.name, value.value])),
  )
}

function judgement(row: Row): Judgement {
  const status = String(row.get('status'))
  if (status.startsWith('MAINT')) return 'maint'
  if (status.startsWith('DOWN')) return 'down'
  if (status.startsWith('DRAIN')) return 0
  return Number(row.get('weight'))
}

/** How lvsd judges it, after so many words. */
async function judgedByLvsd(where: Listening, words: number): Promise<Judgement> {
  let last: CheckResult | undefined
  for (let i = 0; i < words; i++) last = await probe(check, where, {}, { timeout: 2000 })
  assert.ok(last)
  if (last.reason === 'off') return 'maint'
  if (!last.ok) return 'down'
  return last.advice && 'percent' in last.advice ? last.advice.percent : 100
}

describe('agent-haproxy: agents', function () {
  this.timeout(60_000)

  it('are evaluated as HAProxy does, except for documented differences', async function () {
    const file = programOr(() => this.skip(), 'haproxy', 'haproxy')
    const expected = [
      ...EQUAL.map(([said, both]) => ({ said: [said], haproxy: both, lvsd: both })),
      ...DIFFERENT.map(([said, haproxy, lvsd]) => ({ said: [said], haproxy, lvsd })),
      ...SEQUENCES.map(([said, haproxy, lvsd]) => ({ said, haproxy, lvsd })),
    ]
    const agents = await Promise.all(expected.map(({ said }) => agent(said, TIMES)))
    const byHaproxy = await judgedByHaproxy(
      file,
      agents,
      expected.map(({ haproxy }) => haproxy),
    )
    // Those that HAProxy has asked say the last of their words to everybody else.
    const fresh = await Promise.all(expected.map(({ said }) => agent(said, 1)))
    const byLvsd = await Promise.all(
      fresh.map((where, i) => judgedByLvsd(where, expected[i]?.said.length ?? 0)),
    )
    const found = expected.map(({ said }, i) => ({ said, haproxy: byHaproxy[i], lvsd: byLvsd[i] }))
    assert.deepEqual(found, expected)
  })
})
