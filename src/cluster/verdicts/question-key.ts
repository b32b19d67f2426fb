/** The name of a question in the site: the same on all directors, and without secrets. */
import { createHash } from 'node:crypto'
import type { IsSecretName } from '../../config/secret-text.js'
import type { CheckUse } from '../../core/model.js'
import { wholeQuestion } from '../../health/job-ids.js'
import type { Question } from './verdict-types.js'

/** What is asked, of a subscriber of a job. */
export interface Asker {
  readonly jobId: string
  readonly checkKey: string
  readonly service: { readonly name: string }
  readonly use: {
    readonly options: CheckUse['options']
    readonly policy: {
      readonly interval: number
      readonly timeout: number
      readonly rise: number
      readonly fall: number
    }
  }
}

/**
 * Returns the questions of these subscribers. Left out, so that each director asks by itself: a job whose subscribers
 * count results in different ways, and jobs that differ by secrets only, because a hash of a short password can be guessed.
 */
export function questionsOf(askers: Iterable<Asker>, isSecret: IsSecretName): readonly Question[] {
  const byJob = new Map<string, { key: string; question: Question; services: Set<string> } | null>()
  for (const asker of askers) {
    const { jobId, service, use } = asker
    const known = byJob.get(jobId)
    if (known === null) continue
    const { interval, timeout, rise, fall } = use.policy
    if (known) {
      known.services.add(service.name)
      if (known.key !== `${rise} ${fall}`) byJob.set(jobId, null)
      continue
    }
    const services = new Set([service.name])
    const what = JSON.stringify(canonical(JSON.parse(wholeQuestion(asker)), isSecret))
    const key = createHash('sha256')
      .update(`${what} ${interval} ${timeout} ${rise} ${fall}`)
      .digest('base64url')
      .slice(0, 14)
    byJob.set(jobId, {
      key: `${rise} ${fall}`,
      question: { job: jobId, key, interval, timeout, services: [] },
      services,
    })
  }
  const all = [...byJob.values()].flatMap(each =>
    each ? [{ ...each.question, services: [...each.services] }] : [],
  )
  const counts = new Map<string, number>()
  for (const { key } of all) counts.set(key, (counts.get(key) ?? 0) + 1)
  return all.filter(({ key }) => counts.get(key) === 1)
}

/** The order of keys does not count, and secrets are left out. */
function canonical(value: unknown, isSecret: IsSecretName): unknown {
  if (Array.isArray(value)) return value.map(each => canonical(each, isSecret))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isSecret(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, canonical(each, isSecret)]),
  )
}
