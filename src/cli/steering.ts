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
    async drain(target) {
      const effect = { kind: 'drain' } as const
      return sentenceOf(
        await giveOverride(socket, { targets: [target], effect, reason: '', until: null }),
        target,
      )
    },
    async enable(target) {
      return sentenceOf(await endOverrides(socket, { targets: [target], effects: [...ALL_EFFECTS] }), target)
    },
  }
}

function sentenceOf({ ok, message, reals }: OverrideOutcome, target: TargetName): string {
  if (!ok) return printable(message)
  const override = reals.find(({ real }) => real === target.real)?.override
  const now = override ? overrideText(override) : 'no override: its checks decide'
  const name = `${target.service}/${target.real}`
  const way = override?.source === 'window' ? `; to end it: lvsd windows end ${shellQuoted(name)}` : ''
  return printable(`${message}; ${name}: ${now}${way}`)
}
