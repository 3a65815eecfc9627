// `make tools`: builds every tool without starting a cluster.
import { explain } from '../errors.ts'
import { buildTools } from './build.ts'

const context = {
  note: (message: string): void => console.log(`  … ${message}`),
  signal: new AbortController().signal,
}

try {
  console.log(`control plane: ${await buildTools('control-plane', context)}`)
  console.log(`rest: ${await buildTools('rest', context)}`)
  console.log(`for tests: ${await buildTools('test', context)}`)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
