import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { LocalError } from '../errors.ts'
import type { Blob, BlobStore } from './blob-store.ts'
import { LayerWriter } from './layer.ts'

/** Where Debian keeps the certificate authorities of the public internet, read by Go programs as well. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

const USERS = {
  'etc/passwd':
    'root:x:0:0:root:/:/sbin/nologin\npalisade:x:10001:10001::/nonexistent:/sbin/nologin\n',
  'etc/group': 'root:x:0:\npalisade:x:10001:\n',
}

/** What a single static program expects around it, and nothing else: no shell, no libc. */
export const scratchLayer = async (store: BlobStore): Promise<Blob> => {
  await access(CERTIFICATES).catch((cause: unknown) => {
    throw new LocalError(
      'ERR_CERTIFICATES_MISSING',
      `${CERTIFICATES} is not on this machine`,
      'install it (Debian: apt-get install ca-certificates) and run the command again',
      cause,
    )
  })
  const layer = new LayerWriter(store)
  await layer.directory('tmp', 0o1777)
  for (const [name, content] of Object.entries(USERS)) await layer.text(name, content)
  await layer.file(CERTIFICATES.slice(1), CERTIFICATES, 0o644)
  return layer.done()
}

/** One program at one path, with links to it under other names. */
export const binaryLayer = async (
  store: BlobStore,
  source: string,
  target: string,
  links: Readonly<Record<string, string>> = {},
): Promise<Blob> => {
  const inputs = JSON.stringify(['binary', await digestOf(source), target, links])
  const { binary } = await store.layersFor(inputs, async () => {
    const layer = new LayerWriter(store)
    await layer.file(target, source)
    for (const [name, to] of Object.entries(links)) await layer.link(name, to)
    return { binary: await layer.done() }
  })
  return binary
}

const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
