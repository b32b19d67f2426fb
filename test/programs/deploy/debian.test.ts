/**
 * The Debian package: its contents, and its way through a bare root with nothing but Debian's essential packages and
 * those on which it depends. LVSD_LINTIAN=1 also runs lintian, and LVSD_PACKAGE_TWICE=1 builds the package again: each
 * takes a minute.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { needsRoot } from '../../support/as-root.js'
import { programOr } from '../../support/checks/programs.js'
import { buildPackage, type DebianPackages, debianPackages } from '../../support/debian-package.js'
import { temporaryFolder } from '../../support/folder.js'

const HOME = 'usr/lib/lvsd'

describe('Debian package', function () {
  this.timeout(400_000)
  let packages: DebianPackages

  before(function () {
    programOr(() => this.skip(), 'dpkg-deb', 'dpkg')
    packages = debianPackages()
  })

  describe('its contents', () => {
    let tree = ''

    before(() => {
      tree = mkdtempSync(join(tmpdir(), 'lvsd-tree-'))
      execFileSync('dpkg-deb', ['--raw-extract', packages.first, tree])
    })
    after(() => rmSync(tree, { recursive: true, force: true }))

    it('have the licence of every bundled package and of Node.js', () => {
      const copyright = readFileSync(join(tree, 'usr/share/doc/lvsd/copyright'), 'utf8')
      const modules = join(tree, HOME, 'node_modules')
      const names = readdirSync(modules).flatMap(name =>
        name.startsWith('@') ? readdirSync(join(modules, name)).map(part => `${name}/${part}`) : name,
      )
      assert.ok(names.includes('got') && !names.includes('typescript'))
      for (const name of names) assert.match(copyright, new RegExp(`^-{78}\n${name} \\d+\\.\\d+\\.\\d+`, 'm'))
      assert.match(copyright, /^Node\.js \d+\.\d+\.\d+ .*\n\nNode\.js is licensed for use as follows:/m)
      assert.match(copyright, /^Copyright \(c\) .* lvsd/m)
    })

    it('have the page, and the licences of the libraries in its script', () => {
      const page = readdirSync(join(tree, HOME, 'dist/src/web'))
      assert.deepEqual(page.sort(), ['app.css', 'app.js', 'icon.svg', 'index.html', 'licences.txt'])
      const copyright = readFileSync(join(tree, 'usr/share/doc/lvsd/copyright'), 'utf8')
      for (const name of ['preact', 'uplot'])
        assert.match(copyright, new RegExp(`^${name} \\d.*, MIT.*\n\n`, 'm'))
    })

    it('need no newer libraries than the package depends on', () => {
      const control = readFileSync(join(tree, 'DEBIAN/control'), 'utf8')
      const [, libc = ''] = /libc6 \(>= ([\d.]+)\)/.exec(control) ?? []
      const binaries = files(tree).filter(path => path.endsWith('.node') || path === `${HOME}/bin/node`)
      assert.equal(binaries.length, 2)
      const needed = new Set<string>()
      for (const path of binaries) {
        const said = execFileSync('readelf', ['-d', '-V', join(tree, path)], { encoding: 'utf8' })
        for (const [, name = ''] of said.matchAll(/Shared library: \[([^\]]+)\]/g)) needed.add(name)
        for (const [, version = ''] of said.matchAll(/Name: GLIBC_([\d.]+)/g))
          assert.ok(version.localeCompare(libc, 'en', { numeric: true }) <= 0, `${path}: GLIBC_${version}`)
      }
      const ofLibc = /^(?:lib(?:c|m|dl|pthread|rt)\.so|ld-linux)/
      assert.deepEqual([...needed].filter(name => !ofLibc.test(name)).sort(), [
        'libatomic.so.1',
        'libgcc_s.so.1',
        'libstdc++.so.6',
      ])
    })

    it('have man pages that mandoc reads without a warning, in lines that fit', function () {
      programOr(() => this.skip(), 'mandoc', 'mandoc')
      for (const page of ['man8/lvsd.8', 'man5/lvsd.yaml.5']) {
        const path = join(temporaryFolder(), page.replace('/', '-'))
        writeFileSync(path, gunzipSync(readFileSync(join(tree, `usr/share/man/${page}.gz`))))
        assert.equal(execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', path], { encoding: 'utf8' }), '')
        const shown = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=78', path], { encoding: 'utf8' })
        // Bold and underlined characters are written twice.
        const lines = shown.split('\n').map(line => line.replaceAll(/.[\b]/g, ''))
        const long = lines.filter(line => line.length > 80)
        assert.deepEqual(long, [])
      }
    })

    it("have Pacemaker's agent where it looks for agents of lvsd", () => {
      const path = join(tree, 'usr/lib/ocf/resource.d/lvsd/lvsd')
      assert.match(readFileSync(path, 'utf8'), /^#!\/bin\/sh\n/)
      assert.equal(statSync(path).mode & 0o777, 0o755)
    })

    it('have a unit that runs what the package brings', () => {
      const unit = readFileSync(join(tree, 'usr/lib/systemd/system/lvsd.service'), 'utf8')
      assert.match(unit, /^ExecStart=\/usr\/sbin\/lvsd run \/etc\/lvsd\/lvsd\.yaml$/m)
      assert.doesNotMatch(unit, /\/usr\/local|\/opt/)
      const program = join(tree, 'usr/sbin', readlinkSync(join(tree, 'usr/sbin/lvsd')))
      assert.match(readFileSync(program, 'utf8'), /^#!\/usr\/lib\/lvsd\/bin\/node\n/)
    })

    if (process.env.LVSD_LINTIAN)
      it('satisfy lintian', () => {
        const { stdout } = spawnSync('lintian', [packages.first], { encoding: 'utf8' })
        // The package of the tests is not compressed.
        const errors = stdout.split('\n').filter(line => /^E: (?!.*uses-no-compression)/.test(line))
        assert.deepEqual(errors, [])
      })
  })

  it('has the right binaries for arm64, and all else is the same: names, contents, modes, owners, times', () => {
    const file = differently(() => buildPackage('--arch', 'arm64', '--out', temporaryFolder()))
    const tree = temporaryFolder()
    execFileSync('dpkg-deb', ['--raw-extract', file, tree])
    assert.match(readFileSync(join(tree, 'DEBIAN/control'), 'utf8'), /^Architecture: arm64$/m)
    const binaries = files(tree).filter(path => isElf(join(tree, path)))
    const koffi = `${HOME}/node_modules/@koromix/koffi-linux-arm64/linux_arm64/koffi.node`
    assert.deepEqual(binaries, [`${HOME}/bin/node`, koffi])
    for (const path of binaries) {
      const said = execFileSync('readelf', ['--file-header', join(tree, path)], { encoding: 'utf8' })
      assert.match(said, /Machine: +AArch64/)
    }
    assert.deepEqual(shared(file), shared(packages.first))
  })

  if (process.env.LVSD_PACKAGE_TWICE)
    it('is the same, byte by byte, when it is built again', () => {
      const file = differently(() => buildPackage('--out', temporaryFolder()))
      assert.ok(readFileSync(file).equals(readFileSync(packages.first)))
    })

  describe('in a bare Debian root', () => {
    let root = ''
    /** Below the root; what is written there at other times than by the package does not count. */
    let bare: readonly string[] = []

    before(function () {
      needsRoot(() => this.skip())
      const mmdebstrap = programOr(() => this.skip(), 'mmdebstrap', 'mmdebstrap')
      root = mkdtempSync(join(tmpdir(), 'lvsd-root-'))
      bootstrap(mmdebstrap, root, packages.first)
      for (const name of ['first', 'second'] as const) linkSync(packages[name], join(root, `${name}.deb`))
      bare = places(root)
    })
    after(() => {
      if (root) rmSync(root, { recursive: true, force: true })
    })

    it('is installed, and runs without another Node.js', () => {
      inside('dpkg --install /first.deb')
      assert.equal(inside('command -v node || echo none'), 'none\n')
      assert.match(inside('lvsd --version'), /^lvsd \d/)
      assert.ok(isThere(`${HOME}/dist/src/cli/program.cjs.cache`))
      assert.match(inside('lvsd demo --seconds 5'), /\[::1\]/)
      // What is left out of the libraries is missed by none of them.
      writeFileSync(join(root, HOME, 'load.mjs'), LOAD_ALL)
      assert.match(inside('/usr/lib/lvsd/bin/node /usr/lib/lvsd/load.mjs'), /^\d\d libraries\n$/)
      rmSync(join(root, HOME, 'load.mjs'))
      const completion = inside('lvsd completion bash')
      assert.equal(completion, read('usr/share/bash-completion/completions/lvsd'))
      // The configuration of the package has no services yet.
      assert.match(inside('lvsd validate /etc/lvsd/lvsd.yaml || echo "exit $?"'), /exit 1\n$/)
      assert.match(inside('/usr/lib/lvsd/deploy/ldirectord --help'), /ldirectord/)
    })

    it('is upgraded while lvsd runs, which goes on with the files that are there then', () => {
      writeFileSync(join(root, 'etc/lvsd/lvsd.yaml'), CONFIG)
      // The link that "systemctl enable lvsd" makes.
      const wanted = join(root, 'etc/systemd/system/multi-user.target.wants')
      mkdirSync(wanted, { recursive: true })
      symlinkSync('/usr/lib/systemd/system/lvsd.service', join(wanted, 'lvsd.service'))
      const said = inside(`
        lvsd run /etc/lvsd/lvsd.yaml --kernel memory >/tmp/log 2>&1 & lvsd=$!
        until lvsd status --json >/tmp/before 2>&1; do sleep 0.2; kill -0 $lvsd; done
        dpkg --install /second.deb
        dpkg --install /second.deb
        lvsd reload
        lvsd status --json >/tmp/after
        kill $lvsd && wait $lvsd && echo ended with $?`)
      assert.match(said, /ended with 0\n$/)
      assert.equal(inside('dpkg-query --show lvsd').split('-')[1], '2\n')
      const pids = ['before', 'after'].map(name => (JSON.parse(read(`tmp/${name}`)) as { pid: number }).pid)
      assert.equal(pids[0], pids[1])
      assert.equal(read('etc/lvsd/lvsd.yaml'), CONFIG)
    })

    it('is removed, and configuration and state stay', () => {
      // Under its unit lvsd has this folder.
      mkdirSync(join(root, 'var/lib/lvsd'))
      writeFileSync(join(root, 'var/lib/lvsd/state'), '')
      inside('dpkg --remove lvsd')
      assert.ok(!existsSync(join(root, HOME)) && !isThere('usr/sbin/lvsd'))
      assert.equal(read('etc/lvsd/lvsd.yaml'), CONFIG)
      assert.ok(isThere('var/lib/lvsd/state'))
    })

    it('is purged, and nothing stays', () => {
      inside('dpkg --purge lvsd')
      assert.deepEqual(
        places(root).filter(path => !bare.includes(path)),
        [],
      )
    })

    /** Runs a script in the root as its only processes. Returns what it prints. */
    function inside(script: string): string {
      const fresh = ['--mount', '--pid', '--fork', '--kill-child', `--root=${root}`, '--mount-proc']
      const { status, stdout, stderr } = spawnSync('unshare', [...fresh, '/bin/sh', '-ec', script], {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', DEBIAN_FRONTEND: 'noninteractive' },
        encoding: 'utf8',
      })
      assert.equal(status, 0, `${script}\n${stdout}${stderr}`)
      return stdout
    }

    function read(path: string): string {
      return readFileSync(join(root, path), 'utf8')
    }

    function isThere(path: string): boolean {
      return lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined
    }
  })
})

const CONFIG = `services:
  web:
    virtual: '[fd00::80]:80'
    check: on
    reals: ['[fd00::1]:80 masq', '[fd00::2]:80 masq 2']
`

const LOAD_ALL = `
import manifest from './package.json' with { type: 'json' }
const names = Object.keys(manifest.dependencies)
for (const name of names) await import(name)
console.log(names.length + ' libraries')
`

/** Makes a root of this machine's release, with the essential packages and those on which the package depends. */
function bootstrap(mmdebstrap: string, root: string, deb: string): void {
  const depends = execFileSync('dpkg-deb', ['--field', deb, 'Depends'], { encoding: 'utf8' })
  const names = depends.split(',').map(alternatives => alternatives.trim().split(' ')[0])
  const options = [
    ...['--mode=root', '--format=directory', '--variant=essential', `--include=${names.join(',')}`],
    ...['--dpkgopt=force-unsafe-io', '--aptopt=Acquire::Languages "none"', '--quiet'],
  ]
  const [, release = ''] = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? []
  execFileSync(mmdebstrap, [...options, release, root, ...mirrorOf(release)])
}

/** The mirror that this machine uses for its own release; mmdebstrap knows one if there is none. */
function mirrorOf(release: string): string[] {
  const format = ['--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages']
  const said = execFileSync('apt-get', ['indextargets', ...format], { encoding: 'utf8' })
  const row = said.split('\n').find(line => line.endsWith(` ${release} main`))
  return row ? [row.split(' ')[0] ?? ''] : []
}

/** Everything below a root but what dpkg and others write for themselves. */
function places(root: string): readonly string[] {
  const others = /^(?:proc|dev|tmp|run|var\/log|var\/cache|var\/lib\/(?:dpkg|apt))(?:\/|$)/
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(path => !others.test(path))
}

/** Under another umask and another time zone. */
function differently<T>(work: () => T): T {
  const { TZ } = process.env
  const umask = process.umask(0o077)
  process.env.TZ = 'Asia/Tokyo'
  try {
    return work()
  } finally {
    process.umask(umask)
    if (TZ === undefined) delete process.env.TZ
    else process.env.TZ = TZ
  }
}

/** What packages of two architectures have in common: the lines of their lists, and the sums of their files. */
function shared(deb: string): readonly string[] {
  const env = { ...process.env, TZ: 'UTC' }
  const list = execFileSync('dpkg-deb', ['--contents', deb], { env, encoding: 'utf8' })
  const sums = execFileSync('dpkg-deb', ['--info', deb, 'md5sums'], { encoding: 'utf8' })
  const differ = /\/bin\/node$|koffi-linux|\/copyright$/
  return `${list}${sums}`.split('\n').filter(line => !differ.test(line))
}

function files(tree: string): readonly string[] {
  return readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter(path => lstatSync(join(tree, path)).isFile())
    .sort()
}

function isElf(path: string): boolean {
  return readFileSync(path).subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))
}
