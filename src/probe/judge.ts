/** Judges an answer while it comes in, piece by piece, and decides as early as that is sound. Pure. */
import { type Answer, down, up } from '../check.js'
import type { Phase } from '../model.js'
import { compileHttp } from './judge-http.js'
import { compileMatch, type Matcher, showBytes, showMatch, tooSlow } from './match.js'
import type { Judge } from './probe.js'

/** One answer being heard. */
export interface Hearing {
  /** What it is waiting for. */
  readonly phase: Phase
  /** Takes the next bytes, which the caller may overwrite afterwards; null while more is needed to decide. */
  push(bytes: Buffer): Answer | null
  /** The server has said all it will. */
  end(): Answer
}

/** Prepares what all hearings of one probe share. */
export function compileJudge(judge: Judge): () => Hearing {
  switch (judge.kind) {
    case 'connected':
      return () => CONNECTED
    case 'any':
      return () => ANY
    case 'match':
      return compileMatching(judge)
    case 'http':
      return compileHttp(judge)
  }
}

const CONNECTED: Hearing = { phase: 'connect', push: () => up('connected'), end: () => up('connected') }

const ANY: Hearing = {
  phase: 'first byte',
  push: bytes => (bytes.length === 0 ? null : up(`answered ${showBytes(bytes)}`)),
  end: () => down('closed', 'closed without a byte'),
}

type MatchJudge = Extract<Judge, { kind: 'match' }>

function compileMatching(judge: MatchJudge): () => Hearing {
  const matches = compileMatch(judge.match)
  const wanted = showMatch(judge.match)
  return () => new Matching(judge.limit, matches, wanted)
}

class Matching implements Hearing {
  phase: Phase = 'first byte'
  #heard: Buffer = Buffer.alloc(0)
  readonly #limit: number
  readonly #matches: Matcher
  readonly #wanted: string

  constructor(limit: number, matches: Matcher, wanted: string) {
    this.#limit = limit
    this.#matches = matches
    this.#wanted = wanted
  }

  push(bytes: Buffer): Answer | null {
    if (bytes.length === 0) return null
    this.phase = 'body'
    const heard = this.#heard.length === 0 ? bytes : Buffer.concat([this.#heard, bytes])
    const within = heard.length > this.#limit ? heard.subarray(0, this.#limit) : heard
    const isFound = this.#matches(within)
    if (isFound === null) return tooSlow(this.#wanted)
    if (isFound) return up(`found ${this.#wanted} in ${within.length} bytes`)
    if (heard.length >= this.#limit)
      return down('unexpected', `no ${this.#wanted} in the first ${this.#limit} bytes: ${showBytes(within)}`)
    // `bytes` is the caller's buffer; `concat` has made a copy already.
    this.#heard = heard === bytes ? Buffer.from(bytes) : heard
    return null
  }

  end(): Answer {
    if (this.#heard.length === 0) return down('closed', `closed without a byte; expected ${this.#wanted}`)
    const { length } = this.#heard
    return down(
      'unexpected',
      `closed after ${length} bytes without ${this.#wanted}: ${showBytes(this.#heard)}`,
    )
  }
}
