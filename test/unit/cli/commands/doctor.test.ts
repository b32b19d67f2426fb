import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openControlSocket } from '../../../../src/api/server.js'
import { EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/doctor.js'
import { type DoctorView, renderFindings } from '../../../../src/cli/terminal/doctor.js'
import { error, type Finding, note, notKnown, ok, warning } from '../../../../src/doctor/finding.js'
import { onCleanup } from '../../../support/after-each.js'
import { statusDocument } from '../../../support/cli/documents.js'
import { testContext } from '../../../support/context.js'
import { controlOf } from '../../../support/control.js'
import { temporaryFile, temporaryFolder } from '../../../support/folder.js'

const GOOD = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    reals: ['[::1]:80 masq']
`

async function doctor(text: string | null, options: { all?: boolean; json?: boolean } = {}) {
  const { context, out } = testContext()
  const file = text === null ? undefined : temporaryFile('site.yaml', text)
  const exit = await command.run({
    ...context,
    options: { all: false, json: false, socket: '/none/lvsd.sock', ...options },
    arguments: { CONFIG: file },
  })
  return { exit, out: out() }
}

describe('lvsd doctor', () => {
  it('examines this machine for a configuration', async () => {
    const { exit, out } = await doctor(GOOD)
    assert.equal(exit, EXIT.problem)
    assert.match(out, /2001:db8::80 is not an address of this machine/)
    assert.match(out, /no lvsd runs here/)
    assert.doesNotMatch(out, /site\.yaml is valid/)
    for (const line of out.split('\n').filter(line => !line.startsWith('      ')))
      assert.ok(line.length <= 80, line)
  })

  it('asks the lvsd at $LVSD_SOCKET also where the configuration names another socket', async () => {
    const path = join(temporaryFolder(), 'lvsd.sock')
    const socket = await openControlSocket(path, controlOf())
    onCleanup(() => socket.close())
    const { context, out } = testContext()
    await command.run({
      ...context,
      env: { LVSD_SOCKET: path },
      options: { all: true, json: false, socket: undefined },
      arguments: { CONFIG: temporaryFile('site.yaml', `settings: { socket: /none/lvsd.sock }${GOOD}`) },
    })
    assert.match(out(), /daemon: lvsd \S+ runs/)
  })

  it('leaves out the table of the kernel where lvsd has its own in memory, unless a configuration is given', async () => {
    const path = join(temporaryFolder(), 'lvsd.sock')
    const file = temporaryFile('site.yaml', GOOD)
    const document = statusDocument({ kernel: 'memory' })
    const status = async () => ({ ...document, config: { ...document.config, file } })
    const socket = await openControlSocket(path, controlOf({ status }))
    onCleanup(() => socket.close())
    const found = async (CONFIG?: string) => {
      const { context, out } = testContext()
      const options = { all: false, json: false, socket: path }
      await command.run({ ...context, options, arguments: { CONFIG } })
      return out()
    }
    const alone = await found()
    assert.match(alone, /with its table in memory/)
    assert.doesNotMatch(alone, /is not an address of this machine/)
    assert.match(await found(file), /is not an address of this machine/)
  })

  it('lists the passed findings with --all', async () => {
    assert.match((await doctor(GOOD, { all: true })).out, /configuration: .*site\.yaml is valid/)
  })

  it('reports that a configuration cannot run, and continues', async () => {
    const { exit, out } = await doctor('services: 3\n')
    assert.equal(exit, EXIT.problem)
    assert.match(out, /cannot run: 1 error/)
    assert.match(out, /clock|node-version|ipvs-module/)
  })

  it('prints the same as JSON, with the schema number', async () => {
    const { out } = await doctor(GOOD, { json: true })
    const { schema, file, findings } = JSON.parse(out) as {
      schema: number
      file: string
      findings: Finding[]
    }
    assert.equal(schema, 1)
    assert.match(file, /site\.yaml$/)
    const missing = findings.find(({ id }) => id === 'virtual-address')
    assert.deepEqual(missing?.commands, ['ip address add 2001:db8::80/128 dev INTERFACE'])
    assert.deepEqual(missing?.services, ['web'])
  })

  it('refuses a file that is not there', async () => {
    const { context } = testContext()
    const options = { all: false, json: false, socket: undefined }
    const run = command.run({ ...context, options, arguments: { CONFIG: '/none.yaml' } })
    await assert.rejects(run, /there is no file \/none\.yaml/)
  })
})

describe('the findings of doctor on a terminal', () => {
  const long = `${'word '.repeat(40).trim()}.`
  const found: readonly Finding[] = [
    {
      id: 'one',
      ...error('it is broken', long, { commands: ['sysctl -w net.ipv4.ip_forward=1'], services: ['web'] }),
    },
    { id: 'two', ...warning('it will break', long) },
    { id: 'three', ...note('it is odd', long) },
    { id: 'four', ...notKnown('it is hidden', 'Run as root.') },
    { id: 'five', ...ok('it is well') },
  ]
  const view: DoctorView = { width: 80, colour: false, all: false, file: 'a.yaml', isRoot: false }

  it('are grouped, the worst first, with what is well left out', () => {
    const text = renderFindings(found, view)
    assert.deepEqual(
      text.split('\n').flatMap(line => /^ {2}(\w+): /.exec(line)?.[1] ?? []),
      ['one', 'two', 'three', 'four'],
    )
    assert.match(text, /^ {6}sysctl -w net\.ipv4\.ip_forward=1$/m)
    assert.match(text, /^ {4}Service: web$/m)
    assert.match(text, /this machine for a\.yaml: 1 error, 1 warning, 1 note, 1 not known, 1 well \(--all/)
    assert.match(text, /gone after a reboot/)
    assert.match(text, /Run as root \(sudo\)/)
  })

  for (const width of [40, 60, 80, 200, Number.POSITIVE_INFINITY])
    it(`fit into ${width} columns, and into 80 in any case`, () => {
      for (const line of renderFindings(found, { ...view, width, all: true }).split('\n'))
        assert.ok(line.length <= Math.min(width, 80), line)
    })
})
