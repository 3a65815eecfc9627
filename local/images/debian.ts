import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { blamedPackages, STRICT, wordsOf } from '../bare/apt.ts'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import type { StepContext } from '../steps.ts'
import { aptSources } from './apt-sources.ts'
import type { BlobStore, Layers } from './blob-store.ts'
import { layersOf, partition, type Selection } from './debian-partition.ts'
import { merged, parseStatus } from './dpkg.ts'
import { LayerWriter } from './layer.ts'

type Entry = ReturnType<typeof extract> extends AsyncIterable<infer One> ? One : never

const SUITE = 'trixie'

const SELECTION: Selection = {
  components: {
    base: ['ca-certificates', 'libstdc++6', 'tzdata'],
    postgres: ['postgresql-17', 'postgresql-17-pgaudit'],
    nginx: ['nginx', 'libnginx-mod-http-modsecurity', 'libnginx-mod-http-headers-more-filter'],
    valkey: ['valkey-server', 'valkey-tools'],
    prometheus: ['prometheus'],
    alertmanager: ['prometheus-alertmanager'],
  },
  unused: [
    // PostgreSQL runs without its compiler, and a compiler in the database's pod serves only intruders.
    'libllvm19',
    'libz3-4',
    // Debian's cluster scripts and the Perl they need: CloudNativePG calls the binaries themselves.
    'postgresql-common',
    'postgresql-client-common',
    'perl',
    'perl-modules-5.40',
    'libperl5.40',
    'locales',
    'libmodsecurity-dev',
    'promtool',
  ],
}

/** CloudNativePG starts instances as 26; everything else here runs as 10001. */
const USERS = [
  'usermod -u 26 postgres',
  'groupadd -g 10001 palisade',
  'useradd -u 10001 -g 10001 -M -d /nonexistent -s /usr/sbin/nologin palisade',
].join(' && ')

const INPUTS = JSON.stringify({ format: 2, suite: SUITE, selection: SELECTION, users: USERS })

/** One Debian for every image that needs more than a single binary, in layers that the images share. */
export const debianLayers = (store: BlobStore, context: StepContext): Promise<Layers> =>
  store.layersFor(INPUTS, async () => {
    const archive = `${await store.scratchFile()}.tar`
    try {
      context.note(`unpacking Debian ${SUITE}`)
      await bootstrap(archive, context.signal)
      context.note('sorting Debian into layers')
      return await sortIntoLayers(archive, store)
    } finally {
      await rm(archive, { force: true })
    }
  })

const bootstrap = async (archive: string, signal: AbortSignal): Promise<void> => {
  const include = Object.values(SELECTION.components).flat().join(',')
  await exec(
    'mmdebstrap',
    [
      '--variant=essential',
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      '--dpkgopt=path-exclude=/usr/share/locale/*',
      `--customize-hook=chroot "$1" sh -c '${USERS}'`,
      `--include=${include}`,
      ...Object.entries(STRICT).map(([name, value]) => `--aptopt=${name} "${value}"`),
      SUITE,
      archive,
    ],
    // A fixed epoch makes two builds of the same packages equal to the byte.
    {
      input: await aptSources(SUITE),
      env: environment('apt', { SOURCE_DATE_EPOCH: '1735689600', TMPDIR: dirname(archive) }),
      signal,
    },
  ).catch((cause: unknown) => {
    // A missing program or a stop by the user says for itself what it is.
    if (signal.aborted || cause instanceof LocalError) throw cause
    const blamed = blamedPackages(wordsOf(cause)).join(', ')
    throw new LocalError(
      'ERR_DEBIAN_BOOTSTRAP',
      `Debian ${SUITE} could not be unpacked${blamed && `, for want of ${blamed}`}: ${cause instanceof Error ? cause.message : String(cause)}`,
      'check that `apt-get update` works here and that the disk has 4 GiB free, then run the command again',
      cause,
    )
  })
}

const sortIntoLayers = async (archive: string, store: BlobStore): Promise<Layers> => {
  const { status, owners } = await readDpkg(archive)
  const packages = parseStatus(status)
  const layers = partition(packages, SELECTION)
  const writers = new Map([...layers.keys()].map((layer) => [layer, new LayerWriter(store)]))
  for await (const entry of entriesOf(archive)) {
    const { name, linkname } = entry.header
    // A link is as unwanted as what it points to.
    const targets = linkname?.includes('snakeoil') ? [] : layersOf(name, owners, layers)
    const body = entry.header.type === 'file' && targets.length > 0 ? await bytes(entry) : undefined
    if (body === undefined) entry.resume()
    for (const target of targets) await copy(entry, body, writers.get(target))
  }
  const blobs: [string, Awaited<ReturnType<LayerWriter['done']>>][] = []
  for (const [layer, writer] of writers) {
    // One file per package, the way distroless images tell scanners what they hold.
    for (const name of [...(layers.get(layer) ?? [])].sort()) {
      await writer.text(`var/lib/dpkg/status.d/${name}`, `${packages.get(name)?.paragraph ?? ''}\n`)
    }
    blobs.push([layer, await writer.done()])
  }
  return Object.fromEntries(blobs)
}

const copy = async ({ header }: Entry, body: Buffer | undefined, writer?: LayerWriter) => {
  if (!writer || header.type === 'character-device' || header.type === 'block-device') return
  if (body) await writer.bytes(header, body)
  else await writer.bare(header)
}

const bytes = async (entry: Entry): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const entriesOf = (archive: string): AsyncIterable<Entry> =>
  createReadStream(archive, { highWaterMark: 1 << 20 }).pipe(extract())

const readDpkg = async (archive: string) => {
  let status = ''
  const owners = new Map<string, string[]>()
  for await (const entry of entriesOf(archive)) {
    const name = merged(entry.header.name)
    const list = /^var\/lib\/dpkg\/info\/([^:/]+)(:[^/]+)?\.list$/.exec(name)?.[1]
    if (name === 'var/lib/dpkg/status') status = await text(entry)
    else if (list !== undefined) {
      for (const path of (await text(entry)).split('\n').filter(Boolean).map(merged)) {
        owners.set(path, [...(owners.get(path) ?? []), list])
      }
    } else entry.resume()
  }
  return { status, owners }
}
