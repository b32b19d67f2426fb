import assert from 'node:assert/strict'
import { EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/validate.js'
import { testContext } from '../../../support/context.js'
import { temporaryFile } from '../../../support/folder.js'

const GOOD = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80']
`

describe('lvsd validate', () => {
  it('summarizes a valid configuration', async () => {
    const { exit, out } = await validate('good.yaml', GOOD)
    assert.equal(exit, EXIT.ok)
    assert.match(out, /good\.yaml is valid: 1 service, 2 real servers, 2 checks$/m)
  })

  it('shows all problems at once, each with its line and a caret, and counts them', async () => {
    const { exit, out } = await validate(
      'bad.yaml',
      GOOD.replace('check:', 'chek:').replace('::12]', '::zz]'),
    )
    assert.equal(exit, EXIT.problem)
    assert.match(out, /bad\.yaml:5:5 UNKNOWN_KEY .*"check"/)
    assert.match(out, /bad\.yaml:6:\d+ BAD_ADDRESS/)
    assert.match(out, /^ +\^+$/m)
    assert.match(out, /bad\.yaml cannot run: 2 errors/)
  })

  it('prints the same as JSON', async () => {
    const good = await validate('good.yaml', GOOD, true)
    const { ok, services, reals, problems } = JSON.parse(good.out)
    assert.deepEqual({ ok, services, reals, problems }, { ok: true, services: 1, reals: 2, problems: [] })
    const bad = JSON.parse((await validate('bad.yaml', 'services: 3', true)).out)
    assert.equal(bad.ok, false)
    assert.equal(bad.problems[0].severity, 'error')
  })

  it('counts warnings as errors where that is wanted', async () => {
    const doubtful = GOOD.replace(
      'services:',
      'defaults: { check: { interval: 20ms, kind: connect } }\nservices:',
    )
    assert.equal((await validate('a.yaml', doubtful)).exit, EXIT.ok)
    const strict = await validate('a.yaml', doubtful, false, true)
    assert.equal(strict.exit, EXIT.problem)
    assert.match(strict.out, /a\.yaml can run, but not with --strict: 1 warning/)
    assert.equal(JSON.parse((await validate('a.yaml', doubtful, true, true)).out).ok, false)
    assert.equal((await validate('good.yaml', GOOD, false, true)).exit, EXIT.ok)
  })

  it('says that a file is not there', async () => {
    const { context, out } = testContext()
    const options = { json: false, strict: false }
    assert.equal(
      await command.run({ ...context, options, arguments: { CONFIG: '/none.yaml' } }),
      EXIT.problem,
    )
    assert.match(out(), /\/none\.yaml.*FILE_UNREADABLE/)
  })
})

async function validate(name: string, text: string, json = false, strict = false) {
  const { context, out } = testContext()
  const CONFIG = temporaryFile(name, text)
  const exit = await command.run({ ...context, options: { json, strict }, arguments: { CONFIG } })
  return { exit, out: out() }
}
