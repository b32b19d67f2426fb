/** Parses command lines of ipvsadm into changes, and lines of its listing into command lines. */
import { type Address, parseAddress, parseHostPort } from '../../src/core/address.js'
import type {
  Change,
  Forwarding,
  Persistence,
  SchedulerFlag,
  ServiceAttributes,
  ServiceId,
  TableReal,
} from '../../src/core/model.js'
import { ATTRIBUTES } from './tables.js'

const FORWARDING: Readonly<Record<string, Forwarding>> = { '-g': 'gate', '-m': 'masq', '-i': 'ipip' }
const LISTED: Readonly<Record<string, Forwarding>> = { Route: 'gate', Masq: 'masq', Tunnel: 'ipip' }
const FLAGS: Readonly<Record<string, SchedulerFlag>> = {
  'sh-fallback': 'flag-1',
  'sh-port': 'flag-2',
  'mh-fallback': 'flag-1',
  'mh-port': 'flag-2',
}

/** Returns the change for a command line of ipvsadm, such as `-a -t 192.0.2.1:80 -r 198.51.100.1:80 -m -w 5`. */
export function changeOf(commandLine: string): Change {
  const words = commandLine.split(/\s+/)
  const after: ValueAfter = (option: string) => words[words.indexOf(option) + 1] ?? ''
  const has = (option: string) => words.includes(option)
  const id = idOf(['-t', '-u', '-f'].find(has) ?? '', words, after)
  const service = attributesOf(id, has, after)
  if (has('-A')) return { op: 'add-service', id, service }
  if (has('-E')) return { op: 'set-service', id, service, was: service }
  if (has('-D')) return { op: 'delete-service', id, was: { id, ...service, reals: new Map() } }
  const real = realOf(id, words, after)
  if (has('-a')) return { op: 'add-real', id, real }
  return has('-e') ? { op: 'set-real', id, real, was: real } : { op: 'delete-real', id, was: real }
}

/** Returns the word after an option. */
type ValueAfter = (option: string) => string

function idOf(option: string, words: readonly string[], after: ValueAfter): ServiceId {
  if (option === '-f')
    return { kind: 'fwmark', fwmark: Number(after('-f')), family: words.includes('-6') ? 'ipv6' : 'ipv4' }
  return {
    kind: 'address',
    protocol: option === '-u' ? 'udp' : 'tcp',
    ...placeOf(after(option)),
  }
}

function placeOf(text: string): { address: Address; port: number } {
  const place = parseHostPort(text)
  const address = place && parseAddress(place.host)
  if (!address) throw new Error(`${text} is no address and port`)
  return { address, port: Number(place.port ?? 0) }
}

function attributesOf(id: ServiceId, has: (option: string) => boolean, after: ValueAfter): ServiceAttributes {
  const flags = has('-b') ? after('-b').split(',') : []
  return {
    scheduler: has('-s') ? after('-s') : 'wlc',
    schedulerFlags: flags.map(flag => FLAGS[flag] ?? 'flag-3').sort(),
    persistence: has('-p') ? persistence(id, after('-p'), has('-M') ? after('-M') : '') : null,
    onePacket: has('-o'),
  }
}

function persistence(id: ServiceId, timeout: string, mask: string): Persistence {
  const isIpv6 = (id.kind === 'fwmark' ? id.family : id.address.family) === 'ipv6'
  const prefix = mask === '' ? (isIpv6 ? 128 : 32) : isIpv6 ? Number(mask) : prefixOf(mask)
  return { timeout: Number(timeout), prefix, engine: null }
}

function prefixOf(mask: string): number {
  const bits = mask.split('.').map(byte => Number(byte).toString(2).padStart(8, '0'))
  return bits.join('').indexOf('0') < 0 ? 32 : bits.join('').indexOf('0')
}

/** Without NAT packets keep the port of the virtual service, so ipvsadm replaces the given port by it. */
function realOf(id: ServiceId, words: readonly string[], after: ValueAfter): TableReal {
  const place = placeOf(after('-r'))
  const forwarding = FORWARDING[words.find(word => word in FORWARDING) ?? '-g'] ?? 'gate'
  const isAddition = words.includes('-a') || words.includes('-e')
  const isMapped = isAddition && id.kind === 'address' && forwarding !== 'masq'
  return {
    ...ATTRIBUTES,
    ...place,
    port: isMapped ? id.port : place.port,
    forwarding,
    weight: words.includes('-w') ? Number(after('-w')) : 1,
    upper: words.includes('-x') ? Number(after('-x')) : 0,
    lower: words.includes('-y') ? Number(after('-y')) : 0,
  }
}

/**
 * Converts lines of `ipvsadm -Ln` to commands that create the table: `-A -t …`, `-a -t … -r …`. The listing has no
 * thresholds.
 */
export function commandsOf(listing: readonly string[]): string[] {
  let service = ''
  return listing.map(line => {
    const real = /^\s+-> (\S+)\s+(\w+)\s+(\d+)/.exec(line)
    if (real) {
      const [, address, forwarding = '', weight] = real
      const option = Object.keys(FORWARDING).find(key => FORWARDING[key] === LISTED[forwarding])
      return `-a ${service} -r ${address} ${option} -w ${weight}`
    }
    const [kind = '', name, ...rest] = line.trim().split(/\s+/)
    const isIpv6Mark = rest[0] === 'IPv6'
    service = `${{ TCP: '-t', UDP: '-u', FWM: '-f' }[kind]} ${name}${isIpv6Mark ? ' -6' : ''}`
    const [scheduler, ...more] = isIpv6Mark ? rest.slice(1) : rest
    return `-A ${service} -s ${scheduler}${more.map((word, i) => optionOf(word, more[i + 1])).join('')}`
  })
}

function optionOf(word: string, next = ''): string {
  if (word.startsWith('(')) return ` -b ${word.slice(1, -1)}`
  if (word === 'ops') return ' -o'
  if (word === 'persistent') return ` -p ${next}`
  return word === 'mask' ? ` -M ${next}` : ''
}
