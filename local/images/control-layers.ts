import { cp, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { environment } from '../environment.ts'
import { exec } from '../exec.ts'
import type { Blob, BlobStore } from './blob-store.ts'
import { binaryLayer } from './binary-layer.ts'
import { LayerWriter } from './layer.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')

/** Where the code lies in the image; a working directory, so that charts say `node gateway/main.ts`. */
export const APP = 'opt/palisade'

/** What the image runs, and the policies that it gives to namespaces. */
const SOURCE = ['api', 'cli', 'core', 'gateway', 'operator', 'policies/vault']

/** Whether a file of the repository is part of the image. */
export const isInControlImage = (path: string): boolean =>
  SOURCE.some((folder) => path.startsWith(`${folder}/`)) &&
  path.split('/').every((_, at, all) => isProduct(`/${all.slice(0, at + 1).join('/')}`))

/** Node as pinned by the package `node`, dependencies, source: in the order in which they change less. */
export const controlLayers = async (store: BlobStore, signal: AbortSignal): Promise<Blob[]> => [
  await binaryLayer(store, join(REPOSITORY, 'node_modules/node/bin/node'), 'usr/local/bin/node'),
  await dependencies(store, signal),
  await source(store),
]

/** What the lock file says for production, installed into an empty folder: nothing of this checkout leaks in. */
const dependencies = async (store: BlobStore, signal: AbortSignal): Promise<Blob> => {
  const files = ['package.json', 'package-lock.json', '.npmrc']
  const contents = await Promise.all(
    files.map((name) => readFile(join(REPOSITORY, name), 'utf8').catch(() => '')),
  )
  const { modules } = await store.layersFor(['modules', ...contents].join('\n'), async () => {
    const folder = await store.scratchFile()
    try {
      await mkdir(folder, { recursive: true })
      for (const [index, name] of files.entries()) {
        if (contents[index]) await cp(join(REPOSITORY, name), join(folder, name))
      }
      const install = ['ci', '--omit=dev', '--omit=optional', '--ignore-scripts']
      const quiet = ['--no-audit', '--no-fund']
      await exec('npm', [...install, ...quiet], { cwd: folder, env: environment('npm'), signal })
      const layer = new LayerWriter(store)
      await layer.tree(`${APP}/node_modules`, join(folder, 'node_modules'), isNeededAtRunTime)
      return { modules: await layer.done() }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
  return modules
}

/** Half of a dependency tree by size is for people and compilers. */
const isNeededAtRunTime = (name: string): boolean =>
  !/\.(md|markdown|map|d\.ts|d\.mts|d\.cts)$/i.test(name) && !name.endsWith('/.package-lock.json')

/** Built each time: it is small, and its digest is what tells one version of the code from another. */
const source = async (store: BlobStore): Promise<Blob> => {
  const layer = new LayerWriter(store)
  await layer.file(`${APP}/package.json`, join(REPOSITORY, 'package.json'), 0o644)
  for (const folder of SOURCE) {
    await layer.directory(`${APP}/${folder}`)
    await layer.tree(`${APP}/${folder}`, join(REPOSITORY, folder), isProduct)
  }
  return layer.done()
}

/** Tests and generators need packages that the image does not have. */
const isProduct = (name: string): boolean =>
  !/\.test\.ts$|\/(fixtures|testing)$|\/api\/gen$/.test(name)
