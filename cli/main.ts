#!/usr/bin/env node
import { PalisadeError } from '#core/problem'
import { COMMANDS } from './commands.ts'
import { dispatch } from './dispatch.ts'
import { describe } from './failure.ts'

// Whoever reads along may have seen enough, as "head" has: what the command found is still its exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  process.exitCode = await dispatch(COMMANDS, process.argv.slice(2), (line) =>
    process.stdout.write(`${line}\n`),
  )
} catch (error) {
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = error instanceof PalisadeError && error.code === 'ERR_USAGE' ? 2 : 1
}
