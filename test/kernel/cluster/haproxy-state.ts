/** What haproxy thinks of its application servers, from its stats socket. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Machine } from './machines.js'

/**
 * Returns how often a haproxy has marked its application servers as down since its start, by their names in haproxy.cfg:
 * a1, a2. Empty if it does not answer.
 */
export async function timesDown(haproxy: Machine): Promise<ReadonlyMap<string, number>> {
  const socket = connect(haproxy.path('/run/haproxy/admin.sock'))
  socket.write('show stat -1 4 -1\n')
  const [head = '', ...rows] = (await text(socket).catch(() => '')).split('\n')
  const columns = head.replace(/^# /, '').split(',')
  const [name, count] = ['svname', 'chkdown'].map(column => columns.indexOf(column))
  if (name === undefined || count === undefined) return new Map()
  return new Map(
    rows
      .map(row => row.split(','))
      .filter(cells => cells.length === columns.length)
      .map(cells => [cells[name] ?? '', Number(cells[count])]),
  )
}
