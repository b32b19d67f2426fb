/** Asks once who else answers for the virtual addresses of this machine. */
import { sharedAddresses } from '../../core/address-conflict.js'
import type { ResolvedConfig } from '../../core/model.js'
import { openLinkLayer } from '../../netlink/link-layer.js'
import { openPaths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'
import { askRound } from '../../schedule/address-round.js'
import { systemClock } from '../../util/clock.js'
import type { Conflicts } from '../facts.js'

/** Addresses that are asked about: 50 a second, and people wait. */
const MOST = 250
/** Bytes of the buffers of a socket for the addresses of this machine. */
const BUFFER = 256 * 1024

/** Null: nothing is to be asked, by the configuration or because it has no virtual address. */
export async function readConflicts(
  config: Pick<ResolvedConfig, 'services' | 'settings'>,
): Promise<Conflicts | null> {
  const all = sharedAddresses(config)
  if (!config.settings.conflictCheck || all.size === 0) return null
  const about = new Map([...all].slice(0, MOST))
  const sockets: { close(): void }[] = []
  try {
    const paths = openPaths(openSocket(BUFFER, 'route'))
    sockets.push(paths)
    const linkLayer = openLinkLayer(openSocket(BUFFER, 'route'))
    sockets.push(linkLayer)
    const { asked, answers, refusal } = await askRound({ about, all, paths, linkLayer, clock: systemClock })
    const found = answers.map(answer => ({
      ...answer,
      services: (all.get(answer.address.text)?.services ?? []).map(({ name }) => name),
    }))
    return { asked: asked.size, unasked: all.size - about.size, found, refusal }
  } catch (error) {
    return { asked: 0, unasked: 0, found: [], refusal: (error as Error).message }
  } finally {
    for (const socket of sockets) socket.close()
  }
}
