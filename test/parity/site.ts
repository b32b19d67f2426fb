/**
 * A short notation for sites and tables of the scenarios. Each service is one line, in a site and in a table:
 *
 *     V1 wlc -> R1 masq 5, R2 masq 7
 *     udp V1:5000 -> R1 masq 5
 *     M1 -> R1 gate 2
 *
 * Defaults: a service is tcp, port 80. A server has the port of its service, or 80 with a firewall mark. In a table the
 * scheduler is wrr. Services of a table are separated by `;`.
 */
import type { Kind } from './servers.js'

/** Directives of a virtual section: `service: 'http'`. Several values give several lines. */
export type Directives = Readonly<Record<string, string | readonly string[]>>

/** Kind and port of the servers R1, R2, R3 and F. */
export type LittleServer = `${Kind} ${number}`

export interface Site {
  /** The virtual sections of an ldirectord.cf. */
  readonly sections: string
  readonly servers: { readonly kind: Kind; readonly port: number } | null
}

/**
 * Returns a site from services, written without a scheduler, and their directives. `servers` is null if none needs to
 * answer.
 */
export function site(
  virtuals: Readonly<Record<string, Directives>>,
  servers: LittleServer | null = 'http 80',
): Site {
  const [kind, port] = servers?.split(' ') ?? []
  return {
    sections: Object.entries(virtuals).map(sectionOf).join(''),
    servers: servers === null ? null : { kind: kind as Kind, port: Number(port) },
  }
}

function sectionOf([line, directives]: readonly [string, Directives]): string {
  const { protocol, id, reals } = serviceOf(line)
  const all = Object.entries({ ...(protocol === 'udp' ? { protocol } : {}), ...directives })
  const lines = all.flatMap(([key, values]) => [values].flat().map(value => `${key}=${value}`))
  return [
    `virtual=${id}`,
    ...[...reals.map(real => `real=${real}`), ...lines].map(line => `    ${line}`),
    '',
  ].join('\n')
}

/** Returns the lines of a table, each with its service: `tcp V1:80 wlc`, `tcp V1:80 | R1:80 masq 5`. */
export function tableLines(text: string): string[] {
  return text
    .split(';')
    .map(line => line.trim())
    .filter(line => line !== '')
    .flatMap(line => {
      const { protocol, id, attributes, reals } = serviceOf(line)
      return [
        `${protocol} ${id} ${attributes === '' ? 'wrr' : attributes}`,
        ...reals.map(real => `${protocol} ${id} | ${real}`),
      ]
    })
}

function serviceOf(line: string) {
  const [service = '', reals = ''] = line.split(' -> ')
  const [, protocol, name = '', attributes = ''] = /^(?:(tcp|udp) )?(\S+) ?(.*)$/.exec(service) ?? []
  const isMark = /^M\d$/.test(name)
  const port = isMark ? '80' : (/:(\w+)$/.exec(name)?.[1] ?? '80')
  return {
    protocol: isMark ? 'fwmark' : (protocol ?? 'tcp'),
    id: isMark ? name : withPort(name, port),
    attributes,
    reals: reals
      .split(', ')
      .filter(real => real !== '')
      .map(real => real.replace(/^\S+/, address => withPort(address, port))),
  }
}

function withPort(address: string, port: string): string {
  return address.includes(':') ? address : `${address}:${port}`
}
