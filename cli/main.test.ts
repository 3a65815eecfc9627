import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const MAIN = join(import.meta.dirname, 'main.ts')
const run = promisify(execFile)

/** Has Node write the address of each module that it loads. */
const TELL_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({ load: (url, context, next) => (process.stderr.write(url + '\\n'), next(url, context)) })
`)}`

describe('palisade', () => {
  it('does not break when its reader has seen enough, and ends with its own code', async () => {
    const script = '"$0" "$1" audit --help | true; echo "${PIPESTATUS[0]}"'
    const ran = await run('bash', ['-c', script, process.execPath, MAIN])
    expect(ran).toEqual({ stdout: '0\n', stderr: '' })
  })

  it('loads no package to say how it is called', async () => {
    const { stderr } = await run(process.execPath, ['--import', TELL_LOADED, MAIN, '--help'])
    const loaded = stderr.trim().split('\n')
    expect(loaded).toContain(pathToFileURL(MAIN).href)
    expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([])
  })
})
