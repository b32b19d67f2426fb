/** deploy/prometheus: what the rules and the dashboard name exists, and each rule has a test. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LOG_EVENTS } from '../../../src/core/log-events.js'
import { METRICS, type MetricName } from '../../../src/core/metrics.js'
import { packageRoot } from '../../../src/system/version.js'
import { dashboardQueries } from '../../support/metrics.js'

const textOf = (name: string) => readFileSync(join(packageRoot, 'deploy/prometheus', name), 'utf8')
const RULES = textOf('lvsd.rules.yml')

/** Metrics in an expression, with the labels in their braces. */
function namedIn(expression: string) {
  return [...expression.matchAll(/\b((?:lvsd|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)(?==~?"|!)/g)].map(([, label]) => label ?? ''),
    }),
  )
}

/** A sentence for each metric or label that does not exist. */
function faultsIn(expression: string): readonly string[] {
  return namedIn(expression).flatMap(({ name, labels }) => {
    const base = Object.hasOwn(METRICS, name) ? name : name.replace(/_(bucket|sum|count)$/, '')
    const kind = METRICS[base as MetricName]
    if (!kind) return [`there is no metric ${name}: ${expression}`]
    const known: readonly string[] = [...kind.labels, 'job', 'instance', 'le']
    return labels.filter(label => !known.includes(label)).map(label => `${name} has no label ${label}`)
  })
}

describe('deploy/prometheus', () => {
  it('has a dashboard whose queries name metrics and labels that exist', () => {
    const queries = dashboardQueries()
    assert.ok(queries.length > 40, String(queries.length))
    assert.deepEqual(queries.flatMap(faultsIn), [])
    assert.deepEqual(
      queries.filter(query => namedIn(query).length === 0 && !/\bup\{/.test(query)),
      [],
    )
  })

  it('has rules that name metrics and labels that exist', () => {
    const expressions = [...RULES.matchAll(/^ +expr: (.*)$/gm)].map(([, expression = '']) => expression)
    assert.ok(expressions.length > 20)
    assert.deepEqual(expressions.flatMap(faultsIn), [])
  })

  it('would notice a name or a label that does not exist', () => {
    assert.deepEqual(faultsIn('lvsd_real_upp == 0'), ['there is no metric lvsd_real_upp: lvsd_real_upp == 0'])
    assert.deepEqual(faultsIn('lvsd_real_up{server="x"}'), ['lvsd_real_up has no label server'])
  })

  it('has a test for each alert, which fires and is silent', () => {
    const tests = textOf('lvsd.rules.test.yml')
    const alerts = [...RULES.matchAll(/^ +- alert: (\w+)$/gm)].map(([, alert = '']) => alert)
    assert.ok(alerts.length > 20)
    const without = alerts.filter(
      alert =>
        !tests.includes(`alertname: ${alert}\n`) || !tests.includes(`alertname: ${alert}, exp_alerts: []`),
    )
    assert.deepEqual(without, [])
    assert.equal(new Set(alerts).size, alerts.length)
  })

  it('names commands and events that exist', () => {
    for (const [, event = ''] of RULES.matchAll(/--event ([\w.-]+)/g))
      assert.ok(Object.hasOwn(LOG_EVENTS, event), event)
  })
})

describe('the metrics by their names', () => {
  it('follow the conventions: base units, and _total for counters alone', () => {
    for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      assert.match(help, /^\S.*\.$/, name)
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kilobytes|percent)\b/, name)
      if (type === 'histogram' || type === 'summary') assert.match(name, /_(seconds|bytes)$/)
      for (const label of labels) assert.match(label, /^[a-z]+$/)
    }
  })
})
