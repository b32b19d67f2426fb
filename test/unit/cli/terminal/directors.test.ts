import assert from 'node:assert/strict'
import type { DirectorsDocument } from '../../../../src/api/cluster-status-types.js'
import { renderDirectors } from '../../../../src/cli/terminal/directors.js'

const NOW = '2026-11-28T12:00:00.000Z'
const common = { version: '0.1.0', startedAt: '2026-11-28T11:00:00.000Z' }
const document: DirectorsDocument = {
  schema: 1,
  verdicts: null,
  activeTrouble: null,
  now: NOW,
  site: 'berlin',
  redis: {
    state: 'connected',
    since: NOW,
    place: '[::1]:6379',
    version: '7.0.15',
    reason: null,
    detail: null,
  },
  directors: [
    {
      ...common,
      id: 'a',
      host: 'lb1',
      role: 'active',
      config: '0123456789ab',
      isSelf: true,
      seenAt: NOW,
      differs: null,
      goneAt: null,
    },
    {
      ...{ ...common, id: 'b', host: 'lb2', role: 'standby', config: 'ba9876543210', isSelf: false },
      seenAt: '2026-11-28T11:59:59.000Z',
      differs: ['mail', 'web'],
      goneAt: null,
    },
  ],
}
const VIEW = { width: 80, colour: false }

describe('directors in the terminal', () => {
  it('have a line each, and name the services that differ', () => {
    assert.equal(
      renderDirectors(document, VIEW),
      `2 directors in berlin

DIRECTOR    ROLE     UP FOR  SEEN    VERSION  CONFIGURATION
lb1 (this)  active   1h00m   -       0.1.0    01234567
lb2         standby  1h00m   1s ago  0.1.0    ba987654 differs

lb2 has other services: mail, web`,
    )
  })

  it('are as they were while Redis is away', () => {
    const redis = { ...document.redis, state: 'away', reason: 'silent', detail: 'it does not answer in time' }
    assert.match(
      renderDirectors({ ...document, redis: redis as DirectorsDocument['redis'] }, VIEW),
      /^Redis is away: it does not answer in time\nThe directors, as they were before:\n\n2 directors/,
    )
  })

  it('say that none is active', () => {
    const activeTrouble = 'no director is active'
    assert.match(renderDirectors({ ...document, activeTrouble }, VIEW), /^! no director is active$/m)
  })

  it('are not known without Redis', () => {
    assert.match(renderDirectors({ ...document, redis: null, directors: [] }, VIEW), /no Redis/)
    assert.match(
      renderDirectors({ ...document, site: null, redis: null, directors: [] }, VIEW),
      /serves alone/,
    )
  })

  it('say which part of the checks this one runs, and whose view differs', () => {
    const verdicts = {
      ...{ observers: 2, agree: 'majority' as const, asked: 200, heard: 100, disputed: 1 },
      ...{ directors: ['lb1', 'lb2'], differing: ['lb2'] },
      shares: [
        { id: 'a', host: 'lb1', isSelf: true, verdicts: 200, oldestSeconds: 1.234 },
        { id: 'b', host: 'lb2', isSelf: false, verdicts: 0, oldestSeconds: null },
      ],
    }
    assert.match(
      renderDirectors({ ...document, verdicts }, VIEW),
      /\n\n2 directors run each check: this one runs 200 and hears of 100\.\nOf 1 check they say different things\.\nlb2 finds other servers down than all others do\.\n\nDIRECTOR +VERDICTS +OLDEST RESULT\nlb1 \(this\) +200 +1\.2s ago\nlb2 +0 +-$/,
    )
  })

  it('are there after they have gone', () => {
    const [first, second] = document.directors
    assert.ok(first && second)
    const directors = [first, { ...second, differs: null, goneAt: NOW }]
    const text = renderDirectors({ ...document, directors }, VIEW)
    assert.match(text, /^1 director in berlin, and 1 that is gone\n/)
    assert.match(text, /^lb2 +gone +- +1s ago +0\.1\.0 +ba987654$/m)
  })

  it('fit into 80 columns', () => {
    const wide = document.directors.map(one => ({ ...one, host: 'x'.repeat(100) }))
    for (const line of renderDirectors({ ...document, directors: wide }, VIEW).split('\n'))
      assert.ok(line.length <= 80)
  })
})
