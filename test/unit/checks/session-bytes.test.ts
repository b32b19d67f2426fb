import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import fc from 'fast-check'
import { withoutCertificate } from '../../../checks/lib/session-bytes.js'
import { tlsFile } from '../../support/tls-file.js'

const cert = readFileSync(tlsFile('server.crt'))
const { raw } = new X509Certificate(cert)

/** A session as OpenSSL gives it. */
async function sessionOf(version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const only = { minVersion: version, maxVersion: version }
  const server = createServer({ ...only, cert, key: readFileSync(tlsFile('key.pem')) }, socket => {
    socket.on('error', () => {})
    socket.end('.')
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '::1', port, rejectUnauthorized: false }).resume()
  const [session] = (await once(socket, 'session')) as [Buffer]
  socket.destroy()
  await new Promise(done => server.close(done))
  return session
}

describe('session-bytes: a session of OpenSSL', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`loses the certificate and nothing else, of ${version}`, async () => {
      const session = await sessionOf(version)
      const at = session.indexOf(raw)
      assert.ok(at > 0)
      const shorter = withoutCertificate(session)
      assert.equal(shorter.indexOf(raw), -1)
      // What newer releases of Node.js put before it stays.
      const start = session.indexOf('3082', 'hex')
      assert.deepEqual(shorter.subarray(0, start), session.subarray(0, start))
      // The certificate is in an element [3], whose header has four bytes.
      assert.deepEqual(
        shorter.subarray(start + 4),
        Buffer.concat([session.subarray(start + 4, at - 4), session.subarray(at + raw.length)]),
      )
      assert.equal(shorter.readUInt16BE(start + 2), shorter.length - start - 4)
      assert.deepEqual(withoutCertificate(shorter), shorter)
    })
})

/** An element of DER. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content])
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map(array => Buffer.from(array))
const other = fc
  .tuple(fc.constantFrom(0x02, 0x04, 0xa1, 0xa2, 0xa4, 0xaa), bytes(200))
  .map(([tag, content]) => element(tag, content))

describe('session-bytes: any bytes', () => {
  it('lose the element with the number 3 of a sequence', () =>
    fc.assert(
      fc.property(fc.array(other), bytes(1000), fc.array(other), (before, content, after) => {
        const rest = Buffer.concat([...before, ...after])
        const whole = element(0x30, Buffer.concat([...before, element(0xa3, content), ...after]))
        assert.deepEqual(withoutCertificate(whole), element(0x30, rest))
      }),
    ))

  it('lose it behind the name of the server, too, as newer releases of Node.js have it', () => {
    const whole = element(0x30, Buffer.concat([element(0x02, Buffer.of(1)), element(0xa3, Buffer.of(2))]))
    const rest = element(0x30, element(0x02, Buffer.of(1)))
    for (const name of ['::1', 'localhost', '', 'a'.repeat(255), '\x30\x82']) {
      const before = Buffer.from(
        `\0nodejs:tls:session:1\0\0${String.fromCharCode(name.length)}${name}`,
        'latin1',
      )
      assert.deepEqual(withoutCertificate(Buffer.concat([before, whole])), Buffer.concat([before, rest]))
      for (let cut = 0; cut < before.length; cut++)
        assert.deepEqual(withoutCertificate(before.subarray(0, cut)), before.subarray(0, cut))
    }
  })

  it('stay as they are if they are no such sequence', () => {
    fc.assert(
      fc.property(bytes(300), random => {
        const result = withoutCertificate(random)
        assert.ok(result.length <= random.length)
      }),
    )
    for (const hex of ['', '30', '3080a3000000', '3005a30102', '30ff', '3184a3020101', '3003a30501'])
      assert.equal(withoutCertificate(Buffer.from(hex, 'hex')).toString('hex'), hex)
  })
})
