/** Simulates the failure of a real server: a relay in front of it passes a limited number of bytes of its answers. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Check } from '../../../src/check/check.js'
import type { OptionShape } from '../../../src/check/option-kit.js'
import type { CheckResult } from '../../../src/core/model.js'
import { probe } from '../probe.js'
import { refusedPort, refusedUdpPort } from '../servers.js'

/** Ways in which the server fails. */
const DEATHS = {
  ends: (client: Socket) => client.end(),
  resets: (client: Socket) => client.resetAndDestroy(),
  stalls: (_client: Socket) => {},
} as const

export interface Cut {
  /** Number of bytes of the server's answers that are passed. */
  readonly after: number
  /** `drips`: the answer continues one byte at a time, so that no gap is long, but it takes too long. */
  readonly death: keyof typeof DEATHS | 'drips'
}

/** Milliseconds between two bytes of a server that drips, and the minimum of missing bytes that makes it too slow. */
const DRIP = { every: 40, bytes: 40 }

/** Maximum milliseconds between the verdict and the end of the connection. */
const LETTING_GO = 3000

type Options = Readonly<Record<string, unknown>>

interface Plan {
  /** Number of bytes at the end that the check does not wait for: a goodbye, TLS tickets, the end of TLS. */
  readonly spare?: number
  /** Number of positions at which the answers are cut, from the first byte to the last relevant one. */
  readonly places?: number
  /** Number of concurrent runs. */
  readonly atOnce?: number
  /** Deadline in milliseconds of a check whose server stops sending. */
  readonly patience?: number
  readonly transport?: 'tcp' | 'udp'
  /** True if a reset may be detected only by the deadline: Node 24 does not report some resets to HTTP/2. */
  readonly resetsAreSilent?: boolean
}

/**
 * Lets a real server on `::1` fail in every phase of a check: refused, or ended, reset, silent and slow at about ten
 * positions of its answers. Each time the check must be down in time, with the right reason, and leave no connection.
 */
export async function diesAnywhere<S extends OptionShape>(
  check: Check<S>,
  port: number,
  options: Options = {},
  {
    spare = 0,
    places = 10,
    atOnce = 12,
    patience = 400,
    transport = 'tcp',
    resetsAreSilent = false,
  }: Plan = {},
): Promise<void> {
  const relayed = transport === 'tcp' ? relayedTcp : relayedUdp
  const run = (cut: Cut | null, timeout: number) =>
    relayed(port, cut, to => probe(check, to, options, { timeout }))
  const nobody = transport === 'tcp' ? await refusedPort() : await refusedUdpPort()
  const refused = await probe(check, nobody, options, { timeout: 10_000 })
  assert.deepEqual([refused.ok, refused.reason], [false, 'refused'], refused.detail)
  const { result, said } = await run(null, 15_000)
  assert.equal(result.ok, true, `not up at all: ${result.detail}`)
  const before = descriptors()

  // With UDP the only failures are truncated and lost datagrams.
  const deaths =
    transport === 'tcp' ? (['ends', 'resets', 'stalls', 'drips'] as const) : (['ends', 'stalls'] as const)
  const possible: Cut[] = placesIn(said - spare, places)
    .flatMap(after => deaths.map(death => ({ after, death })))
    .filter(({ after, death }) => death !== 'drips' || said - spare - after >= DRIP.bytes)
  while (possible.length > 0)
    await Promise.all(
      possible.splice(0, atOnce).map(async cut => {
        const mayWait = isSlow(cut) || (cut.death === 'resets' && resetsAreSilent)
        const timeout = mayWait ? patience : 15_000
        isDown(cut, said, (await run(cut, timeout)).result, timeout)
      }),
    )
  await soon(() => descriptors() <= before, `${descriptors()} descriptors are open, ${before} were`)
}

/** Valid reasons for each failure. TLS libraries sometimes report an end as `tls`. */
const REASONS: Readonly<Record<Cut['death'], readonly string[]>> = {
  // `unexpected`: the rest of the answer does not contain the expected text.
  ends: ['closed', 'truncated', 'garbage', 'tls', 'reset', 'unexpected'],
  resets: ['reset', 'closed', 'truncated', 'tls', 'unexpected'],
  stalls: ['timeout'],
  drips: ['timeout'],
}

function isSlow({ death }: Cut): boolean {
  return death === 'stalls' || death === 'drips'
}

function isDown(cut: Cut, said: number, { ok, reason, detail, ms }: CheckResult, timeout: number): void {
  const told = `${cut.death} after ${cut.after} of ${said} bytes: ${reason}, ${detail}, ${ms} ms`
  assert.equal(ok, false, told)
  const isTimely = timeout > 10_000 || isSlow(cut)
  assert.ok(REASONS[cut.death].includes(reason ?? '') || (reason === 'timeout' && !isTimely), told)
  assert.ok(detail !== '', told)
  // A failure that the client can observe is reported well before the deadline, a silent server at the deadline.
  assert.ok(ms < (isSlow(cut) ? timeout + 3000 : 10_000), told)
}

/** Returns `count` positions from 0 to the last byte, both included. */
function placesIn(bytes: number, count: number): number[] {
  assert.ok(bytes > 0, 'the server says nothing')
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * (bytes - 1)) / (count - 1)))
  return [...new Set(places)]
}

interface Relayed {
  readonly result: CheckResult
  /** Total number of bytes that the server sent. */
  readonly said: number
}

type Talk = (port: number) => Promise<CheckResult>

/** Runs a check through a relay, and asserts that it closes the connection. */
async function relayedTcp(port: number, cut: Cut | null, talk: Talk): Promise<Relayed> {
  const { server, said } = await relayTo(port, cut)
  const result = await talk(portOf(server))
  await hasLetGo(server, `${cut?.death} after ${cut?.after}: ${result.detail}`)
  return { result, said: said() }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Starts a relay to a port of `::1` with a cut. `said` returns the number of bytes that the server has sent. */
export async function relayTo(port: number, cut: Cut | null): Promise<{ server: Server; said(): number }> {
  let said = 0
  const server = createServer({ allowHalfOpen: true }, client => {
    const real = connect({ host: '::1', port, allowHalfOpen: true })
    let dead = false
    const die = (death: keyof typeof DEATHS) => {
      dead = true
      client.unpipe(real).resume()
      real.destroy()
      DEATHS[death](client)
      // On a busy machine the check may have ended before the server reaches the cut.
      if (client.readableEnded) client.end()
    }
    for (const socket of [client, real]) socket.on('error', () => {})
    client.pipe(real)
    client.on('end', () => dead && client.end())
    client.on('close', () => real.destroy())
    real.on('end', () => {
      if (cut?.death === 'drips') drip(client, [null])
      else if (!dead) client.end()
    })
    real.on('close', () => dead || cut?.death === 'drips' || client.destroy())
    real.on('data', (chunk: Buffer) => {
      if (dead) return
      const left = cut ? Math.max(0, cut.after - said) : chunk.length
      said += chunk.length
      client.write(chunk.subarray(0, left))
      if (cut?.death === 'drips') drip(client, chunk.subarray(left))
      else if (cut && said >= cut.after) die(cut.death)
    })
    if (cut?.after === 0 && cut.death !== 'drips') die(cut.death)
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  return { server, said: () => said }
}

/** Queue of bytes that are still to be sent one by one, for each connection. null closes it. */
const drops = new WeakMap<Socket, (number | null)[]>()

function drip(client: Socket, bytes: Iterable<number | null>): void {
  const waiting = drops.get(client)
  if (waiting) {
    waiting.push(...bytes)
    return
  }
  const queue = [...bytes]
  drops.set(client, queue)
  const timer = setInterval(() => {
    const byte = queue.shift()
    if (byte === null) client.end()
    else if (byte !== undefined) client.write(Buffer.of(byte))
  }, DRIP.every)
  client.once('close', () => clearInterval(timer))
}

async function hasLetGo(server: Server, told: string): Promise<void> {
  let closed = false
  server.close(() => {
    closed = true
  })
  await soon(() => closed, `the connection goes on after the verdict: ${told}`)
}

/** Like `relayedTcp`, but truncates each datagram. */
async function relayedUdp(port: number, cut: Cut | null, talk: Talk): Promise<Relayed> {
  let said = 0
  const [near, far] = [createSocket('udp6'), createSocket('udp6')]
  let asking = 0
  near.on('message', (question, { port: from }) => {
    asking = from
    far.send(question, port, '::1')
  })
  far.on('message', answer => {
    said += answer.length
    if (cut?.death === 'stalls') return
    near.send(cut ? answer.subarray(0, cut.after) : answer, asking, '::1')
  })
  near.bind(0, '::1')
  await once(near, 'listening')
  try {
    return { result: await talk(near.address().port), said }
  } finally {
    near.close()
    far.close()
  }
}

/** Returns the number of open descriptors of this process. */
function descriptors(): number {
  return readdirSync('/proc/self/fd').length
}

async function soon(isSo: () => boolean, otherwise: string): Promise<void> {
  const end = performance.now() + LETTING_GO
  while (!isSo()) {
    assert.ok(performance.now() < end, otherwise)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}
