import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'

export interface Output {
  /** Path from the root of the repository. */
  readonly path: string
  readonly text: string
}

const ROOT = join(import.meta.dirname, '../..')

export const yaml = (source: string, ...documents: readonly unknown[]) =>
  `# Made by \`npm run gen\` from ${source}; do not edit.\n` +
  documents
    .map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n')

/** Paths of the outputs whose file is not what the generator would write now. */
export async function outdated(outputs: readonly Output[]): Promise<string[]> {
  const texts = await Promise.all(
    outputs.map(({ path }) => readFile(join(ROOT, path), 'utf8').catch(() => '')),
  )
  return outputs.filter(({ text }, i) => texts[i] !== text).map(({ path }) => path)
}

/** `npm run gen` writes what differs; with --check it names it and fails. */
export async function writeOrCheck(outputs: readonly Output[], source: string): Promise<void> {
  const different = await outdated(outputs)
  if (process.argv.includes('--check')) {
    if (different.length === 0) return console.log(`generated files fit ${source}`)
    console.error(
      `ERR_GENERATED_DRIFT: ${different.join(', ')} differ from ${source}; run "npm run gen" and commit`,
    )
    process.exitCode = 1
    return
  }
  for (const { path, text } of outputs.filter((output) => different.includes(output.path))) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true })
    await writeFile(join(ROOT, path), text)
    console.log(`written: ${path}`)
  }
}
