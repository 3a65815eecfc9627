import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A bug as a patch, and the one test that must notice it. */
export interface Mutation {
  /** Name of the patch file, without its ending. */
  readonly name: string
  /** Absolute path of the patch. */
  readonly path: string
  /** What goes wrong, in one sentence. */
  readonly bug: string
  /** Where it happened to somebody, or to us. */
  readonly seen: string
  /** Id of a row of the README's table. */
  readonly row: string
  readonly project: 'unit' | 'postgres'
  /** Test file, from the root of the repository. */
  readonly file: string
  /** Titles from the outermost `describe` to the `it`, between them " > ". */
  readonly test: string
}

type Key = 'Bug' | 'Seen' | 'Row' | 'Project' | 'File' | 'Test'

/** The lines before the diff: `Key: value`, each once. @throws Error that names the patch and what is wrong with it */
export function parseHeader(name: string, text: string): Omit<Mutation, 'path'> {
  const [head = ''] = text.split(/^diff --git /m, 1)
  if (head === text) throw new Error(`${name}: there is no "diff --git" line`)
  const of = (key: Key) => {
    const found = head.split('\n').filter((line) => line.startsWith(`${key}: `))
    const value = found[0]?.slice(key.length + 2).trim()
    if (found.length === 1 && value) return value
    throw new Error(`${name}: its header must have one line "${key}: ..." before the diff`)
  }
  const project = of('Project')
  if (project !== 'unit' && project !== 'postgres') {
    throw new Error(`${name}: Project must be unit or postgres, not "${project}"`)
  }
  const rest = { bug: of('Bug'), seen: of('Seen'), row: of('Row'), file: of('File') }
  return { name, project, ...rest, test: of('Test') }
}

/** All patches beside this file, by name. */
export function readMutations(directory = import.meta.dirname): readonly Mutation[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map((file) => {
      const path = join(directory, file)
      return { path, ...parseHeader(file.replace(/\.patch$/, ''), readFileSync(path, 'utf8')) }
    })
}
