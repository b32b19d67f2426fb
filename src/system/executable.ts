/**
 * Checks whether the kernel can execute a file: a program for this machine, a script with a valid `#!` line, or a
 * format of binfmt_misc. The check is needed because libuv starts children with execvp(3), which passes a file that the
 * kernel refuses (ENOEXEC) to /bin/sh. An empty file would then succeed.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { trustedPath } from './trusted-path.js'

/** Number of bytes that the kernel reads to recognize the format: BINPRM_BUF_SIZE. */
const HEAD = 256
/** The interpreter of a script may be a script. The kernel follows at most five of them. */
const MOST_INTERPRETERS = 5
const HANDLERS = '/proc/sys/fs/binfmt_misc'

const ELF_MAGIC = 0x464c457f
/** Values of e_type: ET_EXEC and ET_DYN. */
const ELF_RUNNABLE = new Set([2, 3])
/** e_machine of 32-bit programs that a 64-bit kernel also runs: EM_386 on EM_X86_64, EM_ARM on EM_AARCH64. */
const ELF_COMPATIBLE: Readonly<Record<number, number>> = { 62: 3, 183: 40 }
/** Sizes in bytes of the ELF header and of a program header table entry, by e_ident[EI_CLASS]. */
const ELF_SIZES: Readonly<Record<number, readonly [number, number]>> = { 1: [52, 32], 2: [64, 56] }

/**
 * Returns a sentence if the kernel would not execute this file, else null. Throws `UntrustedPath` if another user could
 * change the interpreter of a script, and the system's error if the file cannot be opened.
 */
export function whyNotExecutable(path: string, handlers = HANDLERS): string | null {
  return whyNot(path, handlers, 0)
}

function whyNot(path: string, handlers: string, depth: number): string | null {
  const head = headOf(path)
  // Executing a program does not need read permission. A script that cannot be read fails when it runs.
  if (head === null) return null
  if (head.length === 0) return `${path} is empty`
  if (head.toString('latin1', 0, 2) === '#!') return whyNotScript(path, head, handlers, depth)
  if (isElf(head) || isHandled(path, head, handlers)) return null
  return `${path} is neither a program for this machine nor a script with a #! line`
}

function headOf(path: string): Buffer | null {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return null
    throw error
  }
  try {
    const head = Buffer.alloc(HEAD)
    return head.subarray(0, readSync(fd, head, 0, HEAD, 0))
  } finally {
    closeSync(fd)
  }
}

// ---------------------------------------------------------------- scripts

function whyNotScript(path: string, head: Buffer, handlers: string, depth: number): string | null {
  const [line = ''] = head.toString('utf8', 2).split('\n', 1)
  const interpreter = /^[ \t]*([^ \t\0]*)/.exec(line)?.[1] ?? ''
  if (interpreter === '') return `${path} names no interpreter in its #! line`
  if (depth === MOST_INTERPRETERS) return `${path} is a script of a script of a script, too many in a row`
  if (interpreter.endsWith('\r'))
    return `${path} has Windows line ends: its #! line names ${interpreter.slice(0, -1)} and a carriage return`
  try {
    // The kernel resolves a relative path from the working directory, which is / for children.
    return whyNot(trustedPath(resolve('/', interpreter)), handlers, depth + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    return `the interpreter in the #! line of ${path} does not exist: ${interpreter}`
  }
}

// ---------------------------------------------------------------- programs

/** True for an ELF header that the kernel accepts. A file with later damage dies of a signal. */
function isElf(head: Buffer): boolean {
  const own = headOf('/proc/self/exe')
  if (!own || head.length < 52 || head.readUInt32LE(0) !== ELF_MAGIC || head[5] !== own[5]) return false
  const isBig = head[5] === 2
  const u16 = (buffer: Buffer, at: number) => (isBig ? buffer.readUInt16BE(at) : buffer.readUInt16LE(at))
  const [size, entry] = ELF_SIZES[head[4] ?? 0] ?? [HEAD + 1, 0]
  if (head.length < size || !ELF_RUNNABLE.has(u16(head, 16))) return false
  const [machine, ours] = [u16(head, 18), u16(own, 18)]
  const isOurs = machine === ours && head[4] === own[4]
  const isCompatible = machine === ELF_COMPATIBLE[ours] && head[4] === 1
  // e_phentsize and e_phnum, the fifth and the fourth last half word of the header.
  return (isOurs || isCompatible) && u16(head, size - 10) === entry && u16(head, size - 8) > 0
}

// ---------------------------------------------------------------- binfmt_misc

/** True if a registered handler matches, for example for programs of other machines (qemu) or Java archives. */
function isHandled(path: string, head: Buffer, folder: string): boolean {
  return handlerTexts(folder).some(text => {
    if (!/^enabled$/m.test(text)) return false
    const extension = /^extension \.(.+)$/m.exec(text)?.[1]
    if (extension !== undefined) return extname(path) === `.${extension}`
    const bytes = (word: string) =>
      Buffer.from(new RegExp(`^${word} ([0-9a-f]+)$`, 'm').exec(text)?.[1] ?? '', 'hex')
    const [magic, mask] = [bytes('magic'), bytes('mask')]
    const at = Number(/^offset (\d+)$/m.exec(text)?.[1] ?? 0)
    const isByte = (byte: number, i: number) => (((head[at + i] ?? -1) ^ byte) & (mask[i] ?? 0xff)) === 0
    return magic.length > 0 && at + magic.length <= head.length && magic.every(isByte)
  })
}

function handlerTexts(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => name !== 'register' && name !== 'status')
      .map(name => readFileSync(join(folder, name), 'utf8'))
  } catch {
    return []
  }
}
