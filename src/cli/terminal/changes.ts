/** Formats changes of the table for people: like a diff, grouped by service. Pure. */
import { endpoint } from '../../core/address.js'
import { countChanges } from '../../core/change-counts.js'
import { isSameName } from '../../core/display-names.js'
import {
  type Change,
  keyOfService,
  type RealAttributes,
  type ServiceAttributes,
  type TableReal,
} from '../../core/model.js'
import { type Paint, painter, type Style } from '../../util/paint.js'

/** Returns `2 to add, 1 to change, 1 to remove.`, or a sentence that there is nothing to do. */
export function summaryOfChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return 'Nothing to do: the kernel holds what the configuration wants.'
  const { add, change, remove } = countChanges(changes)
  return `${add} to add, ${change} to change, ${remove} to remove.`
}

/**
 * Formats a block per service, with `+`, `-` or `~` before each line. A changed attribute is shown as before -> after.
 */
export function renderChanges(
  changes: readonly Change[],
  {
    colour,
    nameOf = () => undefined,
  }: { colour: boolean; nameOf?: (serviceKey: string) => string | undefined },
): string {
  const paint = painter(colour)
  return [...byService(changes)]
    .map(([key, own]) => {
      const name = nameOf(key) ?? key
      const whole = own.find(change => change.op.endsWith('-service'))
      const title = isSameName(name, key) ? key : `${key}  (${name})`
      const head = whole ? serviceLine(whole, title, paint) : `  ${paint('bold', title)}`
      return [head, ...own.filter(change => change !== whole).map(change => realLine(change, paint))].join(
        '\n',
      )
    })
    .join('\n\n')
}

function byService(changes: readonly Change[]): Map<string, Change[]> {
  const groups = new Map<string, Change[]>()
  for (const change of changes) {
    const key = keyOfService(change.id)
    const group = groups.get(key)
    if (group) group.push(change)
    else groups.set(key, [change])
  }
  return groups
}

const MARKS: Readonly<Record<string, readonly [mark: string, style: Style]>> = {
  add: ['+', 'green'],
  set: ['~', 'yellow'],
  delete: ['-', 'red'],
}

function marked(change: Change, paint: Paint, indent: string, text: string): string {
  const [mark, style] = MARKS[change.op.split('-')[0] ?? ''] ?? ['~', 'yellow']
  return paint(style, `${mark} ${indent}${text}`)
}

function serviceLine(change: Change, title: string, paint: Paint): string {
  if (change.op === 'add-service')
    return marked(change, paint, '', `${title}  ${serviceWords(change.service)}`)
  if (change.op === 'set-service') {
    const differences = differencesOf(serviceParts(change.was), serviceParts(change.service))
    return marked(change, paint, '', `${title}  ${differences}`)
  }
  if (change.op !== 'delete-service') return title
  const held = [...change.was.reals.values()].map(real => marked(change, paint, '    ', realWords(real)))
  return [marked(change, paint, '', `${title}  ${serviceWords(change.was)}`), ...held].join('\n')
}

function realLine(change: Change, paint: Paint): string {
  if (change.op === 'add-real') return marked(change, paint, '    ', realWords(change.real))
  if (change.op === 'delete-real') return marked(change, paint, '    ', realWords(change.was))
  if (change.op !== 'set-real') return ''
  const differences = differencesOf(realParts(change.was), realParts(change.real))
  return marked(change, paint, '    ', `${endpoint(change.real.address, change.real.port)}  ${differences}`)
}

type Parts = Readonly<Record<string, string>>

function serviceParts(service: ServiceAttributes): Parts {
  const { persistence } = service
  return {
    scheduler: service.scheduler,
    flags: service.schedulerFlags.join(',') || 'none',
    persistence: persistence
      ? `${persistence.timeout}s/${persistence.prefix}${persistence.engine ? ` ${persistence.engine}` : ''}`
      : 'none',
    'one-packet': service.onePacket ? 'yes' : 'no',
  }
}

function realParts(real: RealAttributes): Parts {
  return {
    forwarding: real.forwarding,
    weight: String(real.weight),
    upper: String(real.upper),
    lower: String(real.lower),
    'tunnel port': String(real.tunnelPort),
    'tunnel checksum': real.tunnelChecksum,
  }
}

/** Values that mean that an attribute is not set. */
const PLAIN = new Set(['none', 'no', '0'])

function serviceWords(service: ServiceAttributes): string {
  const { scheduler = '', ...rest } = serviceParts(service)
  return [scheduler, ...setParts(rest)].join('  ')
}

function realWords(real: TableReal): string {
  const { forwarding = '', weight = '', ...rest } = realParts(real)
  return [endpoint(real.address, real.port), forwarding, `weight ${weight}`, ...setParts(rest)].join('  ')
}

function setParts(parts: Parts): string[] {
  return Object.entries(parts).flatMap(([name, value]) => (PLAIN.has(value) ? [] : [`${name} ${value}`]))
}

function differencesOf(before: Parts, after: Parts): string {
  return Object.keys(after)
    .filter(name => before[name] !== after[name])
    .map(name => `${name} ${before[name]} -> ${after[name]}`)
    .join(', ')
}
