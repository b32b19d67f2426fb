/** Runs probes with a firewall mark in this process: Node's own sockets have none. */
import { noVerdict } from '../check/check.js'
import type { Address } from '../core/address.js'
import { NodeLoop } from '../probe/engine/node-loop.js'
import { NativeProbes } from '../probe/engine/start-native.js'
import { prepareProbe, startFrom } from '../probe/start-probe.js'
import type { BeginRun } from './connects-between.js'
import type { EngineProbe } from './engine/protocol.js'
import { orElse } from './path-probe.js'

export class MarkedProbes {
  #open: { readonly loop: NodeLoop; readonly probes: NativeProbes } | null = null

  /** Returns what starts runs of this probe, from the source that `sourceOf` returns at that time. */
  begin(probe: EngineProbe, sourceOf: () => Address | null): BeginRun {
    try {
      const begin = this.#probes().startFrom(probe, sourceOf)
      return (timeout, done) => begin(timeout, orElse(done, null))
    } catch (error) {
      const answer = noVerdict(`lvsd cannot mark packets on this machine: ${(error as Error).message}`)
      return startFrom(prepareProbe({ kind: 'fixed', answer }), () => null)
    }
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
