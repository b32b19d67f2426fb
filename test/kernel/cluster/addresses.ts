/** Which directors have the virtual addresses: read every 20 ms from /proc/net of their namespaces. */
import { openSync, readSync } from 'node:fs'
import { onCleanup } from '../../support/after-each.js'
import { within } from '../site/namespaces.js'

const buffer = Buffer.alloc(1 << 15)
/** Milliseconds between two reads. */
const INTERVAL = 20
/** A state that lasts shorter, in milliseconds, is left out: both directors have an address while it moves. */
const MOMENT = 100

const opened = new Map<string, number>()

function read(namespace: string, file: string): string {
  const key = `${namespace} ${file}`
  const fd = opened.get(key) ?? within(namespace, () => openSync(`/proc/thread-self/net/${file}`, 'r'))
  opened.set(key, fd)
  let length = 0
  for (let got = -1; got !== 0; length += got)
    got = readSync(fd, buffer, length, buffer.length - length, length)
  return buffer.toString('latin1', 0, length)
}

/** True if a director has both virtual addresses, 2001:db8::80 and 192.0.2.80, on eth0. */
export function hasBoth(director: string): boolean {
  return hasIpv6(director) && hasIpv4(director)
}

export function hasNone(director: string): boolean {
  return !hasIpv6(director) && !hasIpv4(director)
}

function hasIpv6(director: string): boolean {
  return read(director, 'if_inet6').includes('20010db8000000000000000000000080')
}

function hasIpv4(director: string): boolean {
  return /192\.0\.2\.80\n\s+\/32 host LOCAL/.test(read(director, 'fib_trie'))
}

export interface Holder {
  readonly at: number
  /** `1`, `2`, `1+2` or `none`: the directors that have 2001:db8::80. */
  readonly who: string
}

export interface Holders {
  /** Returns who had the address in turn, from `from` to `to` (`performance.now()`): `1 → 2`. */
  between(from: number, to: number): string
}

export function watchHolders(): Holders {
  const seen: Holder[] = []
  const look = () => {
    const who = ['1', '2'].filter(n => hasIpv6(`director${n}`)).join('+') || 'none'
    if (seen.at(-1)?.who !== who) seen.push({ at: performance.now(), who })
  }
  look()
  const timer = setInterval(look, INTERVAL)
  onCleanup(() => clearInterval(timer))
  return {
    between(from, to) {
      const spans = seen.map(({ at, who }, i) => ({
        who,
        from: Math.max(at, from),
        to: seen[i + 1]?.at ?? to,
      }))
      const lasting = spans.filter(span => Math.min(span.to, to) - span.from >= MOMENT)
      return lasting
        .map(({ who }) => who)
        .filter((who, i, all) => who !== all[i - 1])
        .join(' → ')
    },
  }
}
