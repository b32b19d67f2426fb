/** What lets a real server die: a relay in front of it, through which so many bytes of its answers come, and no more. */
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

/** How the server dies. */
const DEATHS = {
  ends: (client: Socket) => client.end(),
  resets: (client: Socket) => client.resetAndDestroy(),
  stalls: (_client: Socket) => {},
} as const

export interface Cut {
  /** Bytes of the server's answers that come through. */
  readonly after: number
  /** `drips`: it goes on, a byte at a time; no gap is ever long, and it takes for ever. */
  readonly death: keyof typeof DEATHS | 'drips'
}

/** Milliseconds between two bytes of a server that drips, and the bytes that must still be missing for it to be too slow. */
const DRIP = { every: 40, bytes: 40 }

/** Milliseconds in which a check that has its verdict must have let go of the server. */
const LETTING_GO = 3000

type Options = Readonly<Record<string, unknown>>

interface Plan {
  /** Bytes at the end that nobody waits for: a goodbye, the tickets and the end of TLS. */
  readonly spare?: number
  /** Places at which the answers are cut, from the first byte to the last that matters. */
  readonly places?: number
  /** How many are cut at a time. */
  readonly atOnce?: number
  /** Deadline of a check whose server falls silent, milliseconds. */
  readonly patience?: number
  readonly transport?: 'tcp' | 'udp'
  /** The deadline alone may tell of a reset: Node 24 keeps some of them from HTTP/2. */
  readonly resetsAreSilent?: boolean
}

/**
 * Lets a real server of `::1` die at every phase of a check: refused, ended, reset, silent and slow after some ten places
 * of its answers. Each time the check must be down, in time and with the right reason, and leave no connection behind.
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

  // A datagram that is lost is lost; there is no other death.
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

/** Each reason that may be given for a death; what a TLS library makes of an end is `tls` at times. */
const REASONS: Readonly<Record<Cut['death'], readonly string[]>> = {
  // `unexpected`: there is something left, but not what is looked for.
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
  // A death that can be heard is told long before the deadline; a silence at it.
  assert.ok(ms < (isSlow(cut) ? timeout + 3000 : 10_000), told)
}

/** So many places from 0 to the last byte that matters, both included. */
function placesIn(bytes: number, count: number): number[] {
  assert.ok(bytes > 0, 'the server says nothing')
  const places = Array.from({ length: count }, (_, i) => Math.floor((i * (bytes - 1)) / (count - 1)))
  return [...new Set(places)]
}

interface Relayed {
  readonly result: CheckResult
  /** Bytes that the server said in all. */
  readonly said: number
}

type Talk = (port: number) => Promise<CheckResult>

/** Runs a check through a relay, and sees that it lets go of the server. */
async function relayedTcp(port: number, cut: Cut | null, talk: Talk): Promise<Relayed> {
  const { server, said } = await relayTo(port, cut)
  const result = await talk(portOf(server))
  await hasLetGo(server, `${cut?.death} after ${cut?.after}: ${result.detail}`)
  return { result, said: said() }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A port of `::1` behind which there is another one, as far as the cut. `said`: bytes that the server has said by now. */
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
      // The check may have gone before the server came to its cut, on a busy machine.
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

/** Bytes that are still to come, one by one, for each connection; null is its end. */
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

/** As over TCP, but what is cut is each datagram; one of which nothing is left is lost. */
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

/** Open descriptors of this process. */
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
