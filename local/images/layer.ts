import { createReadStream } from 'node:fs'
import { lstat, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack as packTar, type Header, type Pack } from 'tar-stream'
import type { Blob, BlobStore } from './blob-store.ts'

/** As much of a tar header as an entry needs. */
export type Heading = Partial<Header> & Pick<Header, 'name'>

const EPOCH = new Date(0)

const plain = (name: string): string => name.replace(/^\.?\/+/, '')

/**
 * The same input must give the same digest on every machine: no times, no user names. Set-uid and
 * set-gid bits go as well: nothing in these images may gain rights that its container does not have.
 */
export const settled = (header: Heading): Heading => ({
  name: plain(header.name),
  type: header.type ?? 'file',
  mode: (header.mode ?? 0o644) & (header.type === 'directory' ? 0o1777 : 0o777),
  uid: header.uid ?? 0,
  gid: header.gid ?? 0,
  mtime: EPOCH,
  ...(header.size === undefined ? {} : { size: header.size }),
  // A hard link names another entry of this archive, a symbolic one whatever it likes.
  ...(header.linkname
    ? { linkname: header.type === 'link' ? plain(header.linkname) : header.linkname }
    : {}),
})

/** A layer being written: entries one after the other, in the order given. */
export class LayerWriter {
  readonly #pack: Pack = packTar()
  readonly #blob: Promise<Blob>

  constructor(store: BlobStore) {
    this.#blob = store.write(this.#pack as unknown as Readable)
    this.#blob.catch(() => undefined) // told to whoever awaits done(); not an unhandled rejection before that
  }

  async stream(header: Heading, content: Readable): Promise<void> {
    const entry = this.#pack.entry(settled(header))
    await pipeline(content, new PassThrough(), entry)
  }

  async text(name: string, content: string, mode = 0o644): Promise<void> {
    await this.#whole({ name, mode, type: 'file' }, content)
  }

  async directory(name: string, mode = 0o755): Promise<void> {
    await this.#whole({ name: `${name}/`, mode, type: 'directory' })
  }

  async link(name: string, target: string): Promise<void> {
    await this.#whole({ name, linkname: target, mode: 0o777, type: 'symlink' })
  }

  async bytes(header: Heading, content: Buffer): Promise<void> {
    await this.#whole({ ...header, size: content.length }, content)
  }

  /** Anything without a body of its own: directories and links. */
  async bare(header: Heading): Promise<void> {
    await this.#whole(header)
  }

  async file(name: string, path: string, mode = 0o755): Promise<void> {
    const { size } = await stat(path)
    await this.stream({ name, size, mode, type: 'file' }, createReadStream(path))
  }

  /** A whole folder, its names in order, since readdir promises none. */
  async tree(
    name: string,
    path: string,
    keep: (name: string) => boolean = () => true,
  ): Promise<void> {
    for (const child of (await readdir(path)).sort()) {
      const [inside, outside] = [`${name}/${child}`, join(path, child)]
      const info = await lstat(outside)
      if (!keep(inside)) continue
      if (info.isSymbolicLink()) await this.link(inside, await readlink(outside))
      else if (info.isDirectory()) {
        await this.directory(inside)
        await this.tree(inside, outside, keep)
      } else if (info.isFile()) await this.file(inside, outside, info.mode & 0o111 ? 0o755 : 0o644)
    }
  }

  done(): Promise<Blob> {
    this.#pack.finalize()
    return this.#blob
  }

  #whole(header: Heading, content?: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const written = (cause?: Error | null) => (cause ? reject(cause) : resolve())
      if (content === undefined) this.#pack.entry(settled(header), written)
      else this.#pack.entry(settled(header), content, written)
    })
  }
}
