/** Sends single echo requests over the ICMP sockets that the checks use, too. */
import type { Address } from '../../core/address.js'
import { echoerOf } from '../../probe/icmp-socket.js'

/**
 * What became of a ping: a reply, a failure, or nothing that says anything about the network, because lvsd could not
 * send it.
 */
export type PingOutcome = 'reply' | 'failed' | 'not sent'

export interface PingDone {
  (outcome: Exclude<PingOutcome, 'not sent'>): void
  (outcome: 'not sent', error: Error): void
}

export interface Pinger {
  /** Calls `done` at most once, never before it returns. Returns a function that stops waiting. */
  ping(address: Address, done: PingDone): () => void
}

/** Bytes of data of a request, as the command ping sends. */
const SIZE = 56
/** This machine is out of resources. Its network is not the cause. */
const OWN_FAULTS = new Set(['ENOBUFS', 'ENOMEM', 'EMFILE', 'ENFILE'])

/** `sourceOf` returns the source address for a target, or null: the kernel chooses. */
export function icmpPinger(sourceOf: (target: Address) => Address | null): Pinger {
  return {
    ping(address, done) {
      let isOver = false
      const end = (tell: () => void) => {
        if (isOver) return
        isOver = true
        tell()
      }
      try {
        const socket = echoerOf(address.family, sourceOf(address))
        const request = socket.request(address, SIZE, {
          heard: () => finish(() => done('reply')),
          failed: error =>
            finish(() =>
              OWN_FAULTS.has((error as NodeJS.ErrnoException).code ?? '')
                ? done('not sent', error)
                : done('failed'),
            ),
        })
        const finish = (tell: () => void) =>
          end(() => {
            socket.forget(request)
            tell()
          })
        socket.send(request)
        return () => finish(() => {})
      } catch (error) {
        setImmediate(() => end(() => done('not sent', error as Error)))
        return () => end(() => {})
      }
    },
  }
}
