import { generateKeyPairSync, sign } from 'node:crypto'
import type { CheckpointSigner, CheckpointSink } from '../../gateway/sealer/ports.ts'
import { goesFurther } from '../../gateway/sealer/progress.ts'

/** A key of a log, in this process. */
export function makeSigner(name: string): CheckpointSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { name, publicKey: raw, sign: async (text) => sign(null, text, privateKey) }
}

/** A place outside that never goes backwards, like the real ones. */
export function memoryPlace(name: string, note?: string): CheckpointSink & { note?: string } {
  return {
    name,
    ...(note === undefined ? {} : { note }),
    async newest() {
      return this.note
    },
    async publish(next) {
      if (!goesFurther(next, this.note)) return false
      this.note = next
      return true
    },
  }
}
