/** lvsd run: runs the daemon in the foreground. */

import { TABLES } from '../../ipvs/table.js'
import { type CommandContext, defineCommand } from '../command.js'
import type { RunSignals } from '../run-director.js'

export const command = defineCommand({
  name: 'run',
  summary: 'Run the director in the foreground',
  details: [
    'Reads the configuration (YAML, or an ldirectord.cf as it is), takes over what the kernel already holds,',
    'checks the real servers and keeps the IPVS table up to date. SIGHUP reads the configuration again: all of it',
    'or nothing. SIGTERM, SIGINT and SIGQUIT stop lvsd; the table stays, except services with cleanstop.',
    'If the file cannot run at a start, the last accepted configuration runs, if there is one.',
    'With --kernel memory, which is for trials, events, results, overrides and tokens are not stored.',
  ].join('\n'),
  arguments: { CONFIG: { about: 'the configuration file' } },
  options: {
    kernel: {
      about: 'the table to keep: the kernel’s, or one in memory that nobody else sees',
      value: 'TABLE',
      choices: TABLES,
      default: 'netlink',
    },
    socket: { about: 'control socket, in place of the configuration’s', value: 'PATH' },
    state: { about: 'folder of the ownership journal, in place of the configuration’s', value: 'DIR' },
  },
  examples: [
    ['lvsd run /etc/lvsd/lvsd.yaml', 'keep the kernel’s table'],
    ['lvsd run /etc/ha.d/ldirectord.cf', 'the same from ldirectord’s file'],
    ['lvsd run site.yaml --kernel memory --socket /tmp/lvsd.sock', 'try it without root'],
  ],
  async run({ options, arguments: { CONFIG: file }, env, screen, warn, onSignal }) {
    const signals = signalsOf(onSignal)
    const { runDirector } = await import('../run-director.js')
    return runDirector({ options, file, env, screen, warn, onSignal, signals })
  },
})

/** Handles signals from the beginning to the end, so that a signal neither ends lvsd at a wrong time nor is lost. */
function signalsOf(onSignal: CommandContext['onSignal']): RunSignals {
  let isReloadWanted = false
  let reload = () => {
    isReloadWanted = true
  }
  let isStopped = false
  onSignal(['SIGHUP'], () => reload())
  const stopped = new Promise<void>(resolve =>
    onSignal(['SIGTERM', 'SIGINT', 'SIGQUIT'], () => {
      isStopped = true
      resolve()
    }),
  )
  return {
    stopped,
    isStopped: () => isStopped,
    onReload: call => {
      reload = call
      if (isReloadWanted) reload()
    },
  }
}
