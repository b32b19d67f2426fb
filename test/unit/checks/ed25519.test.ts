import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { signByPassword } from '../../../checks/lib/ed25519.js'

/** How RFC 8410 writes a private key of Ed25519. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

describe('ed25519: signatures by password', () => {
  it('are those of Ed25519 where the password has 32 bytes', () => {
    for (let i = 0; i < 20; i++) {
      const password = `${i} of 32 bytes, as Ed25519 has it`.padEnd(32, '.').slice(0, 32)
      const message = Buffer.alloc(32, i)
      const key = Buffer.concat([PKCS8, Buffer.from(password)])
      const expected = sign(null, message, createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
      assert.equal(signByPassword(password, message).toString('hex'), expected.toString('hex'))
    }
  })

  it('cost some milliseconds', () => {
    signByPassword('secret', Buffer.alloc(32))
    const start = process.cpuUsage()
    for (let i = 0; i < 10; i++) signByPassword('secret', Buffer.alloc(32, i))
    assert.ok(process.cpuUsage(start).user < 1_000_000)
  })
})
