/**
 * A site in a lab in which each server is behind an interface of its own, so that a server, its link or its neighbour can
 * be lost alone. This process is the client; the director and each server are namespaces.
 *
 *   client fd00:c::c ── fd00:c::d director fd00:1:0:I::d ── fd00:1:0:I::1 server sI
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { addNamespace, DIRECTOR, within } from './namespaces.js'

export const VIRTUAL = 'fd00:f::1'

/** Servers count from 1. */
export const nameOf = (i: number): string => `s${i}`
export const networkOf = (i: number): string => `fd00:1:0:${i.toString(16)}`
export const addressOf = (i: number): string => `${networkOf(i)}::1`

/** Builds the site. It ends with the lab. */
export function buildLinks(servers: number): void {
  // The first socket loads the IPv6 module, which creates the sysctls below.
  createServer().listen().close()
  const all = Array.from({ length: servers }, (_, k) => k + 1)
  for (const name of [DIRECTOR, ...all.map(nameOf)]) {
    addNamespace(name)
    within(name, () => {
      set('ipv6/conf/all/forwarding', name === DIRECTOR ? 1 : 0)
      for (const which of ['all', 'default']) set(`ipv6/conf/${which}/keep_addr_on_down`, 1)
      set('ipv6/conf/default/accept_dad', 0)
    })
  }
  ip(DIRECTOR, [
    'link set lo up',
    // Deprecated, so that checks do not use it as their source.
    `addr add ${VIRTUAL}/128 dev lo nodad preferred_lft 0`,
    `link add client type veth peer name eth0 netns ${process.pid}`,
    'addr add fd00:c::d/64 dev client nodad',
    'link set client up',
    ...all.flatMap(i => [
      `link add ${nameOf(i)} type veth peer name eth0 netns ${nameOf(i)}`,
      `addr add ${networkOf(i)}::d/64 dev ${nameOf(i)} nodad`,
      `link set ${nameOf(i)} up`,
    ]),
  ])
  ip(null, [
    'addr add fd00:c::c/64 dev eth0 nodad',
    'link set eth0 up',
    `route add ${VIRTUAL}/128 via fd00:c::d`,
  ])
  for (const i of all) {
    ip(nameOf(i), [
      'link set lo up',
      `addr add ${addressOf(i)}/64 dev eth0 nodad`,
      'link set eth0 up',
      routeBack(i),
    ])
    execFileSync('ip', ['netns', 'exec', nameOf(i), 'tc', 'qdisc', 'add', 'dev', 'eth0', 'ingress'])
  }
}

const routeBack = (i: number): string => `route replace ::/0 via ${networkOf(i)}::d`

function ip(namespace: string | null, commands: readonly string[]): void {
  const where = namespace === null ? [] : ['-n', namespace]
  execFileSync('ip', [...where, '-batch', '-'], { input: commands.join('\n') })
}

/** Sets a value below /proc/sys/net of a namespace. */
export function setIn(namespace: string, name: string, value: number): void {
  within(namespace, () => set(name, value))
}

function set(name: string, value: number): void {
  writeFileSync(`/proc/sys/net/${name}`, String(value))
}

/** Runs commands of `ip` in a namespace. Does not block the process. */
export function ipIn(namespace: string, ...commands: readonly string[]): Promise<void> {
  return runIn(namespace, ['ip', '-batch', '-'], commands.join('\n'))
}

async function runIn(
  namespace: string,
  [program = '', ...args]: readonly string[],
  input: string,
): Promise<void> {
  const child = within(namespace, () => spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] }))
  child.stdin.end(`${input}\n`)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} in ${namespace} ended with ${code}: ${input}`)
}

/** The cable of server `i` is pulled, or plugged in again: the director's interface has no carrier. */
export function setCable(i: number, isIn: boolean): Promise<void> {
  return ipIn(nameOf(i), ...(isIn ? ['link set eth0 up', routeBack(i)] : ['link set eth0 down']))
}

/** Filters of tc for what the machine of a server drops. Everything includes neighbour solicitations. */
const FILTERS = {
  nothing: [],
  TCP: ['filter add dev eth0 parent ffff: protocol ipv6 prio 1 flower ip_proto tcp action drop'],
  everything: ['filter add dev eth0 parent ffff: prio 1 matchall action drop'],
}

/** Makes the machine of server `i` drop what arrives, instead of what it dropped before. */
export function setDropping(i: number, what: keyof typeof FILTERS): Promise<void> {
  const commands = ['filter del dev eth0 parent ffff:', ...FILTERS[what]]
  return runIn(nameOf(i), ['tc', '-batch', '-'], commands.join('\n'))
}

/** Of the packets to the machine of server `i` this share is lost, in percent, by chance (tc-netem(8)). */
export function setLosing(i: number, percent: number): Promise<void> {
  const which = `dev ${nameOf(i)} root`
  const command = percent === 0 ? `qdisc del ${which}` : `qdisc replace ${which} netem loss ${percent}%`
  return runIn(DIRECTOR, ['tc', '-batch', '-'], command)
}
