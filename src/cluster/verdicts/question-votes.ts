/** Who says what of a question, this director and others whose services it is of. */
import type { CheckResult, HealthState } from '../../core/model.js'
import type { HeardDirector, HeardDirectors } from './heard-directors.js'
import { toldApart, type Voter } from './outliers.js'
import type { SharedQuestion, Vote, VoteView } from './verdict-types.js'

export interface QuestionVotesParts {
  readonly self: { readonly id: string; readonly host: string }
  /** Hash of the services of this director. */
  config(): string
  /** True if the director with the services of this hash has this service as this director has it. */
  isSame(config: string, service: string): boolean
}

type Votes = readonly (readonly [Voter, Vote])[]

export class QuestionVotes {
  readonly #parts: QuestionVotesParts
  readonly #directors: Pick<HeardDirectors, 'living'>

  constructor(parts: QuestionVotesParts, directors: Pick<HeardDirectors, 'living'>) {
    this.#parts = parts
    this.#directors = directors
  }

  /** True if a director may be an observer of the question. */
  isCandidate({ config }: HeardDirector, { question }: SharedQuestion): boolean {
    const { isSame, config: own } = this.#parts
    return config === own() || question.services.some(name => isSame(config, name))
  }

  /** What counts, of this director and of others. */
  of(item: SharedQuestion): Votes {
    const { self } = this.#parts
    const own = item.own ? [[{ id: self.id, host: self.host, isSelf: true }, item.own] as const] : []
    return [...own, ...this.ofOthers(item)]
  }

  ofOthers(item: SharedQuestion): Votes {
    return this.#directors.living.flatMap(director => {
      const vote = director.votes.get(item.question.key)
      if (!vote || !this.isCandidate(director, item)) return []
      return [[{ id: director.id, host: director.host, isSelf: false }, vote] as const]
    })
  }

  count(item: SharedQuestion): {
    readonly ups: number
    readonly downs: number
    readonly voters: Set<string>
  } {
    const voters = new Set<string>()
    let [ups, downs] = [0, 0]
    for (const [{ id }, { state }] of this.of(item)) {
      voters.add(id)
      if (state === 'up') ups++
      else if (state === 'down') downs++
    }
    return { ups, downs, voters }
  }

  /** Returns what those have found who say this. Undefined: the question is not shared. */
  found(item: SharedQuestion | undefined, state: HealthState): CheckResult {
    const votes = item ? toldApart(this.of(item)).filter(([, vote]) => vote.state === state) : []
    const hosts = votes.map(([{ host }]) => host).join(', ')
    const found = votes.find(([, vote]) => vote.found)?.[1].found
    const isUp = state === 'up'
    return {
      ok: isUp,
      reason: isUp ? null : (found?.reason ?? 'error'),
      phase: isUp ? null : (found?.phase ?? null),
      detail: `${isUp ? 'the check passes' : (found?.detail ?? 'the check fails')}; asked by ${hosts}`,
      ms: 0,
      phases: [],
    }
  }

  /** Who says what, for people. */
  viewOf(item: SharedQuestion): readonly VoteView[] {
    if (item.isOwn) return []
    return toldApart(this.of(item)).flatMap(([voter, { state, found }]) =>
      state === 'own' ? [] : [{ ...voter, state, detail: state === 'down' ? (found?.detail ?? null) : null }],
    )
  }
}
