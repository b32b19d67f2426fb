/** Reads what doctor must know of this machine: files of /proc and /sys, and a few system calls. Changes nothing. */
import { release } from 'node:os'
import { isClockSynchronised } from '../../system/libc.js'
import type { Daemon, Machine } from '../facts.js'
import { readAddresses, readLinks, readLocalRoutes } from './addresses.js'
import { hasIpvs, readModules } from './modules.js'
import { readProcess } from './process.js'
import { readPrograms } from './programs.js'
import { readSysctls } from './sysctls.js'

/** `declared` are further names of sysctls to read. */
export function readMachine(daemon: Daemon, declared: Iterable<string> = []): Machine {
  return {
    now: Date.now(),
    isRoot: process.geteuid?.() === 0,
    kernel: release(),
    node: process.versions.node,
    sysctls: readSysctls(declared),
    hasIpvs: hasIpvs(),
    modules: readModules(),
    addresses: readAddresses(),
    localRoutes: readLocalRoutes(),
    links: readLinks(),
    programs: readPrograms(),
    daemon,
    process: readProcess(daemon.state === 'running' ? daemon.pid : null),
    isClockSynchronised: isClockSynchronised(),
  }
}
