/** Asks servers that chance has spoilt, many at a time, and looks at what becomes of it. */
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { CheckResult } from '../../src/core/model.js'
import { probe } from '../support/probe.js'
import type { Prepared } from './kinds.js'
import { type Spoiler, spoiler, WELL } from './server.js'

/** Milliseconds: the deadline of a check, and by how much it may be late. */
const TIMEOUT = 500
const LATE = 100
/** Cases under way at a time. */
const AT_ONCE = Number(process.env.AT_ONCE ?? 16)
/** What may be left of all: descriptors, and megabytes of the heap. */
const LEFT = { descriptors: 2, megabytes: 40 }

/** Where Node's own code has ended the worker; lvsd goes on. */
const ENDED = /ended its worker: SIGABRT$/

export interface Case {
  readonly seed: number
  readonly result: CheckResult
}

export interface Findings {
  readonly cases: number
  /** How often each reason was given; `up` among them. */
  readonly reasons: Readonly<Record<string, number>>
  /** A sentence each, with the seed that shows it again. */
  readonly faults: readonly string[]
}

/** Asks once for each seed. */
export async function fuzz(kind: Prepared, seeds: Iterable<number>): Promise<Findings> {
  const spoilers = await Promise.all(Array.from({ length: AT_ONCE }, () => spoiler(kind.talk)))
  const late: Case[] = []
  const faults: string[] = []
  const reasons: Record<string, number> = {}
  let cases = 0
  const [first] = spoilers
  if (first) faults.push(...(await unwell(kind, first)))
  const before = await left()
  const queue = seeds[Symbol.iterator]()
  const work = async (server: Spoiler) => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const result = await ask(kind, server, next.value)
      cases++
      const isEnded = ENDED.test(result.detail)
      const word = isEnded ? 'worker ended' : (result.reason ?? 'up')
      reasons[word] = (reasons[word] ?? 0) + 1
      if (result.ms > TIMEOUT + LATE) late.push({ seed: next.value, result })
      if (result.reason === 'error' && !isEnded) faults.push(`seed ${next.value}: ${result.detail}`)
    }
  }
  const died = watchForErrors(kind, faults)
  await Promise.all(spoilers.map(work))
  died()
  if (first) faults.push(...(await lateAlone(kind, first, late)))
  faults.push(...grownSince(before, await left()))
  for (const server of spoilers) server.close()
  await sleep(50)
  return { cases, reasons, faults }
}

/** Where nothing is spoilt the check must be up: else chance would get no further than the first answer. */
async function unwell(kind: Prepared, server: Spoiler): Promise<string[]> {
  let detail = ''
  for (let i = 0; i < 5; i++) {
    const result = await ask(kind, server, WELL)
    if (result.ok) return []
    detail = result.detail
  }
  return kind.isNeverUp ? [] : [`not up where nothing is spoilt: ${detail}`]
}

async function ask(kind: Prepared, server: Spoiler, seed: number): Promise<CheckResult> {
  server.begin(seed)
  return probe(kind.check, server.port, kind.options, { timeout: TIMEOUT, executor: kind.executor })
}

/** Others may have kept it waiting, on this machine and in this process: only what is late by itself counts. */
async function lateAlone(kind: Prepared, server: Spoiler, cases: readonly Case[]): Promise<string[]> {
  const faults: string[] = []
  const latest = [...cases].sort((a, b) => b.result.ms - a.result.ms).slice(0, 5)
  for (const { seed } of latest) {
    let best = Number.POSITIVE_INFINITY
    for (let i = 0; i < 3 && best > TIMEOUT + LATE; i++)
      best = Math.min(best, (await ask(kind, server, seed)).ms)
    if (best > TIMEOUT + LATE) faults.push(`seed ${seed}: ${Math.round(best)} ms of ${TIMEOUT}`)
  }
  return faults
}

/** What nobody catches, which would end lvsd. Returns what ends the watch. */
function watchForErrors(kind: Prepared, faults: string[]): () => void {
  const hear = (error: unknown) => {
    faults.push(`nobody caught this of ${kind.name}: ${(error as Error)?.stack ?? error}`)
  }
  process.on('uncaughtException', hear)
  process.on('unhandledRejection', hear)
  return () => {
    process.off('uncaughtException', hear)
    process.off('unhandledRejection', hear)
  }
}

interface Left {
  readonly descriptors: number
  readonly megabytes: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What the process holds once all is quiet. */
async function left(): Promise<Left> {
  let descriptors = count()
  for (let i = 0; i < 60; i++) {
    await sleep(50)
    const now = count()
    if (now === descriptors && i > 8) break
    descriptors = now
  }
  collect()
  return { descriptors, megabytes: process.memoryUsage().heapUsed / 1e6 }
}

function count(): number {
  return readdirSync('/proc/self/fd').length
}

function grownSince(before: Left, after: Left): string[] {
  return (['descriptors', 'megabytes'] as const)
    .filter(what => after[what] > before[what] + LEFT[what])
    .map(what => `${what}: ${Math.round(before[what])} before, ${Math.round(after[what])} after`)
}
