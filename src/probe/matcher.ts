/** Judges an answer while it arrives in chunks, and decides as early as the result is certain. Pure. */

import { type Answer, down, up } from '../check/check.js'
import type { Judge } from '../check/probe-spec.js'
import type { Phase } from '../core/model.js'
import type { Scan } from '../search/scan.js'
import { counted } from '../util/plural.js'
import { compileHttp } from './match-http.js'
import { Beginning, compileMatch, showBytes, showMatch, tooSlow } from './match-text.js'
import type { ResponseParser } from './response-parser.js'

/** Compiles the part that all runs of one probe share. The result creates a parser for each run. */
export function compileJudge(judge: Judge): () => ResponseParser {
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

const CONNECTED: ResponseParser = {
  phase: 'connect',
  push: () => up('connected'),
  end: () => up('connected'),
}

const ANY: ResponseParser = {
  phase: 'first byte',
  push: bytes => (bytes.length === 0 ? null : up(`answered ${showBytes(bytes)}`)),
  end: () => down('closed', 'closed without a byte'),
}

type MatchJudge = Extract<Judge, { kind: 'match' }>

function compileMatching(judge: MatchJudge): () => ResponseParser {
  const searched = compileMatch(judge.match)
  const wanted = showMatch(judge.match)
  return () => new Matching(judge.limit, searched.begin().scan(), wanted)
}

class Matching implements ResponseParser {
  phase: Phase = 'first byte'
  #count = 0
  readonly #beginning = new Beginning()
  readonly #limit: number
  readonly #scan: Scan
  readonly #wanted: string

  constructor(limit: number, scan: Scan, wanted: string) {
    this.#limit = limit
    this.#scan = scan
    this.#wanted = wanted
  }

  push(bytes: Buffer): Answer | null {
    if (bytes.length === 0) return null
    this.phase = 'body'
    const within = Math.min(bytes.length, this.#limit - this.#count)
    this.#count += within
    this.#beginning.push(bytes, 0, within)
    this.#scan.push(bytes, 0, within)
    const isAll = this.#count === this.#limit
    const decided = this.#decided(isAll ? this.#scan.end() : this.#scan.occurs())
    if (decided || !isAll) return decided
    return down('unexpected', `no ${this.#wanted} in the first ${this.#limit} bytes: ${this.#beginning}`)
  }

  end(): Answer {
    if (this.#count === 0) return down('closed', `closed without a byte; expected ${this.#wanted}`)
    const without = `closed after ${counted(this.#count, 'byte')} without ${this.#wanted}: ${this.#beginning}`
    return this.#decided(this.#scan.end()) ?? down('unexpected', without)
  }

  #decided(isFound: boolean | null): Answer | null {
    if (isFound === null) return tooSlow(this.#wanted)
    return isFound ? up(`found ${this.#wanted} in ${counted(this.#count, 'byte')}`) : null
  }
}
