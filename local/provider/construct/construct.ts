import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import { provider } from '../proto.ts'
import { secretTexts } from '../secrets.ts'
import { hasUnknown, text, UNKNOWN, type JsonMap } from '../values.ts'
import { fromStruct, toStruct } from '../wire.ts'
import { registerChildren } from './children.ts'
import { groupObjects } from './config-group.ts'
import { renderChart } from './helm.ts'
import { parseManifests } from './manifests.ts'
import { Monitor } from './monitor.ts'

type Request = InstanceType<typeof provider.ConstructRequest>

export interface ConstructOptions {
  readonly version: string
  readonly programDirectory: string
  readonly helm: string
}

export const CHART = 'kubernetes:helm.sh/v4:Chart'
export const CONFIG_GROUP = 'kubernetes:yaml/v2:ConfigGroup'

async function objectsOf(
  request: Request,
  inputs: JsonMap,
  texts: ReadonlySet<string>,
  context: ProviderContext,
  options: ConstructOptions,
): Promise<JsonMap[]> {
  if (request.getType() === CONFIG_GROUP) return groupObjects(inputs, options.programDirectory)
  const wish = {
    inputs,
    release: text(inputs.name) ?? request.getName(),
    namespace: text(inputs.namespace) ?? context.api.defaultNamespace,
    programDirectory: options.programDirectory,
    helm: options.helm,
    secretTexts: texts,
  }
  return parseManifests(await renderChart(wish, context), request.getName())
}

/** A component made on the provider's side: it renders objects and registers each with the engine. */
export async function construct(
  request: Request,
  context: ProviderContext,
  options: ConstructOptions,
): Promise<InstanceType<typeof provider.ConstructResponse>> {
  const type = request.getType()
  if (type !== CHART && type !== CONFIG_GROUP) {
    throw new LocalError(
      'ERR_TYPE_UNSUPPORTED',
      `the stand-in provider does not know the component "${type}"`,
      'take helm.v4.Chart or yaml.v2.ConfigGroup',
    )
  }
  const { value: inputs, secrets } = fromStruct(request.getInputs())
  const monitor = new Monitor(request.getMonitorendpoint())
  try {
    const { urn } = await monitor.register({
      type,
      name: request.getName(),
      parent: request.getParent(),
      custom: false,
      object: {},
      dependencies: request.getDependenciesList(),
      version: options.version,
    })
    const answer = new provider.ConstructResponse()
    answer.setUrn(urn)
    if (hasUnknown(inputs)) {
      context.log.warn(
        urn,
        'its objects are known only after the update, since an input is not known yet',
      )
      answer.setState(toStruct({ resources: UNKNOWN }))
      return answer
    }
    const texts = secretTexts(inputs, secrets)
    const objects = await objectsOf(request, inputs, texts, context, options)
    const component = {
      urn,
      prefix: text(inputs.resourcePrefix) ?? request.getName(),
      namespace: text(inputs.namespace) ?? context.api.defaultNamespace,
      skipAwait: inputs.skipAwait === true,
      provider: request.getProvidersMap().get('kubernetes'),
      version: options.version,
      secretTexts: texts,
    }
    answer.setState(
      toStruct({ resources: await registerChildren(objects, component, monitor, context) }),
    )
    return answer
  } finally {
    monitor.close()
  }
}
