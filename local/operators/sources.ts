import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { exec } from '../exec.ts'
import { goModOf, moduleFolder } from './module-source.ts'
import type { Manifest } from '../cluster/manifest.ts'

export interface SourceOptions {
  readonly cacheDir: string
  readonly toolPath: (name: string) => Promise<string>
  readonly signal: AbortSignal
}

interface Source {
  readonly wrapper: string
  readonly module: string
  /** The manifests as YAML, from the module's folder. */
  read(folder: string, options: SourceOptions): Promise<string>
}

const versionOf = (folder: string): string => /@v([^@/]+)$/.exec(folder)?.[1] ?? ''

const cloudNativePg: Source = {
  wrapper: 'cloudnative-pg',
  module: 'github.com/cloudnative-pg/cloudnative-pg',
  read: (folder) => readFile(join(folder, 'releases', `cnpg-${versionOf(folder)}.yaml`), 'utf8'),
}

const prometheusOperator: Source = {
  wrapper: 'prometheus-operator',
  module: 'github.com/prometheus-operator/prometheus-operator',
  read: (folder) => readFile(join(folder, 'bundle.yaml'), 'utf8'),
}

const CERT_MANAGER_VALUES = [
  'startupapicheck.enabled=false', // needs an image of its own; the webhook is asked for real instead
  'global.leaderElection.namespace=cert-manager', // so that it needs no right in kube-system
  // At 20 requests a second the first certificates of a platform, a dozen at once, wait for their turn.
  'extraArgs={--kube-api-qps=100,--kube-api-burst=200}',
]

/** The module holds the chart as its release tool takes it: without version, the CRDs lying apart. */
export const assembleCertManagerChart = async (folder: string, chart: string): Promise<void> => {
  await copyWritable(join(folder, 'deploy/charts/cert-manager'), chart)
  const template = await readFile(join(chart, 'Chart.template.yaml'), 'utf8')
  await writeFile(join(chart, 'Chart.yaml'), template.replaceAll('v0.1.0', `v${versionOf(folder)}`))
  const crds = join(folder, 'deploy/crds')
  const names = (await readdir(crds)).filter((name) => name.endsWith('.yaml')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(crds, name), 'utf8')))
  await writeFile(join(chart, 'templates/crds.yaml'), texts.join('\n---\n'))
}

const certManager: Source = {
  wrapper: 'cert-manager',
  module: 'github.com/cert-manager/cert-manager',
  read: async (folder, { cacheDir, toolPath, signal }) => {
    const chart = join(cacheDir, 'operators', `chart-${process.pid}`)
    try {
      await assembleCertManagerChart(folder, chart)
      const set = CERT_MANAGER_VALUES.flatMap((value) => ['--set', value])
      const args = ['template', 'cert-manager', chart, '--namespace', 'cert-manager', ...set]
      return await exec(await toolPath('helm'), args, { signal })
    } finally {
      await rm(chart, { recursive: true, force: true })
    }
  },
}

/** Files in the module cache are read-only, and so would their copies be. */
const copyWritable = async (from: string, to: string): Promise<void> => {
  await rm(to, { recursive: true, force: true })
  await mkdir(to, { recursive: true })
  for (const entry of await readdir(from, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name)
    const target = join(to, path.slice(from.length))
    if (entry.isDirectory()) await mkdir(target, { recursive: true })
    else {
      await mkdir(join(target, '..'), { recursive: true })
      await writeFile(target, await readFile(path))
    }
  }
}

export const SOURCES = { certManager, cloudNativePg, prometheusOperator } as const

/** Manifests as released. Parsing megabytes of YAML takes seconds, so the result is kept as JSON. */
export const releasedManifests = async (
  source: Source,
  options: SourceOptions,
): Promise<readonly Manifest[]> => {
  const pin = await readFile(goModOf(source.wrapper), 'utf8')
  const key = createHash('sha256').update(`2\n${CERT_MANAGER_VALUES.join()}\n${pin}`).digest('hex')
  const folder = join(options.cacheDir, 'operators')
  const cached = join(folder, `${source.wrapper}-${key.slice(0, 16)}.json`)
  const known = await readFile(cached, 'utf8').catch(() => undefined)
  if (known !== undefined) return JSON.parse(known) as Manifest[]
  await mkdir(folder, { recursive: true })
  const module = await moduleFolder(source.wrapper, source.module, options.signal)
  const manifests = parseManifests(await source.read(module, options))
  // What a list no longer names is deleted: an empty one would take the operator away.
  if (manifests.length === 0) throw new Error(`${source.module} releases no manifest in ${module}`)
  await writeFile(`${cached}.new`, JSON.stringify(manifests))
  await rename(`${cached}.new`, cached)
  return manifests
}

export const parseManifests = (yaml: string): readonly Manifest[] =>
  parseAllDocuments(yaml).flatMap((document) => {
    const [error] = document.errors
    if (error) throw error
    const manifest = document.toJS() as Manifest | null
    return manifest?.kind ? [manifest] : []
  })
