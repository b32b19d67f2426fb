import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { onKeys } from '../../../src/cli/keys.js'

/** A terminal that is typed on. */
function terminal() {
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    isRaw: false,
    setRawMode(isRaw: boolean) {
      input.isRaw = isRaw
    },
    pause: () => {},
  })
  return input
}

describe('onKeys: keys of a terminal', () => {
  it('come one by one, an arrow key as its whole sequence', () => {
    const input = terminal()
    const keys: string[] = []
    const stop = onKeys(key => keys.push(key), input as unknown as NodeJS.ReadStream)
    assert.ok(input.isRaw)
    for (const data of ['ab', '\u001b[A\u001b[6~é', '\u001bOB', '\u001b', '\u001b[1;5C'])
      input.emit('data', data)
    assert.deepEqual(keys, ['a', 'b', '\u001b[A', '\u001b[6~', 'é', '\u001bOB', '\u001b', '\u001b[1;5C'])
    stop()
    input.emit('data', 'x')
    assert.equal(keys.length, 8)
    assert.ok(!input.isRaw)
  })
})
