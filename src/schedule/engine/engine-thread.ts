/** The engine's thread. It waits in epoll, not in Node's event loop; an eventfd wakes it for orders of the core. */
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
import { takeSome } from './intake.js'
import { COUNT, type EngineStart, type EngineTerms, type Order, type Report } from './protocol.js'
import { selfTest } from './self-test.js'

/** Bytes of the buffers of the sockets for routes and their changes. */
const BUFFER = 64 * 1024
/** Milliseconds between two looks at whether sources have changed. */
const LOOK_EVERY = 2000

const { shared, descriptors } = workerData as EngineStart
noteDescriptorsIn(descriptors)
const port = parentPort
if (!port) throw new Error('this file runs in a thread')
const post = (report: Report) => port.postMessage(report)
const reactor = new Reactor()
const unfit = selfTest(reactor)
// A message of Node's event loop: a thread that waits in it can be ended at any time.
port.once('message', (terms: EngineTerms | null) => {
  try {
    if (terms && unfit === null) serve(terms)
    else reactor.close()
    if (terms && unfit !== null) post({ kind: 'unfit', why: unfit })
  } finally {
    port.close()
  }
})

function serve({ waker, portTurns, cap, hasSources }: EngineTerms): void {
  sharePortTurns(portTurns)
  const sources = hasSources ? openSources() : null
  const engine = new Engine({ cap, shared, sources, post }, reactor)
  try {
    reactor.watchAlways(waker, EPOLLIN, { ready: () => takeOrders(engine, waker) })
    post({ kind: 'ready' })
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
