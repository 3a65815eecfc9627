import { parseAllDocuments } from 'yaml'
import { LocalError } from '../../errors.ts'
import { isMap, type Json, type JsonMap } from '../values.ts'

/** Objects of a YAML text, lists taken apart, empty documents left out. `origin` is named in errors. */
export function parseManifests(yaml: string, origin: string): JsonMap[] {
  const documents = parseAllDocuments(yaml)
  return ('empty' in documents ? [] : documents).flatMap((document) => {
    const [problem] = document.errors
    if (problem) {
      throw new LocalError('ERR_MANIFEST', `${origin}: ${problem.message}`, 'correct the YAML')
    }
    return flatten(document.toJS() as Json, origin)
  })
}

export function flatten(value: Json | undefined, origin: string): JsonMap[] {
  if (value === null || value === undefined) return []
  if (!isMap(value) || typeof value.kind !== 'string' || typeof value.apiVersion !== 'string') {
    throw new LocalError(
      'ERR_MANIFEST',
      `${origin}: a document without apiVersion and kind`,
      'give every document apiVersion and kind',
    )
  }
  if (value.kind.endsWith('List') && Array.isArray(value.items)) {
    return value.items.flatMap((item) => flatten(item, origin))
  }
  return [value]
}
