import { stringify } from 'yaml'
import { DEFINITIONS } from '../v1alpha1/definitions.ts'
import { GROUP } from '../v1alpha1/object.ts'
import { customResourceDefinition } from './crd.ts'

export interface Output {
  /** Path from the root of the repository. */
  readonly path: string
  readonly text: string
}

const NOTICE = '# Made by `npm run gen` from api/; do not edit.\n'

export const yaml = (...documents: readonly unknown[]) =>
  NOTICE +
  documents
    .map((one) => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }))
    .join('---\n')

/** Every generated file, made in memory: writing and checking see the same texts. */
export function outputs(): readonly Output[] {
  return [
    ...DEFINITIONS.map((definition) => ({
      path: `charts/palisade/crds/${GROUP}_${definition.plural}.yaml`,
      text: yaml(customResourceDefinition(definition)),
    })),
  ]
}
