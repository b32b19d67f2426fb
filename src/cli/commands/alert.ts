/** lvsd alert: sends a test alert to the receivers of a configuration. */
import { readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { fetchStatus } from '../../api/client.js'
import type { AlertReceiver } from '../../core/alert-receiver.js'
import { openResolver } from '../../names/lookup.js'
import { lookupBy } from '../../names/net-lookup.js'
import { prepareHttp } from '../../notify/alerts/http-post.js'
import { testReceivers } from '../../notify/alerts/test-alert.js'
import { version } from '../../system/version.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { CommandError, defineCommand, EXIT } from '../command.js'
import { loadConfigOrExit } from '../load-or-exit.js'
import { usageError } from '../parse.js'
import { renderTested } from '../terminal/alert.js'

/** Version of the JSON. */
const SCHEMA = 1

export const command = defineCommand({
  name: 'alert',
  summary: 'Send a test alert to the receivers of alerts',
  details: `"lvsd alert test" sends the alert "alert.test" to each receiver of the configuration, or to one, and shows what it
answered. It makes one attempt, from this command and with its rights, not from the running lvsd. Without --config it
reads the file of the running lvsd. An Alertmanager shows the alert for 4 minutes. The exit code is 0 if all receivers
have accepted it.`,
  arguments: {
    WHAT: { about: 'test', choices: ['test'] },
    RECEIVER: { about: 'only this receiver, by its name', optional: true },
  },
  options: {
    config: { short: 'c', value: 'FILE', about: 'the configuration, in place of that of the running lvsd' },
    ...socketOption,
    json: { short: 'j', about: 'the outcome as JSON' },
  },
  examples: [
    ['lvsd alert test', 'all receivers of the running lvsd'],
    ['lvsd alert test ops --config /etc/lvsd/lvsd.yaml', 'one receiver of a file, before a reload'],
  ],
  async run(context) {
    const { options, env, screen } = context
    const { WHAT, RECEIVER } = context.arguments
    if (WHAT !== 'test') throw usageError(`"${WHAT}" is not a word of alert: expected test`, 'alert')
    const file = options.config ?? (await fileOfDaemon(socketPath(options.socket, env)))
    const { config } = await loadConfigOrExit(file, context)
    const receivers = named(config.alerts ?? [], RECEIVER, file)
    const resolver = openResolver()
    // Not part of the times that are shown.
    await prepareHttp()
    const parts = { host: hostname(), version: version(), lookup: lookupBy(resolver) }
    const tested = await testReceivers(receivers, parts)
    resolver.close()
    if (options.json) context.printData(JSON.stringify({ schema: SCHEMA, file, receivers: tested }, null, 2))
    else context.print(renderTested(tested, screen))
    return tested.every(({ ok }) => ok) ? EXIT.ok : EXIT.problem
  },
})

/** Returns the file of the running lvsd; a relative path begins in the folder in which that was started. */
async function fileOfDaemon(socket: string): Promise<string> {
  const { config, pid } = await askDaemon(fetchStatus(socket))
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '')
  return isAbsolute(config.file) ? config.file : join(folder, config.file)
}

function named(
  receivers: readonly AlertReceiver[],
  name: string | undefined,
  file: string,
): readonly AlertReceiver[] {
  if (receivers.length === 0)
    throw new CommandError(`${file} has no receivers of alerts (alerts:)`, EXIT.problem)
  const found = receivers.filter(receiver => name === undefined || receiver.name === name)
  if (found.length > 0) return found
  const names = receivers.map(receiver => receiver.name)
  throw new CommandError(`there is no receiver "${name}"${didYouMeanOf(name ?? '', names)}`, EXIT.usage)
}
