import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ListingChanges } from '../../../src/api/listing-changes.js'
import type { ListedReal, Listing } from '../../../src/api/status-types.js'
import { mergedListing } from '../../../src/web/merge-listing.js'
import { realStatus, serviceStatus } from '../../support/cli/documents.js'

const COUNTERS = { connections: 1, connectionRate: 1, active: 1, inactive: 1, persistent: 0 }

/** Real servers `::0`, `::1` …: each is a pair of what its counters and its reason are. */
function listingOf(states: readonly (readonly [number, number])[]): Listing {
  const { reals: _, ...service } = serviceStatus({ name: 'web' })
  const reals = states.map(([active, reason], i): ListedReal => {
    const { checks: _, counters: __, ...rest } = realStatus({ name: `::${i}`, reason: `reason ${reason}` })
    return { ...rest, strip: 'p', counters: active === 0 ? null : { ...COUNTERS, active } }
  })
  return { ...service, reals }
}

describe('listing-changes: what is new in a listing', () => {
  it('is all for a client without a version, or with an unknown one', () => {
    const changes = new ListingChanges()
    const listing = listingOf([[1, 1]])
    for (const after of [null, '', 'abc', 'abc.1', '.']) {
      const { isWhole, reals } = changes.answer(listing, after)
      assert.deepEqual([isWhole, reals], [true, listing.reals])
    }
  })

  it('is what has changed, and counters alone where nothing else has', () => {
    const changes = new ListingChanges()
    const { version } = changes.answer(
      listingOf([
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
      null,
    )
    const { isWhole, reals, changedCounters } = changes.answer(
      listingOf([
        [1, 1],
        [2, 1],
        [1, 2],
      ]),
      version,
    )
    assert.equal(isWhole, false)
    assert.deepEqual(
      reals.map(({ name }) => name),
      ['::2'],
    )
    assert.deepEqual(changedCounters, [{ name: '::1', counters: { ...COUNTERS, active: 2 } }])
  })

  it('is all after a change of the real servers, after a restart, and after a minute', () => {
    let now = 0
    const changes = new ListingChanges(() => now)
    const { version } = changes.answer(listingOf([[1, 1]]), null)
    assert.equal(new ListingChanges().answer(listingOf([[1, 1]]), version).isWhole, true)
    const more = changes.answer(
      listingOf([
        [1, 1],
        [1, 1],
      ]),
      version,
    )
    assert.equal(more.isWhole, true)
    now = 59_000
    assert.equal(
      changes.answer(
        listingOf([
          [1, 1],
          [1, 1],
        ]),
        more.version,
      ).isWhole,
      false,
    )
    now = 120_000
    assert.equal(
      changes.answer(
        listingOf([
          [1, 1],
          [1, 1],
        ]),
        more.version,
      ).isWhole,
      true,
    )
  })

  it('makes of what a client has what the director has, whenever it asks', () => {
    const state = fc.tuple(fc.nat(2), fc.nat(2))
    const step = fc.record({ states: fc.array(state, { minLength: 2, maxLength: 3 }), client: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), steps => {
        const changes = new ListingChanges()
        const clients = new Map<number, ReturnType<typeof mergedListing>>()
        for (const { states, client } of steps) {
          const listing = listingOf(states)
          const known = clients.get(client) ?? null
          const merged = mergedListing(known, changes.answer(listing, known?.version ?? null))
          assert.deepEqual(merged.reals, listing.reals)
          clients.set(client, merged)
        }
      }),
    )
  })

  it('keeps the objects of real servers that have not changed', () => {
    const changes = new ListingChanges()
    const known = changes.answer(
      listingOf([
        [1, 1],
        [1, 1],
      ]),
      null,
    )
    const merged = mergedListing(
      known,
      changes.answer(
        listingOf([
          [1, 1],
          [2, 1],
        ]),
        known.version,
      ),
    )
    assert.equal(merged.reals[0], known.reals[0])
    assert.equal(merged.reals[1]?.counters?.active, 2)
  })
})
