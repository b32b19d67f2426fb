/** What the keys of a live view do to the daemon. */
import { endOverrides, fetchStatus, giveOverride } from '../api/client.js'
import type { OverrideOutcome, TargetName } from '../api/override-types.js'
import { printable } from '../util/printable.js'
import { ALL_EFFECTS, overrideText } from './override-command.js'
import { renderStatus } from './terminal/status.js'
import type { Steering } from './work-view.js'

export function steeringOf(socket: string): Steering {
  return {
    async explain({ service, real }, view) {
      const document = await fetchStatus(socket)
      const services = document.services
        .filter(({ name }) => name === service)
        .map(one => ({ ...one, reals: one.reals.filter(({ name }) => name === real) }))
      return renderStatus({ ...document, services }, view)
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
  return printable(`${message}; ${target.service}/${target.real}: ${now}`)
}
