import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { check, descriptor } from '../../../checks/oracle.js'
import { parseOptions, problemOf } from '../../support/checks/options.js'
import { probe, targetOf } from '../../support/probe.js'
import { hangUpServer, refusedPort, silentServer, tcpServer } from '../../support/servers.js'

const options = { login: 'system', passwd: 'manager', database: 'orcl' }

function hasDriver(): boolean {
  try {
    createRequire(import.meta.url).resolve('oracledb')
    return true
  } catch {
    return false
  }
}

/** A listener's REFUSE: what Oracle says where it does not know the service. */
function refusal(): Buffer {
  const text = '(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))))'
  const body = Buffer.concat([Buffer.from([0x22, 0, 0, text.length]), Buffer.from(text)])
  const head = Buffer.from([0, 8 + body.length, 0, 0, 4, 0, 0, 0])
  return Buffer.concat([head, body])
}

describe('oracle', function () {
  this.timeout(60_000)

  it('has no verdict, and says what to install, where the driver is not there', async function () {
    if (hasDriver()) this.skip()
    const result = await probe(check, await refusedPort(), options)
    assert.equal(result.ok, null)
    assert.match(result.detail, /oracledb is not installed.*npm install/)
  })

  it('describes the server with one address and the time there is', () => {
    const at = { ...targetOf(1521) }
    const limits = '(CONNECT_TIMEOUT=3)(TRANSPORT_CONNECT_TIMEOUT=3)(RETRY_COUNT=0)'
    const where = '(ADDRESS=(PROTOCOL=TCP)(HOST=::1)(PORT=1521))'
    assert.equal(
      descriptor(at, parseOptions(check, options), 2500),
      `(DESCRIPTION=${limits}${where}(CONNECT_DATA=(SERVICE_NAME=orcl)))`,
    )
    assert.match(descriptor(at, parseOptions(check, { ...options, sid: true }), 1), /\(SID=orcl\)/)
    assert.match(descriptor(at, parseOptions(check, {}), 1), /\(CONNECT_DATA=\)/)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { database: 'a)(b' }) ?? '', /not a valid name of an Oracle database/)
    assert.match(problemOf(check, { receive: 'a' }) ?? '', /receive needs request/)
    assert.equal(problemOf(check, { ...options, request: 'SELECT 1 FROM dual' }), null)
  })

  it('is down as the driver tells it', async function () {
    if (!hasDriver()) {
      console.log('      left out: the package oracledb is not installed')
      this.skip()
    }
    const refusing = await tcpServer(socket => socket.once('data', () => socket.end(refusal())))
    const result = await probe(check, refusing, options, { timeout: 10_000 })
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /orcl/)
    assert.equal((await probe(check, await hangUpServer(), options)).reason, 'closed')
    assert.equal((await probe(check, await silentServer(), options, { timeout: 300 })).reason, 'timeout')
    assert.equal((await probe(check, await refusedPort(), options)).reason, 'refused')
  })
})
