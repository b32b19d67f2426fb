/**
 * Local ports for checks that run as code through the path of a service. The core chooses them, since all checks of a virtual
 * address take theirs in one turn; the worker opens the sockets.
 */
import type { MarkedRun } from '../check/check.js'
import type { CheckWork } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import { localPortsTo } from '../probe/engine/local-ports.js'
import { socketAddress } from '../system/sockets.js'
import type { BeginRun } from './connects-between.js'
import { refused } from './marked-probes.js'

/** A second connection follows where a server refuses to resume a TLS session, or cuts an answer over UDP off. */
const PORTS = 2

/** Starts a run as code, from this source. `marked` is set if the run takes a path. */
type BeginCode = (
  source: Address | null,
  marked: MarkedRun | null,
  ...terms: Parameters<BeginRun>
) => ReturnType<BeginRun>

/** Returns what starts runs of a check that is code, from the source that `sourceOf` returns at that time. */
export function beginCode(work: CheckWork, sourceOf: () => Address | null, begin: BeginCode): BeginRun {
  const { key: path = '', mark } = work.path ?? {}
  if (mark === undefined) return (...terms) => begin(sourceOf(), null, ...terms)
  return (...terms) => {
    const source = sourceOf()
    let ports: number[]
    try {
      ports = source ? portsFor(work, source) : []
    } catch (error) {
      return refused(error as Error)(...terms)
    }
    return begin(source, { mark, path, ports }, ...terms)
  }
}

function portsFor({ target: { address, port } }: CheckWork, source: Address): number[] {
  return localPortsTo(socketAddress(address, port)).free(source.family, socketAddress(source, 0), PORTS)
}
