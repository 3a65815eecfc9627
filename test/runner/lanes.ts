import type { Part, Step } from './parts.ts'

export type Lane = 'apart' | 'onPlatform' | 'beside'
export type RunStep = (part: Part, step: Step, lane: Lane) => Promise<void>

/**
 * What shares no real part goes on side by side: a platform mostly waits, and servers of a test mostly compute. On the
 * platform one step follows the other, but for those that keep a waiting one company.
 */
export async function runLanes(parts: readonly Part[], run: RunStep): Promise<void> {
  const lane = async (name: Lane): Promise<void> => {
    for (const part of parts) for (const step of part[name] ?? []) await run(part, step, name)
  }
  const platform = async (): Promise<void> => {
    let company: Promise<void> | undefined
    for (const part of parts) {
      for (const step of part.onPlatform) {
        if (step.waits) company = lane('beside')
        await run(part, step, 'onPlatform')
        await company
      }
    }
    if (!company) await lane('beside')
    for (const part of parts.toReversed())
      for (const step of part.last ?? []) await run(part, step, 'onPlatform')
  }
  await Promise.all([lane('apart'), platform()])
}
