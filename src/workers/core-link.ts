/** The way from a worker to lvsd. Loaded before any check, which may change what it uses. */
import fs from 'node:fs'
import { Socket } from 'node:net'
import { setPriority } from 'node:os'
import { dieWithParent } from '../system/libc.js'
import { DESCRIPTORS, FrameReader, frameOf } from './frames.js'

/** Bytes of one order: lvsd's own, which has no reason to be short. */
const MOST = 1 << 30

const write = fs.writeSync

/** Sent at once: the process may not come round again. */
export function tellCore(value: unknown, isJson = false): void {
  const frame = frameOf(value, isJson)
  for (let sent = 0; sent < frame.length; ) sent += write(DESCRIPTORS.reports, frame, sent)
}

/** Hears what lvsd sends. The process ends with lvsd, whatever it is doing. */
export function hearCore(hear: (value: unknown) => void): void {
  const end = process.kill.bind(process, process.pid, 'SIGKILL')
  try {
    dieWithParent()
  } catch {
    // Without it the end of the orders is enough, unless a check blocks the process.
  }
  const reader = new FrameReader(MOST)
  const orders = new Socket({ fd: DESCRIPTORS.orders, readable: true, writable: false })
  orders.on('data', chunk => reader.read(chunk).forEach(hear))
  orders.on('error', end)
  orders.on('close', end)
}

/** For all threads of the process: Linux counts niceness by thread. */
export function yieldToOthers(niceness: number): void {
  for (const thread of fs.readdirSync('/proc/self/task').map(Number)) setPriority(thread, niceness)
}
