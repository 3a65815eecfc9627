import { DEFINITIONS } from '../v1alpha1/definitions.ts'
import { GROUP } from '../v1alpha1/object.ts'
import { customResourceDefinition } from './crd.ts'
import { openApi } from './openapi.ts'
import { referencePages } from './reference.ts'
import { type Output, yaml } from './write.ts'

/** Every generated file, made in memory: writing and checking see the same texts. */
export const outputs = (): readonly Output[] => [
  ...DEFINITIONS.map((definition) => ({
    path: `charts/palisade/crds/${GROUP}_${definition.plural}.yaml`,
    text: yaml('api/', customResourceDefinition(definition)),
  })),
  ...referencePages(),
  { path: 'docs/reference/openapi.json', text: `${JSON.stringify(openApi(), null, 2)}\n` },
]
