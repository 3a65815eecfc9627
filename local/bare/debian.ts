import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import { cacheDir } from '../paths.ts'
import type { StepContext } from '../steps.ts'
import { aptGet, blamedPackages, listsFolder, wordsOf } from './apt.ts'

/** Debian's container runtime and packet filters with the libraries that they load. */
export const NODE_PACKAGES: readonly string[] = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'iptables',
  'ipset',
  'conntrack',
  'libip4tc2',
  'libip6tc2',
  'libipset13',
  'libmnl0',
  'libnetfilter-conntrack3',
  'libnfnetlink0',
  'libnftnl11',
  'libseccomp2',
  'libxtables12',
]

/** Debian's maintainer scripts would make these; unpacking alone does not. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  iptables: 'xtables-legacy-multi',
  'iptables-save': 'xtables-legacy-multi',
  'iptables-restore': 'xtables-legacy-multi',
  ip6tables: 'xtables-legacy-multi',
  'ip6tables-save': 'xtables-legacy-multi',
  'ip6tables-restore': 'xtables-legacy-multi',
}

/** Makes the Debian of the images. A script: it finds Perl and apt on the machine. */
export const IMAGE_PACKAGES: readonly string[] = ['mmdebstrap']

async function rootPath(names: readonly string[]): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const key = [release, ...names, ...Object.values(ALTERNATIVES)].join('\n')
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 16)
  return join(cacheDir(), 'debian', digest)
}

/** Folder with the unpacked packages; nothing is installed on the machine. */
export async function unpackPackages(
  names: readonly string[],
  context: StepContext,
): Promise<{ root: string; made: boolean }> {
  const root = await rootPath(names)
  if (
    await stat(root).then(
      () => true,
      () => false,
    )
  )
    return { root, made: false }
  const draft = `${root}.${process.pid}.draft`
  await mkdir(join(draft, 'debs'), { recursive: true })
  await mkdir(join(listsFolder(), 'partial'), { recursive: true })
  try {
    const debs = join(draft, 'debs')
    await download(names, debs, context)
    for (const deb of await readdir(debs)) await exec('dpkg', ['-x', join(debs, deb), draft])
    await rm(debs, { recursive: true })
    await mergeIntoUsr(draft)
    await rename(draft, root)
  } catch (cause) {
    if (cause instanceof LocalError || context.signal.aborted) throw cause
    throw new LocalError(
      'ERR_PACKAGES',
      `the packages were fetched but could not be unpacked into ${root}`,
      'check that the disk has room, then run `make up` again',
      cause,
    )
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { root, made: true }
}

async function download(
  names: readonly string[],
  debs: string,
  context: StepContext,
): Promise<void> {
  const { signal } = context
  context.note('reading package lists')
  // A source of the machine that fails need not be the one that has our packages: judged by what comes next.
  const update = await aptGet(['update', '--error-on=any'], { signal }).then(() => '', wordsOf)
  signal.throwIfAborted()
  context.note(`downloading ${names.length} packages`)
  await aptGet(['download', ...names], { cwd: debs, signal }).catch((cause: unknown) => {
    if (signal.aborted || cause instanceof LocalError) throw cause
    const words = wordsOf(cause)
    const blamed = blamedPackages(words).join(', ') || names.join(', ')
    throw new LocalError(
      'ERR_PACKAGES',
      `${blamed} could not be fetched from the Debian mirrors of this machine:\n${update}${words}`.trim(),
      'mend what apt names (network, proxy, /etc/apt/sources.list.d), check with `apt-get update`, and run `make up` again: it goes on from here',
    )
  })
}

/** Packages older than the /usr merge still bring /sbin and /lib, which are links on today's systems. */
async function mergeIntoUsr(root: string): Promise<void> {
  for (const folder of ['sbin', 'bin', 'lib']) {
    const from = join(root, folder)
    if (!(await stat(from).catch(() => undefined))) continue
    await cp(from, join(root, 'usr', folder), { recursive: true, verbatimSymlinks: true })
    await rm(from, { recursive: true })
  }
  const sbin = join(root, 'usr', 'sbin')
  for (const [name, target] of Object.entries(ALTERNATIVES)) {
    const isThere = await stat(join(sbin, target)).catch(() => undefined)
    if (isThere) await symlink(target, join(sbin, name))
  }
}
