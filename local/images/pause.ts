import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { environment } from '../environment.ts'
import { exec } from '../exec.ts'
import { goVersion } from '../tools/go.ts'
import type { Blob, BlobStore } from './blob-store.ts'
import { LayerWriter } from './layer.ts'

const SOURCE = join(import.meta.dirname, 'pause', 'main.go')

/** The container that holds a pod's namespaces, compiled from our own few lines. */
export const pauseLayer = async (store: BlobStore, signal: AbortSignal): Promise<Blob> => {
  const inputs = `pause\n${await goVersion()}\n${await readFile(SOURCE, 'utf8')}`
  const { pause } = await store.layersFor(inputs, async () => {
    const binary = await store.scratchFile()
    try {
      await exec('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', binary, SOURCE], {
        env: environment('go', { CGO_ENABLED: '0', GOFLAGS: '' }),
        signal,
      })
      const layer = new LayerWriter(store)
      await layer.file('pause', binary)
      return { pause: await layer.done() }
    } finally {
      await rm(binary, { force: true })
    }
  })
  return pause
}
