import { glob, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { LocalError } from '../../errors.ts'
import type { Json, JsonMap } from '../values.ts'
import { flatten, parseManifests } from './manifests.ts'

const list = (value: Json | undefined): Json[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]

const texts = (value: Json | undefined): string[] =>
  list(value).filter((one) => typeof one === 'string')

async function read(pattern: string, programDirectory: string): Promise<JsonMap[]> {
  const names: string[] = []
  for await (const name of glob(pattern, { cwd: programDirectory })) names.push(name)
  if (names.length === 0) {
    throw new LocalError(
      'ERR_MANIFEST',
      `no file matches "${pattern}" in ${programDirectory}`,
      'correct the path; it starts at the folder of the program',
    )
  }
  const read = names.sort().map(async (name) => {
    const path = resolve(programDirectory, name)
    return parseManifests(await readFile(path, 'utf8'), name)
  })
  return (await Promise.all(read)).flat()
}

/** Objects of a `yaml.v2.ConfigGroup`: given as objects, as YAML texts and as files. */
export async function groupObjects(inputs: JsonMap, programDirectory: string): Promise<JsonMap[]> {
  const fromFiles = await Promise.all(texts(inputs.files).map((one) => read(one, programDirectory)))
  return [
    ...fromFiles.flat(),
    ...texts(inputs.yaml).flatMap((one, index) => parseManifests(one, `yaml[${index}]`)),
    ...list(inputs.objs).flatMap((one, index) => flatten(one, `objs[${index}]`)),
  ]
}
