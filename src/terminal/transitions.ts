/** What changed between two status documents, as lines. Pure. */
import type { RealStatus, StatusDocument } from '../status.js'
import { hostPort } from './names.js'
import { painter, STATE_STYLE } from './paint.js'
import { printable } from './printable.js'
import { clockTime } from './time.js'

/** One line for each real server whose state changed, and for each fallback that came or went. */
export function transitionLines(
  before: StatusDocument,
  after: StatusDocument,
  { colour, now }: { readonly colour: boolean; readonly now: number },
): string[] {
  const paint = painter(colour)
  const old = membersOf(before)
  const lines: string[] = []
  for (const [key, real] of membersOf(after)) {
    const from = old.get(key)?.state ?? 'unknown'
    if (from === real.state) continue
    const states = `${from} -> ${paint(STATE_STYLE[real.state], real.state)}`
    lines.push(`${clockTime(now)}  ${key}  ${states}  ${printable(real.reason)}`)
  }
  for (const service of after.services) {
    const was = before.services.find(({ name }) => name === service.name)?.fallback?.inUse ?? false
    if (!service.fallback || service.fallback.inUse === was) continue
    const word = service.fallback.inUse ? 'takes the traffic' : 'is out again'
    lines.push(
      `${clockTime(now)}  ${printable(service.name)}  fallback ${hostPort(service.fallback)} ${word}`,
    )
  }
  return lines
}

function membersOf(document: StatusDocument): Map<string, RealStatus> {
  return new Map(
    document.services.flatMap(service =>
      service.reals.map(real => [`${printable(service.name)} ${hostPort(real)}`, real]),
    ),
  )
}
