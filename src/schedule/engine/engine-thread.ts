/**
 * The engine's thread. It waits in epoll, not in Node's event loop; an eventfd wakes it for orders of the core. At a start it may have
 * first orders, which it runs until the core, which is still being loaded, gives it its terms.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { LogEvent } from '../../core/log-events.js'
import { PATH_GROUPS, watchPaths } from '../../netlink/path-changes.js'
import { openPaths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'
import { sharePortTurns } from '../../probe/engine/port-turns.js'
import { Reactor } from '../../probe/engine/reactor.js'
import { EPOLLIN, takeWakes, wake } from '../../system/epoll.js'
import { noteDescriptorsIn } from '../../system/noted-descriptors.js'
import { CheckSources } from '../check-sources.js'
import { Engine } from './engine.js'
import { type FirstOrders, ordersFor } from './first-orders.js'
import { takeSome } from './intake.js'
import { COUNT, type EngineStart, type EngineTerms, type Order, type Report } from './protocol.js'
import { selfTest } from './self-test.js'

/** Bytes of the buffers of the sockets for routes and their changes. */
const BUFFER = 64 * 1024
/** Milliseconds between two looks at whether sources have changed. */
const LOOK_EVERY = 2000
/** Milliseconds between two looks for the terms, while first orders run. A thread that is ended does not end before. */
const TERMS_EVERY = 5

type Message = FirstOrders | EngineTerms | null

const isFirst = (message: FirstOrders | EngineTerms): message is FirstOrders => 'jobs' in message

/** Undefined: there is none. */
const received = () => receiveMessageOnPort(port as never)?.message as Message | undefined

interface Serving {
  readonly engine: Engine
  readonly sources: CheckSources | null
}

const { shared, descriptors } = workerData as EngineStart
noteDescriptorsIn(descriptors)
const port = parentPort
if (!port) throw new Error('this file runs in a thread')
/** What is to be told when the terms have come: nobody hears it before. */
let held: Report[] | null = []
const post = (report: Report) => {
  if (held) held.push(report)
  else port.postMessage(report)
}
const reactor = new Reactor()
/** What runs since before the terms. */
let begun: Serving | null = null
// First orders are there before the thread, as a rule. They need no tested engine: nothing of them is told before the terms.
const early = received()
if (early && isFirst(early)) begun = begin(early)
const unfit = selfTest(reactor)
if (early === undefined) waitForMessage()
else take(early)

/** Waits in Node's event loop: a thread that waits there can be ended at any time. */
function waitForMessage(): void {
  port?.once('message', take)
}

function take(message: Message): void {
  if (!message || !isFirst(message)) conclude(message)
  else if (unfit !== null) waitForMessage()
  else {
    begun ??= begin(message)
    conclude(termsWhile(begun))
  }
}

/** Null: the thread is not needed. */
function conclude(terms: EngineTerms | null): void {
  try {
    if (terms && unfit === null) serve(terms)
    else (begun?.engine ?? reactor).close()
    if (terms && unfit !== null) port?.postMessage({ kind: 'unfit', why: unfit } satisfies Report)
  } finally {
    port?.close()
  }
}

function begin(orders: FirstOrders): Serving {
  const serving = open(orders)
  serving.engine.take(ordersFor(orders))
  return serving
}

/** Runs the first orders until there are terms. */
function termsWhile({ engine }: Serving): EngineTerms | null {
  for (;;) {
    const terms = received()
    if (terms !== undefined) return terms as EngineTerms | null
    engine.turn(TERMS_EVERY)
  }
}

function open({ cap, hasSources }: Pick<EngineTerms, 'cap' | 'hasSources'>): Serving {
  const sources = hasSources ? openSources() : null
  return { engine: new Engine({ cap, shared, sources, post }, reactor), sources }
}

function serve(terms: EngineTerms): void {
  const { waker, portTurns } = terms
  sharePortTurns(portTurns)
  const { engine, sources } = begun ?? open(terms)
  try {
    reactor.watchAlways(waker, EPOLLIN, { ready: () => takeOrders(engine, waker) })
    const reports = held ?? []
    held = null
    for (const report of [{ kind: 'ready' } as const, ...reports]) post(report)
    turn(engine, sources)
  } finally {
    // The process goes on after an exception here, so its descriptors would stay open.
    engine.close()
  }
}

function turn(engine: Engine, sources: CheckSources | null): void {
  let looked = performance.now()
  let told = ''
  while (!engine.isClosed && shared.counts[COUNT.isEnding] === 0) {
    engine.turn()
    if (sources && performance.now() - looked > LOOK_EVERY) {
      looked = performance.now()
      told = tellSources(sources, told)
    }
  }
}

function takeOrders(engine: Engine, waker: number): void {
  takeWakes(waker)
  const hasMore = takeSome<readonly Order[]>({
    receive: () => receiveMessageOnPort(port as never),
    take: orders => engine.take(orders),
    now: () => performance.now(),
  })
  if (hasMore) wake(waker)
}

/** Returns what has been told. */
function tellSources(from: CheckSources, before: string): string {
  const choices = from.choices()
  const text = JSON.stringify([...choices])
  if (text !== before) post({ kind: 'sources', choices })
  return text
}

function openSources(): CheckSources {
  const line = (level: 'info' | 'warn') => (event: LogEvent, fields: object, text: string) =>
    post({ kind: 'line', level, event, fields, text })
  return new CheckSources({
    paths: openPaths(openSocket(BUFFER, 'route')),
    changes: watchPaths(openSocket(BUFFER, 'route', PATH_GROUPS)),
    log: { info: line('info'), warn: line('warn') },
    now: () => performance.now(),
  })
}
