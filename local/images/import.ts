import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { environment } from '../environment.ts'
import { exec } from '../exec.ts'
import type { StepContext } from '../steps.ts'
import { layoutArchive, type Image } from './archive.ts'
import type { BlobStore } from './blob-store.ts'

/** The part of containerd's client that importing needs. */
export interface Containerd {
  ctr(args: readonly string[]): Promise<string>
  load(archive: Readable, signal: AbortSignal): Promise<void>
}

/** containerd behind a socket; `command` is ctr and whatever must stand before it to reach the node. */
export const containerdAt = (command: readonly string[]): Containerd => {
  const [program = 'ctr', ...before] = command
  const inKubernetes = [...before, '--namespace', 'k8s.io']
  return {
    ctr: (args) => exec(program, [...inKubernetes, ...args], { env: environment('docker') }),
    load: (archive, signal) =>
      feed(
        program,
        [...inKubernetes, 'images', 'import', '--all-platforms=false', '-'],
        archive,
        signal,
      ),
  }
}

const feed = (program: string, args: readonly string[], input: Readable, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: environment('docker'),
      signal,
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new Error(`${program} images import ended with ${code}\n${said}`)),
    )
    pipeline(input, child.stdin).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EPIPE') reject(cause) // of a closed pipe the exit code tells the reason
    })
  })

/** Gives containerd the images that it does not have, and of those the layers that it does not have. */
export const importImages = async (
  images: readonly Image[],
  store: BlobStore,
  containerd: Containerd,
  context: StepContext,
): Promise<readonly Image[]> => {
  const known = new Set(lines(await containerd.ctr(['images', 'list', '--quiet'])))
  const missing = images.filter(({ reference }) => !known.has(reference))
  // One after the other: images share layers, and each import then finds what the one before has sent.
  for (const image of missing) {
    context.signal.throwIfAborted()
    context.note(`importing ${image.reference}`)
    const held = new Set(lines(await containerd.ctr(['content', 'list', '--quiet'])))
    await containerd.load(
      layoutArchive([image], store, (digest) => !held.has(digest)),
      context.signal,
    )
  }
  return missing
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)
