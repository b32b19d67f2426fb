/** Who asks over the control socket, for the log and for overrides. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type Peer, peerOf } from '../system/libc.js'
import { harmless } from '../util/foreign-text.js'

/** Characters of a name that somebody claims. */
const LONGEST_NAME = 64

/**
 * The user behind a connection, as the kernel knows it: `anna`, `uid 1000`, or `unknown` where the connection is gone.
 * Root may say on whose behalf it asks, as sudo tells it (SUDO_USER): `anna (sudo)`. Nobody else is believed.
 */
export function operatorOf(socket: Socket, claimed: string | undefined): string {
  const peer = peerOn(socket)
  if (!peer) return 'unknown'
  const sudoer = harmless(claimed ?? '').slice(0, LONGEST_NAME)
  if (peer.uid === 0 && sudoer !== '' && sudoer !== 'root') return `${sudoer} (sudo)`
  return userName(peer.uid) ?? `uid ${peer.uid}`
}

function peerOn(socket: Socket): Peer | null {
  // Node has no public way to the descriptor of a socket.
  const fd = (socket as { _handle?: { fd?: number } })._handle?.fd
  try {
    return fd === undefined || fd < 0 ? null : peerOf(fd)
  } catch {
    return null
  }
}

/** From passwd(5), read anew each time: users come and go while lvsd runs. Null for one that only a directory service knows. */
function userName(uid: number): string | null {
  try {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
    return lines.map(line => line.split(':')).find(([, , id]) => id === String(uid))?.[0] ?? null
  } catch {
    return null
  }
}
