/**
 * Stacks in terms of the sources. The maps of a build are read when a stack is printed, because Node.js with
 * `--enable-source-maps` reads the map of each file that it loads.
 */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { thisScript } from './this-script.js'
import { packageRoot } from './version.js'

const PLACE = /(file:\/\/\/[^\s()]+\.js|lvsd:[^\s()]+\.cjs):(\d+):(\d+)/g

/**
 * Returns a text in which places of a build, as stacks have them, are replaced by places of the sources:
 * `src/health/health-store.ts:12:3`. A place without a map stays.
 */
export function withSourceLines(text: string): string {
  const maps = new Map<string, SourceMap | null>()
  return text.replaceAll(PLACE, (place, name: string, line: string, column: string) => {
    const url = name === thisScript?.name ? thisScript.place : name
    if (!maps.has(url)) maps.set(url, mapOf(url))
    const entry = maps.get(url)?.findEntry(Number(line) - 1, Number(column) - 1)
    if (!entry || !('originalSource' in entry)) return place
    const source = new URL(entry.originalSource, url)
    return `${relative(packageRoot, fileURLToPath(source))}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
}

function mapOf(url: string): SourceMap | null {
  try {
    return new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${url}.map`), 'utf8')))
  } catch {
    return null
  }
}
