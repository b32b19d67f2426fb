/** Bytes written as hex, with a note behind each line. */
import assert from 'node:assert/strict'
import { NetlinkError } from '../../../src/netlink/error.js'

/** On each line hex in lower case, in groups as it pleases; behind it a note, which begins with a capital. */
export function bytesOfHex(lines: string): Buffer {
  const digits = lines.split('\n').map(line => /^[0-9a-f ]*/.exec(line.trim())?.[0] ?? '')
  return Buffer.from(digits.join('').replaceAll(' ', ''), 'hex')
}

export function failsAsMalformed(work: () => unknown, message: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof NetlinkError)
    assert.equal(error.code, 'EBADMSG')
    assert.match(error.message, message)
    return true
  })
}
