/**
 * A small site in a lab: a client (this process), a director and real servers, each in a separate network namespace. All
 * are connected to a bridge of the director.
 *
 *   client fc00::c ── director fc00::d ── real servers fc00::3, fc00::4 …
 *
 * A server behind NAT answers the client through the director. A server with direct routing has the virtual address on
 * its loopback interface and answers the client directly.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { PATIENCE, until } from '../../support/until.js'
import { forgetEverything } from './lvsd.js'
import { addNamespace, DIRECTOR, within } from './namespaces.js'
import { plain, readTable } from './table.js'

export { DIRECTOR }

export interface Machine {
  readonly name: string
  readonly address: string
  /** Virtual addresses on its loopback interface, for direct routing. Without them the server is behind NAT. */
  readonly virtual?: readonly string[]
}

/** Builds the site. Call it once per test file; the lab is removed with everything in it. */
export async function buildSite(virtual: readonly string[], machines: readonly Machine[]): Promise<void> {
  // The first socket loads the IPv6 module, which creates the sysctls below.
  createServer().listen().close()
  for (const name of [DIRECTOR, ...machines.map(machine => machine.name)]) {
    addNamespace(name)
    within(name, () => {
      set('ipv6/conf/all/forwarding', name === DIRECTOR ? 1 : 0)
      // The director would redirect servers on its link to a direct route to the client, without NAT.
      set('ipv6/conf/default/accept_redirects', 0)
      set('ipv6/conf/default/accept_dad', 0)
    })
  }
  ip(DIRECTOR, [
    'link set lo up',
    'link add lan type bridge mcast_snooping 0',
    'addr add fc00::d/64 dev lan nodad',
    // Deprecated (preferred_lft 0), so that checks do not use a virtual address as their source: a server with direct
    // routing has the same address, and would send its answer to itself.
    ...virtual.map(address => `addr add ${address}/128 dev lan nodad preferred_lft 0`),
    'link set lan up',
    `link add client type veth peer name eth0 netns ${process.pid}`,
    ...machines.map(({ name }) => `link add ${name} type veth peer name eth0 netns ${name}`),
    ...['client', ...machines.map(({ name }) => name)].map(port => `link set ${port} master lan up`),
  ])
  ip(null, ['addr add fc00::c/64 dev eth0 nodad', 'link set eth0 up'])
  for (const machine of machines) connect(machine)
  // Loads IPVS, so that its table can be read.
  await ipvsadm('-Ln')
}

function connect({ name, address, virtual }: Machine): void {
  ip(name, [
    'link set lo up',
    `addr add ${address}/64 dev eth0 nodad`,
    'link set eth0 up',
    ...(virtual?.map(own => `addr add ${own}/128 dev lo nodad`) ?? ['route add fc00::c/128 via fc00::d']),
  ])
}

export function ip(namespace: string | null, commands: readonly string[]): void {
  const where = namespace === null ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], { input: commands.join('\n') })
}

export function set(name: string, value: number): void {
  writeFileSync(`/proc/sys/net/${name}`, String(value))
}

/**
 * Runs a command on the director, such as `ipvsadm -Sn` or `nft …`, and returns its output. Does not block the site's
 * servers.
 */
export async function onDirector(command: string, args: readonly string[], input = ''): Promise<string> {
  const stdin = input === '' ? 'ignore' : 'pipe'
  const child = within(DIRECTOR, () => spawn(command, args, { stdio: [stdin, 'pipe', 'inherit'] }))
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', chunk => {
    output += chunk
  })
  child.stdin?.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `${command} ${args.join(' ')}`)
  return output
}

export function ipvsadm(...args: readonly string[]): Promise<string> {
  return onDirector('ipvsadm', args)
}

type Expected = Readonly<Record<string, Readonly<Record<string, string>>>>

/** Waits until the kernel's table is as expected; else fails with the differences. Returns the milliseconds it took. */
export async function tableBecomes(expected: Expected, patience = PATIENCE): Promise<number> {
  const startedAt = performance.now()
  const isThere = () => JSON.stringify(plain(readTable(DIRECTOR))) === JSON.stringify(sorted(expected))
  await until(isThere, { patience, what: 'the table' }).catch(() => tableIs(expected))
  return performance.now() - startedAt
}

export function tableIs(expected: Expected): void {
  assert.deepEqual(plain(readTable(DIRECTOR)), sorted(expected))
}

function sorted(expected: Expected): Expected {
  const entries = Object.entries(expected).map(([key, reals]) => [
    key,
    Object.fromEntries(Object.entries(reals).sort()),
  ])
  return Object.fromEntries(entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))
}

/** Empties the table, and removes all files of earlier runs of lvsd. */
export async function freshDirector(): Promise<void> {
  await ipvsadm('-C')
  forgetEverything()
}
