import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'

describe('the lab', () => {
  it('has IPVS', () => {
    assert.match(execFileSync('ipvsadm', ['-Ln'], { encoding: 'utf8' }), /IP Virtual Server/)
  })
})
