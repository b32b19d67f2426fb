/** Where an instance has its files: which configuration a name means, and what is kept about the one that runs it. */
import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** One configuration file and the name under which init scripts know its daemon. */
export interface Instance {
  /** In the pid file's name and in the log. */
  readonly name: string
  /** The configuration as found, for people. */
  readonly file: string
  /** The same, absolute. Links stay: what they point to may change between two reloads. */
  readonly path: string
}

/** The name for which `ldirectord start` looks. */
const DEFAULT_CONFIG = 'ldirectord.cf'
const DEFAULT_NAME = 'ldirectord'

/** The instance that the words on the command line mean; null where there is no such file. */
export function findInstance(config: string | null, env: Env): Instance | null {
  const file = candidates(config, env).find(isFile)
  return file === undefined ? null : { name: nameOf(config), file, path: resolve(file) }
}

/** The files that the words may mean, in the order in which they are looked for. */
export function candidates(config: string | null, env: Env): readonly string[] {
  const wanted = config ?? DEFAULT_CONFIG
  return [`${configFolder(env)}/${wanted}`, `${configFolder(env)}/conf/${wanted}`, wanted]
}

/** `ldirectord` where no file is named, else the file's base name. */
export function nameOf(config: string | null): string {
  return config === null ? DEFAULT_NAME : /([^/]+)$/.exec(config)?.[1] || DEFAULT_NAME
}

/**
 * Whether one word on the command line means either of these files, by the order in which it is looked for: when
 * /etc/ha.d/web.cf appears, `ldirectord web.cf stop` is still for the daemon of /etc/ha.d/conf/web.cf.
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

/** Everything lies below this folder in place of /, for tests and trials. */
function below(env: Env, path: string): string {
  return `${env.LVSD_LDIRECTORD_ROOT ?? ''}${path}`
}

function configFolder(env: Env): string {
  return below(env, '/etc/ha.d')
}

/** The pid file of ldirectord: it holds the number and a newline. */
export function pidFileOf({ name }: Pick<Instance, 'name'>, env: Env): string {
  return below(env, `/var/run/ldirectord.${name}.pid`)
}

/** The log where the configuration names none. */
export function defaultLogFile(env: Env): string {
  return below(env, '/var/log/ldirectord.log')
}

/** The folder of control sockets and locks, one of each for a configuration file. */
export function runFolder(env: Env): string {
  return below(env, '/run/ldirectord')
}

/** The folder of the ownership journals. */
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

/** A Unix socket's whole path has 107 bytes at most. */
const LONGEST_KEY = 64

/** A file name that tells which file is meant, and no two files share. */
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
