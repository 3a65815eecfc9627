// A shell, or the given program, in the namespaces of the running node.
import { spawnSync } from 'node:child_process'
import { environment } from '../environment.ts'
import { explain } from '../errors.ts'
import { stateDir } from '../paths.ts'
import { enterNode } from './inside.ts'

try {
  const [program = '', ...enter] = await enterNode(stateDir())
  const argv = process.argv.slice(2)
  const { status } = spawnSync(program, [...enter, ...(argv.length > 0 ? argv : ['bash'])], {
    stdio: 'inherit',
    env: environment(undefined, { TERM: process.env.TERM }),
  })
  process.exitCode = status ?? 1
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}
