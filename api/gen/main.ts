import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outputs } from './outputs.ts'

const ROOT = join(import.meta.dirname, '../..')

/** `npm run gen` writes; `npm run gen:check` names what differs and fails. */
const checking = process.argv.includes('--check')
const different: string[] = []
for (const { path, text } of outputs()) {
  const file = join(ROOT, path)
  const there = await readFile(file, 'utf8').catch(() => '')
  if (there === text) continue
  different.push(path)
  if (checking) continue
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
if (checking && different.length > 0) {
  console.error(
    `ERR_GENERATED_DRIFT: ${different.join(', ')} differ from api/; run "npm run gen" and commit`,
  )
  process.exitCode = 1
} else {
  console.log(
    checking
      ? 'generated files are up to date'
      : `written: ${different.join(', ') || 'nothing new'}`,
  )
}
