import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { openControlSocket } from '../../../../src/api/server.js'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/alert.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFile, temporaryFolder } from '../../../support/folder.js'
import { httpServer } from '../../../support/servers.js'

const NOWHERE = '/nowhere'

async function run(text: string, RECEIVER?: string, json = false, socket = NOWHERE) {
  const config = socket === NOWHERE ? temporaryFile('site.yaml', text) : undefined
  const { context, out, err } = testContext()
  const options = { config, socket, json }
  const exit = await command.run({ ...context, options, arguments: { WHAT: 'test', RECEIVER } } as never)
  return { exit, out: out(), err: err() }
}

const site = (alerts: string) => `alerts:
${alerts}
services:
  web: { virtual: '[2001:db8::80]:80', check: connect, reals: ['[2001:db8::1]:80'] }
`

/** A web server with the bodies that it got. */
async function hook(status = 204) {
  const bodies: string[] = []
  const { port } = await httpServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      bodies.push(body)
      response.writeHead(status).end()
    })
  })
  return { bodies, url: `http://[::1]:${port}/secret-path` }
}

describe('lvsd alert test', () => {
  it('sends a test alert to each receiver and shows what each answered', async () => {
    const chat = await hook()
    const { exit, out } = await run(
      site(`  chat: { webhook: '${chat.url}' }\n  pager: { command: [/bin/sh, -c, 'echo "$LVSD_ALERT"'] }`),
    )
    const { origin } = new URL(chat.url)
    assert.deepEqual(
      out
        .replaceAll(/\d+ ms/g, 'N ms')
        .trimEnd()
        .split('\n'),
      [
        `accepted  chat  webhook ${origin}`,
        '    204 No Content, N ms',
        'accepted  pager  command /bin/sh',
        '    exit 0, N ms',
        '    printed: alert.test',
      ],
    )
    assert.equal(exit, EXIT.ok)
    assert.equal(JSON.parse(chat.bodies[0] ?? '').alerts[0].alert, 'alert.test')
  })

  it('has the exit code 1 if one of them does not accept it', async () => {
    const [well, broken] = [await hook(), await hook(500)]
    const alerts = `  a: { webhook: '${well.url}' }\n  b: { webhook: '${broken.url}' }`
    const { exit, out } = await run(site(alerts))
    assert.equal(exit, EXIT.problem)
    assert.match(out, /failed {2}b {2}webhook .*\n {4}answers 500 Internal Server Error, \d+ ms/)
    assert.ok(!out.includes('secret-path'))
    assert.equal((await run(site(alerts), 'a')).exit, EXIT.ok)
  })

  it('has a row for each Alertmanager, and JSON', async () => {
    const [one, two] = [await hook(200), await hook(200)]
    const urls = [one, two].map(({ url }) => `'${new URL(url).origin}'`).join(', ')
    const { out } = await run(site(`  am: { alertmanager: [${urls}] }`), undefined, true)
    const { schema, receivers } = JSON.parse(out)
    assert.equal(schema, 1)
    assert.deepEqual(
      receivers.map(({ receiver, kind, to, ok }: Record<string, unknown>) => [receiver, kind, to, ok]),
      [one, two].map(({ url }) => ['am', 'alertmanager', new URL(url).origin, true]),
    )
    assert.equal(JSON.parse(two.bodies[0] ?? '')[0].labels.alertname, 'alert.test')
  })

  it('reads the file of the running lvsd', async () => {
    const chat = await hook()
    const file = temporaryFile('site.yaml', site(`  chat: { webhook: '${chat.url}' }`))
    const socket = join(temporaryFolder(), 'lvsd.sock')
    // As if it was started with a relative path.
    const status = async () =>
      ({ config: { file: relative(process.cwd(), file) }, pid: process.pid }) as never
    const server = await openControlSocket(socket, controlOf({ status }))
    onCleanup(() => server.close())
    assert.equal((await run('', undefined, false, socket)).exit, EXIT.ok)
    assert.equal(chat.bodies.length, 1)
  })

  it('says which receivers there are', async () => {
    const unknown = run(site("  chat: { webhook: 'http://x.example/' }"), 'chta')
    await assert.rejects(unknown, (error: CommandError) => {
      assert.equal(error.message, 'there is no receiver "chta"; did you mean "chat"?')
      return error.exit === EXIT.usage
    })
    await assert.rejects(run(site('').replace('alerts:\n', '')), /has no receivers of alerts/)
  })
})
