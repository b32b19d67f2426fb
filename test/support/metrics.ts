/** Reads the text that `GET /metrics` answers. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'

export interface Line {
  readonly name: string
  /** The name of its metric, without the suffixes of a histogram. */
  readonly base: string
  /** As written, between the braces. */
  readonly key: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const SAMPLE = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-z]+)="((?:[^"\\]|\\.)*)"/g

export function samplesOf(text: string) {
  const types = new Map<string, string>()
  const samples: Line[] = []
  for (const line of text.split('\n')) {
    const [, declared = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (declared !== '') types.set(declared, type)
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', key = '', value = ''] = SAMPLE.exec(line) ?? []
    if (name === '') throw new Error(`no sample: ${line}`)
    const labels = Object.fromEntries(
      [...key.matchAll(LABEL)].map(([, label = '', said = '']) => [label, said]),
    )
    const base = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    samples.push({ name, base, key, labels, value: Number(value) })
  }
  const byKey = new Map(samples.map(({ name, key, value }) => [`${name}{${key}}`, value]))
  /** The value of a sample with these labels, as written. */
  const value = (name: string, key: string): number | undefined => byKey.get(`${name}{${key}}`)
  return { samples, types, value }
}

/** The queries of the dashboard, with values for its variables. */
export function dashboardQueries(): readonly string[] {
  const file = join(packageRoot, 'deploy/prometheus/grafana-dashboard.json')
  const found: string[] = []
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value))
      if (key === 'expr' && typeof inner === 'string') found.push(inner)
      else look(inner)
  }
  look(JSON.parse(readFileSync(file, 'utf8')))
  return found.map(query =>
    query.replaceAll(/\$(instance|service)\b/g, '.*').replaceAll('$__rate_interval', '1m'),
  )
}
