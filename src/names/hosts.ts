/** The text of /etc/hosts. Pure. */
import { type Family, parseAddress } from '../core/address.js'

export interface Hosts {
  /** Canonical texts in the order of the file; both families of localhost where the file does not have it. */
  addressesOf(name: string, family: Family): readonly string[]
  /** What an address (canonical text) is called, in the order of the file. */
  namesOf(address: string): readonly string[]
}

/** Lines that hold no address are passed over, as the C library does. Names are compared without regard to case. */
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

/** RFC 6761: this name is this machine, and no name server is asked for it. */
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
