/**
 * Whether the kernel executes a file: a program of this machine, a script whose `#!` names one, or a format of
 * binfmt_misc. Asked beforehand, since libuv starts children by execvp(3), which hands a file that the kernel refuses
 * (ENOEXEC) to /bin/sh: an empty file would succeed.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { trustedPath } from './trusted-path.js'

/** Bytes that the kernel reads of a file to tell what it is: BINPRM_BUF_SIZE. */
const HEAD = 256
/** A script's interpreter may be a script, the kernel follows five in a row. */
const MOST_INTERPRETERS = 5
const HANDLERS = '/proc/sys/fs/binfmt_misc'

const ELF_MAGIC = 0x464c457f
/** e_type: ET_EXEC and ET_DYN. */
const ELF_RUNNABLE = new Set([2, 3])
/** e_machine of 32-bit programs that a 64-bit kernel runs as well: EM_386 on EM_X86_64, EM_ARM on EM_AARCH64. */
const ELF_COMPATIBLE: Readonly<Record<number, number>> = { 62: 3, 183: 40 }
/** Sizes of an ELF header and of an entry of its program header table, by e_ident[EI_CLASS]. */
const ELF_SIZES: Readonly<Record<number, readonly [number, number]>> = { 1: [52, 32], 2: [64, 56] }

/**
 * Why the kernel would not execute this file, as a sentence, or null. Throws `UntrustedPath` where somebody else could
 * change the interpreter that a script names.
 */
export function whyNotExecutable(path: string, handlers = HANDLERS): string | null {
  return whyNot(path, handlers, 0)
}

function whyNot(path: string, handlers: string, depth: number): string | null {
  const head = headOf(path)
  // Who may execute a file need not be allowed to read it; a script would have to be.
  if (head === null) return null
  if (head.length === 0) return `${path} is empty`
  if (head.toString('latin1', 0, 2) === '#!') return whyNotScript(path, head, handlers, depth)
  if (isElf(head) || isHandled(path, head, handlers)) return null
  return `${path} is neither a program of this machine nor a script with a #! line`
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
    // The kernel takes a relative one from the working directory, which is / for children.
    return whyNot(trustedPath(resolve('/', interpreter)), handlers, depth + 1)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    return `${path} names an interpreter in its first line that does not exist: ${interpreter}`
  }
}

// ---------------------------------------------------------------- programs

/** As far as the kernel looks before it gives up with ENOEXEC. What is damaged further on dies of a signal. */
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
  // e_phentsize and e_phnum, the last but four and the last but three of the header's half words.
  return (isOurs || isCompatible) && u16(head, size - 10) === entry && u16(head, size - 8) > 0
}

// ---------------------------------------------------------------- binfmt_misc

/** Formats that somebody has registered, such as programs of other machines (qemu) or Java archives. */
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
