/** Formats the status document as a table for people. Pure: width, colours and time are parameters. */
import type { ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { painter } from '../../util/paint.js'
import { clip } from './columns.js'
import type { ListSection } from './list-view.js'
import { attention, headLines } from './status-head.js'
import { isQuiet, sectionOf } from './status-service.js'
import type { StatusView } from './status-view.js'

/**
 * Formats the head, the problems, and a block for each service. The worst come first, because a screen may be short.
 */
export function renderStatus(document: StatusDocument, given: StatusView): string {
  const view = { ...given, isWrapped: true }
  const blocks = statusSections(document, view).map(({ head, items, foot }) => [
    ...head,
    ...items.flatMap(({ lines }) => lines),
    ...foot,
  ])
  const lines = [...statusHead(document, view), ...blocks].flatMap(part =>
    part.length > 0 ? [...part, ''] : [],
  )
  return lines
    .slice(0, -1)
    .map(line => clip(line, view.width))
    .join('\n')
}

/** Returns the block about the daemon, and the block of problems, which may be empty. */
export function statusHead(document: StatusDocument, view: StatusView): readonly (readonly string[])[] {
  const paint = painter(view.colour)
  return [headLines(document, view, paint), attention(document, view, paint)]
}

/** Returns a section for each service. Services and servers that need attention come first. */
export function statusSections(document: StatusDocument, view: StatusView): readonly ListSection[] {
  const paint = painter(view.colour)
  return [...document.services]
    .sort((one, other) => rankOf(one) - rankOf(other))
    .map(service => sectionOf(service, view, paint))
}

/** Order of services: down or in panic, with a server down, with another server that needs attention, the rest. */
function rankOf({ state, panic, totals, reals }: ServiceStatus): number {
  if (state === 'down' || panic) return 0
  if (totals.down > 0) return 1
  return reals.every(isQuiet) ? 3 : 2
}
