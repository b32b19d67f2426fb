/** Finds a program or script and checks that it can be run. A file that cannot be run is reported without an attempt. */
import { accessSync, constants, lstatSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { whyNotExecutable } from './executable.js'
import { trustedPath, UntrustedPath } from './trusted-path.js'

/** The path to execute, or the reason why there is none, as a sentence. `isAbsent`: the file does not exist. */
export type Located = { readonly path: string } | { readonly why: string; readonly isAbsent?: true }

export const USUAL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Folders in which a program is looked up by name. */
export const USUAL_FOLDERS: readonly string[] = USUAL_PATH.split(':')

/**
 * Finds a program as exec does: by its path (a relative path starts at /), or by its name in `folders`. The path is
 * returned unchanged, because a program may depend on the name under which it is called. Only root and lvsd's user can
 * change the file that the path, including its links, leads to.
 */
export function locateProgram(command: string, folders = USUAL_FOLDERS): Located {
  for (const place of placesOf(command, folders)) {
    const found = lookAt(place, constants.X_OK, path => whyNotExecutable(path))
    if (found) return found
  }
  const hint = command.includes(' ') ? '; arguments belong under `arguments`' : ''
  const looked = command.includes('/') ? '/' : folders.join(':')
  const where = isAbsolute(command) ? '' : ` (looked in ${looked})`
  return { why: `${command} does not exist${where}${hint}`, isAbsent: true }
}

/** Finds a readable script for an interpreter, or a program of any format, by the access `mode`. */
export function locateFile(path: string, mode: number): Located {
  const [place = path] = placesOf(path, USUAL_FOLDERS)
  return lookAt(place, mode, () => null) ?? { why: `${path} does not exist`, isAbsent: true }
}

function placesOf(command: string, folders: readonly string[]): string[] {
  if (isAbsolute(command)) return [command]
  if (command.includes('/')) return [`/${command}`]
  return folders.filter(folder => isAbsolute(folder)).map(folder => `${folder}/${command}`)
}

/** Returns null if the file does not exist. */
function lookAt(place: string, mode: number, whyNot: (path: string) => string | null): Located | null {
  try {
    const real = trustedPath(place)
    if (!lstatSync(real).isFile()) return { why: `${place} is not a file` }
    accessSync(real, mode)
    const why = whyNot(real)
    return why === null ? { path: place } : { why }
  } catch (error) {
    if (error instanceof UntrustedPath) return { why: `not run: ${error.message}` }
    const { code = '', message } = error as NodeJS.ErrnoException
    if (isOwnWant(code)) return { why: withoutResources(place, code) }
    return code === 'ENOENT' ? null : { why: LOOK_ERRORS[code]?.(place, mode) ?? `${place}: ${message}` }
  }
}

/** True if this machine has reached a resource limit. */
export function isOwnWant(code: string): boolean {
  return ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS'].includes(code)
}

export function withoutResources(file: string, code: string): string {
  return `${file} could not be started: this machine has no resources left (${code})`
}

const LOOK_ERRORS: Readonly<Record<string, (place: string, mode: number) => string>> = {
  EACCES: (place, mode) =>
    mode === constants.R_OK
      ? `${place} is not readable for lvsd's user: look at its mode and at the folders above it`
      : `${place} is not executable for lvsd's user: chmod +x it, and look at the folders above it`,
  ENOTDIR: place => `${place} does not exist: a part of the path is not a folder`,
  ELOOP: place => `${place} is a loop of symbolic links`,
}
