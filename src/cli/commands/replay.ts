/** lvsd replay: recorded results of checks against another configuration. */
import { type Recording, RecordingError, readRecording } from '../../simulate/recording.js'
import { replay } from '../../simulate/replay.js'
import { CommandError, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit } from '../load-or-exit.js'
import { usageError } from '../parse.js'
import { renderReplay, replayAsJson } from '../terminal/replay.js'

export const command = defineCommand({
  name: 'replay',
  summary: 'Show what another configuration would have made of recorded check results',
  details: `Takes the results that lvsd has recorded (settings: record) to the health and the table of lvsd under another configuration: other
rise, fall, intervals, fastinter, damping. Shows for each real server what happened and what would have happened: removals, the time out of
service, and false removals, after which a check passed again within one interval. Sends nothing and needs no running lvsd.

A recording has no results between its runs: with a shorter interval some runs have none, and the health does not change by them. The
same holds for a longer time limit after a recorded timeout. Both are counted. Checks belong together by their names:
SERVICE/REAL/KIND; what a server would have done with a check that has no recording is not known ("-"). Commands of operators and
maintenance are not in a recording.

What happened is the recorded policy, replayed by the same steps, so that the configuration of the recording makes no difference. Where
it is not recorded, or does not give the recorded removals, it is what the recorded events give; the line "Control" tells this.`,
  arguments: {
    PATH: { about: 'the folder of the recording: lvsd-results in the state folder; or one of its files' },
  },
  options: {
    config: { value: 'CONFIG', about: 'the other configuration: YAML, or an ldirectord.cf' },
    all: { short: 'a', about: 'also list servers without a difference' },
    json: { short: 'j', about: 'the comparison as JSON' },
  },
  examples: [
    ['lvsd replay /var/lib/lvsd/lvsd-results --config other.yaml', 'before a change of fall or interval'],
  ],
  async run(context) {
    const { options } = context
    const path = context.arguments.PATH
    if (options.config === undefined)
      throw usageError('lvsd replay needs --config: the configuration to compare with', 'replay')
    const recording = read(path)
    const { config, checks } = await loadConfigOrExit(options.config, context)
    let isStopped = false
    const forget = context.onSignal(['SIGINT', 'SIGTERM'], () => {
      isStopped = true
    })
    const isInterrupted = () => isStopped || context.outputClosed.aborted
    const report = await replay({ config, checks, recording, path, isInterrupted }).finally(forget)
    for (const problem of report.problems) context.warn(`lvsd: ${problem}`)
    if (options.json) context.printData(replayAsJson(report))
    else context.print(renderReplay(report, { all: options.all }))
    return report.problems.length > 0 ? EXIT.problem : EXIT.ok
  },
})

function read(path: string): Recording {
  try {
    return readRecording(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (!(error instanceof RecordingError) && code === undefined) throw error
    throw new CommandError(message, EXIT.problem, { cause: error })
  }
}
