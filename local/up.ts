import { delimiter, join } from 'node:path'
import { untilGatewayAnswers } from './answer.ts'
import type { Backend } from './backend.ts'
import { bareBackend } from './bare/bare-backend.ts'
import { IMAGE_PACKAGES, NODE_PACKAGES, unpackPackages } from './bare/debian.ts'
import { layoutOf } from './bare/layout.ts'
import { withFailureLog } from './failure-log.ts'
import { ensureImages, referencesOf } from './images/ensure.ts'
import { isDockerThere, kindBackend } from './kind/backend.ts'
import { factsOf } from './machine.ts'
import { ensureOperators, prepareForOperators } from './operators/ensure.ts'
import { isOfOperators } from './operators/harden.ts'
import { cacheDir, kubeconfigPath, stateDir } from './paths.ts'
import { imageConfig, runPlatform, stackLog } from './platform.ts'
import { problemsOf } from './preflight.ts'
import { checkStackConfig, STACK_FILE } from './stack-config.ts'
import type { Step, StepContext } from './steps.ts'
import { buildTools } from './tools/build.ts'
import { toolPath } from './tools/path.ts'
import { waitForTool } from './tools/wait.ts'

/** All of `make up`, or only a cluster without anything of ours on it. */
export async function upSteps(clusterOnly = false): Promise<Step[]> {
  const layout = layoutOf(stateDir())
  const useKind = process.env.PALISADE_BACKEND === 'kind' || (await isKindUsable())
  const backend = useKind ? kindBackend(layout) : bareBackend(layout)
  return clusterOnly ? foundation(backend) : [...foundation(backend), ...platform(backend)]
}

const isKindUsable = async (): Promise<boolean> =>
  process.env.PALISADE_BACKEND !== 'bare' && (await isDockerThere())

/** The control plane starts as soon as its programs are there; the rest compiles meanwhile. */
const foundation = (backend: Backend): Step[] => [
  { name: 'preflight', run: () => preflight(backend) },
  withFailureLog({ name: 'packages', needs: ['preflight'], run: packages }),
  withFailureLog({
    name: 'tools of the control plane',
    needs: ['preflight'],
    run: (context) => buildTools('control-plane', context),
  }),
  onNode(backend, {
    name: 'control plane',
    needs: ['packages', 'tools of the control plane'],
    run: (context) => backend.startControlPlane(context),
  }),
  withFailureLog({
    name: 'other tools',
    needs: ['tools of the control plane'],
    run: (context) => buildTools('rest', context),
  }),
  onNode(backend, {
    name: 'node',
    needs: ['control plane'],
    run: (context) => backend.finishNode(context),
  }),
]

/** What fails there is told by the node's own log. */
const onNode = ({ log }: Backend, step: Step): Step =>
  log === undefined ? withFailureLog(step) : { ...step, log }

function platform(backend: Backend): Step[] {
  const kubeconfig = kubeconfigPath()
  let images: Awaited<ReturnType<typeof ensureImages>> = []
  const operators = (context: StepContext) => ({
    kubeconfig,
    images: referencesOf(images),
    cacheDir: cacheDir(),
    stateDir: stateDir(),
    podCidr: backend.podCidr,
    toolPath,
    context,
  })
  return [
    withFailureLog({
      name: 'images',
      needs: ['packages', 'tools of the control plane'],
      run: async (context) => {
        const folders = { cacheDir: cacheDir(), stateDir: stateDir() }
        images = await ensureImages({ ...folders, toolPath: waitForTool(context.signal), context })
        return `${images.length} ready`
      },
    }),
    onNode(backend, {
      // Beside the node's own steps, which mostly wait.
      name: 'images of operators',
      needs: ['images', 'control plane'],
      run: (context) => backend.importImages(images.filter(isOfOperators), context),
    }),
    onNode(backend, {
      name: 'images of the platform',
      needs: ['images of operators'],
      run: (context) => backend.importImages(images, context),
    }),
    onNode(backend, {
      name: 'definitions of operators',
      needs: ['images', 'control plane', 'other tools'],
      run: (context) => prepareForOperators(operators(context)),
    }),
    onNode(backend, {
      name: 'operators',
      needs: ['node', 'images of operators', 'definitions of operators'],
      run: (context) => ensureOperators(operators(context)),
    }),
    {
      name: 'stack',
      needs: ['operators', 'images of the platform'],
      log: stackLog(),
      run: (context) =>
        runPlatform(
          'up',
          { ...backend.stackConfig, ...imageConfig(referencesOf(images)) },
          context,
        ),
    },
    { name: 'gateway', needs: ['stack'], log: stackLog(), run: untilGatewayAnswers },
  ]
}

async function preflight(backend: Backend): Promise<string> {
  await checkStackConfig(STACK_FILE, backend.stackConfig)
  const facts = await factsOf(backend)
  const [first, ...others] = problemsOf(facts, backend.name)
  const { freeGiB, goVersion } = facts
  if (!first) return `backend ${backend.name}, ${freeGiB.toFixed(0)} GiB free, ${goVersion}`
  for (const { code, message, remedy } of others)
    console.error(`${code}: ${message}\n  → ${remedy}`)
  throw first
}

async function packages(context: StepContext): Promise<string> {
  // One after the other: apt locks its lists.
  const node = await unpackPackages(NODE_PACKAGES, context)
  const images = await unpackPackages(IMAGE_PACKAGES, context)
  // Behind the machine's own programs, so that only what is missing is taken from here.
  process.env.PATH = [process.env.PATH, join(images.root, 'usr', 'bin')].join(delimiter)
  return node.made || images.made ? 'unpacked' : 'unchanged'
}
