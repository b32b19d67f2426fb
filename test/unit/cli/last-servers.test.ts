import assert from 'node:assert/strict'
import { lastServers } from '../../../src/cli/last-servers.js'
import { realStatus, serviceStatus } from '../../support/cli/documents.js'

const real = (name: string, wanted: number | null) =>
  realStatus({ name, weight: { configured: 1, wanted, kernel: wanted } })
const WEB = serviceStatus({ reals: [real('a', 1), real('b', null), real('c', 0)] })
const PAIR = serviceStatus({ reals: [real('a', 1), real('b', 5)] })
const fallback = { name: 'f', host: 'f', address: null, port: 80, inUse: false }
const one = (name: string) => [{ service: 'web', real: name }]
const drain = { kind: 'drain' } as const

describe('the last servers of a service', () => {
  const rows: readonly (readonly [string, Parameters<typeof lastServers>, RegExp | null])[] = [
    [
      'the only one that serves',
      [[WEB], { targets: one('a'), effect: drain }],
      /of web .*: new clients are refused$/,
    ],
    [
      'it, where a fallback serves then',
      [[{ ...WEB, fallback }], { targets: one('a'), effect: { kind: 'disable' } }],
      /: the fallback f takes over$/,
    ],
    [
      'a weight of 0 for all',
      [[PAIR], { targets: [{ service: 'web', real: null }], effect: { kind: 'weight', weight: 0 } }],
      /refused$/,
    ],
    ['one of two', [[PAIR], { targets: one('a'), effect: drain }], null],
    ['one that is down', [[WEB], { targets: one('b'), effect: drain }], null],
    ['another weight', [[WEB], { targets: one('a'), effect: { kind: 'weight', weight: 5 } }], null],
    [
      'a server of another service',
      [[WEB], { targets: [{ service: 'mail', real: 'a' }], effect: drain }],
      null,
    ],
  ]
  for (const [what, args, expected] of rows)
    it(`are ${expected ? 'told' : 'not told'} for ${what}`, () => {
      const [told = null, ...others] = lastServers(...args)
      assert.equal(others.length, 0)
      if (expected === null) assert.equal(told, null)
      else assert.match(told ?? '', expected)
    })
})
