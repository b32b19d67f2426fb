/** What changed between two status documents, as lines. Pure. */
import type { RealStatus, ServiceStatus, StatusDocument } from '../status.js'
import { hostPort } from './names.js'
import { painter, STATE_STYLE } from './paint.js'
import { printable } from './printable.js'
import { dateTime } from './time.js'

/** One line for each real server whose state changed, each service without one, each fallback that came or went. */
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
    lines.push(`${dateTime(Date.parse(real.since))}  ${key}  ${states}  ${printable(real.reason)}`)
  }
  for (const service of after.services) {
    const was = before.services.find(({ name }) => name === service.name)
    const word = serviceWord(service, was)
    if (word) lines.push(`${dateTime(now)}  ${printable(service.name)}  ${word}`)
  }
  return lines
}

function serviceWord({ fallback, state }: ServiceStatus, was: ServiceStatus | undefined): string | null {
  if (fallback && fallback.inUse !== (was?.fallback?.inUse ?? false))
    return `fallback ${hostPort(fallback)} ${fallback.inUse ? 'takes the traffic' : 'is out again'}`
  if (fallback || state === (was?.state ?? 'unknown')) return null
  if (state === 'down') return 'no server is left, there is no fallback: clients are refused'
  return state === 'up' && was?.state === 'down' ? 'a server is back: clients are served again' : null
}

function membersOf(document: StatusDocument): Map<string, RealStatus> {
  return new Map(
    document.services.flatMap(service =>
      service.reals.map(real => [`${printable(service.name)} ${hostPort(real)}`, real]),
    ),
  )
}
