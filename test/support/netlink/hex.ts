/** Parses bytes in hex with a note after each line. */
import assert from 'node:assert/strict'
import { NetlinkError } from '../../../src/netlink/error.js'

/** Each line has lower-case hex digits in groups of any size, then a note that begins with a capital letter. */
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
