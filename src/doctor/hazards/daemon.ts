/** Whether lvsd runs, and runs the file. */
import { error, type Hazard, note, notKnown, ok } from '../finding.js'

export const daemon: Hazard = {
  id: 'daemon',
  judge({ machine }) {
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
    if (daemon.keptSince === null) return [ok(`lvsd ${daemon.version} runs (pid ${daemon.pid})`), ...lost]
    return [
      ...lost,
      error(
        'lvsd does not run its file, but an older configuration',
        `The file could not run when lvsd started, so lvsd runs the configuration that it accepted at ${daemon.keptSince}. Changes of the file since then are not in force.`,
        { commands: ['lvsd reload'] },
      ),
    ]
  },
}
