/**
 * Which local port comes next, by virtual address, in memory that the core and the engine's thread share: both send checks
 * with a mark to one virtual address.
 */

/** Number of turns. Virtual addresses that share one only take their ports faster. */
const TURNS = 4096

/** One number for each turn. */
export type PortTurns = BigInt64Array

/** Returns the next number of a turn: above each one before, and at least `least`. */
export type PortTurn = (least: number) => number

/** Returns shared memory; 32 KB, of which unused pages take none. */
function newPortTurns(): PortTurns {
  return new BigInt64Array(new SharedArrayBuffer(TURNS * BigInt64Array.BYTES_PER_ELEMENT))
}

let own: PortTurns | null = null

/** Returns the turns that this thread takes. */
export function ownPortTurns(): PortTurns {
  own ??= newPortTurns()
  return own
}

/** From now on this thread takes the turns of another one. */
export function sharePortTurns(turns: PortTurns): void {
  own = turns
}

/** Returns the turn of a virtual address, by its bytes. Null: a turn that nothing shares. */
export function portTurn(turns: PortTurns | null, key = ''): PortTurn {
  const all = turns ?? new BigInt64Array(1)
  const at = spread(key) % all.length
  return least => {
    for (;;) {
      const before = Atomics.load(all, at)
      const next = before < BigInt(least) ? BigInt(least) : before + 1n
      if (Atomics.compareExchange(all, at, before, next) === before) return Number(next)
    }
  }
}

/** Returns a number from 0 to 2^32 - 1 that is far from those of similar keys: FNV-1a (draft-eastlake-fnv). */
export function spread(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 16)) >>> 0
}
