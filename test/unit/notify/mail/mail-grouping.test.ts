import assert from 'node:assert/strict'
import fc from 'fast-check'
import { mailGrouping } from '../../../../src/notify/mail/mail-grouping.js'
import type { MailMessage } from '../../../../src/notify/mail/message.js'
import { describeEvent, type EventKind } from '../../../../src/notify/mail/server-event.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { service, serviceId } from '../../../support/tables.js'

const ID = serviceId('2001:db8::1')
const WEB = service('web')

interface Step {
  readonly wait: number
  readonly server: number
  readonly word: EventKind
  readonly route: number
}

const anySteps = (...waits: number[]): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      wait: fc.constantFrom(...waits),
      server: fc.integer({ min: 1, max: 4 }),
      word: fc.constantFrom<EventKind>('Added', 'Deleted', 'Inaccessible'),
      route: fc.integer({ min: 0, max: 1 }),
    }),
    { maxLength: 120, size: 'max' },
  )
const steps = anySteps(0, 0, 0, 10, 500, 1999, 2000, 5000, 61_000)
const busySteps = anySteps(0, 1000, 2000, 2001, 4000)

/** Adds the steps as news; each is told apart by its reason, a number. */
function run(given: readonly Step[]) {
  const clock = new FakeClock()
  const sent: { letter: MailMessage; at: number }[] = []
  const digest = mailGrouping({
    clock,
    host: 'h',
    send: letter => void sent.push({ letter, at: clock.now() }),
  })
  const added: { n: number; at: number; step: Step }[] = []
  for (const [n, step] of given.entries()) {
    clock.wind(step.wait)
    const news = describeEvent(WEB, ID, {
      word: step.word,
      server: `s${step.server}`,
      tag: 'real',
      weight: null,
    })
    const route = { to: [`${step.route}@example.com`], from: null, server: null }
    digest.add({ news, phase: 'running', at: 0, reason: `<${n}>` }, route)
    added.push({ n, at: clock.now(), step })
  }
  return { clock, digest, sent, added }
}

const numbersIn = ({ letter }: { letter: MailMessage }) =>
  [...letter.text.matchAll(/<(\d+)>/g)].map(([, n]) => Number(n))

describe('mail-grouping: events in mails', () => {
  it('are each sent once, in order and without delay, to their recipients, or cancelled by newer events', () => {
    fc.assert(
      fc.property(steps, given => {
        const { clock, sent, added } = run(given)
        clock.wind(130_000)
        for (const route of [0, 1]) {
          const mine = sent.filter(({ letter }) => letter.route.to[0] === `${route}@example.com`)
          const told = mine.flatMap(mail => numbersIn(mail).map(n => ({ n, at: mail.at })))
          const numbers = told.map(({ n }) => n)
          assert.deepEqual(
            numbers,
            [...new Set(numbers)].sort((a, b) => a - b),
          )
          for (const { n, at, step } of added.filter(one => one.step.route === route)) {
            const mail = told.find(one => one.n === n)
            if (mail) assert.ok(mail.at - at <= 62_000)
            else assert.equal(step.word, 'Inaccessible')
          }
        }
        assert.equal(clock.alarms, 0)
      }),
      { numRuns: 200 },
    )
  })

  it('are never more than ten mails in any minute to the same recipients', () => {
    fc.assert(
      fc.property(busySteps, given => {
        const { clock, sent } = run(given)
        clock.wind(130_000)
        for (const { letter, at } of sent) {
          const within = sent.filter(
            other =>
              other.letter.route.to[0] === letter.route.to[0] && other.at > at - 60_000 && other.at <= at,
          )
          assert.ok(within.length <= 10)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('are all passed on at the end', () => {
    fc.assert(
      fc.property(steps, given => {
        const { clock, digest, sent, added } = run(given)
        digest.flush()
        const told = new Set(sent.flatMap(numbersIn))
        const missing = added.filter(({ n, step }) => !told.has(n) && step.word !== 'Inaccessible')
        assert.deepEqual(missing, [])
        assert.equal(clock.alarms, 0)
      }),
      { numRuns: 100 },
    )
  })
})
