import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServiceId } from '../../../src/core/model.js'
import {
  type Journal,
  JournalInUse,
  journalPath,
  openJournal,
  readJournal,
} from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { serviceId } from '../../support/tables.js'
import { THINGS } from '../../support/things.js'

const WEB = serviceId('2001:db8::80')
const MARK: ServiceId = { kind: 'fwmark', fwmark: 7, family: 'ipv6' }

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'lvsd-journal-'))
  onCleanup(() => rmSync(path, { recursive: true }))
  return path
}

const noDamage = () => assert.fail('the journal is not damaged')

function open(path: string, onDamage: Parameters<typeof openJournal>[1] = noDamage): Journal {
  const journal = openJournal(path, onDamage)
  onCleanup(() => journal.close())
  return journal
}

describe('journal: the ownership journal', () => {
  it('is empty where there is none', () => {
    assert.equal(open(join(folder(), 'lvsd.json')).owned.size, 0)
  })

  it('keeps services and names over a restart', () => {
    const path = join(folder(), 'deep', 'lvsd.json')
    const journal = open(path)
    journal.record({ add: [WEB, MARK] })
    journal.record({ remove: [WEB] })
    journal.recordNames(new Map([['www ipv6', '2001:db8::1']]))
    journal.close()
    const again = open(path)
    assert.deepEqual([...again.owned], ['fwmark 7 ipv6'])
    assert.deepEqual([...again.names], [['www ipv6', '2001:db8::1']])
  })

  it('keeps the marks of paths over a restart, and forgets those that are none', () => {
    const path = join(folder(), 'lvsd.json')
    const journal = open(path)
    journal.record({ add: [MARK], marks: new Map([['a path', 7]]) })
    rmSync(path)
    journal.record({ marks: new Map([['a path', 7]]) })
    assert.throws(() => readFileSync(path), /ENOENT/, 'nothing has changed')
    journal.record({ marks: new Map([['a path', 8]]) })
    assert.deepEqual([...readJournal(path).marks], [['a path', 8]])
    journal.close()
    const again = open(path)
    assert.deepEqual([...again.marks], [['a path', 8]])
    again.record({ add: [WEB] })
    again.close()
    writeFileSync(path, readFileSync(path, 'utf8').replace('"a path": 8', '"a path": 8, "b": "x"'))
    assert.deepEqual([...open(path).marks], [['a path', 8]])
  })

  it('keeps what was begun until the machine is booted anew', () => {
    const path = join(folder(), 'lvsd.json')
    const journal = open(path)
    journal.recordBegun(new Set(['web', 'mail']))
    journal.recordBegun(new Set(['web']))
    journal.close()
    const again = open(path)
    assert.deepEqual([...again.begun], ['web'])
    again.close()
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"boot": "[^"]+"/, '"boot": "another"'))
    assert.deepEqual([...open(path).begun], [])
  })

  it('keeps what was seen of the maintenance folder', () => {
    const path = join(folder(), 'lvsd.json')
    const journal = open(path)
    const seen = {
      folder: '/m',
      device: '42',
      files: ['web1'],
      names: { 'fd00::1': ['web1.example', 'web1'] },
    }
    journal.recordMaintenance(seen)
    journal.close()
    const again = open(path)
    assert.deepEqual(again.maintenance, seen)
    again.recordMaintenance(null)
    again.close()
    assert.equal(open(path).maintenance, null)
  })

  it('writes only when something changes', () => {
    const path = join(folder(), 'lvsd.json')
    const journal = open(path)
    journal.record({ add: [WEB] })
    rmSync(path)
    journal.record({ add: [WEB], remove: [MARK] })
    assert.throws(() => readFileSync(path), /ENOENT/)
  })

  it('is written in full as soon as the disk takes it again', () => {
    const path = join(folder(), 'lvsd.json')
    const journal = open(path)
    // What stands in the way of the new file is as good as a full disk, for root too.
    mkdirSync(`${path}.new`)
    assert.throws(() => journal.record({ add: [WEB] }), /EISDIR/)
    assert.deepEqual([...journal.owned], ['tcp [2001:db8::80]:80'])
    rmdirSync(`${path}.new`)
    journal.record({ add: [WEB] })
    assert.match(readFileSync(path, 'utf8'), /2001:db8::80/)
  })

  it('belongs to one lvsd at a time', () => {
    const path = join(folder(), 'lvsd.json')
    const first = open(path)
    assert.throws(() => openJournal(path, noDamage), JournalInUse)
    first.close()
    open(path)
  })

  it('does not keep lvsd from starting where it cannot be written', () => {
    const path = join(folder(), 'lvsd.json')
    mkdirSync(`${path}.lock`)
    assert.equal(open(path).owned.size, 0)
  })

  for (const [what, text] of [
    ['a name without an address', '{"services": [], "names": {"www ipv6": 7}}'],
    ['cut off', '{"services": ['],
    ['no journal', '[]'],
    [
      'an address that is none',
      '{"services": [{"protocol": "tcp", "address": "::x", "port": 1}], "names": {}}',
    ],
  ] as const)
    it(`is moved aside and told when it is ${what}`, () => {
      const path = join(folder(), 'lvsd.json')
      writeFileSync(path, text)
      const told: string[] = []
      assert.equal(open(path, (message, moved) => told.push(message, moved)).owned.size, 0)
      assert.match(told[0] ?? '', /damaged/)
      assert.equal(readFileSync(told[1] ?? '', 'utf8'), text)
    })

  for (const [thing, put] of THINGS)
    it(`sets aside ${thing} in its place, in that of its lock and of its new file`, () => {
      const path = join(folder(), 'lvsd.json')
      for (const place of ['', '.lock', '.new'])
        if (place !== '.new' || thing !== 'a folder') put(`${path}${place}`)
      const told: string[] = []
      const journal = open(path, (message, moved) => told.push(message, moved))
      assert.match(told[0] ?? '', /^the ownership journal \S+ cannot be read \(it (is|has) /)
      assert.equal(told[1], `${path}.damaged`)
      assert.throws(() => openJournal(path, noDamage), JournalInUse)
      journal.record({ add: [WEB] })
      journal.close()
      assert.deepEqual([...open(path).owned], ['tcp [2001:db8::80]:80'])
    })

  it('is read by other commands whatever is in its place', () => {
    for (const [, put] of THINGS) {
      const path = join(folder(), 'lvsd.json')
      put(path)
      const { owned, damage } = readJournal(path)
      assert.equal(owned.size, 0)
      assert.match(damage ?? '', /cannot be read/)
    }
  })

  it('is named after the control socket, so that two directors on one machine do not share one', () => {
    assert.equal(journalPath('/var/lib/lvsd', '/run/lvsd/b.sock'), '/var/lib/lvsd/b.json')
  })
})
