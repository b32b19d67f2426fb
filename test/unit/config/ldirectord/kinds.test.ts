import assert from 'node:assert/strict'
import { optionKit } from '../../../../src/check/option-kit.js'
import { KINDS, rowOf, SERVICES, serviceOfPort } from '../../../../src/config/ldirectord/kinds.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'

describe("kinds: the table of ldirectord's kinds", () => {
  it('contains only existing kinds', async () => {
    const { checks } = await loadChecks()
    for (const [kind, { combined = kind, overUdp = kind }] of Object.entries(KINDS)) {
      assert.equal(checks.get(kind)?.name, kind)
      assert.ok(Object.hasOwn(KINDS, combined) && Object.hasOwn(KINDS, overUdp), kind)
    }
  })

  it('contains only existing options of the kinds', async () => {
    const { checks } = await loadChecks()
    for (const [kind, { implied = [], ignored = [], together = [], question = {}, ...row }] of Object.entries(
      KINDS,
    )) {
      const options = checks.get(kind)?.options(optionKit) ?? {}
      const named = [
        ...implied.map(({ option }) => option),
        ...ignored,
        ...together,
        ...Object.keys(question),
      ]
      if (row.request) named.push('request')
      if (row.receive) named.push('receive')
      if (row.login) named.push('login')
      if (row.isCounted) named.push('count')
      if (row.isCommand) named.push('checkcommand')
      assert.deepEqual(
        named.filter(name => !Object.hasOwn(options, name)),
        [],
        kind,
      )
    }
  })

  it('allows connects only between runs of kinds that they can replace', async () => {
    const { checks } = await loadChecks()
    for (const [kind, { connects }] of Object.entries(KINDS))
      assert.equal(checks.get(kind)?.connects !== false, connects === 'between', kind)
  })

  it('has one service for each port, and none for other ports', () => {
    for (const service of SERVICES) {
      const { port } = rowOf(service)
      if (port) assert.equal(serviceOfPort(port), service)
    }
    assert.equal(serviceOfPort(9999), 'none')
  })

  it('contains no other kinds', () => {
    for (const kind of ['redis', 'toString', '']) assert.deepEqual(rowOf(kind), {})
  })
})
