/**
 * Serves the API in a process with few descriptors, uses them all up for a while, and writes the events of the log. Each
 * line of standard input is a command: `fill`, `free`.
 */
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { openApp } from '../../../src/api/app.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { TcpListeners } from '../../../src/api/tcp-listeners.js'
import { Tokens } from '../../../src/api/tokens.js'
import { controlOf } from '../control.js'
import { recordingLog } from '../logs.js'
import { refusedPort } from '../servers.js'

const { log, lines } = recordingLog()
const app = await openApp({ routes: ROUTES, control: controlOf({}), log })
/** The pauses of the listeners are short, so that the test is. */
const alarm = (_: number, ring: () => void) => {
  const timer = setTimeout(ring, 20)
  return () => clearTimeout(timer)
}
const tokens = new Tokens({ path: null, log, now: () => Date.now() })
const listeners = new TcpListeners({ app, tokens, log, clock: { alarm } })
const address = `[::1]:${await refusedPort()}`
await listeners.follow({ listen: [address], tls: null, metrics: 'token' })
process.stdout.write(`listening ${address}\n`)

let told = lines.length
setInterval(() => {
  for (const { event } of lines.slice(told)) process.stdout.write(`event ${event}\n`)
  told = lines.length
}, 20)

const held: number[] = []
let filling: NodeJS.Timeout | undefined
/** A descriptor that was open as all others were taken may be closed later: a connection, or a file of the listeners. */
const fill = () => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {}
}
for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'fill') {
    fill()
    filling = setInterval(fill, 5)
  }
  if (command === 'free') {
    clearInterval(filling)
    for (const file of held.splice(0)) closeSync(file)
  }
}
process.exit()
