import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EXIT_MEANINGS } from '../../src/cli/command.js'
import { parseLine } from '../../src/cli/parse.js'
import { commandNames, loadCommand } from '../../src/cli/registry.js'
import { loadConfig } from '../../src/config/load.js'
import { loadChecks } from '../../src/kinds/find-kinds.js'
import { packageRoot } from '../../src/system/version.js'

const DOCUMENTS = ['README.md', 'checks/README.md', 'deploy/README.md']
/** For those who work on lvsd: whatever looks like a path in them is one. */
const FOR_CONTRIBUTORS = ['CONTRIBUTING.md', 'SECURITY.md', 'src/README.md', 'src/DECISIONS.md']
const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8')

/** What a build or a test run makes: not there on a fresh clone. */
const MADE = read('.gitignore').split('\n')

describe('docs: the documents', () => {
  for (const name of DOCUMENTS) {
    it(`${name}: every lvsd command line has words that lvsd takes`, async () => {
      for (const line of commandLines(read(name))) await assert.doesNotReject(parsed(line), line)
    })

    it(`${name}: every file it names exists`, () => {
      for (const path of filesNamed(read(name))) {
        const places = [packageRoot, dirname(join(packageRoot, name))].map(folder => join(folder, path))
        assert.ok(places.some(existsSync), `${path} is named but does not exist`)
      }
    })
  }

  for (const name of [...DOCUMENTS, ...FOR_CONTRIBUTORS]) {
    it(`${name}: every npm script it names exists`, () => {
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
      for (const script of scriptsNamed(read(name))) assert.ok(script in scripts, `npm ${script}`)
    })

    it(`${name}: every relative link leads to a file and a heading`, () => {
      for (const link of linksIn(read(name))) assert.ok(leadsSomewhere(link, name), link)
    })
  }

  for (const name of FOR_CONTRIBUTORS)
    it(`${name}: every path it names exists`, () => {
      const paths = pathsNamed(read(name))
      assert.ok(paths.length > 10, `${paths.length} paths`)
      for (const path of paths.filter(path => !MADE.includes(path)))
        assert.ok(placesOf(path, name).some(existsSync), path)
    })

  it('CONTRIBUTING.md has a row for every script that runs tests', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const text = read('CONTRIBUTING.md')
    for (const script of Object.keys(scripts).filter(each => each.startsWith('test:')))
      assert.ok(text.includes(`| \`npm run ${script}`), script)
  })

  it('would be found to name what is not there', () => {
    assert.deepEqual(
      scriptsNamed('`npm run nope -- x`, npm run prose\n```sh\nnpm test # all\nnpm ci\n```\n'),
      ['nope', 'test'],
    )
    assert.deepEqual(
      pathsNamed('`src/nope.ts`, `checks/KIND.ts`, `/etc/x.yaml`, `test/unit/`, `area: a/b`'),
      ['src/nope.ts', 'test/unit/'],
    )
    const links = linksIn('[a](x/y.md) [b](#the-lab) [c](https://example.com/) `[d](e)`')
    assert.deepEqual(links, ['x/y.md', '#the-lab'])
    assert.deepEqual(
      ['checks/README.md', '#the-lab', '#nothing', 'src/nope.md', 'README.md#checks'].map(link =>
        leadsSomewhere(link, 'CONTRIBUTING.md'),
      ),
      [true, true, false, false, true],
    )
  })

  it('README.md lists every command and every exit code with its meaning', () => {
    const text = read('README.md')
    for (const name of commandNames()) assert.ok(text.includes(`| \`lvsd ${name}`), name)
    for (const [code, meaning] of Object.entries(EXIT_MEANINGS))
      assert.ok(text.replaceAll('`', '').includes(`| ${code} | ${meaning} |`), meaning)
  })

  it('README.md has a row for every check that lvsd brings, with a test of it over IPv6', async () => {
    const rows = read('README.md').match(/^\| `.*test\/\w+\/checks\/.*$/gm) ?? []
    const { checks } = await loadChecks()
    for (const { name } of checks.values()) {
      const row = rows.find(line => line.split('|')[1]?.includes(`\`${name}\``))
      const file = row && /`(test\/\w+\/checks\/[\w-]+\.test\.ts)`/.exec(row)?.[1]
      assert.ok(file, `${name} has no row with its test`)
      assert.ok(read(file).includes(`/checks/${name}.js'`), `${file} does not import the check ${name}`)
    }
  })

  it('README.md shows the columns that lvsd status has', () => {
    const [header = ''] = /^ {2}STATE .*$/m.exec(read('README.md')) ?? []
    const source = read('src/cli/terminal/status-service.ts')
    const titles = header.trim().split(/ {2,}/)
    assert.ok(titles.length > 8, header)
    for (const title of titles) assert.ok(source.includes(`'${title}'`), title)
  })

  it('README.md has each part of Operate in the index above it', () => {
    const [operate = ''] = /^## Operate$.*?(?=^## )/ms.exec(read('README.md')) ?? []
    const parts = headingsOf(operate).slice(1)
    assert.ok(parts.length > 10)
    assert.deepEqual(
      linksIn(operate.slice(0, operate.indexOf('\n### '))),
      parts.map(part => `#${part}`),
    )
  })

  for (const name of DOCUMENTS)
    for (const [i, text] of yamlBlocks(read(name)).entries())
      it(`${name}: its configuration ${i + 1} is valid`, async () => {
        const { problems } = await loadConfig('sample.yaml', { text })
        assert.deepEqual(
          problems.filter(({ severity }) => severity === 'error'),
          [],
        )
      })

  it('deploy/lvsd.service starts and reloads lvsd by commands that exist', async () => {
    const lines = [...read('deploy/lvsd.service').matchAll(/^Exec\w+=\/usr\/local\/bin\/(lvsd .*)$/gm)]
    assert.equal(lines.length, 2)
    for (const [, line = ''] of lines) await parsed(line)
  })
})

/** The lvsd command lines in code blocks and in code spans; words in capitals stand for values. */
function commandLines(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const spans = [...text.matchAll(/`(?:sudo )?(lvsd [a-z][^`]*)`/g)].map(([, span = '']) => span)
  const fromBlocks = blocks.flatMap(line => /^(?:sudo )?(lvsd .*)$/.exec(line)?.[1] ?? [])
  return [...fromBlocks, ...spans]
    .map(line => line.replace(/\s+[#|>].*$/, ''))
    .filter(line => line !== 'lvsd COMMAND --help')
}

/** Parses a line as the program would; one whose arguments are left out in a sentence (`lvsd validate`) is taken. */
async function parsed(line: string): Promise<void> {
  const [, name = '', ...words] = line.replaceAll(/[[\]]/g, '').match(/'[^']*'|\S+/g) ?? []
  assert.ok(commandNames().includes(name), `${name} is not a command`)
  const command = await loadCommand(name)
  const required = Object.entries(command.arguments).filter(([, { optional }]) => !optional)
  const isBare = words.every(word => word.startsWith('-'))
  parseLine(command, isBare ? [...words, ...required.map(([argument]) => argument)] : words)
}

/** Paths in code spans that look like files of this repository, but for the check that a document writes as a sample. */
function filesNamed(text: string): string[] {
  const samples = [...text.matchAll(/^ {2}name: '([\w-]+)',$/gm)].map(([, name]) => name)
  const isSample = (path: string) => samples.some(name => path.includes(`/${name}.`))
  const spans = [...text.matchAll(/`([^`\s]+)`/g)].map(([, span = '']) => span)
  return spans.filter(span => FILES.some(pattern => pattern.test(span)) && !isSample(span))
}

/** The scripts of npm in code blocks and in code spans, but for npm's own commands. */
function scriptsNamed(text: string): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'))
  const spans = [...text.matchAll(/`(npm [^`]*)`/g)].map(([, span = '']) => span)
  return [...spans, ...blocks]
    .flatMap(line => /^npm (?:run )?([a-z][a-z:]*)/.exec(line)?.[1] ?? [])
    .filter(script => !['ci', 'install', 'pack', 'root'].includes(script))
}

const ENDINGS = /\.(?:md|ya?ml|json|[cm]?[jt]s|service|conf|txt|sh|pl|c)$/
/** Words that stand for a name which the reader chooses. */
const PLACEHOLDER = /\b(?:KIND|NAME)\b/

/** Code spans that look like relative paths: a known ending, or a slash at the end. */
function pathsNamed(text: string): string[] {
  const spans = [...text.matchAll(/`([\w.][\w./-]*)`/g)].map(([, span = '']) => span)
  return spans.filter(span => (ENDINGS.test(span) || span.endsWith('/')) && !PLACEHOLDER.test(span))
}

/** A path begins at the top of the repository or in the folder of the document. */
function placesOf(path: string, document: string): string[] {
  return [packageRoot, dirname(join(packageRoot, document))].map(folder => join(folder, path))
}

/** The targets of links that lead to files here or to headings. */
function linksIn(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
}

function leadsSomewhere(link: string, document: string): boolean {
  const [path = '', heading] = link.split('#')
  const file = path === '' ? document : join(dirname(document), path)
  if (!existsSync(join(packageRoot, file))) return false
  return heading === undefined || headingsOf(read(file)).includes(heading)
}

/** As GitHub and others name them in links. */
function headingsOf(text: string): string[] {
  const lines = [...text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)]
  return lines.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}

const FILES = [
  /^(?:\.\.\/)?(?:config|checks|deploy|src|test|dist)\/[\w./-]+\.(?:md|ya?ml|json|ts|mjs|service|conf|txt)$/,
  /^[\w.-]+\.(?:service|conf|md)$/,
]

function yamlBlocks(text: string): string[] {
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)]
    .map(([, block = '']) => block)
    .filter(block => /^services:/m.test(block))
}
