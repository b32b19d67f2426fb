/** The connection from a worker to lvsd. Loaded before any check, because checks may replace what it uses. */
import fs from 'node:fs'
import { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { dieWithParent } from '../system/libc.js'
import { DESCRIPTORS, FrameReader, frameOf } from './frames.js'

/** Maximum size of an order in bytes. Orders come from lvsd itself, so the limit can be high. */
const MOST = 1 << 30

const write = fs.writeSync

/** Sends a value synchronously, because the event loop may never run again. */
export function sendToCore(value: unknown, isJson = false): void {
  const frame = frameOf(value, isJson)
  for (let sent = 0; sent < frame.length; ) sent += write(DESCRIPTORS.reports, frame, sent)
}

/** Receives values from lvsd. The process ends when lvsd ends, whatever it is doing. */
export function hearCore(hear: (value: unknown) => void): void {
  const end = process.kill.bind(process, process.pid, 'SIGKILL')
  try {
    dieWithParent()
  } catch {
    // Without it, the end of the connection ends the process, unless a check blocks it.
  }
  const reader = new FrameReader(MOST)
  const orders = new Socket({ fd: DESCRIPTORS.orders, readable: true, writable: false })
  orders.on('data', chunk => reader.read(chunk).forEach(hear))
  orders.on('error', end)
  orders.on('close', end)
}

/** Sets the niceness of all threads of the process, because Linux stores it per thread. */
export function yieldToOthers(niceness: number): void {
  for (const thread of fs.readdirSync('/proc/self/task').map(Number)) setPriority(thread, niceness)
}
