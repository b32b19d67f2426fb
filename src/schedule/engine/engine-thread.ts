/** The engine's thread. It waits in epoll, not in Node's event loop; an eventfd wakes it for orders of the core. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { LogEvent } from '../../core/log-events.js'
import { PATH_GROUPS, watchPaths } from '../../netlink/path-changes.js'
import { openPaths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'
import { EPOLLIN, takeWakes } from '../../system/epoll.js'
import { noteDescriptorsIn } from '../../system/noted-descriptors.js'
import { CheckSources } from '../check-sources.js'
import { Engine } from './engine.js'
import type { EngineStart, Order, Report } from './protocol.js'
import { selfTest } from './self-test.js'

/** Bytes of the buffers of the sockets for routes and their changes. */
const BUFFER = 64 * 1024
/** Milliseconds between two looks at whether sources have changed. */
const LOOK_EVERY = 2000

const { waker, cap, hasSources, shared, descriptors } = workerData as EngineStart
noteDescriptorsIn(descriptors)
const port = parentPort
if (!port) throw new Error('this file runs in a thread')
const post = (report: Report) => port.postMessage(report)
const sources = hasSources ? openSources() : null
const engine = new Engine({ cap, shared, sources, post })

try {
  const why = selfTest(engine.reactor)
  if (why === null) serve()
  else post({ kind: 'unfit', why })
} finally {
  // The process goes on after an exception here, so its descriptors would stay open.
  engine.close()
  port.close()
}

function serve(): void {
  engine.reactor.watchAlways(waker, EPOLLIN, { ready: takeOrders })
  post({ kind: 'ready' })
  let looked = performance.now()
  let told = ''
  while (!engine.isClosed) {
    engine.turn()
    if (sources && performance.now() - looked > LOOK_EVERY) {
      looked = performance.now()
      told = tellSources(sources, told)
    }
  }
}

function takeOrders(): void {
  takeWakes(waker)
  for (let got = receiveMessageOnPort(port as never); got; got = receiveMessageOnPort(port as never))
    engine.take(got.message as readonly Order[])
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
