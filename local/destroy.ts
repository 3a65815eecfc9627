import { readFile } from 'node:fs/promises'
import { LocalError } from './errors.ts'
import { referencesPath } from './images/ensure.ts'
import { stateDir } from './paths.ts'
import { imageConfig, runPlatform, stackLog } from './platform.ts'
import type { Step } from './steps.ts'

/** `pulumi destroy` of stack `local`: our resources go in the order of trust reversed, the cluster stays. */
export const destroyStep = (): Step => ({
  name: 'stack',
  log: stackLog(),
  run: async (context) => {
    const text = await readFile(referencesPath(stateDir()), 'utf8').catch((cause: unknown) => {
      throw new LocalError('ERR_NO_PLATFORM', 'no platform was made here', 'run `make up`', cause)
    })
    const images = JSON.parse(text) as Record<string, string>
    return runPlatform('destroy', imageConfig(images), context)
  },
})
