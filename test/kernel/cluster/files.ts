/**
 * The files of deploy/cluster/haproxy on the machines of the lab, at the paths that their README names, with the changes
 * that it asks for. Nothing else is changed in the long form; the short one has longer limits.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { recipeFile } from '../../support/recipe.js'
import type { Machine } from './machines.js'
import type { Machines } from './network.js'

type Changes = readonly (readonly [from: string, to: string])[]

/**
 * Limits for a guest that shares its one processor with other work: keepalived, haproxy and lvsd would take its pauses
 * for faults of each other.
 */
const LONG_LIMITS: Readonly<Record<string, Changes>> = {
  'keepalived.conf': [['advert_int 0.2', 'advert_int 1']],
  'haproxy.cfg': [
    ['timeout check 500ms', 'timeout check 5s'],
    ['timeout connect 500ms', 'timeout connect 5s'],
  ],
  'lvsd.yaml': [['timeout: 1s, fall: 2', 'timeout: 5s, fall: 2']],
}

/** Of keepalived on the second director. */
const SECOND: Changes = [
  ['router_id director1', 'router_id director2'],
  ['priority 100', 'priority 90'],
]

/** Of lvsd.yaml beside keepalived-sync-group.conf, as its first lines say. */
const IN_GROUP: Changes = [
  ['instance: VI_6, fifo', 'group: SITE, fifo'],
  ['  track-file: { path: /run/lvsd/priority, weight: 60 }\n', ''],
]

export interface Limits {
  /** True: the limits of the recipe. False: longer ones. */
  readonly ofRecipe: boolean
}

/** Writes the files of all machines, and sets their sysctls and virtual addresses. */
export function layOut(machines: Machines, { ofRecipe }: Limits): void {
  const file = (name: string, changes: Changes = []) =>
    recipeFile(name, [...changes, ...(ofRecipe ? [] : (LONG_LIMITS[name] ?? []))])
  const { director1, director2, haproxy1, haproxy2, redis1, redis2 } = machines
  director1.write('/etc/keepalived/keepalived.conf', file('keepalived.conf'))
  director2.write('/etc/keepalived/keepalived.conf', file('keepalived.conf', SECOND))
  for (const director of [director1, director2]) {
    director.write('/etc/lvsd/lvsd.yaml', file('lvsd.yaml'))
    director.write('/etc/lvsd/redis.passwd', `${passwordOf('lvsd')}\n`)
    // Loads IPVS, which the sysctls need.
    director.run('ipvsadm', '-Ln')
    sysctl(director, readFileSync(join(packageRoot, 'deploy/lvsd.sysctl.conf'), 'utf8'))
  }
  for (const haproxy of [haproxy1, haproxy2]) {
    haproxy.write('/etc/haproxy/haproxy.cfg', file('haproxy.cfg'))
    haproxy.write('/etc/haproxy/agent.lua', file('agent.lua'))
    sysctl(haproxy, file('haproxy.sysctl.conf'))
    for (const command of virtualAddressCommands()) haproxy.run('sh', '-c', command)
  }
  redis1.write('/etc/redis/redis.conf', file('redis.conf'))
  const replica: Changes = [
    ['bind 2001:db8::41', 'bind 2001:db8::42'],
    ['# replicaof', 'replicaof'],
  ]
  redis2.write('/etc/redis/redis.conf', file('redis.conf', replica))
  for (const redis of [redis1, redis2]) redis.write('/etc/redis/users.acl', file('users.acl'))
  for (const [machine, number] of [
    [redis1, 41],
    [redis2, 42],
    [haproxy1, 11],
  ] as const)
    machine.write(
      '/etc/redis/sentinel.conf',
      file('sentinel.conf', [['bind 2001:db8::41', `bind 2001:db8::${number}`]]),
    )
}

/** Writes the files of the directors for a sync group, with the recipe's limits. */
export function layOutGroup({ director1, director2 }: Machines): void {
  for (const [director, changes] of [
    [director1, []],
    [director2, SECOND],
  ] as const) {
    director.write('/etc/keepalived/keepalived.conf', recipeFile('keepalived-sync-group.conf', changes))
    director.write('/etc/lvsd/lvsd.yaml', recipeFile('lvsd.yaml', IN_GROUP))
  }
}

/** Returns the password of a user of Redis in the recipe. */
export function passwordOf(user: string): string {
  const found = new RegExp(`^user ${user} on >(\\S+)`, 'm').exec(recipeFile('users.acl', []))?.[1]
  if (found === undefined) throw new Error(`users.acl has no user ${user}`)
  return found
}

function sysctl(machine: Machine, text: string): void {
  machine.write('/var/log/sysctl.conf', text)
  machine.run('sysctl', '-q', '-p', '/var/log/sysctl.conf')
}

function virtualAddressCommands(): string[] {
  const unit = recipeFile('virtual-address.service', [])
  return [...unit.matchAll(/^ExecStart=(.*)$/gm)].map(([, command = '']) => command)
}
