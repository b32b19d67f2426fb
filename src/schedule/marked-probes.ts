/** Runs probes with a firewall mark in this process: Node's own sockets have none. */
import { noVerdict } from '../check/check.js'
import type { CheckWork } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import { NodeLoop } from '../probe/engine/node-loop.js'
import { type BeginNative, NativeProbes } from '../probe/engine/start-native.js'
import { prepareProbe, startFrom } from '../probe/start-probe.js'
import { alternating, type BeginRun, connectTo } from './connects-between.js'
import type { EngineProbe } from './engine/protocol.js'
import { orElse } from './path-probe.js'

export class MarkedProbes {
  #open: { readonly loop: NodeLoop; readonly probes: NativeProbes } | null = null

  /**
   * Returns what starts runs of this probe, from the source that `sourceOf` returns at that time. A run without descriptors has no
   * verdict, and the next one tries again. `defer` is called in place of an answer that is left to code; null: it is no verdict.
   */
  begin(probe: EngineProbe, sourceOf: () => Address | null, defer: (() => void) | null = null): BeginRun {
    let begin: BeginNative | null = null
    return (timeout, done) => {
      try {
        begin ??= this.#probes().startFrom(probe, sourceOf)
      } catch (error) {
        return refused(error as Error)(timeout, done)
      }
      return begin(timeout, orElse(done, defer))
    }
  }

  /** As the function of this name, with connects through the path of the work. */
  withConnectsBetween(
    begin: BeginRun,
    { target, path, connects = 0 }: Pick<CheckWork, 'target' | 'path' | 'connects'>,
    sourceOf: () => Address | null,
  ): BeginRun {
    return alternating(begin, this.begin(connectTo(target, path?.mark), sourceOf), connects)
  }

  close(): void {
    this.#open?.probes.close()
    this.#open?.loop.close()
    this.#open = null
  }

  #probes(): NativeProbes {
    if (!this.#open) {
      const loop = new NodeLoop()
      this.#open = { loop, probes: new NativeProbes(loop) }
    }
    return this.#open.probes
  }
}

/** Returns what gives runs no verdict, because this machine has no sockets with marks. */
export function refused({ message }: Error): BeginRun {
  const answer = noVerdict(`lvsd cannot mark packets on this machine: ${message}`)
  return startFrom(prepareProbe({ kind: 'fixed', answer }), () => null)
}
