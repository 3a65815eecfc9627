import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepContext } from '../steps.ts'
import { BlobStore } from './blob-store.ts'
import type { Image } from './archive.ts'
import { imageDocuments } from './manifest.ts'
import { RECIPES } from './recipes.ts'

export interface EnsureOptions {
  readonly cacheDir: string
  readonly stateDir: string
  readonly toolPath: (name: string) => Promise<string>
  readonly context: StepContext
  /** Only these; all by default. */
  readonly only?: readonly string[]
}

export const imageStore = (cacheDir: string): BlobStore => new BlobStore(join(cacheDir, 'images'))

/** Builds what is missing. Beside each other, since one may wait for a tool that is still compiling. */
export const ensureImages = async (options: EnsureOptions): Promise<readonly Image[]> => {
  const { cacheDir, stateDir, toolPath, context, only = Object.keys(RECIPES) } = options
  const store = imageStore(cacheDir)
  const kitchen = { store, toolPath, context }
  const images = await Promise.all(
    only.map(async (name): Promise<Image> => {
      const recipe = RECIPES[name]
      if (!recipe) throw new Error(`no image is called "${name}"`)
      const layers = await recipe.layers(kitchen)
      const { reference } = imageDocuments(name, layers, recipe.config)
      context.note(`image ${reference}`)
      return { name, reference, layers, config: recipe.config }
    }),
  )
  if (only.length === Object.keys(RECIPES).length) {
    await store.prune(
      images.flatMap(({ layers }) => layers),
      new Date(),
    )
    await recordReferences(stateDir, images)
  }
  return images
}

export const referencesOf = (images: readonly Image[]): Record<string, string> =>
  Object.fromEntries(images.map(({ name, reference }) => [name, reference]))

export const referencesPath = (stateDir: string): string => join(stateDir, 'images.json')

/** For whoever needs a reference without building: the stack's configuration and tests. */
const recordReferences = async (stateDir: string, images: readonly Image[]): Promise<void> => {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const path = referencesPath(stateDir)
  await writeFile(`${path}.new`, `${JSON.stringify(referencesOf(images), null, 2)}\n`)
  await rename(`${path}.new`, path)
}
