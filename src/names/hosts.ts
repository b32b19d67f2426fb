/** Parses /etc/hosts. Pure. */
import { type Family, parseAddress } from '../core/address.js'

export interface Hosts {
  /** Returns canonical addresses in file order. A localhost name without an entry gets the loopback address. */
  addressesOf(name: string, family: Family): readonly string[]
  /** Returns the names of an address (canonical text) in file order. */
  namesOf(address: string): readonly string[]
}

/** Skips lines without an address, as the C library does. The case of names is ignored. */
export function parseHosts(text: string): Hosts {
  const addresses = new Map<string, string[]>()
  const names = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [written = '', ...called] = line.replace(/#.*/s, '').split(/\s+/).filter(Boolean)
    const address = parseAddress(written)
    if (!address) continue
    for (const name of called) {
      add(addresses, `${name.toLowerCase()} ${address.family}`, address.text)
      add(names, address.text, name)
    }
  }
  return {
    addressesOf(name, family) {
      const called = bare(name)
      const found = addresses.get(`${called} ${family}`) ?? []
      const hasOther = addresses.has(`${called} ipv4`) || addresses.has(`${called} ipv6`)
      return isLocalhost(name) && !hasOther ? LOCAL[family] : found
    },
    namesOf: address => names.get(address) ?? [],
  }
}

const LOCAL: Readonly<Record<Family, readonly string[]>> = { ipv6: ['::1'], ipv4: ['127.0.0.1'] }

/** True for localhost and names below it. RFC 6761: they refer to this machine, and no name server is queried. */
export function isLocalhost(name: string): boolean {
  return /^(.+\.)?localhost$/.test(bare(name))
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (!list) map.set(key, [value])
  else if (!list.includes(value)) list.push(value)
}
