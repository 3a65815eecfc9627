import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import { cacheDir } from '../paths.ts'
import type { StepContext } from '../steps.ts'

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
  const lists = join(cacheDir(), 'debian', 'lists')
  await mkdir(join(draft, 'debs'), { recursive: true })
  await mkdir(join(lists, 'partial'), { recursive: true })
  try {
    // Our own package lists, so that the machine's are neither needed nor changed.
    const apt = ['-qq', '-o', `Dir::State::lists=${lists}`, '-o', 'APT::Sandbox::User=root']
    context.note('reading package lists')
    await exec('apt-get', [...apt, 'update'], { signal: context.signal })
    context.note(`downloading ${names.length} packages`)
    const debs = join(draft, 'debs')
    await exec('apt-get', [...apt, 'download', ...names], { cwd: debs, signal: context.signal })
    for (const deb of await readdir(debs)) await exec('dpkg', ['-x', join(debs, deb), draft])
    await rm(debs, { recursive: true })
    await mergeIntoUsr(draft)
    await rename(draft, root)
  } catch (cause) {
    if (cause instanceof LocalError || context.signal.aborted) throw cause
    throw new LocalError(
      'ERR_PACKAGES',
      'packages could not be fetched from the Debian mirror',
      'check that `apt-get update` works on this machine, then run `make up` again',
      cause,
    )
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { root, made: true }
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
