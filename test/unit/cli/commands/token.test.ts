import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openControlSocket } from '../../../../src/api/server.js'
import type { TokenList } from '../../../../src/api/token-types.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/token.js'
import { parseLine } from '../../../../src/cli/parse.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFolder } from '../../../support/folder.js'

const ANNA: TokenList['tokens'] = [
  { name: 'anna', role: 'read', who: 'root', since: '2026-11-28T12:00:00.000Z', until: null },
]

interface Daemon {
  readonly urls?: readonly string[]
  readonly tokens?: TokenList['tokens']
  readonly isFull?: boolean
}

async function token(line: string, { urls = [], tokens = ANNA, isFull = false }: Daemon = {}) {
  const isTaken = (name: string) => tokens.some(one => one.name === name)
  const control = controlOf({
    tokens: {
      list: () => tokens,
      add: async ({ name }) =>
        isFull || isTaken(name) ? null : { token: 'lvsd_1_2', isKept: true, urls: [...urls] },
      revoke: async name => (isTaken(name) ? { isKept: true } : null),
    },
  })
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const server = await openControlSocket(socket, control)
  onCleanup(() => server.close())
  const { context, out, err } = testContext()
  const env = { LVSD_SOCKET: socket }
  const exit = await command.run({
    ...context,
    env,
    ...parseLine(command as never, line.split(' ')),
  } as never)
  return { exit, out: out(), err: err() }
}

describe('lvsd token', () => {
  it('prints the token, and where a browser and a program use it', async () => {
    const { exit, out, err } = await token('add bob', { urls: ['https://[::1]:8080/'] })
    assert.deepEqual([exit, out], [EXIT.ok, 'lvsd_1_2\n'])
    assert.match(err, /^the token is shown this once; a program sends it as Authorization: Bearer TOKEN$/m)
    assert.match(err, /^a browser asks for it: open the page, https:\/\/\[::1\]:8080\/$/m)
  })

  it('says that nothing serves the API', async () => {
    const { err } = await token('add bob')
    assert.match(err, /^the API is not served over TCP: /m)
    assert.doesNotMatch(err, /browser/)
  })

  const refused: [line: string, daemon: Daemon, message: RegExp][] = [
    ['add anna', {}, /^there is a token anna already: revoke it first, or take another name$/],
    ['add bob', { isFull: true }, /^there are as many tokens as lvsd keeps: revoke one that is not used$/],
    ['revoke bob', {}, /^there is no token bob; there are: anna$/],
    ['revoke ana', {}, /^there is no token ana; did you mean "anna"\?$/],
  ]
  for (const [line, daemon, message] of refused)
    it(`ends with 1 where lvsd refuses "${line}"${daemon.isFull ? ', being full' : ''}`, async () => {
      await assert.rejects(token(line, daemon), (error: CommandError) => {
        assert.match(error.message, message)
        return error.exit === EXIT.problem
      })
    })
})
