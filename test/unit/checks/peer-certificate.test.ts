import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nameProblem, pinProblemOf } from '../../../checks/lib/peer-certificate.js'
import { tlsFile } from '../../support/tls-file.js'

const certificateIn = (name: string) => new X509Certificate(readFileSync(tlsFile(name)))
const server = certificateIn('server.crt')
const other = certificateIn('other.crt')
const pinOf = ({ raw }: X509Certificate) => createHash('sha256').update(raw).digest('hex')

/** The bytes can be read once; after that nothing can be parsed again. */
function readOnce({ fingerprint256, raw }: X509Certificate) {
  let reads = 0
  return {
    fingerprint256,
    get raw() {
      reads++
      return raw
    },
    reads: () => reads,
  }
}

describe('peer-certificate: a certificate', () => {
  it('is compared with a name and with an address', () => {
    assert.equal(nameProblem(server, 'www.example.com'), undefined)
    assert.equal(nameProblem(server, '::1'), undefined)
    assert.match(nameProblem(server, 'www.example.net')?.message ?? '', /www\.example\.net/)
    assert.match(nameProblem(server, '2001:db8::1')?.message ?? '', /2001:db8::1 is not among/)
  })

  it('is parsed once for each name', () => {
    const shown = readOnce(server)
    const first = nameProblem(shown, 'once.example.net')
    assert.ok(first)
    assert.equal(nameProblem(shown, 'once.example.net'), first)
    assert.equal(shown.reads(), 1)
    assert.ok(nameProblem(shown, 'again.example.net'))
    assert.equal(shown.reads(), 2)
  })

  it('is judged by itself: another one with the same question gets its own answer', () => {
    const pins = [pinOf(server)]
    for (let i = 0; i < 2; i++) {
      assert.equal(pinProblemOf(server, pins), null)
      assert.match(pinProblemOf(other, pins) ?? '', /matches no pin/)
      assert.equal(pinProblemOf(server, [pinOf(other), pinOf(server)]), null)
      assert.match(pinProblemOf(server, [pinOf(other)]) ?? '', /matches no pin/)
    }
  })

  it('is not kept with the answer about its name, nor is a long message', () => {
    const problem = nameProblem(server, 'kept.example.net') as Error & { cert?: unknown; code?: string }
    assert.equal(problem.code, 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.equal(problem.cert, undefined)
    const long = `${'a'.repeat(600)}.example.net`
    assert.equal(nameProblem(server, long)?.message.length, 500)
  })

  it('is missing where a server shows none', () => {
    assert.match(pinProblemOf(undefined, [pinOf(server)]) ?? '', /no certificate/)
  })
})
