import { LocalError } from '../../errors.ts'
import { parseType } from '../kubernetes/object.ts'

const OFFICIAL = 'use the official provider plugin where it can be installed'

/** Types of the SDK that are no objects of the API; each is refused by name. */
export function refuseUnsupported(type: string): void {
  const parsed = parseType(type)
  const refused = (why: string, remedy: string): never => {
    throw new LocalError('ERR_TYPE_UNSUPPORTED', `"${type}": ${why}`, remedy)
  }
  if (!parsed) refused('this is not a Kubernetes type', 'correct the type')
  else if (/^(helm\.sh|kustomize|yaml)(\/|$)/.test(parsed.apiVersion)) {
    refused(
      'the stand-in provider does not know this component',
      `take helm.v4.Chart or yaml.v2.ConfigGroup, or ${OFFICIAL}`,
    )
  } else if (parsed.kind.endsWith('Patch')) {
    refused(
      'the stand-in provider does not patch objects of others',
      `own the whole object, or ${OFFICIAL}`,
    )
  } else if (parsed.kind.endsWith('List')) {
    refused('a list is not an object', 'declare each object of the list')
  }
}
