import assert from 'node:assert/strict'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command } from '../../../../src/cli/commands/probe.js'
import { unsteadyServer, webServer } from '../../../../src/cli/demo/servers.js'
import { type Probed, renderProbed } from '../../../../src/cli/terminal/probe.js'
import type { CheckResult } from '../../../../src/core/model.js'
import { weightFrom } from '../../../../src/core/weight-hint.js'
import { onCleanup } from '../../../support/after-each.js'
import { testContext } from '../../../support/context.js'
import { temporaryFile } from '../../../support/folder.js'

describe('lvsd probe', () => {
  it('shows the phases of a check that passes', async () => {
    const site = await startSite()
    const { exit, out } = await probe(site, 'web', `[::1]:${site.well}`)
    assert.equal(exit, EXIT.ok)
    assert.match(out, new RegExp(`^  \\[::1\\]:${site.well}  http  up  [\\d.]+m?s\\n    200 OK`, 'm'))
    assert.match(out, /^ {6}connect +[\d.]+ms {2}at +[\d.]+ms$/m)
    assert.match(out, /^ {6}first byte /m)
    assert.match(out, /^1 check: 1 up, 0 down$/m)
    assert.match(out, /^web {2}\S+ {2}up {2}weight 1 {2}1 of 1 pass, 1 needed\n1 real server: 1 up, 0 down$/m)
  })

  it('ends with 1 when any check fails, and says why', async () => {
    const { exit, out } = await probe(await startSite())
    assert.equal(exit, EXIT.problem)
    assert.match(out, /http {2}down .*\n {4}status 500/)
    assert.match(out, /nowhere\.invalid:80 {2}http {2}down .*\n {4}name: nowhere\.invalid does not resolve/)
    assert.match(out, /^3 checks: 1 up, 2 down$/m)
  })

  it('ends with the verdict on each server, which is that of the exit code', async () => {
    const site = await startSite()
    const [any, all] = [`checks: [connect, off], need: any`, `checks: [connect, off]`].map(checks =>
      temporaryFile(
        'site.yaml',
        `services:\n  web: { virtual: '[2001:db8::80]:80', ${checks}, reals: ['[::1]:${site.well} masq 7'] }\n`,
      ),
    )
    const one = await probe({ file: any as string })
    assert.equal(one.exit, EXIT.ok)
    assert.match(
      one.out,
      /^2 checks: 1 up, 1 down\n\nweb {2}\S+ {2}up {2}weight 7 {2}1 of 2 pass, 1 needed\n/m,
    )
    const both = await probe({ file: all as string })
    assert.equal(both.exit, EXIT.problem)
    assert.match(both.out, /^web {2}\S+ {2}down {2} +1 of 2 pass, 2 needed\n1 real server: 0 up, 1 down/m)
  })

  it('runs no check that needs the table of a running lvsd, counts it as no failure, and is not well without another', async () => {
    const { well } = await startSite()
    const siteOf = (check: string) => ({
      file: temporaryFile(
        'site.yaml',
        `services: { web: { virtual: '[2001:db8::80]:${well}', reals: ['[::1]:${well}'], ${check} } }`,
      ),
    })
    const alone = await probe(siteOf('check: http, path: service'))
    assert.equal(alone.exit, EXIT.problem, 'nothing was checked')
    assert.match(alone.err, /^nothing was checked: each check here goes through the path of its service/)
    const left = 'goes through the path of the service: needs the table of a running lvsd'
    assert.match(alone.out, new RegExp(`  \\[::1\\]:${well}  http.*  not run\n    ${left}$`, 'm'))
    assert.match(alone.out, /^1 check: 0 up, 0 down, 1 not run$/m)
    assert.match(alone.out, /^web {2}\S+ {2}not run\s*\n1 real server: 0 up, 0 down, 1 not run$/m)
    const beside = (other: string, need: string) =>
      probe(siteOf(`checks: [{ kind: http, path: service }, ${other}], need: ${need}`))
    for (const need of ['all', 'any']) {
      const passes = await beside('connect', need)
      assert.equal(passes.exit, EXIT.ok)
      assert.match(
        passes.out,
        new RegExp(` up  weight 1  1 of 1 pass, ${need === 'all' ? 2 : 1} needed; 1 not run\n`),
      )
      assert.equal((await beside('off', need)).exit, EXIT.problem)
    }
  })

  it('shows the weight that comes of the advice of a check', async () => {
    const advice = { percent: 50 } as const
    const server = {
      service: 'web',
      real: '[::1]:80',
      host: '::1',
      address: '[::1]',
      port: 80,
      state: 'up',
    } as const
    assert.match(
      renderProbed([], {
        colour: false,
        servers: [
          { ...server, passed: 1, checks: 1, need: 1, weight: weightFrom(7, [advice]), configured: 7 },
        ],
      }),
      /^web {2}\[::1\]:80 {2}up {2}weight 4, 7 configured {2}1 of 1 pass, 1 needed$/m,
    )
  })

  it('shows the address of a server that is a name', () => {
    const server = { service: 'web', real: 'web1:80', host: 'web1', address: '[::1]', port: 80 } as const
    const state = { state: 'up', passed: 1, checks: 1, need: 1, weight: 1, configured: 1 } as const
    assert.match(
      renderProbed([], { colour: false, servers: [{ ...server, ...state }] }),
      /^web {2}web1 \(\[::1\]:80\) {2}up/m,
    )
  })

  it('prints the results as JSON', async () => {
    const site = await startSite()
    const { context, out } = testContext()
    const words = { CONFIG: site.file, SERVICE: 'web', REAL: `[::1]:${site.well}` }
    await command.run({ ...context, options: { json: true }, arguments: words })
    const [{ service, real, check, target, result, server }] = JSON.parse(out())
    assert.deepEqual(server, { address: '[::1]', state: 'up', passed: 1, checks: 1, need: 1, weight: 1 })
    const address = `[::1]:${site.well}`
    assert.deepEqual(
      { service, real, check, target },
      { service: 'web', real: address, check: 'http', target: address },
    )
    assert.equal(result.ok, true)
  })

  it('names the nearest right word for a service or a server that is not there', async () => {
    const site = await startSite()
    const isUsage = (pattern: RegExp) => (error: CommandError) =>
      error.exit === EXIT.usage && pattern.test(error.message)
    await assert.rejects(probe(site, 'wbe'), isUsage(/no service "wbe"; did you mean "web"/))
    await assert.rejects(probe(site, 'web', '[::2]:9'), isUsage(/"web" has no real server "\[::2\]:9"/))
    await assert.rejects(probe(site, 'web/::2'), isUsage(/"web" has no real server "::2"/))
    await assert.rejects(probe(site, 'wbe/::1'), isUsage(/there is no service "wbe\/::1"/))
  })

  it('takes a real server as the commands for overrides do', async () => {
    const site = await startSite()
    for (const words of [[`web/[::1]:${site.well}`], [`web/${site.well}`], ['web', `:${site.well}`]] as const)
      assert.match((await probe(site, ...words)).out, /^1 check: 1 up, 0 down$/m)
  })
})

describe('probe: what a probe found', () => {
  const result: CheckResult = {
    ok: false,
    reason: 'timeout',
    detail: 'no answer within 3000 ms\u001b[2J',
    phase: 'first byte',
    ms: 3000.4,
    phases: [
      { phase: 'connect', ms: 1 },
      { phase: 'first byte', ms: 3000.4 },
    ],
  }
  const one: Probed = { service: 'web', real: '[::1]:80', check: 'http', target: '[::1]:8080', result }

  it('is shown with place, reason, and each phase with its own time', () => {
    assert.equal(
      renderProbed([one], { colour: false }),
      `
web
  [::1]:80  http at [::1]:8080  down  3.00s
    timeout in first byte: no answer within 3000 ms·[2J
      connect     1.0ms  at 1.0ms
      first byte  3.00s  at 3.00s

1 check: 0 up, 1 down
`.trim(),
    )
  })

  it('is neither up nor down where lvsd could not run the check', () => {
    const nothing = { ...one, result: { ...result, ok: null, reason: 'no-verdict' } as const }
    assert.match(
      renderProbed([nothing], { colour: false }),
      /no verdict .*[\s\S]*0 up, 0 down, 1 without a verdict/,
    )
  })
})

async function startSite() {
  const well = await webServer()
  const ill = await unsteadyServer()
  onCleanup(() => {
    well.close()
    ill.close()
  })
  await ill.feel('error')
  const file = temporaryFile(
    'site.yaml',
    `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, receive: ok, timeout: 2s }
    reals: ['[::1]:${well.port}', '[::1]:${ill.port}', 'nowhere.invalid:80']
`,
  )
  return { file, well: well.port }
}

async function probe(site: { file: string }, SERVICE?: string, REAL?: string) {
  const { context, out, err } = testContext()
  const words = { CONFIG: site.file, SERVICE, REAL }
  const exit = await command.run({ ...context, options: { json: false }, arguments: words })
  return { exit, out: out(), err: err() }
}
