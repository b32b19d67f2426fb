/** The text of /etc/hosts. Pure. */
import { type Family, parseAddress } from '../address.js'

export interface Hosts {
  /** Canonical texts in the order of the file. */
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
    addressesOf: (name, family) => addresses.get(`${bare(name)} ${family}`) ?? local(name, family),
    namesOf: address => names.get(address) ?? [],
  }
}

/** RFC 6761: this name is this machine, whatever a name server says. */
function local(name: string, family: Family): readonly string[] {
  if (!/^(.+\.)?localhost$/.test(bare(name))) return []
  return family === 'ipv6' ? ['::1'] : ['127.0.0.1']
}

function bare(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (!list) map.set(key, [value])
  else if (!list.includes(value)) list.push(value)
}
