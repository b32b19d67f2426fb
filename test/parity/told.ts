/** Collects the notifications of a director: commands that it runs, its monitorfile, mails. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Name } from './directors.js'
import type { MailSink } from './mail-sink.js'

/** Addresses of the directors, which identify the sender of a mail. */
const SENDERS: Readonly<Record<Name, string>> = { lvsd: '10.200.0.2', ldirectord: '10.200.1.2' }

/**
 * Returns a script that records its calls: `WORD ARGUMENTS`. Both daemons use the same script; the network namespace
 * identifies the caller.
 */
export function teller(word: string): string {
  return [
    '#!/bin/sh',
    'who=lvsd',
    "grep -q '^fd00000d0001' /proc/net/if_inet6 && who=ldirectord",
    `echo "${word} $*" >>DIR/$who.told`,
    '',
  ].join('\n')
}

/** Returns all lines so far: `fallback start V1:80 tcp`, `mail SUBJECT`, `monitor negotiate http … [up]`. */
export function toldBy(
  name: Name,
  { folder, mails, pid }: { folder: string; mails: MailSink; pid: number | undefined },
): string[] {
  const monitored = linesOf(join(folder, 'monitor')).flatMap(line => {
    const [, writer, words] = /^\[[^\]]*\] \[(\d+)\] (.*\[(?:up|down)\])/.exec(line) ?? []
    return Number(writer) === pid ? [`monitor ${words}`] : []
  })
  return [
    ...linesOf(join(folder, `${name}.told`)),
    ...mails.subjects(SENDERS[name]).map(subject => `mail ${subject}`),
    ...monitored,
  ]
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
}

/** Returns the lines of `now` in excess of those of `before`. */
export function added(before: readonly string[], now: readonly string[]): string[] {
  const known = new Map<string, number>()
  for (const line of before) known.set(line, (known.get(line) ?? 0) + 1)
  return now.filter(line => {
    const left = known.get(line) ?? 0
    if (left > 0) known.set(line, left - 1)
    return left === 0
  })
}

/** Sorts the lines. Lines whose number depends on time, and lines that are not about one family, count once. */
export function settled(lines: readonly string[]): string[] {
  const isRepeated = (line: string) => /^(?:monitor|callback) |Inaccessible/.test(line)
  return [...new Set(lines.filter(isRepeated)), ...lines.filter(line => !isRepeated(line))].sort()
}
