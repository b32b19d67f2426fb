/** Whether lvsd runs, and runs the file. */
import type { Site } from '../facts.js'
import { error, type Hazard, type Judgement, note, notKnown, ok } from '../finding.js'

export const daemon: Hazard = {
  id: 'daemon',
  judge({ site, machine }) {
    const { daemon } = machine
    if (daemon.state === 'not known') return [notKnown('whether lvsd runs is not known', `${daemon.why}.`)]
    if (daemon.state === 'absent')
      return [
        note(
          'no lvsd runs here',
          'No real server is checked, and the table stays as it is. Limits and rights are judged for this command, not for the service lvsd.',
          { commands: ['systemctl start lvsd'] },
        ),
      ]
    const lost =
      daemon.lost === null
        ? []
        : [
            error(
              `lvsd has lost its network: ${daemon.lost}`,
              'Its table stays as it is, and failed checks do not count. If this director works without what does not answer, change connectivity in its configuration.',
              { commands: ['lvsd status', 'ip -brief link', 'ip neighbour'] },
            ),
          ]
    const runs = `lvsd ${daemon.version} runs (pid ${daemon.pid})`
    if (daemon.keptSince === null) return [daemon.isInMemory ? inMemory(runs) : ok(runs), ...lost]
    return [
      ...lost,
      error(
        'lvsd does not run its file, but an older configuration',
        `The file could not run when lvsd started, so lvsd runs the configuration that it accepted at ${daemon.keptSince}. Changes of the file since then are not in force. ${canRun(site) ? 'It can run now.' : 'A reload refuses the file until it is repaired.'}`,
        { commands: canRun(site) ? ['lvsd reload'] : [showsErrors(site), 'lvsd reload'] },
      ),
    ]
  },
}

function canRun(site: Site | null): boolean {
  return site?.isReadable === true && site.errors === 0
}

function showsErrors(site: Site | null): string {
  return site ? `lvsd validate ${site.file}` : 'lvsd status'
}

function inMemory(runs: string): Judgement {
  return note(
    `${runs}, with its table in memory`,
    'No packet of a client goes by this table. So what only the kernel and its table need is left out: forwarding, modules, virtual addresses. lvsd doctor with the name of a configuration examines all of it.',
  )
}
