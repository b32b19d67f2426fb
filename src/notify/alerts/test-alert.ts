/** Sends a test alert to receivers, as `lvsd alert test` does. */
import { randomUUID } from 'node:crypto'
import type { AlertReceiver } from '../../core/alert-receiver.js'
import { TEST_ALERT } from '../../core/alert-rules.js'
import type { Alert } from './alert.js'
import { type Attempt, attempt, destinationsOf, originOf, type TransportParts } from './transport.js'

/** What came of the test alert at one destination. */
export interface Tested {
  readonly receiver: string
  readonly kind: AlertReceiver['kind']
  /** `https://alerts.example`, or the program. */
  readonly to: string
  readonly ok: boolean
  /** `204 No Content`, or what is wrong. */
  readonly answer: string
  readonly ms: number
  /** What the command printed; null for others. */
  readonly output: string | null
}

/** All destinations at the same time. Never rejects. */
export function testReceivers(
  receivers: readonly AlertReceiver[],
  parts: TransportParts,
): Promise<readonly Tested[]> {
  const { now = Date.now } = parts
  const alert = testAlert(now())
  return Promise.all(
    receivers.flatMap(receiver =>
      destinationsOf(receiver).map(async (destination, i): Promise<Tested> => {
        const controller = new AbortController()
        const { timeout, name, kind } = receiver
        const late = () => controller.abort(new Error(`not done in ${timeout / 1000} s`))
        const timer = setTimeout(late, timeout)
        const begun = performance.now()
        const batch = { id: randomUUID(), notices: [{ status: 'firing' as const, alert }] }
        const tried = await attempt(receiver, destination, batch, parts, controller.signal)
        clearTimeout(timer)
        const ms = Math.round(performance.now() - begun)
        return { receiver: name, kind, to: placeOf(receiver, i), ms, ...outcomeOf(tried) }
      }),
    ),
  )
}

function outcomeOf({ fault, answer, output }: Attempt): Pick<Tested, 'ok' | 'answer' | 'output'> {
  return { ok: fault === null, answer: fault?.message ?? answer, output: output ?? null }
}

function placeOf(receiver: AlertReceiver, i: number): string {
  if (receiver.kind === 'command') return receiver.argv[0] ?? ''
  return originOf(receiver.kind === 'webhook' ? receiver.url : (receiver.urls[i] ?? ''))
}

/** An alert that no event has begun, with the id 0. */
function testAlert(now: number): Alert {
  const time = new Date(now).toISOString()
  const begin = { id: 0, time, event: TEST_ALERT, msg: 'a test of lvsd alert test: nothing is wrong' }
  return {
    name: TEST_ALERT,
    severity: 'warning',
    service: null,
    real: null,
    file: null,
    director: null,
    address: null,
    startsAt: now,
    endsAt: null,
    begin,
    end: null,
  }
}
