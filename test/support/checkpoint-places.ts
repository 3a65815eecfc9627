import type { CheckpointSink } from '../../gateway/sealer/ports.ts'
import { goesFurther } from '../../gateway/sealer/progress.ts'

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
