/**
 * Isolation: lvsd itself cannot reach any server. Only evidence about this machine counts, that is its routes and its
 * interfaces; failed checks alone never do, however many they are. Pure.
 *
 * Not seen: a start while the interface to the servers is down and another default route exists. No server has been
 * reached yet, so the kernel's answer is the only evidence, and it says that the path works. The interface of an earlier
 * run would be no evidence: if the servers have moved behind another interface since and are down, their failures would
 * never count. Health still starts from the table: a server in service leaves it only after `fall` failures.
 */

/** What this machine knows about the path to one server. */
export type PathState =
  /** The kernel has a route, and the interface that it names works. */
  | 'works'
  /** The kernel has no route, or the interface of the route, or by which the server was last reached, does not work. */
  | 'dead'
  /** The server is this machine, so the path is no evidence about the network. */
  | 'local'
  /** A link-local address: its interface is not looked up. */
  | 'unknown'

/**
 * Returns the state of a path. `route` is what the kernel answers now, `last` the interface by which the server was
 * last reached: a default route may take the place of a route that went down with its interface, and leads elsewhere.
 * Null: the server has not been reached yet.
 *
 *   route                 interface of it   last           state
 *   local                                                  local
 *   none (any errno)                                       dead
 *   by an interface       down or gone      any            dead
 *   by an interface       works             down or gone   dead
 *   by an interface       works             null or works  works
 */
export function pathState(
  route: 'local' | 'unreachable' | { readonly isWorking: boolean },
  last: { readonly isWorking: boolean } | null,
): PathState {
  if (route === 'local') return 'local'
  if (route === 'unreachable' || !route.isWorking) return 'dead'
  return last === null || last.isWorking ? 'works' : 'dead'
}

/**
 * True if no path works and one is dead. A path that works outweighs any number of dead ones: servers behind them fail
 * for the clients too, and the others can take their share. So does the path of a server that is down.
 *
 *   works        dead         isolated
 *   one or more  any number   no
 *   none         one or more  yes
 *   none         none         no: all servers are on this machine
 */
export function isIsolated(paths: Iterable<PathState>): boolean {
  let isDead = false
  for (const path of paths) {
    if (path === 'works') return false
    isDead ||= path === 'dead'
  }
  return isDead
}
