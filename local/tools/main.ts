// `make tools`: builds every tool without starting a cluster; with names of stages, those of these stages.
import { explain } from '../errors.ts'
import { buildTools } from './build.ts'
import { STAGES } from './table.ts'

const context = {
  note: (message: string): void => console.log(`  … ${message}`),
  signal: new AbortController().signal,
}

try {
  const wanted = process.argv.slice(2)
  for (const stage of STAGES.filter((one) => wanted.length === 0 || wanted.includes(one))) {
    console.log(`${stage}: ${await buildTools(stage, context)}`)
  }
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
