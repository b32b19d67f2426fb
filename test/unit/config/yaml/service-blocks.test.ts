import assert from 'node:assert/strict'
import { serviceBlocks } from '../../../../src/config/yaml/service-blocks.js'

const HEAD = 'x-a: &a { check: http }\nservices: # all of them\n  # the first\n'
const WEB = "  web:\n    virtual: '[2001:db8::1]:80'\n\n    request: |\n      a: b\n# below\n"
const MAIL = '  mail/25:\n    <<: *a\n'
const TAIL = 'settings: {}\n'

describe('service-blocks: splits a YAML text at its services', () => {
  it('returns each service with the comments below it', () => {
    const split = serviceBlocks(`${HEAD}${WEB}${MAIL}${TAIL}`)
    assert.equal(split?.head, HEAD)
    assert.deepEqual(split?.blocks, [
      { key: 'web', text: WEB },
      { key: 'mail/25', text: MAIL },
    ])
    assert.equal(split?.tail, TAIL)
  })

  it('needs no end of the last line', () => {
    const split = serviceBlocks(`${HEAD}${WEB}${MAIL}`.trimEnd())
    assert.equal(split?.blocks[1]?.text, MAIL.trimEnd())
    assert.equal(split?.tail, '')
  })

  const NOT: Readonly<Record<string, string>> = {
    'no services': TAIL,
    'services in brackets': 'services: { web: {} }\n',
    'services without one': 'services:\nsettings: {}\n',
    'the same key twice': `${HEAD}${MAIL}${MAIL}`,
    'an anchor in a service': `${HEAD}${MAIL}    check: &b http\n`,
    'an anchor after a quoted key': `${HEAD}  web: { "check":&b http }\n`,
    'a key in quotes': `${HEAD}  "web": {}\n`,
    'a merge in place of a service': `${HEAD}  <<: *a\n`,
    'an explicit key': `${HEAD}${MAIL}  ? odd\n`,
    'a key without a value behind it': `${HEAD}${MAIL}  http://x\n`,
    'a line that is indented less than the services': `services:\n    web: {}\n  mail: {}\n`,
    'a bracket at the place of a key': `${HEAD}  web: {\n  }\n`,
    'a tab': `${HEAD}${MAIL}\tweight: 1\n`,
    'the end of the document': `${HEAD}${MAIL}...\n`,
    'a second document': `${HEAD}${MAIL}---\n`,
  }
  for (const [what, text] of Object.entries(NOT))
    it(`returns null for ${what}`, () => {
      assert.equal(serviceBlocks(text), null)
    })
})
