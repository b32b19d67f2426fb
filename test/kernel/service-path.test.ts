/**
 * What the kernel does with a marked connection of the director to a virtual address that the director holds itself: a
 * service on the mark with one real server sends it there, by the forwarding method of that server.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { askMarked } from './site/marked.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, ipvsadm, set } from './site/site.js'

const V6 = {
  name: 'IPv6',
  virtual: 'fc00::90',
  director: 'fc00::d',
  real: 'fc00::31',
  length: 128,
  word: ['-6'],
}
const V4 = {
  name: 'IPv4',
  virtual: '10.9.0.90',
  director: '10.9.0.13',
  real: '10.9.0.31',
  length: 32,
  word: [],
}
type Front = typeof V6 | typeof V4
const METHODS = { gate: ['-g'], ipip: ['-i'], gre: ['-i', '--tun-type', 'gre'] }
const MARK = 0x4c56_0001

const ask = ({ virtual, director }: Front, mark = MARK) => askMarked({ to: virtual, from: director, mark })

async function serve({ real, word }: Front, method: readonly string[]): Promise<void> {
  await ipvsadm('-C')
  await ipvsadm('-A', '-f', String(MARK), ...word, '-s', 'rr')
  const key = real.includes(':') ? `[${real}]:80` : `${real}:80`
  await ipvsadm('-a', '-f', String(MARK), ...word, '-r', key, ...method)
}

const onServer = (command: string) => ip('r31', [command])
const holdVirtual = ({ virtual, length }: Front, verb: 'add' | 'del') =>
  onServer(`addr ${verb} ${virtual}/${length} dev lo${length === 128 && verb === 'add' ? ' nodad' : ''}`)

describe('a marked connection to a virtual address of the director', () => {
  before(async () => {
    await buildSite([V6.virtual], [{ name: 'r31', address: V6.real, virtual: [V6.virtual] }])
    ip(DIRECTOR, [`addr add ${V4.director}/24 dev lan`, `addr add ${V4.virtual}/32 dev lan`])
    within('r31', () => set('ipv4/conf/all/arp_ignore', 1))
    onServer(`addr add ${V4.real}/24 dev eth0`)
    holdVirtual(V4, 'add')
    execFileSync('modprobe', ['-a', 'ipip', 'ip6_tunnel', 'ip_gre', 'ip6_gre'])
    ip('r31', [
      'link set tunl0 up',
      `link add any6 type ip6tnl mode any local ${V6.real} remote ${V6.director}`,
      `link add gre4 type gre local ${V4.real} remote ${V4.director}`,
      `link add gre6 type ip6gre local ${V6.real} remote ${V6.director}`,
      ...['any6', 'gre4', 'gre6'].map(link => `link set ${link} up`),
    ])
    for (const link of ['all', 'tunl0', 'gre4']) within('r31', () => set(`ipv4/conf/${link}/rp_filter`, 0))
    for (const link of ['all', 'lan']) within(DIRECTOR, () => set(`ipv4/conf/${link}/accept_local`, 1))
  })

  beforeEach(async () => {
    await freshDirector()
    startRealServer('r31')
  })

  for (const front of [V6, V4])
    for (const [method, words] of Object.entries(METHODS))
      it(`reaches the server over ${front.name} by ${method}, and shows what is wrong on its path`, async () => {
        const seen: Record<string, string> = {}
        await serve(front, words)
        seen.whole = await ask(front)
        seen['without a mark'] = await ask(front, 0)
        holdVirtual(front, 'del')
        seen['address missing on lo'] = await ask(front)
        holdVirtual(front, 'add')
        const link = { ipip: { IPv6: 'any6', IPv4: 'tunl0' }, gre: { IPv6: 'gre6', IPv4: 'gre4' } }[method]?.[
          front.name as 'IPv6' | 'IPv4'
        ]
        if (link) {
          onServer(`link set ${link} down`)
          seen['tunnel down'] = await ask(front)
          onServer(`link set ${link} up`)
        }
        if (front === V4) {
          for (const one of ['all', link ?? 'eth0']) within('r31', () => set(`ipv4/conf/${one}/rp_filter`, 1))
          seen.rp_filter = await ask(front)
          for (const one of ['all', link ?? 'eth0']) within('r31', () => set(`ipv4/conf/${one}/rp_filter`, 0))
          for (const one of ['all', 'lan']) within(DIRECTOR, () => set(`ipv4/conf/${one}/accept_local`, 0))
          seen['without accept_local'] = await ask(front)
          for (const one of ['all', 'lan']) within(DIRECTOR, () => set(`ipv4/conf/${one}/accept_local`, 1))
        }
        seen['whole again'] = await ask(front)
        console.log(`      ${JSON.stringify(seen)}`)
        const tunnelDown = front === V4 ? 'ECONNREFUSED' : 'no answer'
        assert.deepEqual(seen, {
          whole: 'r31',
          // The connection ends on the director, where nothing listens.
          'without a mark': 'ECONNREFUSED',
          'address missing on lo': 'no answer',
          ...(link && { 'tunnel down': tunnelDown }),
          // Packets by direct routing come from where the answers go.
          ...(front === V4 && { rp_filter: link ? 'no answer' : 'r31', 'without accept_local': 'no answer' }),
          'whole again': 'r31',
        })
      })
})
