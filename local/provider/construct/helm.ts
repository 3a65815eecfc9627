import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { LocalError } from '../../errors.ts'
import type { ProviderContext } from '../context.ts'
import { redact } from '../secrets.ts'
import { isMap, text, type JsonMap } from '../values.ts'

const run = promisify(execFile)

const UNDERSTOOD = [
  'chart',
  'name',
  'namespace',
  'values',
  'version',
  'skipCrds',
  'skipAwait',
  'resourcePrefix',
]

function refuseUnknownArguments(inputs: JsonMap): void {
  const unknown = Object.keys(inputs).filter(
    (key) => inputs[key] !== null && !UNDERSTOOD.includes(key),
  )
  if (unknown.length === 0) return
  throw new LocalError(
    'ERR_CHART_ARGUMENT',
    `helm.v4.Chart: the stand-in provider does not understand ${unknown.join(', ')}`,
    `it understands ${UNDERSTOOD.join(', ')}`,
  )
}

export interface ChartWish {
  readonly inputs: JsonMap
  readonly release: string
  readonly namespace: string
  readonly programDirectory: string
  readonly helm: string
  readonly secretTexts: ReadonlySet<string>
}

/** The chart's objects as YAML. Values go through a file of our own eyes only, never through arguments. */
export async function renderChart(wish: ChartWish, context: ProviderContext): Promise<string> {
  const { inputs } = wish
  refuseUnknownArguments(inputs)
  const chart = text(inputs.chart)
  if (chart === undefined) {
    throw new LocalError(
      'ERR_CHART_ARGUMENT',
      'helm.v4.Chart: "chart" is missing',
      'give a path or a reference',
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'palisade-chart-'))
  try {
    const values = join(folder, 'values.json')
    await writeFile(values, JSON.stringify(isMap(inputs.values) ? inputs.values : {}), {
      mode: 0o600,
    })
    const args = [
      'template',
      wish.release,
      chart,
      '--namespace',
      wish.namespace,
      '--values',
      values,
    ]
    args.push('--no-hooks', inputs.skipCrds === true ? '--skip-crds' : '--include-crds')
    args.push('--kube-version', await context.api.version())
    args.push('--api-versions', (await context.api.discovery.apiVersions()).join(','))
    const version = text(inputs.version)
    if (version !== undefined) args.push('--version', version)
    const options = {
      cwd: wish.programDirectory,
      maxBuffer: 64 * 1024 * 1024,
      signal: context.api.signal,
    }
    return (await run(wish.helm, args, options)).stdout
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string }
    if (code === 'ENOENT') {
      throw new LocalError(
        'ERR_HELM_MISSING',
        `helm was not found at "${wish.helm}"`,
        'build the tools (make up does it) or put helm on the PATH',
      )
    }
    const said = redact((stderr ?? String(error)).trim(), wish.secretTexts)
    throw new LocalError(
      'ERR_CHART',
      `chart "${chart}": ${said}`,
      'correct the chart or its values',
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
