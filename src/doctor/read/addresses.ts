/** Reads the addresses, interfaces and local routes of this network namespace. */
import { readdirSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { addressFromBytes, parseAddress } from '../../core/address.js'
import { readProcFile } from '../../system/process-files.js'
import type { Link, LocalAddress, Prefix } from '../facts.js'

// <linux/if_addr.h>
const IFA_F_DADFAILED = 0x08
const IFA_F_DEPRECATED = 0x20
const IFA_F_TENTATIVE = 0x40
const IFA_F_PERMANENT = 0x80
/** <linux/ipv6_route.h> */
const RTF_LOCAL = 0x8000_0000

export function readAddresses(): readonly LocalAddress[] | null {
  const text = readProcFile('/proc/net/if_inet6')
  const isKnown = readProcFile('/proc/net/dev') !== null
  // A kernel without IPv6 has no such file.
  return isKnown ? [...ipv4Addresses(), ...parseIfInet6(text ?? '')] : null
}

/** Returns the IPv4 addresses of interfaces that are up. */
function ipv4Addresses(): readonly LocalAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses = []]) =>
    addresses
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => ({
        text: address,
        family: 'ipv4' as const,
        link,
        isDeprecated: false,
        isTentative: false,
        isDadFailed: false,
        isDynamic: false,
      })),
  )
}

/** Parses /proc/net/if_inet6: address, index, prefix length, scope, flags (all in hexadecimal), interface. */
export function parseIfInet6(text: string): readonly LocalAddress[] {
  return text.split('\n').flatMap(line => {
    const match = /^([0-9a-f]{32}) \S+ \S+ \S+ ([0-9a-f]+)\s+(\S+)/.exec(line)
    if (!match) return []
    const [, hex = '', flagWord = '', link = ''] = match
    const flags = Number.parseInt(flagWord, 16)
    const address = addressFromBytes(Buffer.from(hex, 'hex'))
    const isDadFailed = (flags & IFA_F_DADFAILED) !== 0
    return {
      text: address.text,
      family: 'ipv6' as const,
      link,
      isDeprecated: (flags & IFA_F_DEPRECATED) !== 0,
      isTentative: (flags & IFA_F_TENTATIVE) !== 0 && !isDadFailed,
      isDadFailed,
      isDynamic: (flags & IFA_F_PERMANENT) === 0,
    }
  })
}

export function readLocalRoutes(): readonly Prefix[] | null {
  const trie = readProcFile('/proc/net/fib_trie')
  const routes = readProcFile('/proc/net/ipv6_route')
  if (trie === null && routes === null) return null
  return [...parseFibTrie(trie ?? ''), ...parseIpv6Route(routes ?? '')]
}

/** Parses /proc/net/fib_trie: a line `|-- 192.0.2.0` with lines `/24 host LOCAL` below it. */
export function parseFibTrie(text: string): readonly Prefix[] {
  let address = ''
  const found = new Map<string, Prefix>()
  for (const line of text.split('\n')) {
    address = /\|-- ([\d.]+)$/.exec(line)?.[1] ?? address
    const length = /^\s+\/(\d+) \S+ LOCAL$/.exec(line)?.[1]
    // The kernel lists main and local table in one file, sometimes with the same content.
    if (length !== undefined && parseAddress(address))
      found.set(`${address}/${length}`, { address, family: 'ipv4', length: Number(length) })
  }
  return [...found.values()]
}

/** Parses /proc/net/ipv6_route: destination, prefix length, source, its length, gateway, metric, counters, flags, interface. */
export function parseIpv6Route(text: string): readonly Prefix[] {
  return text.split('\n').flatMap(line => {
    const [destination = '', length = '', , , , , , , flags = ''] = line.trim().split(/\s+/)
    if (!/^[0-9a-f]{32}$/.test(destination) || (Number.parseInt(flags, 16) & RTF_LOCAL) === 0) return []
    const address = addressFromBytes(Buffer.from(destination, 'hex')).text
    return { address, family: 'ipv6' as const, length: Number.parseInt(length, 16) }
  })
}

export function readLinks(): readonly Link[] | null {
  try {
    return readdirSync('/sys/class/net').flatMap(name => {
      const mtu = Number(readProcFile(`/sys/class/net/${name}/mtu`))
      return mtu > 0 ? { name, mtu } : []
    })
  } catch {
    return null
  }
}
