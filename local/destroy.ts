import { kubectlFor, ourResources } from './destroy/kubectl.ts'
import { releaseAll, removeOperator } from './destroy/release-all.ts'
import { LocalError } from './errors.ts'
import { kubeconfigPath } from './paths.ts'
import { runPlatform, stackLog } from './platform.ts'
import { hasState } from './stack/checkpoint.ts'
import { insistOnPassphrase } from './stack/passphrase.ts'
import { localStack } from './stack/request.ts'
import type { Step, StepContext } from './steps.ts'

/**
 * The platform goes and the cluster stays: first our own resources, while operator, gateway and stores still run,
 * then the operator, then by `pulumi destroy` the rest in the order of trust reversed.
 */
export function destroySteps(): Step[] {
  const ours = ({ signal }: StepContext) => ourResources(kubectlFor(kubeconfigPath(), signal))
  return [
    { name: 'what is there', run: lookBefore },
    {
      name: 'rotations',
      needs: ['what is there'],
      // The engine's state does not hear of this; a later `up` compares each object with the cluster.
      run: (context) => releaseAll(ours(context), context),
    },
    {
      name: 'operator',
      needs: ['rotations'],
      run: (context) => removeOperator(ours(context)),
    },
    {
      name: 'stack',
      needs: ['operator'],
      log: stackLog(),
      run: (context) => runPlatform('destroy', {}, context),
    },
  ]
}

/** Everything that could stop a destroy half-way is found before the first object goes. */
async function lookBefore({ signal }: StepContext): Promise<string> {
  if (!(await hasState(localStack()))) {
    throw new LocalError(
      'ERR_NO_PLATFORM',
      'no platform was made here, so there is nothing to destroy',
      'run `make up` to make one, or `make down` to remove what else may be left',
    )
  }
  await insistOnPassphrase(localStack())
  const kubectl = kubectlFor(kubeconfigPath(), signal)
  await kubectl('get', '--raw', '/readyz', '--request-timeout=10s').catch((cause: unknown) => {
    signal.throwIfAborted()
    throw new LocalError(
      'ERR_CLUSTER_DOWN',
      'the cluster of this machine does not answer, and its objects cannot be removed',
      'start it with `make up ARGS=--cluster-only` and run `make destroy` again; `make down` removes all of it, platform and cluster',
      cause,
    )
  })
  return 'a platform, and its cluster answers'
}
