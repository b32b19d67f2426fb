import assert from 'node:assert/strict'
import { virtualBlocks } from '../../../../src/config/ldirectord/virtual-blocks.js'

const HEAD = '# all of them\ncheckinterval=5\n\n'
const WEB = 'virtual6=[2001:db8::1]:80\n\t# the first\n    real6=[2001:db8:1::1]:80 gate\n\n'
const MAIL = 'virtual = 192.0.2.1:25\n# below\n\treal=192.0.2.9:25 gate\n'

describe('virtual-blocks: splits an ldirectord.cf at its virtuals', () => {
  it('returns each virtual with the comments below it', () => {
    assert.deepEqual(virtualBlocks(`${HEAD}${WEB}${MAIL}`), {
      head: HEAD,
      blocks: [
        { key: null, text: WEB },
        { key: null, text: MAIL },
      ],
      tail: '',
    })
  })

  it('needs no end of the last line, and no global part', () => {
    const split = virtualBlocks(`${WEB}${MAIL.trimEnd()}`)
    assert.equal(split?.head, '')
    assert.equal(split?.blocks[1]?.text, MAIL.trimEnd())
  })

  const NOT: Readonly<Record<string, string>> = {
    'no virtual': HEAD,
    'a global directive between virtuals': `${WEB}quiescent=yes\n${MAIL}`,
    'a directive in column 1': `${WEB}real6=[2001:db8:1::2]:80 gate\n`,
    'a directive behind two blanks': `${WEB}  scheduler=rr\n`,
    'a virtual behind a blank': `${WEB} virtual=192.0.2.1:25\n`,
    'a virtual of one line': `virtual6=[2001:db8::3]:80\n${WEB}`,
    'a line of blanks': `${WEB}     \n`,
    'a word that is no directive': `${WEB}1\n`,
  }
  for (const [what, text] of Object.entries(NOT))
    it(`returns null for ${what}`, () => {
      assert.equal(virtualBlocks(text), null)
    })
})
