import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { blamedPackages } from './apt.ts'
import { unpackPackages } from './debian.ts'

const run = promisify(execFile)
const context = { note: () => {}, signal: new AbortController().signal }
const DEB = '/pool/tiny_1.0_all.deb'

let folder: string
let files: Map<string, Buffer>
/** What the mirror does instead of answering, once per entry. */
let mishaps: ((request: IncomingMessage, response: ServerResponse) => void)[]
const mirror = createServer((request, response) => {
  const file = files.get(request.url ?? '')
  const mishap = request.url === DEB ? mishaps.shift() : undefined
  if (mishap) mishap(request, response)
  else if (file) response.end(file)
  else response.writeHead(404).end()
})

async function makeDeb(): Promise<Buffer> {
  const root = join(folder, 'tiny')
  await mkdir(join(root, 'DEBIAN'), { recursive: true })
  await mkdir(join(root, 'usr/share/tiny'), { recursive: true })
  await writeFile(join(root, 'usr/share/tiny/word'), 'hello')
  const control =
    'Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@b.test>\nDescription: t\n'
  await writeFile(join(root, 'DEBIAN/control'), control)
  await run('dpkg-deb', ['--build', '--root-owner-group', root, join(folder, 'tiny.deb')])
  return readFile(join(folder, 'tiny.deb'))
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A repository with one package that nobody has signed, on a machine whose apt lets that pass. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-apt-'))
  mishaps = []
  const deb = await makeDeb()
  const packages = Buffer.from(
    `Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@b.test>\nDescription: t\n` +
      `Filename: ${DEB.slice(1)}\nSize: ${deb.length}\nSHA256: ${sha256(deb)}\n`,
  )
  const { stdout: arch } = await run('dpkg', ['--print-architecture'])
  const list = `main/binary-${arch.trim()}/Packages`
  const release = `Origin: Debian\nSuite: stable\nCodename: stable\nArchitectures: ${arch.trim()} all\nComponents: main\nDate: ${new Date().toUTCString()}\nSHA256:\n ${sha256(packages)} ${packages.length} ${list}\n`
  files = new Map([
    [DEB, deb],
    [`/dists/stable/${list}`, packages],
    ['/dists/stable/Release', Buffer.from(release)],
  ])
  await new Promise<void>((done) => mirror.listen(0, '127.0.0.1', done))
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  vi.stubEnv('APT_CONFIG', join(folder, 'apt.conf'))
  await writeFile(
    join(folder, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${join(folder, 'sources.list')}";`,
      'Dir::Etc::sourceparts "/dev/null";',
      'Acquire::AllowInsecureRepositories "true";',
      'APT::Get::AllowUnauthenticated "true";',
    ].join('\n'),
  )
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await new Promise((done) => mirror.close(done))
  await rm(folder, { recursive: true, force: true })
})

/** `trusted` is how an administrator vouches for a mirror without a signature. */
async function source(options = ''): Promise<void> {
  const { port } = mirror.address() as AddressInfo
  const line = `deb ${options} http://127.0.0.1:${port}/ stable main\n`
  await writeFile(join(folder, 'sources.list'), line)
}

describe('unpackPackages', () => {
  it("takes nothing that no key speaks for, even where the machine's apt would", async () => {
    await source()
    await expect(unpackPackages(['tiny'], context)).rejects.toMatchObject({
      code: 'ERR_PACKAGES',
      message: expect.stringMatching(/tiny.*not signed/s),
    })
  })

  it('asks a mirror again that dropped the connection', async () => {
    await source('[trusted=yes]')
    mishaps = [(request) => request.socket.destroy()]
    const { root } = await unpackPackages(['tiny'], context)
    expect(await readFile(join(root, 'usr/share/tiny/word'), 'utf8')).toBe('hello')
  })

  it('names the package that the mirror does not have, and leaves no half of it', async () => {
    await source('[trusted=yes]')
    files.delete(DEB)
    await expect(unpackPackages(['tiny'], context)).rejects.toMatchObject({
      code: 'ERR_PACKAGES',
      message: expect.stringMatching(/^tiny .*404/s),
    })
    files.set(DEB, await readFile(join(folder, 'tiny.deb')))
    expect(await unpackPackages(['tiny'], context)).toMatchObject({ made: true })
  })

  it('refuses bytes that are not those of the list', async () => {
    await source('[trusted=yes]')
    files.set(DEB, Buffer.from(`${files.get(DEB)?.toString('latin1')}x`, 'latin1'))
    await expect(unpackPackages(['tiny'], context)).rejects.toMatchObject({ code: 'ERR_PACKAGES' })
  })
})

describe('blamedPackages', () => {
  it.each([
    [
      'E: Failed to fetch http://m.test/pool/main/l/libx/libxtables12_1.8.9-2_amd64.deb  503  busy',
      ['libxtables12'],
    ],
    ['E: Unable to locate package mmdebstrap', ['mmdebstrap']],
    ["E: Package 'runc' has no installation candidate", ['runc']],
    ["E: Can't find a source to download version '1.2' of 'containerd:amd64'", ['containerd']],
    ['E: The list of sources could not be read.', []],
  ])('reads %s', (words, names) => {
    expect(blamedPackages(words)).toEqual(names)
  })
})
