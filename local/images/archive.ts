import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'
import type { Blob, BlobStore } from './blob-store.ts'
import { imageDocuments, type ContainerConfig } from './manifest.ts'

export interface Image {
  readonly name: string
  readonly reference: string
  readonly layers: readonly Blob[]
  readonly config: ContainerConfig
}

const EPOCH = new Date(0)
const LAYOUT = JSON.stringify({ imageLayoutVersion: '1.0.0' })

/** The index of an OCI image layout; the annotation is the name that containerd gives the image. */
export const layoutIndex = (images: readonly Image[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: images.map((image) => {
      const { manifest, digest } = imageDocuments(image.name, image.layers, image.config)
      return {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest,
        size: Buffer.byteLength(manifest),
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: {
          'io.containerd.image.name': image.reference,
          'org.opencontainers.image.ref.name': image.reference,
        },
      }
    }),
  })

/**
 * An OCI image layout as a stream. Layers for which `lacks` says no are left out: their receiver has
 * them already, and a change of our own source then sends kilobytes instead of the whole of Debian.
 */
export const layoutArchive = (
  images: readonly Image[],
  store: BlobStore,
  lacks: (digest: string) => boolean,
): Readable => {
  const archive = pack()
  fill(archive, images, store, lacks).then(
    () => archive.finalize(),
    (cause: Error) => archive.destroy(cause),
  )
  return archive as unknown as Readable
}

const fill = async (
  archive: Pack,
  images: readonly Image[],
  store: BlobStore,
  lacks: (digest: string) => boolean,
): Promise<void> => {
  const sent = new Set<string>()
  for (const layer of images.flatMap(({ layers }) => layers)) {
    if (sent.has(layer.digest) || !lacks(layer.digest)) continue
    sent.add(layer.digest)
    await add(archive, blobName(layer.digest), layer.size, store.open(layer))
  }
  for (const image of images) {
    const { config, manifest, digest } = imageDocuments(image.name, image.layers, image.config)
    const configDigest = (JSON.parse(manifest) as { config: { digest: string } }).config.digest
    await addText(archive, blobName(configDigest), config)
    await addText(archive, blobName(digest), manifest)
  }
  await addText(archive, 'oci-layout', LAYOUT)
  await addText(archive, 'index.json', layoutIndex(images))
}

const blobName = (digest: string): string => `blobs/sha256/${digest.replace(/^sha256:/, '')}`

const addText = (archive: Pack, name: string, text: string): Promise<void> =>
  add(archive, name, Buffer.byteLength(text), Readable.from([Buffer.from(text)]))

const add = (archive: Pack, name: string, size: number, content: Readable): Promise<void> =>
  pipeline(content, archive.entry({ name, size, mode: 0o644, mtime: EPOCH }))
