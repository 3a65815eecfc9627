import { crdName, type Definition } from '../v1alpha1/definitions.ts'
import { GROUP, VERSION } from '../v1alpha1/object.ts'
import { structural } from './structural.ts'

/** apiextensions.k8s.io/v1 of one definition. */
export function customResourceDefinition(definition: Definition) {
  const { kind, plural, shortNames, scope } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(definition), labels: { 'app.kubernetes.io/part-of': 'palisade' } },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [...shortNames],
        categories: ['palisade'],
      },
      versions: [version(definition)],
    },
  }
}

function version(definition: Definition) {
  return {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    selectableFields: definition.selectableFields.map((jsonPath) => ({ jsonPath })),
    additionalPrinterColumns: definition.columns,
    schema: {
      openAPIV3Schema: {
        description: definition.description,
        type: 'object',
        required: ['spec'],
        'x-kubernetes-validations': definition.rules,
        properties: {
          apiVersion: { type: 'string', description: `${GROUP}/${VERSION}` },
          kind: { type: 'string', description: definition.kind },
          metadata: { type: 'object' },
          spec: structural(definition.spec),
          status: structural(definition.status),
        },
      },
    },
  }
}
