/** The dialect of an ldirectord.cf, and what ldirectord does with configurations that lvsd refuses. */
import type { Dialect } from '../dialect.js'
import { rowOf } from './kinds.js'

export const LDIRECTORD: Dialect = {
  relativePaths: 'as written',
  familyWord: { ipv4: 'virtual', ipv6: 'virtual6' },
  outcomeOf(code, kind) {
    const isHopeless = code === 'CHECK_NEEDS_PORT' || (code === 'CHECK_OPTIONS' && rowOf(kind).question)
    return isHopeless ? '; ldirectord accepts it, and the servers are always down' : ''
  },
}
