/** lvsd token: makes, lists and revokes tokens of the API over TCP. */
import { addToken, fetchTokens, revokeToken } from '../../api/client.js'
import type { TokenAdded, TokenList, TokenRevoked } from '../../api/token-types.js'
import { printable } from '../../util/printable.js'
import { dateTime } from '../../util/time-text.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT, type ExitCode } from '../command.js'
import { endOf } from '../override-end.js'
import { usageError } from '../parse.js'
import { columns } from '../terminal/columns.js'

const ACTIONS = ['add', 'list', 'revoke'] as const

export const command = defineCommand({
  name: 'token',
  summary: 'Make, list or revoke tokens of the API over TCP',
  details: `A token lets a program or a browser use the API and the page over TCP, where the configuration has "api:".
- add NAME makes a token and prints it, once. lvsd stores only a salted hash of it.
- list shows names, roles, ends and who made them.
- revoke NAME ends a token at once, with all that is being sent for it.

The role read sees everything; operate also drains, enables, rechecks and reloads. On the control socket no token is needed.`,
  arguments: {
    ACTION: { about: 'add, list or revoke', choices: ACTIONS },
    NAME: { about: 'the name of the token, which stands in the log and in overrides', optional: true },
  },
  options: {
    role: { value: 'ROLE', choices: ['read', 'operate'], default: 'read', about: 'what it may do' },
    for: { value: 'TIME', about: 'how long it is valid: 2h, 90d; without it until it is revoked' },
    until: { value: 'TIME', about: 'until then, local time: 2026-12-31T00:00' },
    ...socketOption,
    json: { short: 'j', about: 'the answer as JSON' },
  },
  examples: [
    ['lvsd token add prometheus', 'a token that reads, for a program'],
    ['lvsd token add anna --role operate --for 90d', 'for a person who drains servers on the page'],
    ['lvsd token revoke anna', 'at once'],
  ],
  async run(context) {
    const { ACTION: action, NAME: name } = context.arguments
    const socket = socketPath(context.options.socket, context.env)
    if (action === 'list') return show(await askDaemon(fetchTokens(socket)), context)
    if (action !== 'add' && action !== 'revoke')
      throw usageError(`expected add, list or revoke, not "${action}"`, 'token')
    if (name === undefined) throw usageError(`${action} needs the name of a token`, 'token')
    if (action === 'revoke') return revoked(name, await askDaemon(revokeToken(socket, name)), context)
    const { role } = context.options
    const until = endOf(context.options, Date.now(), 'token')
    return added(await askDaemon(addToken(socket, { name, role, until })), context)
  },
})

type Context = Pick<
  CommandContext<{ readonly json: { readonly about: string } }>,
  'options' | 'print' | 'printData' | 'warn'
>

function added({ token, isKept, urls }: TokenAdded, context: Context): ExitCode {
  if (context.options.json) context.printData(JSON.stringify({ token, isKept, urls }, null, 2))
  else context.print(token)
  context.warn('the token is shown this once; a program sends it as Authorization: Bearer TOKEN')
  if (urls.length === 0)
    context.warn(
      'the API is not served over TCP: the configuration has no "api:", or no address of it is open',
    )
  else context.warn(`a browser asks for it: open the page, ${urls.join(' or ')}`)
  if (!isKept) context.warn(NOT_KEPT)
  return isKept ? EXIT.ok : EXIT.problem
}

function revoked(name: string, { isKept }: TokenRevoked, context: Context): ExitCode {
  if (context.options.json) context.printData(JSON.stringify({ revoked: name, isKept }, null, 2))
  else context.print(`the token ${name} is revoked`)
  if (!isKept) context.warn(NOT_KEPT)
  return isKept ? EXIT.ok : EXIT.problem
}

const NOT_KEPT = 'the state folder cannot be written: a restart of lvsd would not know this'

function show(list: TokenList, context: Context): ExitCode {
  const { tokens } = list
  if (context.options.json) context.printData(JSON.stringify(list, null, 2))
  else if (tokens.length === 0) context.print('there are no tokens')
  else {
    const rows = tokens.map(({ name, role, who, since, until }) => [
      name,
      role,
      until === null ? 'no end' : `until ${dateTime(Date.parse(until))}`,
      `made by ${printable(who)} ${dateTime(Date.parse(since))}`,
    ])
    context.print(columns(rows))
  }
  return EXIT.ok
}
