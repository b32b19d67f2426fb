/** Other programs that change the table. */
import type { Program } from '../facts.js'
import { type Hazard, type Judgement, note, notKnown, ok, warning } from '../finding.js'

export const programs: Hazard = {
  id: 'other-programs',
  judge({ machine }) {
    if (machine.programs === null)
      return [notKnown('whether other programs change the table is not known', '/proc cannot be read.')]
    if (machine.programs.length === 0) return [ok('no other program that changes the table runs here')]
    const names = [...new Set(machine.programs.map(({ name }) => name))]
    return names.map(name => judgeProgram(machine.programs?.filter(each => each.name === name) ?? []))
  },
}

const STOPS: Readonly<Record<Program['name'], readonly string[]>> = {
  keepalived: [],
  ldirectord: ['systemctl disable --now ldirectord'],
  pacemaker: ['crm_mon -1'],
  heartbeat: [],
  'kube-proxy': [],
}

/** How a program touches services that are not its own. */
const EXCEPT: Partial<Readonly<Record<Program['name'], string>>> = {
  keepalived: ', unless keepalived has lvs_flush, which empties the whole table',
  'kube-proxy':
    ', but kube-proxy removes services that it does not know, unless ipvs.excludeCIDRs names their addresses',
}

function judgeProgram(running: readonly Program[]): Judgement {
  const [{ name, pid } = { name: 'keepalived', pid: 0 } as const] = running
  const who = `${name} runs here (pid ${pid})`
  const commands = STOPS[name]
  if (name === 'pacemaker' || name === 'heartbeat')
    return note(
      who,
      'It changes the table only through a resource such as ocf:heartbeat:ldirectord. If it starts ldirectord beside lvsd, both change the same services. lvsd can take the place of that resource: see deploy/README.md.',
      { commands },
    )
  if (running.every(({ writesTable }) => writesTable === false))
    return ok(`${who}, and does not change the table`)
  const isCertain = running.some(({ writesTable }) => writesTable)
  return (isCertain ? warning : note)(
    `${who} and ${isCertain ? 'changes' : 'may change'} the IPVS table`,
    `Two programs that write the same services undo each other's work: each takes servers out or puts them back as it sees them, and lvsd repairs that at every resync. With different services they leave each other alone${EXCEPT[name] ?? ''}. Let only one of them have the table.`,
    { commands },
  )
}
