/** Paths of an instance: its configuration file, and the files of its daemon. */
import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** A configuration file, and the name that init scripts use for its daemon. */
export interface Instance {
  /** Used in the name of the pid file, and in the log. */
  readonly name: string
  /** Path of the configuration as found, for messages. */
  readonly file: string
  /** Absolute path. Symbolic links are not resolved, because their target may change between two reloads. */
  readonly path: string
}

/** File name for `ldirectord start` without a file. */
const DEFAULT_CONFIG = 'ldirectord.cf'
const DEFAULT_NAME = 'ldirectord'

/** Returns the instance for the word on the command line; null if there is no such file. */
export function findInstance(config: string | null, env: Env): Instance | null {
  const file = candidates(config, env).find(isFile)
  return file === undefined ? null : { name: nameOf(config), file, path: resolve(file) }
}

/** Returns the possible files for the word, in search order. */
export function candidates(config: string | null, env: Env): readonly string[] {
  const wanted = config ?? DEFAULT_CONFIG
  return [`${configFolder(env)}/${wanted}`, `${configFolder(env)}/conf/${wanted}`, wanted]
}

/** Returns the base name of the file, or `ldirectord` if none is given. */
export function nameOf(config: string | null): string {
  return config === null ? DEFAULT_NAME : /([^/]+)$/.exec(config)?.[1] || DEFAULT_NAME
}

/**
 * True if the same word on the command line can refer to both files. If /etc/ha.d/web.cf appears later, `ldirectord
 * web.cf stop` must still stop the daemon of /etc/ha.d/conf/web.cf.
 */
export function isSameWord(one: Instance, other: Instance, env: Env): boolean {
  const word = wordFor(one, env)
  return word !== null && word === wordFor(other, env)
}

function wordFor({ path }: Instance, env: Env): string | null {
  const folder = resolve(configFolder(env))
  const place = [`${folder}/conf/`, `${folder}/`].find(start => path.startsWith(start))
  return place === undefined ? null : path.slice(place.length)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

/** Returns the path below LVSD_LDIRECTORD_ROOT instead of /, for tests and trials. */
function below(env: Env, path: string): string {
  return `${env.LVSD_LDIRECTORD_ROOT ?? ''}${path}`
}

function configFolder(env: Env): string {
  return below(env, '/etc/ha.d')
}

/** Path of ldirectord's pid file, which contains the process id and a newline. */
export function pidFileOf({ name }: Pick<Instance, 'name'>, env: Env): string {
  return below(env, `/var/run/ldirectord.${name}.pid`)
}

/** Path of the log if the configuration sets none. */
export function defaultLogFile(env: Env): string {
  return below(env, '/var/log/ldirectord.log')
}

/** Folder of control sockets and locks, one of each per configuration file. */
export function runFolder(env: Env): string {
  return below(env, '/run/ldirectord')
}

/** Folder of journals and accepted configurations. */
export function stateFolder(env: Env): string {
  return below(env, '/var/lib/ldirectord')
}

/** `/run/ldirectord/etc-ha.d-ldirectord.cf.sock` for `/etc/ha.d/ldirectord.cf`. */
export function socketOf({ path }: Instance, env: Env): string {
  return join(runFolder(env), `${keyOf(path)}.sock`)
}

export function lockOf({ path }: Instance, env: Env): string {
  return join(runFolder(env), `${keyOf(path)}.lock`)
}

export function allLocks(env: Env): string[] {
  const folder = runFolder(env)
  if (!statSync(folder, { throwIfNoEntry: false })) return []
  return readdirSync(folder)
    .filter(name => name.endsWith('.lock'))
    .map(name => join(folder, name))
}

/** Maximum bytes of a key. The path of a Unix socket has at most 107 bytes. */
const LONGEST_KEY = 64

/** Returns a readable file name that is unique for the path. */
function keyOf(path: string): string {
  const key = path
    .slice(1)
    .replaceAll(/[%-]/g, letter => (letter === '-' ? '%2d' : '%25'))
    .replaceAll('/', '-')
  if (Buffer.byteLength(key) <= LONGEST_KEY) return key
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16)
  return `${basename(path)
    .replaceAll(/[^\w.]/g, '_')
    .slice(-40)}-${hash}`
}
