/** Connects the questions about virtual addresses with the kernel of this machine. */
import { openAddressEvents } from '../netlink/address-events.js'
import { type LinkLayer, openLinkLayer } from '../netlink/link-layer.js'
import type { Paths } from '../netlink/paths.js'
import { openSocket } from '../netlink/socket.js'
import { askRound } from '../schedule/address-round.js'
import type { Log } from '../system/log.js'
import { steadyNow, systemClock } from '../util/clock.js'
import { AddressConflicts } from './address-conflicts.js'

/** Bytes of the buffers of the socket for hardware addresses. An answer has a part of the list. */
const BUFFER = 256 * 1024

/** `paths`: addresses of this machine. */
export function openAddressConflicts(log: Log, paths: Pick<Paths, 'addresses'>): AddressConflicts {
  // Its times are shown.
  const clock = { ...systemClock, now: steadyNow }
  return new AddressConflicts({
    log,
    clock,
    openEvents: openAddressEvents,
    ask: parts => throughSocket(linkLayer => askRound({ ...parts, paths, linkLayer, clock: systemClock })),
  })
}

/** A round is a second long, and there is one a minute. */
async function throughSocket<T>(work: (linkLayer: LinkLayer) => Promise<T>): Promise<T> {
  const linkLayer = openLinkLayer(openSocket(BUFFER, 'route'))
  try {
    return await work(linkLayer)
  } finally {
    linkLayer.close()
  }
}
