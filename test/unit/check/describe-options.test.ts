import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import { describeOptions } from '../../../src/check/describe-options.js'
import { z } from '../../../src/check/option-types.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'

describe('describe-options: describing options', () => {
  it('names type, default and meaning of each, in order', () => {
    const options: Check['options'] = kit => ({
      request: kit.text(undefined, 'What to ask'),
      receive: kit.pattern('What must come'),
      port: kit.number(80, 'Where', { min: 1, max: 65535 }),
      times: kit.number(3, 'How often', { min: 1 }),
      wait: kit.duration('3s', 'How long'),
      method: kit.choice(['GET', 'HEAD'], 'GET', 'How'),
      verify: kit.flag(true, 'Whether'),
      arguments: kit.list([], 'With what'),
      headers: kit.map('And what'),
      status: kit.ranges('200-299', 'Good ones'),
      passwd: kit.secret(null, 'With which password'),
      cookies: kit.secretMap('And which'),
      steps: kit.secretList([], 'What to say'),
      environment: kit.environment('What to pass'),
      ca: kit.path(null, 'Whom to trust'),
      program: kit.command('/bin/true', 'What to run'),
      own: z.union([z.string(), z.boolean()]).default(false).describe('Made without the kit'),
    })
    assert.deepEqual(
      describeOptions({ options }).map(({ name, type, default: fallback, about }) => [
        name,
        type,
        fallback,
        about,
      ]),
      [
        ['request', 'text', undefined, 'What to ask'],
        ['receive', 'regular expression', null, 'What must come'],
        ['port', '1 to 65535', 80, 'Where'],
        ['times', 'number from 1', 3, 'How often'],
        ['wait', 'duration', '3s', 'How long'],
        ['method', 'GET | HEAD', 'GET', 'How'],
        ['verify', 'true or false', true, 'Whether'],
        ['arguments', 'list of texts', [], 'With what'],
        ['headers', 'map of texts', {}, 'And what'],
        ['status', 'ranges of numbers', '200-299', 'Good ones'],
        ['passwd', 'text, never shown', null, 'With which password'],
        ['cookies', 'map of texts, never shown', {}, 'And which'],
        ['steps', 'list of texts, never shown', [], 'What to say'],
        ['environment', 'list of names, or map of texts, never shown', {}, 'What to pass'],
        ['ca', 'path of a file', null, 'Whom to trust'],
        ['program', 'path or name of a program', '/bin/true', 'What to run'],
        ['own', 'text or true or false', false, 'Made without the kit'],
      ],
    )
  })

  it('has a type and a sentence for every option of ours', async () => {
    const { checks } = await loadChecks([])
    for (const check of checks.values())
      for (const { name, type, about } of describeOptions(check)) {
        assert.ok(about.length > 5, `${check.name}.${name} has no description`)
        assert.notEqual(type, 'any value')
      }
  })
})
