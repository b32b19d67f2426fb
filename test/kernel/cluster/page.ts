/** The page deploy/cluster/FAULTS.md: what failed at each fault. */
import { spawnSync } from 'node:child_process'
import { release } from 'node:os'
import { version } from '../../../src/system/version.js'
import { RATE } from './client.js'
import type { Fault } from './faults.js'
import type { Durations, Outcome } from './run-fault.js'

const COLUMNS = [
  ...['Part', 'Fault', 'Requests', 'Failed during it', 'Failed after it'],
  ...['Failing for, ms', 'No answer for, ms', '2001:db8::80 on', 'Goal'],
]

/** Returns the page. A fault without an outcome is named as one after which not all was well again. */
export function faultsPage(
  faults: readonly Fault[],
  outcomes: readonly Outcome[],
  durations: Durations,
): string {
  const removed = outcomes.flatMap(({ removals }) => removals)
  const missing = faults.filter(fault => outcomes.every(outcome => outcome.fault !== fault))
  const parts = [
    head(durations),
    removed.length === 0
      ? 'No healthy server left a table of a director in any of them.'
      : list('Healthy servers left a table:', removed),
    starved(outcomes),
    ...(missing.length === 0
      ? []
      : [
          list(
            'Not all was well again after:',
            missing.map(({ part, what }) => `${part}, ${what}`),
          ),
        ]),
    [header(), ...outcomes.map(row)].join('\n'),
    FOOT,
  ]
  return `${parts.join('\n\n')}\n`
}

/** Says for how much of the table the processor of the lab is to blame. */
function starved(outcomes: readonly Outcome[]): string {
  const rows = outcomes
    .filter(({ falseDowns }) => falseDowns > 0)
    .map(({ fault }) => `${fault.part}, ${fault.what}`)
  return rows.length === 0
    ? 'No haproxy took an application server that worked for down.'
    : list(
        'A haproxy that got no processor for its checks of 500 ms took application servers that worked for down, so that part of what failed is owed to the lab:',
        rows,
      )
}

function list(title: string, lines: readonly string[]): string {
  return `${title}\n\n${lines.map(line => `- ${line}`).join('\n')}`
}

function head({ fault, limit }: Durations): string {
  return `# The cluster under faults

Written by \`CLUSTER_FAULTS=all LAB_TIMEOUT=1800 npm run test:kernel -- cluster\`; do not edit.

The machines of [haproxy](haproxy/README.md) as network namespaces of one kernel, with the files of that folder as they are. A
client behind the gateway asks \`http://[2001:db8::80]/\` ${RATE} times a second, each time on a new connection; a request fails if
it is not answered within ${limit / 1000} s. Each fault lasts ${fault / 1000} s, then the part comes back. The next fault begins when director 1 has
the addresses again, both tables are complete, and Redis has its replica.

${versions().join(', ')}. ${where()}`
}

function where(): string {
  return process.env.LAB_KIND === 'uml'
    ? `The kernel is a guest (user-mode Linux) with one processor, which all programs, the client and the watchers of the tables
share. A system call costs 20 µs there and a start of lvsd about 3 s, during which the other programs wait for the processor. So times are
longer than on machines, and the row of no fault shows what fails for this reason alone.`
    : 'All namespaces share the processors of one machine.'
}

const FOOT = `- *Failing for*: from the first request that failed to the last one. *No answer for*: the longest time in which no request was
  answered. Requests whose first packet was lost fail too, because TCP repeats it after 1 s.
- *2001:db8::80 on*: the directors that had the address, in turn, during the fault; behind the semicolon, until all was well again.
- A director that is killed here loses its table, its addresses and its processes at once; its state folder is kept.`

function versions(): string[] {
  const first = (command: string, word: string) => {
    const { stdout, stderr } = spawnSync(command, [word], { encoding: 'utf8' })
    return /\d+\.\d+[.\d]*/.exec(stdout + stderr)?.[0] ?? 'unknown'
  }
  return [
    `lvsd ${version()} on Node.js ${process.versions.node}`,
    `Linux ${release()}`,
    `keepalived ${first('keepalived', '--version')}`,
    `haproxy ${first('haproxy', '-v')}`,
    `Redis ${first('redis-server', '--version')}`,
  ]
}

function header(): string {
  return `| ${COLUMNS.join(' | ')} |\n|${' --- |'.repeat(COLUMNS.length)}`
}

function row({ fault, sent, during, after, failing, silence, holders }: Outcome): string {
  const cells = [
    ...[fault.part, fault.what, sent, during, after],
    ...[Math.round(failing), Math.round(silence), holders.join('; '), fault.goal],
  ]
  return `| ${cells.join(' | ')} |`
}
