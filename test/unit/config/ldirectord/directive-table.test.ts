import assert from 'node:assert/strict'
import { optionKit } from '../../../../src/check/option-kit.js'
import { ROWS } from '../../../../src/config/ldirectord/directive-table.js'
import { checkFields } from '../../../../src/config/schema/check-fields.js'
import { mailFields } from '../../../../src/config/schema/mail-fields.js'
import { serviceFields, settingsFields } from '../../../../src/config/schema/schema.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'

describe('directive-table: the directives of ldirectord', () => {
  it('lead to keys that there are', async () => {
    const { checks } = await loadChecks()
    const options = [...new Set(checks.values())].flatMap(check => Object.keys(check.options(optionKit)))
    const keys = new Set([
      ...Object.keys(serviceFields),
      ...Object.keys(settingsFields).map(key => `settings.${key}`),
      ...Object.keys(mailFields).map(key => `mail.${key}`),
      ...[...Object.keys(checkFields), ...options].map(key => `check.${key}`),
    ])
    const paths = [...ROWS.values()].flatMap(({ becomes }) => becomes.flatMap(target => target.paths))
    assert.deepEqual(
      paths.filter(path => !keys.has(path)),
      [],
    )
  })

  it('say why where they lead nowhere', () => {
    for (const [name, { becomes, needless, commandOnly }] of ROWS)
      assert.equal(becomes.length === 0, needless !== undefined || commandOnly !== undefined, name)
  })
})
