import { access, realpath, stat } from 'node:fs/promises'
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
  const inputs = JSON.stringify(['binary', await identityOf(source), target, links])
  const { binary } = await store.layersFor(inputs, async () => {
    const layer = new LayerWriter(store)
    await layer.file(target, source)
    for (const [name, to] of Object.entries(links)) await layer.link(name, to)
    return { binary: await layer.done() }
  })
  return binary
}

/**
 * Tools lie in folders named after their inputs and are put there by a rename, so that path, size and
 * time tell one from another; reading half a gigabyte at each start would cost seconds.
 */
const identityOf = async (path: string): Promise<string> => {
  const { size, mtimeMs, ino } = await stat(path)
  return [await realpath(path), size, mtimeMs, ino].join(':')
}

/** The log files that nginx opens before it has read its configuration lead to the container's output. */
export const nginxLogs = async (store: BlobStore): Promise<Blob> => {
  const layer = new LayerWriter(store)
  await layer.directory('var/log/nginx')
  await layer.link('var/log/nginx/access.log', '/dev/stdout')
  await layer.link('var/log/nginx/error.log', '/dev/stderr')
  return layer.done()
}
