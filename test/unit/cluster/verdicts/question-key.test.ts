import assert from 'node:assert/strict'
import { type Asker, questionsOf } from '../../../../src/cluster/verdicts/question-key.js'
import { hashOfOptions } from '../../../../src/health/job-ids.js'

const POLICY = { interval: 1000, timeout: 500, rise: 1, fall: 3 }
const asker = (jobId: string, options: Record<string, unknown>, policy = {}, name = 'web'): Asker => ({
  jobId,
  checkKey: JSON.stringify(['http', 'fd00:1::1', 80, hashOfOptions(options)]),
  service: { name },
  use: { options, policy: { ...POLICY, ...policy } },
})
const questions = (...askers: readonly Asker[]) => questionsOf(askers, name => name === 'password')

describe('questionsOf', () => {
  it('names a question by what is asked, in any order of options, and not by its job or its password', () => {
    const [one] = questions(asker('job 1', { path: '/', login: 'x', password: 'geheim' }))
    const [other] = questions(asker('job 2', { login: 'x', password: 'other', path: '/' }))
    assert.equal(one?.key, other?.key)
    for (const different of [asker('j', { path: '/x' }), asker('j', { path: '/', login: 'x' }, { fall: 2 })])
      assert.notEqual(questions(different)[0]?.key, one?.key)
  })

  it('names a question as lvsd 0.1.0 does, which may be the other director of a site', () => {
    const [one] = questions(asker('job 1', { path: '/', login: 'x', password: 'geheim' }))
    assert.equal(one?.key, '7CV5n5EHktlVCq')
  })

  it('leaves out what differs by its password only, and what is counted in several ways', () => {
    assert.deepEqual(questions(asker('1', { password: 'a' }), asker('2', { password: 'b' })), [])
    assert.deepEqual(questions(asker('1', {}), asker('1', {}, { rise: 2 }, 'mail')), [])
    assert.deepEqual(questions(asker('1', {}), asker('1', {}, {}, 'mail'))[0]?.services, ['web', 'mail'])
  })
})
