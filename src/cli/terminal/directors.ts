/** Formats the directors of a site for people. Pure. */
import type { DirectorStatus, DirectorsDocument } from '../../api/cluster-status-types.js'
import { painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { formatUptime } from '../../util/time-text.js'
import { wrap } from '../../util/wrap-text.js'
import { clip, columns } from './columns.js'

export interface DirectorsView {
  readonly width: number
  readonly colour: boolean
}

const HEAD = ['DIRECTOR', 'ROLE', 'UP FOR', 'SEEN', 'VERSION', 'CONFIGURATION']

export function renderDirectors(document: DirectorsDocument, { width, colour }: DirectorsView): string {
  const { site, redis, directors, activeTrouble } = document
  const paint = painter(colour)
  if (site === null) return 'This director serves alone: its configuration has no cluster.'
  if (!redis) return `This director of ${printable(site)} knows no other: its configuration has no Redis.`
  const now = Date.parse(document.now)
  const away =
    redis.state === 'away'
      ? [
          paint('red', `Redis is away: ${printable(redis.detail ?? '')}`),
          'The directors, as they were before:',
          '',
        ]
      : []
  const gone = directors.filter(({ goneAt }) => goneAt !== null).length
  const lost = gone > 0 ? `, and ${gone} that ${gone === 1 ? 'is' : 'are'} gone` : ''
  const head = `${counted(directors.length - gone, 'director')} in ${printable(site)}${lost}`
  const table = columns([HEAD, ...directors.map(one => rowOf(one, now))])
  const lines = [
    ...away,
    head,
    '',
    ...table.split('\n'),
    ...(activeTrouble === null
      ? []
      : [
          '',
          ...wrap(`! ${printable(activeTrouble)}`, width)
            .split('\n')
            .map(line => paint('red', line)),
        ]),
    ...differences(directors, width),
    ...sharing(document),
  ]
  return lines.map(line => clip(line, width)).join('\n')
}

function sharing({ verdicts }: DirectorsDocument): readonly string[] {
  if (!verdicts) return []
  const { observers, asked, heard, disputed, differing, shares } = verdicts
  const by = observers === 1 ? 'One director runs each check' : `${observers} directors run each check`
  const views = disputed > 0 ? [`Of ${counted(disputed, 'check')} they say different things.`] : []
  const odd = differing.map(host => `${printable(host)} finds other servers down than all others do.`)
  const rows = shares.map(({ host, isSelf, verdicts: says, oldestSeconds }) => [
    `${printable(host)}${isSelf ? ' (this)' : ''}`,
    String(says),
    oldestSeconds === null ? '-' : `${oldestSeconds.toFixed(1)}s ago`,
  ])
  const table = columns([['DIRECTOR', 'VERDICTS', 'OLDEST RESULT'], ...rows]).split('\n')
  const total = `${by}: this one runs ${asked} and hears of ${heard}.`
  return ['', total, ...views, ...odd, '', ...table]
}

function rowOf(
  { host, isSelf, role, startedAt, seenAt, version, config, differs, goneAt }: DirectorStatus,
  now: number,
) {
  const ago = (at: string) => formatUptime(now - Date.parse(at))
  return [
    `${printable(host)}${isSelf ? ' (this)' : ''}`,
    goneAt === null ? role : 'gone',
    goneAt === null ? ago(startedAt) : '-',
    isSelf ? '-' : `${ago(seenAt)} ago`,
    printable(version),
    differs === null ? config.slice(0, 8) : `${config.slice(0, 8)} differs`,
  ]
}

function differences(directors: readonly DirectorStatus[], width: number): readonly string[] {
  const lines = directors.flatMap(({ host, differs }) => {
    if (differs === null) return []
    const names = differs.length === 0 ? 'not known yet' : differs.map(printable).join(', ')
    return [clip(`${printable(host)} has other services: ${names}`, width)]
  })
  return lines.length > 0 ? ['', ...lines] : []
}
