/**
 * The peer of `checks`: a bare loop on node:http, without judging, health or table. Reads ports of ::1 as JSON from
 * standard input, asks each once a second on a new connection, and on SIGTERM prints how late it began, milliseconds.
 */

import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { quantile } from './figures.js'

const INTERVAL = 1000
const late: number[] = []
const ports = JSON.parse(await text(process.stdin)) as number[]

for (const [i, port] of ports.entries()) {
  let due = performance.now() + (INTERVAL * i) / ports.length
  const ask = () => {
    late.push(Math.max(0, performance.now() - due))
    due += INTERVAL
    setTimeout(ask, due - performance.now())
    get({ host: '::1', port, agent: false }, response => response.resume()).on('error', () => {})
  }
  setTimeout(ask, due - performance.now())
}

process.on('SIGTERM', () => {
  const sorted = late.slice(-20 * ports.length).sort((a, b) => a - b)
  process.stdout.write(`${quantile(sorted, 0.99)}\n`, () => process.exit())
})
