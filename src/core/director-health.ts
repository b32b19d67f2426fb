/** Whether a director can serve, for what moves the virtual addresses: `lvsd health`. Pure. */

export interface DirectorFacts {
  /** The table has been corrected since the start, and lvsd does not stop. */
  readonly isReady: boolean
  /** Why the network is lost; null: it is not. */
  readonly lost: string | null
  /** The services that were asked for. */
  readonly services: readonly ServiceFacts[]
}

export interface ServiceFacts {
  readonly name: string
  /** A real server is available; null: not known yet. */
  readonly isServed: boolean | null
  /** It will not be known, and the kernel's table has no real server (`unserved.ts`). */
  readonly isUnjudged?: boolean
}

export interface DirectorHealth {
  readonly isGood: boolean
  /** One short sentence without its full stop. */
  readonly reason: string
}

/**
 * The first row that applies:
 *
 *   table                     network   services asked for                 good
 *   not corrected             any       any                                no
 *   corrected                 lost      any                                no
 *   corrected                 there     one has no available real server   no
 *   corrected                 there     one is unjudged                    no
 *   corrected                 there     all others, or none asked for      yes
 */
export function directorHealth({ isReady, lost, services }: DirectorFacts): DirectorHealth {
  if (!isReady) return { isGood: false, reason: 'lvsd is starting or stopping' }
  if (lost !== null) return { isGood: false, reason: `the network is lost: ${lost}` }
  const [refused, ...others] = services.filter(({ isServed, isUnjudged }) => isServed === false || isUnjudged)
  if (refused) {
    const more = others.length === 0 ? '' : `, and ${others.length} more have none`
    const why = refused.isServed === false ? '' : ' (its checks have no verdict, and none is in the table)'
    return { isGood: false, reason: `${refused.name} has no available real server${why}${more}` }
  }
  const names = services.map(({ name }) => name).join(', ')
  return {
    isGood: true,
    reason: names === '' ? 'this director can serve' : `this director can serve ${names}`,
  }
}
