import { sha256, type Blob } from './blob-store.ts'

/** The part of an image's configuration that a container runtime acts on. */
export interface ContainerConfig {
  /** Numeric, since the kubelet cannot judge `runAsNonRoot` by a name. */
  readonly user: `${number}:${number}`
  readonly entrypoint: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly workingDir?: string
  /** Stands before the digest in the tag, for operators that read a version there. */
  readonly version?: string
}

export interface ImageDocuments {
  readonly config: string
  readonly manifest: string
  readonly digest: string
  readonly reference: string
}

const REPOSITORY = 'palisade.local'
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'

/**
 * OCI image specification 1.1: the configuration and the manifest over layers that are not compressed,
 * so that a layer's digest is its diff id as well. The reference is taken from the content: two images
 * with the same reference are the same image.
 */
export const imageDocuments = (
  name: string,
  layers: readonly Blob[],
  { user, entrypoint, env, workingDir, version }: ContainerConfig,
): ImageDocuments => {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: user,
      Entrypoint: entrypoint,
      Env: Object.entries({ PATH, ...env }).map(([key, value]) => `${key}=${value}`),
      WorkingDir: workingDir ?? '/',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: `sha256:${sha256(config)}`,
      size: Buffer.byteLength(config),
    },
    layers: layers.map(({ digest, size }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      size,
    })),
  })
  const digest = sha256(manifest)
  return {
    config,
    manifest,
    digest: `sha256:${digest}`,
    reference: `${REPOSITORY}/${name}:${version ? `${version}-` : ''}${digest.slice(0, 12)}`,
  }
}
