/** The requests that the keys of a live view send to the daemon. */
import { endOverrides, fetchWhy, giveOverride } from '../api/client.js'
import type { OverrideOutcome, TargetName } from '../api/override-types.js'
import { WHY_SCHEMA } from '../api/versions.js'
import { printable } from '../util/printable.js'
import { shellQuoted } from '../util/shell-quoted.js'
import { ALL_EFFECTS, overrideText } from './override-command.js'
import { renderWhy } from './terminal/why.js'
import type { Steering } from './work-view.js'

export function steeringOf(socket: string): Steering {
  return {
    async explain(target, view) {
      const answers = [await fetchWhy(socket, target)]
      const now = Date.now()
      const document = { schema: WHY_SCHEMA, now: new Date(now).toISOString(), answers }
      return renderWhy(document, { ...view, now })
    },
    async drain(targets) {
      const effect = { kind: 'drain' } as const
      const request = { targets: [...targets], effect, reason: '', until: null }
      return sentenceOf(await giveOverride(socket, request), targets)
    },
    async enable(targets) {
      const request = { targets: [...targets], effects: [...ALL_EFFECTS] }
      return sentenceOf(await endOverrides(socket, request), targets)
    },
  }
}

/** Says what counts for the first of the targets, which are one server. */
function sentenceOf({ ok, message, reals }: OverrideOutcome, targets: readonly TargetName[]): string {
  if (!ok) return printable(message)
  const override = reals.find(({ real }) => real === targets[0]?.real)?.override
  const now = override ? overrideText(override) : 'no override: its checks decide'
  const [name = '', ...others] = targets.map(({ service, real }) => `${service}/${real}`)
  const way = override?.source === 'window' ? `; to end it: lvsd windows end ${shellQuoted(name)}` : ''
  return printable(`${message}; ${[name, ...others].join(' and ')}: ${now}${way}`)
}
