/** The queue before the mail servers, on a fake clock; what a server does is scripted. */
import assert from 'node:assert/strict'
import type { MailServer } from '../../../../src/core/model.js'
import type { Delivery } from '../../../../src/notify/delivery-queue.js'
import { mailQueue } from '../../../../src/notify/mail/mail-queue.js'
import type { MailMessage } from '../../../../src/notify/mail/message.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLog } from '../../../support/logs.js'

const WELL: Delivery = { again: [], refused: [], fault: null }
const fault = (code: string) => ({ code, message: `server says ${code}` })
const later = (to: readonly string[], code = 'ECONNREFUSED'): Delivery => ({
  again: to,
  refused: [],
  fault: fault(code),
})
const never = (to: readonly string[], code = '550'): Delivery => ({
  again: [],
  refused: to,
  fault: fault(code),
})

function opened(
  answer: (subject: string, to: readonly string[], signal: AbortSignal) => Delivery | Promise<Delivery>,
) {
  const clock = new FakeClock()
  const { log, lines } = recordingLog('info')
  const tries: string[] = []
  let underWay = 0
  let most = 0
  const queue = mailQueue({
    clock,
    log,
    async deliver({ subject }, to, signal) {
      tries.push(subject)
      most = Math.max(most, ++underWay)
      const delivery = await answer(subject, to, signal)
      underWay--
      return delivery
    },
  })
  const post = (
    subject: string,
    to = ['ops@example.com'],
    server: MailServer | null = { host: 'mail', port: 25 },
  ) =>
    queue.enqueue({
      route: { to, from: null, server },
      subject,
      text: '',
      at: 0,
      items: [],
      more: 0,
    } satisfies MailMessage)
  /** Winds the clock in steps, so that what was begun in one can end before the next. */
  const wind = async (ms: number) => {
    await settled()
    for (let left = ms; left > 0; left -= 1000) {
      clock.wind(Math.min(left, 1000))
      await settled()
    }
  }
  return { clock, queue, post, wind, lines, tries: () => tries.splice(0), most: () => most }
}

const settled = () => new Promise(setImmediate)
const never_ = new Promise<Delivery>(() => {})

describe('mail-queue: the queue of mails', () => {
  it('sends mails in order, one at a time to each mail server, and logs each', async () => {
    const { post, wind, tries, most, lines, clock } = opened(() => settled().then(() => WELL))
    for (const subject of ['one', 'two', 'three']) post(subject)
    await wind(1)
    for (let i = 0; i < 5; i++) await settled()
    assert.deepEqual([tries(), most()], [['one', 'two', 'three'], 1])
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['emailalert: one', 'emailalert: two', 'emailalert: three'],
    )
    assert.equal(clock.alarms, 0)
  })

  it('retries a few times with increasing delays, then gives up', async () => {
    const { post, wind, tries, lines, clock } = opened((_, to) => later(to))
    post('one')
    const times: number[] = []
    for (let second = 0; second < 600; second++) {
      await wind(1000)
      if (tries().length > 0) times.push(second)
    }
    assert.deepEqual(
      times,
      [0, 5, 35, 155, 455].map(time => Math.max(0, time - 1)),
    )
    assert.equal(lines.length, 1)
    assert.equal(clock.alarms, 0)
  })

  it('logs an error once for all mails, and logs its end', async () => {
    let isDown = true
    const { post, wind, lines } = opened((_, to) => (isDown ? later(to) : WELL))
    for (let i = 0; i < 20; i++) post(`mail ${i}`, [`${i % 5}@example.com`])
    await wind(20_000)
    assert.deepEqual(
      lines.map(({ msg, server, error }) => [msg, server, error]),
      [['a mail cannot be delivered; lvsd tries again', 'mail port 25', 'server says ECONNREFUSED']],
    )
    isDown = false
    await wind(60_000)
    assert.equal(lines.filter(({ msg }) => msg === 'mails are delivered again').length, 1)
    assert.equal(lines.filter(({ msg }) => msg.startsWith('emailalert: ')).length, 20)
  })

  it('logs an error of another kind separately', async () => {
    const codes = ['ECONNREFUSED', '451', 'ECONNREFUSED', '451']
    const { post, wind, lines } = opened((_, to) => later(to, codes.shift()))
    post('one')
    await wind(600_000)
    assert.equal(lines.length, 2)
  })

  it('retries only for the recipients with a temporary error', async () => {
    const asked: (readonly string[])[] = []
    const { post, wind, lines } = opened((_, to) => {
      asked.push(to)
      return asked.length === 1 ? { again: ['b@x'], refused: ['c@x'], fault: fault('450') } : WELL
    })
    post('one', ['a@x', 'b@x', 'c@x'])
    await wind(10_000)
    assert.deepEqual(asked, [['a@x', 'b@x', 'c@x'], ['b@x']])
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'emailalert: one').map(({ to }) => to),
      [['a@x'], ['b@x']],
    )
  })

  it('does not retry after a permanent refusal', async () => {
    const { post, wind, tries, lines } = opened((_, to) => never(to))
    post('one')
    await wind(3_600_000)
    assert.deepEqual([tries(), lines.map(({ msg }) => msg)], [['one'], ['a mail cannot be delivered']])
  })

  it('keeps the order within a list of recipients while other lists are served', async () => {
    let first = true
    const { post, wind, tries } = opened((subject, to) => {
      if (subject !== 'a1' || !first) return WELL
      first = false
      return later(to, '450')
    })
    post('a1', ['a@x'])
    post('a2', ['a@x'])
    post('b1', ['b@x'])
    await wind(10_000)
    assert.deepEqual(tries(), ['a1', 'b1', 'a1', 'a2'])
  })

  it('does not let a hanging server delay another', async () => {
    const { post, wind, lines } = opened((subject, to, signal) =>
      subject.startsWith('hang')
        ? new Promise(resolve => signal.addEventListener('abort', () => resolve(later(to, 'ETIMEDOUT'))))
        : WELL,
    )
    post('hangs', ['ops@x'], { host: 'dead', port: 25 })
    post('goes', ['ops@x'], { host: 'mail', port: 25 })
    post('goes too', ['ops@x'], null)
    await wind(1)
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['emailalert: goes', 'emailalert: goes too'],
    )
    await wind(29_000)
    assert.equal(lines.length, 2)
    await wind(1000)
    assert.deepEqual(
      [lines[2]?.server, lines[2]?.msg],
      ['dead port 25', 'a mail cannot be delivered; lvsd tries again'],
    )
  })

  it('queues at most 100 mails for a mail server and drops the oldest', async () => {
    let isDown = true
    const { post, wind, tries, lines } = opened((_, to) => (isDown ? later(to) : WELL))
    for (let i = 0; i < 300; i++) post(`mail ${i}`)
    await wind(1)
    tries()
    isDown = false
    await wind(10_000)
    const sent = tries()
    assert.deepEqual([sent.length, sent[0], sent.at(-1)], [100, 'mail 0', 'mail 299'])
    assert.equal(lines.find(({ msg }) => msg === 'mails are delivered again')?.lost, 200)
  })
})

describe('mail-queue: the queue of mails, with one failing mailbox', () => {
  it('delivers to the other mailboxes at once, and retries each failing one separately', async () => {
    const asked: string[] = []
    const { post, wind, lines } = opened((subject, to) => {
      asked.push(`${subject} ${to.join(' ')}`)
      return to.includes('b@x') ? later(['b@x'], '452') : WELL
    })
    for (const subject of ['1', '2', '3']) post(subject, ['a@x', 'b@x', 'c@x'])
    await wind(1000)
    assert.deepEqual(asked, ['1 a@x b@x c@x', '2 a@x c@x', '3 a@x c@x'])
    assert.deepEqual(
      lines.filter(({ msg }) => msg.startsWith('emailalert')).map(({ msg }) => msg),
      ['emailalert: 1', 'emailalert: 2', 'emailalert: 3'],
    )
  })

  it('separates recipients that wait because of a hanging mailbox', async () => {
    const asked: string[] = []
    const { post, wind } = opened((_, to, signal) => {
      asked.push(to.join(' '))
      if (!to.includes('b@x')) return WELL
      return new Promise(resolve => signal.addEventListener('abort', () => resolve(later(to, 'ETIMEDOUT'))))
    })
    post('1', ['a@x', 'b@x'])
    await wind(36_000)
    assert.deepEqual(asked.slice(0, 2), ['a@x b@x', 'a@x'])
  })

  it('keeps recipients together if the mail server refused all of them', async () => {
    const asked: string[] = []
    const { post, wind } = opened((_, to) => {
      asked.push(to.join(' '))
      return asked.length < 3 ? later(to, 'ECONNREFUSED') : WELL
    })
    post('1', ['a@x', 'b@x'])
    await wind(60_000)
    assert.deepEqual(asked, ['a@x b@x', 'a@x b@x', 'a@x b@x'])
  })

  it('drops the oldest mail of the failing mailbox, never one in progress or of another mailbox', async () => {
    const got: string[] = []
    let release = () => {}
    const { post, wind, queue, lines } = opened((subject, to) => {
      if (to.includes('b@x')) return later(to, '452')
      if (subject !== 'held') return WELL
      return new Promise(resolve => {
        release = () => resolve(WELL)
      })
    })
    post('for b', ['b@x'])
    await wind(1)
    post('held', ['a@x'])
    await wind(1)
    for (let i = 0; i < 150; i++) post(`b ${i}`, ['b@x'])
    for (let i = 0; i < 99; i++) post(`a ${i}`, ['a@x'])
    release()
    await wind(1)
    for (const { msg } of lines) if (msg.startsWith('emailalert: ')) got.push(msg.slice(12))
    assert.deepEqual(got, ['held', ...Array.from({ length: 99 }, (_, i) => `a ${i}`)])
    const closing = queue.close(5000)
    await wind(6000)
    await closing
  })
})

/** A random number generator with a seed, which the name of the test tells. */
function random(seed: number) {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('mail-queue: the queue of mails, with random mailboxes', function () {
  this.timeout(60_000)
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
    it(`keeps the order of each mailbox, sends nothing twice, and delays no mailbox because of another: seed ${seed}`, async () => {
      const pick = random(seed)
      const names = ['well', 'well too', 'busy', 'refuses', 'hangs', 'greylists']
      const got = new Map(names.map(name => [name, [] as number[]]))
      const tries = new Map<string, number>()
      const answerFor = (name: string, subject: string): 'take' | 'again' | 'refuse' | 'hang' => {
        const key = `${name} ${subject}`
        tries.set(key, (tries.get(key) ?? 0) + 1)
        if (name.startsWith('well')) return 'take'
        if (name === 'greylists') return tries.get(key) === 1 ? 'again' : 'take'
        if (name === 'hangs') return 'hang'
        return name === 'busy' ? 'again' : 'refuse'
      }
      const stage = opened((subject, to, signal) => {
        const answers = to.map(name => [name, answerFor(name, subject)] as const)
        if (answers.some(([, answer]) => answer === 'hang'))
          return new Promise(resolve =>
            signal.addEventListener('abort', () => resolve(later(to, 'ETIMEDOUT'))),
          )
        const of = (wanted: string) => answers.filter(([, answer]) => answer === wanted).map(([name]) => name)
        for (const name of of('take')) got.get(name)?.push(Number(subject))
        const bad = [...of('again'), ...of('refuse')]
        return { again: of('again'), refused: of('refuse'), fault: bad.length > 0 ? fault('452') : null }
      })
      const posted = new Map(names.map(name => [name, [] as number[]]))
      for (let i = 0; i < 60; i++) {
        const to = names.filter(() => pick(2) === 0)
        if (to.length === 0) continue
        stage.post(String(i), to)
        for (const name of to) posted.get(name)?.push(i)
        await stage.wind(pick(3) === 0 ? 60_000 : 1000)
      }
      await stage.wind(240_000)
      for (const name of ['well', 'well too', 'greylists'])
        assert.deepEqual(got.get(name), posted.get(name), name)
      for (const name of names)
        assert.deepEqual(
          got.get(name),
          [...new Set(got.get(name))].sort((a, b) => a - b),
        )
      const closing = stage.queue.close(5000)
      await stage.wind(6000)
      await closing
      await stage.wind(60_000)
      assert.equal(stage.clock.alarms, 0)
    })
})

describe('mail-queue: the queue of mails, after an internal error', () => {
  it('drops the mail and continues with the next', async () => {
    const { post, wind, tries, lines } = opened(async subject => {
      if (subject === 'one') throw new Error('a bug')
      return WELL
    })
    post('one')
    post('two')
    await wind(1000)
    assert.deepEqual(tries(), ['one', 'two'])
    assert.equal(lines[0]?.error, 'Error: a bug')
  })
})

describe('mail-queue: the queue of mails at the end', () => {
  it('tries each waiting mail once more at the stop', async () => {
    let isDown = true
    const { post, wind, queue, tries } = opened((_, to) => (isDown ? later(to) : WELL))
    for (const subject of ['one', 'two', 'three']) post(subject)
    await wind(1000)
    tries()
    isDown = false
    await queue.close(5000)
    assert.deepEqual(tries(), ['one', 'two', 'three'])
  })

  it('waits up to its time limit, then logs the mails that are lost', async () => {
    const { post, wind, queue, lines, clock } = opened(() => never_)
    for (const subject of ['one', 'two', 'three']) post(subject)
    let isOver = false
    const closing = queue.close(5000).then(() => {
      isOver = true
    })
    await wind(4999)
    assert.equal(isOver, false)
    await wind(1)
    await closing
    assert.deepEqual(
      lines.map(({ msg, mails }) => [msg, mails]),
      [['lvsd stops; mails were not delivered and are lost', 3]],
    )
    await wind(60_000)
    assert.equal(clock.alarms, 0)
  })

  it('stops at once if no mail is waiting', async () => {
    await opened(() => WELL).queue.close(5000)
  })
})
