/**
 * Sites and tables of the scenarios in short. A service is one line, in a site as in a table:
 *
 *     V1 wlc -> R1 masq 5, R2 masq 7
 *     udp V1:5000 -> R1 masq 5
 *     M1 -> R1 gate 2
 *
 * Without a word before it a service is tcp, at port 80; a server has the port of its service, or 80 behind a mark. In a
 * table the scheduler is wrr where none stands. Services of a table are parted by `;`.
 */
import type { Kind } from './servers.js'

/** What follows a service in the file: `service: 'http'`; several values are several lines. */
export type Directives = Readonly<Record<string, string | readonly string[]>>

/** What R1, R2, R3 and F are, and on which port. */
export type LittleServer = `${Kind} ${number}`

export interface Site {
  /** The virtual sections of an ldirectord.cf. */
  readonly sections: string
  readonly servers: { readonly kind: Kind; readonly port: number } | null
}

/** Services with their directives; no scheduler stands in their lines. The servers are null where none need answer. */
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

/** The lines of a table, each with its service: `tcp V1:80 wlc`, `tcp V1:80 | R1:80 masq 5`. */
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
