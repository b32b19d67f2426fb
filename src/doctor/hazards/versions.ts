/** The versions of the kernel and of Node. */
import type { Facts } from '../facts.js'
import { error, type Hazard, type Judgement, note, notKnown, ok } from '../finding.js'
import { isAtLeast, namesOf, servicesOf, withForwarding } from '../uses.js'

interface Since {
  readonly version: readonly [major: number, minor: number]
  readonly what: string
  services(facts: Facts): readonly string[]
}

const withScheduler = (name: string) => (facts: Facts) =>
  namesOf(servicesOf(facts).filter(({ attributes }) => attributes.scheduler === name))

/** What IPVS learned late. */
const LATE: readonly Since[] = [
  { version: [5, 2], what: 'gue tunnels', services: facts => namesOf(withForwarding(facts, 'gue')) },
  { version: [5, 3], what: 'gre tunnels', services: facts => namesOf(withForwarding(facts, 'gre')) },
  { version: [4, 18], what: 'the scheduler mh', services: withScheduler('mh') },
  { version: [5, 12], what: 'the scheduler twos', services: withScheduler('twos') },
]

const kernel: Hazard = {
  id: 'kernel-version',
  judge(facts) {
    const { kernel } = facts.machine
    if (isAtLeast(kernel, 0, 0) === null) return [notKnown('the version of the kernel is not known', '')]
    const missing = LATE.flatMap(since => tooOld(since, facts))
    return missing.length > 0 ? missing : [ok(`kernel ${kernel} has all that the configuration needs`)]
  },
}

function tooOld({ version, what, services }: Since, facts: Facts): readonly Judgement[] {
  const names = services(facts)
  if (names.length === 0 || isAtLeast(facts.machine.kernel, ...version) !== false) return []
  return [
    error(
      `kernel ${facts.machine.kernel} has no ${what.replace(/^the /, '')}`,
      `IPVS has ${what} since Linux ${version.join('.')}. The kernel refuses these services, or drops what it should forward.`,
      { services: names },
    ),
  ]
}

/** The day on which each release line of Node gets its last security fix (nodejs.org, release schedule). */
const ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
}

const node: Hazard = {
  id: 'node-version',
  judge({ machine }) {
    const end = ENDS[Number(machine.node.split('.')[0])]
    if (end === undefined || machine.now < Date.parse(end))
      return [ok(`Node.js ${machine.node} is maintained`)]
    return [
      note(
        `Node.js ${machine.node} gets no security fixes from nodejs.org since ${end}`,
        'lvsd works with it. A distribution may still mend its own package. lvsd reads what real servers send through this program, so a maintained version is better.',
      ),
    ]
  },
}

export const versions: readonly Hazard[] = [kernel, node]
