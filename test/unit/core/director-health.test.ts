import assert from 'node:assert/strict'
import { directorHealth } from '../../../src/core/director-health.js'

const served = (isServed: boolean | null, name = 'web', isUnjudged = false) => ({
  name,
  isServed,
  isUnjudged,
})

describe('core: the health of a director', () => {
  const well = { isReady: true, lost: null, services: [] }
  const cases = [
    ['nothing is wrong', well, null],
    [
      'a service is served, another not judged yet',
      { ...well, services: [served(true), served(null)] },
      null,
    ],
    ['the table has not been corrected', { ...well, isReady: false, lost: 'x' }, /starting or stopping/],
    [
      'the network is lost',
      { ...well, lost: 'no route', services: [served(false)] },
      /^the network is lost: no route$/,
    ],
    [
      'a service is not served',
      { ...well, services: [served(true, 'a'), served(false)] },
      /^web has no available/,
    ],
    [
      'a service has no server, and will not be judged',
      { ...well, services: [served(true, 'a'), served(null, 'web', true)] },
      /^web has no available real server \(its checks have no verdict, and none is in the table\)$/,
    ],
    ['two are not', { ...well, services: [served(false), served(false, 'b')] }, /, and 1 more have none$/],
  ] as const
  it('names the services that it has judged', () => {
    const reasonOf = (...services: ReturnType<typeof served>[]) =>
      directorHealth({ ...well, services }).reason
    assert.equal(reasonOf(), 'this director can serve')
    assert.equal(reasonOf(served(true), served(null, 'mail')), 'this director can serve web, mail')
  })

  for (const [name, facts, reason] of cases)
    it(`is ${reason ? 'bad' : 'good'} if ${name}`, () => {
      const health = directorHealth(facts)
      assert.equal(health.isGood, reason === null)
      if (reason) assert.match(health.reason, reason)
    })
})
