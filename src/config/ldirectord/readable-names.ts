/** Creates readable names for services without a name in an ldirectord.cf. */
import { withoutBrackets } from '../../core/address.js'
import type { RawMap } from '../raw.js'
import { NO_SERVICE, rowOf, serviceOfPort } from './kinds.js'
import { type Entry, map } from './tree.js'

/**
 * Returns the tree with names such as `http-2001:db8::80` in place of `tcp:[2001:db8::80]:80`. A servicename stays
 * unchanged.
 */
export function withReadableNames(root: RawMap): RawMap {
  const entries = root.entries.map(one =>
    one.key === 'services' && one.value.kind === 'map' ? { ...one, value: renamed(one.value) } : one,
  )
  return { ...root, entries }
}

function renamed(services: RawMap): RawMap {
  const taken = new Set(services.entries.map(({ key }) => key))
  const entries = services.entries.map((one): Entry => {
    const key = isId(one.key) ? readableName(one) : one.key
    // If two services would get the same name, the second one keeps its old one.
    if (key === one.key || taken.has(key)) return one
    taken.add(key)
    return { ...one, key }
  })
  return map(entries, services.at)
}

/** True for ldirectord's name of a virtual. */
function isId(name: string): boolean {
  return /^(?:tcp|udp|fwm6?):/.test(name)
}

function readableName({ key, value }: Entry): string {
  const [, protocol = '', host = '', port = ''] = /^(tcp|udp):(.*):(\d+)$/.exec(key) ?? []
  if (protocol === '') return key.replace('fwm', 'mark').replace(':', '-')
  const service = serviceOfPort(Number(port))
  const { usually = 'tcp' } = rowOf(service)
  const what = `${service === NO_SERVICE ? port : service}${protocol === usually ? '' : `-${protocol}`}`
  const label = labelOf(value)
  // A label here means that several virtuals have this servicename. The first one has it without an addition.
  return label === null ? `${what}-${withoutBrackets(host)}` : `${label}-${what}`
}

function labelOf(service: Entry['value']): string | null {
  const label = service.kind === 'map' ? service.entries.find(({ key }) => key === 'label')?.value : undefined
  return label?.kind === 'scalar' ? String(label.value).replaceAll(/\s+/g, '-') : null
}
